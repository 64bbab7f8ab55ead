"""A flag that one thread sets and a worker checks between chunks of its work."""

from __future__ import annotations

import threading

from videoinr.errors import Cancelled


class CancelToken:
    """Cancels work cooperatively: any thread may call :meth:`cancel`, the worker calls :meth:`check` between chunks."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to end at its next check. Callable from any thread; returns at once."""
        self._event.set()

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
