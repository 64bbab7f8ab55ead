"""A folder of decoded pictures on disk. It ends with the process; what a crash leaves is removed at the next start."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.closing import Closeable
from videoinr.writing.claims import has_locks, lock_now

log = logging.getLogger(__name__)

_PREFIX, _LOCK = "play-", "lock"
_NEW_SECS = 3600
_OLD_SECS = 24 * 3600
"""Where there are no locks, a folder that was not written to for so long counts as left over."""
"""A folder without a lock is younger than this, or was left behind."""


class PictureFolder(Closeable):
    """Writes and reads pictures under numbers. The folder is made with the first picture.

    One thread at a time may write, any number may read.

    Args:
        parent: the folder in which it is made; made itself if it is missing.
        max_bytes: the most that the pictures may take, which the caller keeps to. Less where the disk has less than
            twice as much room.
    """

    def __init__(self, parent: Path, max_bytes: int) -> None:
        self._parent, self._path = parent, None
        self._lock: int | None = None
        self._number = 0
        self.max_bytes = min(max_bytes, _free_bytes(parent) // 2)

    _path: Path | None

    @property
    def path(self) -> Path | None:
        """The folder, if it was made."""
        return self._path

    def write(self, pixels: NDArray[np.uint8]) -> int | None:
        """Write ``pixels`` and return their number; None if that is impossible: then nothing is written from now on."""
        if self.max_bytes == 0:
            return None
        self._number += 1
        try:
            folder = self._path or self._make()
            with open(folder / f"{self._number}", "wb") as file:
                file.write(np.ascontiguousarray(pixels).data)
        except OSError as error:
            log.warning("decoded pictures cannot be kept on disk: %s", error)
            self.max_bytes = 0
            self.remove(self._number)
            return None
        return self._number

    def read(self, number: int, height: int, width: int) -> NDArray[np.uint8] | None:
        """Return the pixels [height, width, 4] that were written under ``number``; None if the file is damaged."""
        if self._path is None:
            return None
        try:
            pixels = np.fromfile(self._path / f"{number}", np.uint8)
        except OSError as error:
            log.warning("a decoded picture cannot be read: %s", error)
            return None
        return pixels.reshape(height, width, 4) if pixels.size == height * width * 4 else None

    def remove(self, number: int) -> None:
        """Remove the picture ``number``."""
        if self._path is not None:
            (self._path / f"{number}").unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder."""
        self.max_bytes = 0
        path, self._path = self._path, None
        if self._lock is not None:  # First: Windows removes no open file.
            os.close(self._lock)
            self._lock = None
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)

    def _make(self) -> Path:
        self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
        self._lock = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        lock_now(self._lock)
        self._path = made
        return made


def remove_left_over(parent: Path) -> None:
    """Remove the folders in ``parent`` that killed processes have left. Those of running ones are locked, and stay."""
    try:
        found = [path for path in parent.iterdir() if path.name.startswith(_PREFIX) and _is_own_folder(path)]
    except OSError:
        return
    for path in found:
        if not _is_in_use(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_own_folder(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def _is_in_use(path: Path) -> bool:
    if not has_locks():
        return _age_secs(path) < _OLD_SECS
    try:
        descriptor = os.open(path / _LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return _age_secs(path) < _NEW_SECS
    except OSError:
        return True
    try:
        return not lock_now(descriptor)
    finally:
        os.close(descriptor)


def _age_secs(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _free_bytes(parent: Path) -> int:
    """Return the room on the disk of ``parent``, or of its nearest parent that exists."""
    for folder in (parent, *parent.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue
    return 0
