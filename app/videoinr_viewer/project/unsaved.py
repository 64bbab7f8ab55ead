"""The folder of unsaved work: one file for each window, which outlives a window that was killed. No Qt.

    FOLDER/PROCESS-RANDOM.vinr     the last state of a window, a project file
    FOLDER/PROCESS-RANDOM.lock     locked as long as the window lives

A file whose lock nobody holds was left behind, and any window may restore or discard it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from videoinr.writing.claims import left_over, lock_now
from videoinr.writing.whole_files import write_file
from videoinr_viewer.project.project_text import SUFFIX

_LOCK = ".lock"
MOST_LEFT = 20
"""Of more files that were left behind, the oldest are removed."""


@dataclass(frozen=True)
class LeftBehind:
    """A state that a window left behind, and when it was written."""

    path: Path
    written: datetime


class UnsavedWork:
    """This window's file in ``folder``. It is made with the first state, and removed by :meth:`remove`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path: Path | None = None
        self._lock = -1

    @property
    def path(self) -> Path | None:
        """The file; None while there is no state."""
        return self._path

    def write(self, text: str) -> None:
        """Replace the state. Raises ExportError or OSError, and then the state before is still there."""
        if self._path is None:
            self._path, self._lock = self._begun()
        write_file(self._path, text, replace=True)

    def leave(self) -> None:
        """Leave the state behind, for a window to restore; the next state gets a file of its own."""
        if self._lock >= 0:
            os.close(self._lock)
        self._path, self._lock = None, -1

    def remove(self) -> None:
        """Remove the state: all of it is saved, or there is nothing worth it."""
        path = self._path
        if path is not None:
            _remove(_states(path))
        self.leave()
        if path is not None:  # Windows removes no open file.
            _remove([path.with_suffix(_LOCK)])

    def left_behind(self) -> list[LeftBehind]:
        """Return what other windows left behind, the newest first."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError):
                if path != self._path and _is_free(path):
                    found.append(LeftBehind(path, datetime.fromtimestamp(path.stat().st_mtime)))
        found.sort(key=lambda one: one.written, reverse=True)
        for old in found[MOST_LEFT:]:
            self.discard(old)
        return found[:MOST_LEFT]

    def discard(self, left: LeftBehind) -> None:
        """Remove a state that was left behind."""
        _remove([*_states(left.path), left.path.with_suffix(_LOCK)])

    def _begun(self) -> tuple[Path, int]:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        descriptor = os.open(path.with_suffix(_LOCK), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        lock_now(descriptor)
        return path, descriptor


def _is_free(path: Path) -> bool:
    """Return whether no window holds the lock of ``path``."""
    try:
        descriptor = os.open(path.with_suffix(_LOCK), os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        return lock_now(descriptor)
    finally:
        os.close(descriptor)


def _remove(paths: Iterable[Path]) -> None:
    for one in paths:
        with contextlib.suppress(OSError):
            one.unlink()


def _states(path: Path) -> Iterator[Path]:
    """Yield the file of a state, and what a kill has left of its writing."""
    with contextlib.suppress(OSError):
        yield from left_over(path)
    yield path
