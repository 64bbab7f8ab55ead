"""The path of an output: where frames are kept if the export ends early, and the checks before work starts."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from videoinr.errors import ClipError, ExportError, UsageError
from videoinr.text.phrases import format_saved
from videoinr.writing.names import free_name
from videoinr.writing.words import check_folder as check_folder
from videoinr.writing.words import write_errors as write_errors

_DEVICES = re.compile("con|prn|aux|nul|(com|lpt)[1-9]", re.IGNORECASE)
"""Names that mean devices in each folder, whatever their ending."""


class PartialKeptError(ExportError):
    """An export ended early and saved its first ``frames`` frames to ``path``."""

    exit_code = 3

    def __init__(self, reason: str, path: Path, frames: int) -> None:
        super().__init__(f"{reason} {format_saved(frames, path)}.")
        self.path, self.frames = path, frames


class NameTakenError(PartialKeptError):
    """Something got the output's name while the export ran; all its ``frames`` were saved to ``path`` instead."""

    def __init__(self, out: Path, path: Path, frames: int) -> None:
        super().__init__(f"{out} appeared during the export and was not replaced.", path, frames)


def partial_path(out: Path) -> Path:
    """Return a free path for the frames that are kept of an export that ended early: out.partial.mp4."""
    return free_name(out.with_name(f"{out.stem}.partial{out.suffix}"))


def check_not_source(outs: Iterable[Path], source: Path) -> None:
    """Raise UsageError if one of the files ``outs`` belongs to the clip ``source``, under whatever name."""
    existing = [out for out in outs if out.exists()]
    sources = {_file_id(file) for file in files_of(source)} if existing else set()
    for out in existing:
        if _file_id(out) in sources:
            is_whole = source.exists() and out.samefile(source)
            raise UsageError(
                f"{out} is {'the clip itself' if is_whole else 'a picture of the clip'}.",
                hint="Give the output another name.",
            )


def files_of(source: Path) -> list[Path]:
    """Return the existing files of the clip ``source``: a video file, or a folder or pattern and its pictures."""
    from videoinr.clip.picture_folder import find_pictures

    try:
        pictures = find_pictures(source) or []
    except (ClipError, OSError):
        pictures = []
    return [file for file in (source, *pictures) if file.exists()]


def _file_id(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino


def check_file(out: Path, *, source: Path, overwrite: bool) -> None:
    """Check that the file ``out`` may be written.

    Raises:
        UsageError: it belongs to the clip ``source``, or no file can have its name.
        ExportError: it is a folder or a device, it exists and ``overwrite`` is off, or its folder cannot be written to.
    """
    _check_name(out.name)
    check_not_source([out], source)
    if out.is_dir():
        raise ExportError(f"{out} is a folder.", hint="Give the output another name.")
    if os.path.lexists(out) and not overwrite:
        raise ExportError(f"{out} already exists.", hint="Give another name, or replace it with --overwrite.")
    if out.exists() and not out.is_file():
        raise ExportError(f"{out} is not an ordinary file.", hint="Give the output another name.")
    check_folder(out.parent)


def _check_name(name: str) -> None:
    """Raise UsageError for a name that Windows takes for a device ("con.mp4"), or for a hidden part of another file."""
    if sys.platform == "win32" and (":" in name or _DEVICES.fullmatch(name.partition(".")[0].rstrip())):
        raise UsageError(f"“{name}” cannot be the name of a file on Windows.", hint="Give the output another name.")
