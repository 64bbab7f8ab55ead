"""A cancel token that lets other work in between: at a check, a long task pauses for a short one."""

from __future__ import annotations

import time
from collections.abc import Callable

from videoinr.cancel import CancelToken


class InterludeToken(CancelToken):
    """Is cancelled when ``token`` is. At each check it calls ``interlude`` first, on the task's own thread.

    Args:
        token: the task's token.
        interlude: does what waits, or nothing. Checks that it makes itself begin no other interlude.
    """

    def __init__(self, token: CancelToken, interlude: Callable[[], None]) -> None:
        super().__init__()
        self._token, self._interlude = token, interlude
        self._is_between = False
        self.spent_secs = 0.0
        """The time that interludes have taken."""

    @property
    def cancelled(self) -> bool:
        """Whether the task's token is cancelled."""
        return self._token.cancelled

    def check(self) -> None:
        """Raise Cancelled if the task's token is cancelled; otherwise do what waits."""
        self._token.check()
        if self._is_between:
            return
        self._is_between, start = True, time.monotonic()
        try:
            self._interlude()
        finally:
            self._is_between = False
            self.spent_secs += time.monotonic() - start
        self._token.check()
