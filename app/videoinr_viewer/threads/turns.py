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
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

SLICE_SECS = 0.008
_IMPORTING = "<frozen importlib._bootstrap>"
"""The file of Python's own code of imports, which holds locks of its own."""
_LOCKING = _IMPORTING, "acquire"
"""Where a thread waits for a module, in Python's own code: file and function."""
_SEARCHING = _IMPORTING, "_find_spec"
"""Where a thread has the lock that the import of any other module needs."""
LOOK_SECS = 0.02
"""A thread that pauses looks so often whether the GUI thread waits for one of its modules."""


class StoppedError(ImportError):
    """The program ends: nothing more is imported."""


class Turns(MetaPathFinder):
    """The turns of one thread, which enters this object as a context around its imports.

    The thread pauses where a module begins. Meanwhile it holds the locks of the modules that it is in. If the GUI
    thread imports one of them, the thread goes on as long as the GUI thread waits, and no line of a module longer.
    """

    def __init__(self) -> None:
        self._worker: int | None = None
        self._gui = threading.main_thread().ident
        self._go, self._has_paused = threading.Event(), threading.Event()
        self._end, self._is_free, self._is_stopped = 0.0, False, False
        self._before_watch: Any = None
        self._is_watched = False

    def __enter__(self) -> Turns:
        self._worker = threading.get_ident()
        sys.meta_path.insert(0, self)
        self._pause()
        return self

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)
        if self._is_watched:
            self._unwatch(sys._getframe())
        self._is_free = True
        self._has_paused.set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find what the other finders find. On this thread the module's loader pauses before it begins.

        No pause here: Python holds a lock during a search that the import of any other module needs.
        """
        if threading.get_ident() != self._worker:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Pausing(spec.loader, self)
                return spec
        return None

    def rest(self) -> None:
        """Pause if the turn of this thread is over. Raises StoppedError."""
        if self._is_watched:
            if not _waits_for_a_module(self._gui):
                self._unwatch(sys._getframe())
                self._pause()
        elif time.perf_counter() >= self._end:
            self._pause()
        if self._is_stopped:
            raise StoppedError("The program ends.")

    def give(self) -> None:
        """Let the thread, if it pauses, import for SLICE_SECS and to its next module; the GUI thread waits here.

        It does not wait while the thread itself waits for a module of a third thread, which may need the event loop.
        """
        if self._is_free or not self._has_paused.is_set():
            return
        self._has_paused.clear()
        self._end = time.perf_counter() + SLICE_SECS
        self._go.set()
        while not self._has_paused.wait(LOOK_SECS):
            if _waits_for_a_module(self._worker):
                return

    def stop(self) -> None:
        """End the imports at the next module: the program ends, and no event loop runs any more."""
        self._is_free = self._is_stopped = True
        self._go.set()

    def _pause(self) -> None:
        self._has_paused.set()
        while not self._is_free and not self._go.wait(LOOK_SECS):
            if _waits_for_a_module(self._gui):
                self._has_paused.clear()
                self._watch()
                return
        self._go.clear()

    def _watch(self) -> None:
        """Let the thread go on, and pause at the first line after the GUI thread has its module.

        Not at a line of :mod:`threading`, of Python's imports or of this file: the thread may hold a lock there that
        the pause or the GUI thread takes too.
        """

        def look(frame: FrameType, _event: str, _value: object) -> Any:
            if sys.gettrace() is not look:
                return None
            if _may_hold_a_lock(frame) or _waits_for_a_module(self._gui):
                return look
            self._unwatch(frame)
            self._pause()
            return None

        self._before_watch, self._is_watched = sys.gettrace(), True
        sys.settrace(look)
        _trace(sys._getframe(), look)

    def _unwatch(self, frame: FrameType) -> None:
        self._is_watched = False
        sys.settrace(self._before_watch)
        _trace(frame, None)


_LOCKED_FILES = frozenset(
    (_IMPORTING, threading.Event.wait.__code__.co_filename, Turns.rest.__code__.co_filename)
)  # fmt: skip


def _may_hold_a_lock(frame: FrameType | None) -> bool:
    """Whether ``frame`` is of the code that locks the imports or their turns, or is called by a search."""
    if frame is not None and frame.f_code.co_filename in _LOCKED_FILES:
        return True
    while frame is not None:
        if (frame.f_code.co_filename, frame.f_code.co_name) == _SEARCHING:
            return True
        frame = frame.f_back
    return False


def _trace(frame: FrameType | None, look: Any) -> None:
    """Have ``look`` called at each line of ``frame`` and of those that called it."""
    while frame is not None:
        frame.f_trace = look
        frame = frame.f_back


class _Pausing(Loader):
    """Stands for the loader of a module until the module is made, and pauses before."""

    def __init__(self, loader: Any, turns: Turns) -> None:
        self._loader, self._turns = loader, turns

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Pause if the thread's turn is over, then leave the rest to the module's own loader. Raises StoppedError."""
        spec.loader = self._loader
        self._turns.rest()
        return getattr(self._loader, "create_module", lambda _: None)(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module by its own loader. Python's import only asks for this method's presence."""
        self._loader.exec_module(module)

    def __getattr__(self, name: str) -> Any:
        """Return what the module's own loader has: some libraries look at the loader of what they find."""
        return getattr(self._loader, name)


def _waits_for_a_module(thread: int | None) -> bool:
    """Whether ``thread`` waits until another thread has imported a module."""
    frame = sys._current_frames().get(thread or 0)
    return frame is not None and (frame.f_code.co_filename, frame.f_code.co_name) == _LOCKING
