"""Finds the clips below a folder, for training and evaluation, by the names of files alone."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from videoinr.clip.base import disk_errors
from videoinr.clip.suffixes import has_picture_suffix, has_video_suffix

_TRUTH = frozenset({"gt", "hr"})
_DEGRADED = re.compile(r"(bi|bd|lr|lq)(x?\d.*|[ _-].*)?", re.IGNORECASE)


def without_degraded(names: list[str]) -> list[str]:
    """Return the folders ``names`` without those that hold degraded copies of the frames in a folder GT or HR beside.

    Sets for super-resolution keep both: GT, BIx4 and BDx4 (Vid4, UDM10), HR and LR.
    """
    if not any(name.lower() in _TRUTH for name in names):
        return names
    return [name for name in names if not _DEGRADED.fullmatch(name)]


def clips_below(
    folder: Path,
    *,
    enter: Callable[[list[str]], Iterable[str]] = lambda names: names,
    others: list[Path] | None = None,
) -> Iterator[Path]:
    """Yield every clip at or below ``folder``, in no order: each video file, and each folder that holds pictures.

    Hidden files and folders are passed over.

    Args:
        folder: where to look.
        enter: gets the names of a folder's subfolders and returns those to look into.
        others: a list to which the files are added that are neither videos nor pictures.

    Raises:
        ClipError: a folder cannot be read.
    """
    with disk_errors(folder), os.scandir(folder) as entries:
        listed = [(Path(entry.path), entry.is_dir()) for entry in entries if not entry.name.startswith(".")]
    files = [path for path, is_folder in listed if not is_folder]
    if any(map(has_picture_suffix, files)):
        yield folder
    yield from filter(has_video_suffix, files)
    if others is not None:
        others += [path for path in files if not has_video_suffix(path) and not has_picture_suffix(path)]
    for name in enter([path.name for path, is_folder in listed if is_folder]):
        yield from clips_below(folder / name, enter=enter, others=others)
