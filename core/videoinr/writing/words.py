"""Errors of the file system, in words for a user."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videoinr.errors import ExportError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def write_errors(out: Path) -> Iterator[None]:
    """Turn the system's errors while writing ``out`` into ExportErrors."""
    try:
        yield
    except MemoryError as error:
        raise ExportError(
            f"The computer's memory does not suffice to write {out}.",
            hint="Close other programs, or choose a smaller size.",
        ) from error
    except OSError as error:
        raise _in_words(error, out) from error


def _in_words(error: OSError, out: Path) -> ExportError:
    if error.errno in _FULL:
        return ExportError(f"The disk is full, so {out} was not written.", hint="Free some space on it.")
    if error.errno == errno.EFBIG:
        return ExportError(
            f"The disk takes no larger file, so {out} was not written.", hint="Choose another disk, or export less."
        )
    if error.errno == errno.EEXIST:
        return ExportError(f"{out} already exists.", hint="Give another name, or remove the file first.")
    return ExportError(
        f"{out} could not be written: {error.strerror or error}.", hint="Check the folder, or choose another one."
    )


def check_folder(folder: Path) -> None:
    """Raise ExportError if ``folder`` does not exist or cannot be written to."""
    if not folder.is_dir():
        raise ExportError(f"There is no folder {folder}.", hint="Create it first, or choose another one.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ExportError(f"The folder {folder} cannot be written to.", hint="Choose another one.")
