"""A flag that one thread raises and another looks at between chunks of work."""

from __future__ import annotations

import threading

from videoinr.errors import Cancelled


class CancelToken:
    """Cooperative cancel: the worker calls :meth:`check` between chunks, anyone may call :meth:`cancel`."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to end at its next chunk. Any thread; returns at once."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise :class:`~videoinr.errors.Cancelled` if the token was cancelled."""
        if self._event.is_set():
            raise Cancelled


NEVER = CancelToken()
"""A token for work that nobody cancels. Never call ``NEVER.cancel()``."""
