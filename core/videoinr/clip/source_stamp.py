"""Notices that the files of a clip change while they are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

_END_BYTES = 1 << 16
"""How much of the start and the end of a file is compared."""

_FILES_READ = 100
"""Of how many files, evenly spread, the bytes are compared. Of the others the size and the time are."""

Status = tuple[int, int, int, int]
"""Device, inode, size in bytes, and time of the last change in nanoseconds."""


@dataclass(frozen=True, eq=False)
class SourceStamp:
    """What the files of a clip were when it was opened.

    Attributes:
        files: the files, in the order of the frames.
        statuses: the status of each file; None if it could not be asked for.
        ends: a digest of the first and last bytes of some files, by their index.
    """

    files: Sequence[Path]
    statuses: Sequence[Status | None]
    ends: dict[int, bytes]

    @classmethod
    def of(cls, files: Sequence[Path]) -> SourceStamp:
        """Return the stamp of ``files`` as they are now."""
        files = [file.absolute() for file in files]  # They are looked at later, maybe from another folder.
        read = range(0, len(files), max(1, len(files) // _FILES_READ))
        return cls(files, [status_of(file) for file in files], {index: _ends(files[index]) for index in read})

    def changed(self, indices: Iterable[int]) -> Path | None:
        """Return the first of the files ``indices`` whose size or time is no longer the same; None if there is none."""
        return next((self.files[i] for i in indices if status_of(self.files[i]) != self.statuses[i]), None)

    def changed_anywhere(self) -> Path | None:
        """Return a file whose size, time, first or last bytes are no longer the same; None if there is none."""
        changed = self.changed(range(len(self.files)))
        other_ends = (self.files[index] for index, digest in self.ends.items() if _ends(self.files[index]) != digest)
        return changed or next(other_ends, None)


def status_of(file: Path) -> Status | None:
    """Return the status of ``file``; None if it could not be asked for."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _ends(file: Path) -> bytes:
    """Return a digest of the first and last bytes of ``file``; nothing if it cannot be read."""
    try:
        with file.open("rb") as opened:
            head = opened.read(_END_BYTES)
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - _END_BYTES))
            return blake2b(head + opened.read(_END_BYTES), digest_size=16).digest()
    except OSError:
        return b""
