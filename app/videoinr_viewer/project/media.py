"""The media of a project: its fingerprint, and where it is now. No Qt."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from videoinr.errors import ClipError

ENDS_BYTES = 1 << 16
"""So much of either end of a file is hashed: all of a clip of hours would take minutes."""
MOST_PICTURES = 200_000


@dataclass(frozen=True)
class Fingerprint:
    """What tells one clip from another: its size and the SHA-256 of its ends; for a folder, of names and sizes."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Located:
    """Where the media of a project is. ``is_same`` is False if another file has its name."""

    path: Path
    is_same: bool


def fingerprint(path: Path) -> Fingerprint | None:
    """Return the fingerprint of a video, a picture, or a folder of pictures; None if it cannot be read."""
    try:
        kind = path.stat()
        if stat.S_ISREG(kind.st_mode):
            return _of_file(path, kind.st_size)
        return _of_folder(path) if stat.S_ISDIR(kind.st_mode) else None
    except (OSError, ValueError):
        return None


def locate(places: Iterable[Path], expected: Fingerprint | None) -> Located | None:
    """Return the first of ``places`` that has the fingerprint ``expected``, or else the first that exists.

    Without an expected fingerprint, the first that exists is taken for the same.
    """
    first = None
    for place in places:
        if not _exists(place):
            continue
        if expected is None or fingerprint(place) == expected:
            return Located(place, is_same=True)
        first = first or Located(place, is_same=False)
    return first


def places_of(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    """Yield where a file called ``name`` could be: in each of ``folders``, and in the folders within the first."""
    listed = list(dict.fromkeys(folders))
    yield from (folder / name for folder in listed)
    with contextlib.suppress(OSError):
        yield from (Path(entry.path, name) for entry in islice(os.scandir(listed[0]), 1000) if entry.is_dir())


def _exists(path: Path) -> bool:
    """Return whether there is a file, a folder, or a picture that the pattern ``path`` matches."""
    from videoinr.clip.picture_folder import find_pictures  # Here, because a start reads no project.

    with contextlib.suppress(OSError, ValueError, ClipError):
        return path.exists() or find_pictures(path) is not None
    return False


def _of_file(path: Path, size: int) -> Fingerprint:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(ENDS_BYTES))
        if size > ENDS_BYTES:
            file.seek(max(ENDS_BYTES, size - ENDS_BYTES))
            digest.update(file.read(ENDS_BYTES))
    return Fingerprint(size, digest.hexdigest())


def _of_folder(path: Path) -> Fingerprint:
    with os.scandir(path) as entries:
        files = sorted(
            (entry.name, entry.stat().st_size) for entry in islice(entries, MOST_PICTURES) if entry.is_file()
        )
    digest = hashlib.sha256()
    for name, size in files:
        digest.update(f"{size} {name}\0".encode(errors="surrogateescape"))
    return Fingerprint(sum(size for _, size in files), digest.hexdigest())
