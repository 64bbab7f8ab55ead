"""A cancel token that is cancelled in the middle of the work."""

from __future__ import annotations

from videoinr.cancel import CancelToken


class CancelledAtCheck(CancelToken):
    """A token that is cancelled at its check number ``checks``."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self.left = checks

    def check(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.cancel()
        super().check()
