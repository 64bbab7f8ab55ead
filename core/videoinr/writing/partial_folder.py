"""PartialFolder: a folder under a unique name that collects files until they are whole together."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from videoinr.closing import Closeable
from videoinr.writing.claims import lock
from videoinr.writing.moving import move_new
from videoinr.writing.names import unique_partial
from videoinr.writing.partial_file import write_all
from videoinr.writing.unfinished import forget, naming, remember

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_REPLACED = "replaced"


class PartialFolder(Closeable):
    """A new folder beside ``target``, or one that a killed process left. Errors are OSErrors.

    Attributes:
        path: the folder's name as long as it is unfinished.
    """

    def __init__(self, target: Path, *, left_over: Path | None = None) -> None:
        """Make the folder, or take over ``left_over``: if two processes try that, one gets a FileNotFoundError."""
        self.path = unique_partial(target)
        if left_over is None:
            self.path.mkdir()
        else:
            os.rename(left_over, self.path)
        remember(self, is_resumable=True)
        self._is_kept = False
        self._descriptor: int | None = None
        with contextlib.suppress(OSError):  # Windows opens no folder; then there is no lock.
            self._descriptor = os.open(self.path, os.O_RDONLY)
            lock(self._descriptor)

    def write(self, name: str, data: bytes) -> None:
        """Write a new file of the folder; if that fails, nothing is left of it."""
        file = self.path / name
        descriptor = os.open(file, _FLAGS, 0o666)
        try:
            try:
                write_all(descriptor, data)
            finally:
                os.close(descriptor)
        except BaseException:
            file.unlink(missing_ok=True)
            raise

    def become(self, folder: Path) -> None:
        """Rename the folder to ``folder``, which must not exist or be empty."""
        with naming():
            os.rename(self.path, folder)
            forget(self)
        self.close()

    def place(self, names: list[str], folder: Path, *, replace: bool) -> None:
        """Move the files ``names`` to ``folder``, and remove this folder. If that fails, all is as it was before.

        The first file is moved last, so that files of a move that was killed do not look like a complete set. Files
        that are replaced are moved to this folder first.

        Raises:
            FileExistsError: a name is taken, and ``replace`` is off.
            OSError: the file system refuses.
        """
        taken = [name for name in names if os.path.lexists(folder / name)]
        if taken and not replace:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / taken[0]))
        with naming():
            self._move_all(names, taken, folder)
        self.discard()

    def _move_all(self, names: list[str], taken: list[str], folder: Path) -> None:
        aside = self.path / _REPLACED
        aside.mkdir()
        done: list[tuple[Path, Path]] = []
        try:
            for name in taken:
                _move(folder / name, aside / name, done)
            for name in reversed(names):
                _move(self.path / name, folder / name, done)
        except BaseException:
            for source, target in reversed(done):
                with contextlib.suppress(OSError):
                    move_new(target, source)
            self._is_kept = not _removed(aside)
            raise

    def leave(self) -> None:
        """Leave the folder as it is, for another process or a later one."""
        forget(self)
        self.close()

    def close(self) -> None:
        """Leave the folder."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def discard(self) -> None:
        """Remove the folder with its files, if it has not got its name yet. Never raises.

        Files of others that could not be moved back after a failure stay in it.
        """
        if not self._is_kept:
            shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.close()
        forget(self)


def _removed(folder: Path) -> bool:
    """Remove ``folder`` if it is empty. Return whether it is gone."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _move(source: Path, target: Path, done: list[tuple[Path, Path]]) -> None:
    if source.is_dir() and not source.is_symlink():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(source))
    move_new(source, target)
    done.append((source, target))
