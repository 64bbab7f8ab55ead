"""The path of an output: its name while it is unfinished, and the checks of its folder before work starts."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videoinr.errors import ExportError, UsageError
from videoinr.text.phrases import format_saved


class PartialKeptError(ExportError):
    """An export ended early and saved its first ``frames`` frames to ``path``."""

    exit_code = 3

    def __init__(self, reason: str, path: Path, frames: int) -> None:
        super().__init__(f"{reason} {format_saved(frames, path)}.")
        self.path, self.frames = path, frames


def unfinished_path(out: Path) -> Path:
    """Return the path of ``out`` while it is being written."""
    return out.with_name(out.name + ".part")


def partial_path(out: Path) -> Path:
    """Return the path of the frames that are kept of an export that ended early."""
    return out.with_name(f"{out.stem}.partial{out.suffix}")


@contextmanager
def write_errors(out: Path) -> Iterator[None]:
    """Turn the system's errors while writing ``out`` into ExportErrors."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ExportError(f"The disk is full, so {out} was not written.", hint="Free some space on it.") from error
        raise ExportError(
            f"{out} could not be written: {error.strerror or error}.", hint="Check the folder, or choose another one."
        ) from error


def check_folder(folder: Path) -> None:
    """Raise ExportError if ``folder`` does not exist or cannot be written to."""
    if not folder.is_dir():
        raise ExportError(f"There is no folder {folder}.", hint="Create it first, or choose another one.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ExportError(f"The folder {folder} cannot be written to.", hint="Choose another one.")


def check_not_source(out: Path, source: Path) -> None:
    """Raise UsageError if ``out`` is the file ``source`` that is being read."""
    if out.exists() and source.exists() and out.samefile(source):
        raise UsageError(f"{out} is the clip itself.", hint="Give the output another name.")


def check_file(out: Path, *, source: Path, overwrite: bool) -> None:
    """Check that the file ``out`` may be written.

    Raises:
        UsageError: it is the file ``source``.
        ExportError: it is a folder, it exists and ``overwrite`` is off, or its folder cannot be written to.
    """
    check_not_source(out, source)
    if out.is_dir():
        raise ExportError(f"{out} is a folder.", hint="Give the output another name.")
    if out.exists() and not overwrite:
        raise ExportError(f"{out} already exists.", hint="Give another name, or replace it with --overwrite.")
    check_folder(out.parent)
