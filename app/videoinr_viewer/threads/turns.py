"""Lets a thread import modules only while the GUI thread waits for it, a few milliseconds at a time.

PySide keeps its types in a table that every thread uses. A thread that imports a module adds to it: the types of Qt
that the module names, and its own subclasses of them. The event loop reads the table for nearly each event, without
Python's lock; a read during an addition finds nothing, and the process ends (PySide 6.11). So the two must not run at
a time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

SLICE_SECS = 0.008
PATIENCE_SECS = 0.5
"""After so long without a sign of the event loop, the thread goes on without a turn: the GUI thread waits for a module
that this one imports."""
MOST_SECS = 5.0
"""The longest that the GUI thread waits, if the thread waits for another one in turn."""


class StoppedError(ImportError):
    """The program ends: nothing more is imported."""


class Turns(MetaPathFinder):
    """The turns of one thread, which enters this object as a context around its imports.

    Python asks each finder of modules before it loads one; this one finds none, but a good place to pause.
    """

    def __init__(self) -> None:
        self._worker: int | None = None
        self._go, self._has_paused = threading.Event(), threading.Event()
        self._end, self._is_free = 0.0, False
        self._is_alive = self._is_stopped = False

    def __enter__(self) -> Turns:
        self._worker = threading.get_ident()
        sys.meta_path.insert(0, self)
        self._pause()
        return self

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)
        self._is_free = True
        self._has_paused.set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find nothing; pause if the turn of this thread is over. Raises StoppedError."""
        del fullname, path, target
        if threading.get_ident() == self._worker:
            self.rest()
        return None

    def rest(self) -> None:
        """Pause if the turn of this thread is over. Raises StoppedError."""
        if time.perf_counter() >= self._end:
            self._pause()
        if self._is_stopped:
            raise StoppedError("The program ends.")

    def give(self) -> None:
        """Let the thread, if it pauses, import for SLICE_SECS and to its next module; the GUI thread waits here."""
        if self._is_free or not self._has_paused.is_set():
            return
        self._has_paused.clear()
        self._end = time.perf_counter() + SLICE_SECS
        self._go.set()
        self._has_paused.wait(MOST_SECS)

    def put_off(self) -> None:
        """Tell the thread that the event loop runs, but has no turn for it now."""
        self._is_alive = True

    def stop(self) -> None:
        """End the imports at the next module: the program ends, and no event loop runs any more."""
        self._is_free = self._is_stopped = True
        self._go.set()

    def _pause(self) -> None:
        self._has_paused.set()
        while not self._is_free and not self._go.wait(PATIENCE_SECS):
            self._is_free, self._is_alive = not self._is_alive, False
        self._go.clear()
