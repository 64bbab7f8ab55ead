"""Finds the pictures that make up a clip (a folder, a pattern, or one file) in natural order."""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from videoinr.clip.base import disk_errors
from videoinr.clip.picture_sequence import (
    NUMBER,
    PictureSequence,
    main_sequence,
    matched_sequence,
    numbered_sequence,
    plain_sequence,
)
from videoinr.clip.suffixes import PICTURE_SUFFIXES, has_picture_suffix
from videoinr.errors import ClipError

COUNTER = re.compile(r"%0?(\d*)d")
"""A counter in the name of a pattern: %d, %5d or %05d."""

_HASHES = re.compile(r"[^#%]*##+[^#%]*")
"""A name with one counter as compositing programs write it: a # for each digit."""


def with_counter(path: Path) -> Path:
    """Return ``path`` with a counter such as %04d in place of ####, if it is a name of pictures that has one."""
    if not _HASHES.fullmatch(path.name) or not has_picture_suffix(path):
        return path
    return path.with_name(re.sub("#+", lambda run: f"%0{len(run[0])}d", path.name))


def find_pictures(where: Path) -> list[Path] | None:
    """Find the pictures of a clip.

    Args:
        where: a folder, a file, or a pattern (see :func:`~videoinr.clip.open_clip`).

    Returns:
        At least one picture, in order; None if ``where`` is neither a folder, a picture nor a pattern.

    Raises:
        ClipError: the folder holds no pictures, or no picture matches the pattern.
    """
    if where.is_dir():
        return pictures_in(where)
    if where.is_file():
        return [where] if where.suffix.lower() in PICTURE_SUFFIXES else None
    counted = with_counter(where)
    if COUNTER.search(counted.name):
        return _at_least_one(numbered_files(counted), f"No picture matches “{where}”.")
    if glob.has_magic(str(where)):
        return _at_least_one(_matching(where), f"No picture matches “{where}”.")
    return None


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures in ``folder``, at least one, in natural order.

    Raises:
        ClipError: the folder holds no pictures.
    """
    return _at_least_one(sorted(_pictures_of(folder), key=natural_key), _no_pictures(folder))


def check_holds_pictures(folder: Path) -> None:
    """Raise ClipError if ``folder`` holds no pictures: looks no further than the first one."""
    with disk_errors(folder):
        _at_least_one([*itertools.islice(_pictures_of(folder), 1)], _no_pictures(folder))


def _pictures_of(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if has_picture_suffix(path := Path(entry.path)) and entry.is_file():
                yield path


def _no_pictures(folder: Path) -> str:
    return f"The folder “{folder}” holds no pictures."


def find_sequence(where: Path) -> PictureSequence | None:
    """Find the pictures that make up the clip ``where``; None if it is neither a folder, a picture nor a pattern.

    A folder may hold several sequences of pictures: the longest one is the clip, and the others are named.

    Raises:
        ClipError: as for :func:`find_pictures`.
    """
    pictures = find_pictures(where)
    if pictures is None:
        return None
    if where.is_dir():
        return main_sequence(pictures)
    if where.is_file():
        return plain_sequence(pictures)
    where = with_counter(where)
    if not COUNTER.search(where.name):
        return matched_sequence(pictures)
    matches = (_names_of(where).fullmatch(file.name) for file in pictures)
    numbers = [int(match[1]) for match in matches if match]
    rising = all(before < after for before, after in pairwise(numbers))
    return numbered_sequence(pictures, numbers) if rising else plain_sequence(pictures)


def natural_key(path: Path) -> list[list[str | int]]:
    """Return a sort key for natural order: numbers by value (img_2 before img_10), letters without case."""
    # Between two texts there is a number.
    return [
        [int(part) if at % 2 else part.casefold() for at, part in enumerate(NUMBER.split(name))] for name in path.parts
    ]


def _at_least_one(pictures: list[Path], complaint: str) -> list[Path]:
    if not pictures:
        kinds = ", ".join(sorted(suffix[1:] for suffix in PICTURE_SUFFIXES))
        raise ClipError(complaint, hint=f"Pictures are files that end in: {kinds}.")
    return pictures


def _matching(pattern: Path) -> list[Path]:
    matches = [Path(name) for name in glob.glob(str(pattern))]
    return sorted((each for each in matches if has_picture_suffix(each) and each.is_file()), key=natural_key)


def numbered_files(pattern: Path) -> list[Path]:
    """Return the files that match ``pattern`` (``img_%03d.png``), sorted by their number."""
    name = _names_of(pattern)
    if not pattern.parent.is_dir():
        return []
    matches = ((name.fullmatch(each.name), each) for each in pattern.parent.iterdir())
    return [each for _, each in sorted((int(match[1]), each) for match, each in matches if match and each.is_file())]


def _names_of(pattern: Path) -> re.Pattern[str]:
    """Return the expression of the names that match ``pattern``; its group is the number."""
    before, width, after = COUNTER.split(pattern.name, maxsplit=1)
    digits = int(width or 1)
    # As it is printed: %04d of -2 is -002.
    below_zero = f"-\\d{{{max(digits - 1, 1)},}}|" if before[-1:] in ("", ".", "_") else ""
    return re.compile(f"{re.escape(before)}({below_zero}\\d{{{digits},}}){re.escape(after)}")
