"""A flag that one thread sets and a worker checks between chunks of its work; it also carries the work's progress."""

from __future__ import annotations

import threading
from collections.abc import Callable

from videoinr.errors import Cancelled


class CancelToken:
    """Cancels work cooperatively: any thread may call :meth:`cancel`, the worker calls :meth:`check` between chunks.

    Attributes:
        leaves: whether cancelled work leaves what it has so far for a later run, where it can.
    """

    def __init__(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Make a token that is not cancelled.

        Args:
            progress: Called with (done, total) by work that takes long, on the worker's thread: the products computed
                so far and all of them, or 0 where their number is not known.
        """
        self._event = threading.Event()
        self._keeps = False
        self.leaves = False
        self._progress = progress

    def cancel(self, *, keep: bool = False) -> None:
        """Ask the work to end at its next check. Callable from any thread; returns at once.

        ``keep``: what is finished shall be kept, if the work can do that.
        """
        self._keeps = self._keeps or keep
        self._event.set()

    @property
    def keeps(self) -> bool:
        """Whether what is finished shall be kept."""
        return self._keeps

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise :class:`~videoinr.errors.Cancelled` if :meth:`cancel` was called."""
        if self._event.is_set():
            raise Cancelled

    def attend(self, wait: Callable[[float | None], bool]) -> None:
        """Wait, on the thread that asked for the work, until other threads have done it.

        Args:
            wait: Waits for so many seconds (None: without limit); returns whether the work is done.
        """
        wait(None)

    def watch(self, progress: Callable[[int, int], None]) -> None:
        """Let ``progress`` hear of the work from now on; see the constructor."""
        self._progress = progress

    def report(self, done: int, total: int) -> None:
        """Report the progress of the work; see the constructor."""
        if self._progress is not None:
            self._progress(done, total)


NEVER = CancelToken()
"""The token of work that cannot be cancelled. Do not call ``NEVER.cancel()``."""
