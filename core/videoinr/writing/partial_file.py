"""PartialFile: a file under a unique name, which gets its own name when it is whole."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from videoinr.closing import Closeable
from videoinr.writing.claims import lock
from videoinr.writing.moving import move_new
from videoinr.writing.names import unique_partial
from videoinr.writing.unfinished import forget, naming, remember

_STEP_BYTES = 1 << 20
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_TRIES = 20


class PartialFile(Closeable):
    """A new file for ``target``, open for reading and writing at any position; PyAV and torch write to it.

    The file is opened exclusively: it is never one that was there before, and never a link. Errors are OSErrors; see
    :func:`videoinr.writing.words.write_errors`.

    Attributes:
        path: the file's name as long as it is unfinished.
        closed: whether nothing can be written any more. PyAV then writes no trailer.
        failure: the error of the last write that failed. Libraries may raise one of their own instead.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path, self._descriptor = _created(target)
        self.closed = False
        self.failure: OSError | None = None
        remember(self)
        lock(self._descriptor)
        self._position = self._end = self._allocated = 0
        self._can_allocate = hasattr(os, "posix_fallocate")
        self._is_longer = False

    @property
    def name(self) -> str:
        """The file's present name."""
        return str(self.path)

    def write(self, data: bytes) -> int:
        """Write all of ``data`` at the position. Returns its length."""
        os.lseek(self._descriptor, self._position, os.SEEK_SET)
        try:
            self._position += write_all(self._descriptor, data)
        except OSError as error:
            self.failure = error
            raise
        self._end = max(self._end, self._position)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes from the position on; -1: all."""
        rest = max(0, self._end - self._position)
        os.lseek(self._descriptor, self._position, os.SEEK_SET)
        data = os.read(self._descriptor, rest if size < 0 else min(size, rest))
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position. Returns it."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def reader(self) -> Reader:
        """Return a second position in the file, for reading."""
        return Reader(self)

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def reserve(self, needed: int) -> None:
        """Make sure that the file can grow to ``needed`` bytes.

        Where the file system cannot promise that, nothing happens.

        Raises:
            OSError: the disk is full.
        """
        if needed <= self._allocated or not self._can_allocate:
            return
        self._is_longer = True
        for size in (needed + _STEP_BYTES, needed):
            try:
                os.posix_fallocate(self._descriptor, 0, size)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    self._can_allocate = False
                    return
                if size == needed:
                    raise
            else:
                self._allocated = size
                return

    def complete(self) -> None:
        """Return reserved room to the disk, and wait until all bytes are on it: only then is it known that they fit."""
        if self._is_longer:
            os.ftruncate(self._descriptor, self._end)
            self._allocated, self._is_longer = 0, False
        os.fsync(self._descriptor)

    def commit(self, target: Path | None = None, *, replace: bool) -> Path:
        """Close the file and give it the name ``target`` (None: that of the constructor). Returns the name.

        Raises:
            FileExistsError: the name is taken, and ``replace`` is off. The unfinished file is still there.
            OSError: the disk is full, or the file system refuses.
        """
        place = target or self._target
        if not self.closed:
            self.complete()
            if os.name == "nt":
                self.close()  # Windows renames no open file.
        with naming():
            if replace:
                os.replace(self.path, place)
            else:
                move_new(self.path, place)
            forget(self)
        # Closed after the renaming: until then the lock tells others that the output is being written.
        self.close()
        return place

    def close(self) -> None:
        """Close the file and leave it."""
        if not self.closed:
            self.closed = True
            os.close(self._descriptor)

    def discard(self) -> None:
        """Close the file and remove it, if it has not got its name yet. Never raises."""
        with contextlib.suppress(OSError):
            self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        forget(self)


def write_all(descriptor: int, data: bytes) -> int:
    """Write all of ``data`` to an open file. Returns the number of bytes."""
    rest = memoryview(data).cast("B")
    size = len(rest)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return size


class Reader:
    """Reads what was written to a :class:`PartialFile` so far, at a position of its own."""

    def __init__(self, file: PartialFile) -> None:
        self._file, self._position = file, 0

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes from the position on; -1: all."""
        writing_at = self._file.tell()
        self._file.seek(self._position)
        data = self._file.read(size)
        self._position = self._file.tell()
        self._file.seek(writing_at)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position. Returns it."""
        writing_at = self._file.tell()
        self._file.seek(self._position)
        self._position = self._file.seek(offset, whence)
        self._file.seek(writing_at)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position


def _created(target: Path) -> tuple[Path, int]:
    for _ in range(_TRIES):
        path = unique_partial(target)
        with contextlib.suppress(FileExistsError):
            return path, os.open(path, _FLAGS | getattr(os, "O_CLOEXEC", 0), 0o666)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
