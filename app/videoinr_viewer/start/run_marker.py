"""Notices at the start that an earlier run ended unexpectedly: it crashed, was killed, or lost its power.

Each run keeps a locked file in the folder of the log, and removes it at its end. The system drops the lock of a process
that ends in any other way, and its file stays. Windows moves no file that is open and locked: nothing is noticed there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from pathlib import Path

from videoinr.writing.claims import has_locks, lock_now

log = logging.getLogger(__name__)

_PREFIX, _NEW = "running-", "starting-"


class RunMarker:
    """The file of this run in ``folder``. Where no file can be written or locked, nothing is ever noticed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: tuple[Path, ...] = ()
        self._descriptor = -1

    def begin(self) -> bool:
        """Mark this run. Return whether an earlier one ended unexpectedly; each such run is told once."""
        if not has_locks():
            return False
        try:
            left = [path for path in self._folder.glob(f"{_PREFIX}*") if _is_free(path)]
            for path in left:
                path.unlink()
            self._mark()
        except OSError as error:
            log.info("this run is not marked: %s", error)
            return False
        if left:
            log.warning("%d earlier runs ended unexpectedly", len(left))
        return bool(left)

    def end(self) -> None:
        """This run ends as it should."""
        paths, self._paths = self._paths, ()
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        if paths:
            os.close(self._descriptor)

    def _mark(self) -> None:
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        starting, path = self._folder / f"{_NEW}{name}", self._folder / f"{_PREFIX}{name}"
        self._descriptor = os.open(starting, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        # Both at once and before the file gets its name: a signal may end the run between any two steps.
        self._paths = (starting, path)
        # Renamed when it is locked: no other start may take it for one that was left.
        lock_now(self._descriptor)
        starting.rename(path)


def _is_free(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        return lock_now(descriptor)
    finally:
        os.close(descriptor)
