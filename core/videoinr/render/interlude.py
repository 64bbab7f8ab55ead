"""A cancel token that lets other work in between: a long task pauses for a short one, or goes on beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from videoinr.cancel import CancelToken

LOOK_SECS = 0.004
"""How often the thread that waits for others looks whether there is something to do in between."""


class InterludeToken(CancelToken):
    """Is cancelled when ``token`` is. At each check it calls ``interlude`` first, on the thread that made it.

    Where other threads do the work and this one waits for them, it is called all the while: the work goes on beside it.

    Args:
        token: the task's token.
        interlude: does what waits, or nothing. Checks that it makes itself begin no other interlude.
    """

    def __init__(self, token: CancelToken, interlude: Callable[[], None]) -> None:
        super().__init__()
        self._token, self._interlude = token, interlude
        self._thread = threading.get_ident()
        self._is_between = False
        self.spent_secs = 0.0
        """The time that interludes have taken."""

    @property
    def cancelled(self) -> bool:
        """Whether the task's token is cancelled."""
        return self._token.cancelled

    def check(self) -> None:
        """Raise Cancelled if the task's token is cancelled; otherwise do what waits, on the thread that does such."""
        self._token.check()
        if self._is_between or threading.get_ident() != self._thread:
            return
        self._is_between, start = True, time.monotonic()
        try:
            self._interlude()
        finally:
            self._is_between = False
            self.spent_secs += time.monotonic() - start
        self._token.check()

    def attend(self, wait: Callable[[float | None], bool]) -> None:
        """Do what waits until other threads have done the work; raise Cancelled if the task's token is cancelled."""
        while not wait(None if self._is_between else LOOK_SECS):
            self.check()
