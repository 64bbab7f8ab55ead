"""Where an output goes: its name while unfinished, and what must be true of its folder before work starts."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videoinr.errors import ExportError, UsageError


class PartialKeptError(ExportError):
    """An export ended early and left its playable part at ``path``, ``frames`` frames long."""

    def __init__(self, why: str, path: Path, frames: int) -> None:
        super().__init__(f"{why} The first {frames} frames are in {path}.")
        self.path, self.frames = path, frames


def part_path(out: Path) -> Path:
    """The name of ``out`` while it is being written."""
    return out.with_name(out.name + ".part")


def partial_path(out: Path) -> Path:
    """The name that the playable part of an export keeps when the whole was not reached."""
    return out.with_name(f"{out.stem}.partial{out.suffix}")


@contextmanager
def write_errors(out: Path) -> Iterator[None]:
    """Turn the system's errors while writing ``out`` into ExportErrors in words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ExportError(f"The disk is full; {out} was not written.", hint="Free some space there.") from error
        raise ExportError(
            f"{out} could not be written: {error.strerror or error}.", hint="Check the folder, or choose another one."
        ) from error


def check_folder(folder: Path) -> None:
    """ExportError unless ``folder`` is there and can be written to."""
    if not folder.is_dir():
        raise ExportError(f"There is no folder {folder}.", hint="Create it first, or choose another one.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ExportError(f"The folder {folder} cannot be written to.", hint="Choose another one.")


def check_not_source(out: Path, source: Path) -> None:
    """UsageError if writing ``out`` would destroy the clip that is being read."""
    if out.exists() and source.exists() and out.samefile(source):
        raise UsageError(f"{out} is the clip itself.", hint="Give the output another name.")


def check_file(out: Path, *, source: Path, overwrite: bool) -> None:
    """Refuse a file ``out`` that is the ``source``, a folder, in the way, or in a folder that cannot be written."""
    check_not_source(out, source)
    if out.is_dir():
        raise ExportError(f"{out} is a folder.", hint="Give the output another name.")
    if out.exists() and not overwrite:
        raise ExportError(f"{out} is already there.", hint="Give another name, or add --overwrite.")
    check_folder(out.parent)
