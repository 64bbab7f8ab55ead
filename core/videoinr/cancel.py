"""A flag that one thread sets and a worker checks between chunks of its work."""

from __future__ import annotations

import threading

from videoinr.errors import Cancelled


class CancelToken:
    """Cancels work cooperatively: any thread may call :meth:`cancel`, the worker calls :meth:`check` between chunks."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._keeps = False

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


NEVER = CancelToken()
"""The token of work that cannot be cancelled. Do not call ``NEVER.cancel()``."""
