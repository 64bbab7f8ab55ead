"""Writes frames as numbered PNG pictures in a folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.clip.picture_folder import COUNTER, numbered_files
from videoinr.errors import ExportError, UsageError
from videoinr.exporting.png import png_from_rgbx
from videoinr.exporting.target import check_folder, unfinished_path, write_errors


def pattern_from_out(out: Path) -> Path:
    """Return the pattern of the pictures' names: ``out`` if its name has a counter, else ``out``/%05d.png."""
    return out if "%" in out.name else out / "%05d.png"


def check_pattern(pattern: Path) -> None:
    """Raise UsageError if ``pattern`` is not a name with exactly one counter (%05d) that ends in .png."""
    if len(COUNTER.findall(pattern.name)) != 1 or pattern.name.count("%") != 1 or pattern.suffix.lower() != ".png":
        raise UsageError(
            f"'{pattern.name}' is not a pattern for pictures.", hint="Use one counter and .png, such as %05d.png."
        )


class ImageSink:
    """Writes PNG files named by ``pattern`` (folder/%05d.png), counted from 0.

    The files are written to a working folder beside their final place, and move there together at the end.
    ``aspect``: width of a pixel by its height. ``overwrite``: all existing pictures with such names are removed then,
    so that none is left among the new ones.
    """

    def __init__(self, pattern: Path, *, overwrite: bool, aspect: Fraction = Fraction(1)) -> None:
        self._pattern = pattern
        self._overwrite, self._aspect = overwrite, aspect
        self._work = unfinished_path(pattern)
        self._count = 0
        self._made_folder = False

    def open(self) -> None:
        """Create the folder, if its parent exists, and the working folder in it."""
        folder = self._pattern.parent
        check_pattern(self._pattern)
        if folder.exists() and not folder.is_dir():
            raise ExportError(f"{folder} is a file.", hint="Choose another folder.")
        if numbered_files(self._pattern) and not self._overwrite:
            raise ExportError(
                f"{folder} already holds pictures with these names.",
                hint="Choose another folder, or replace them with --overwrite.",
            )
        check_folder(folder if folder.exists() else folder.parent)
        with write_errors(self._pattern):
            self._made_folder = not folder.exists()
            folder.mkdir(exist_ok=True)
            shutil.rmtree(self._work, ignore_errors=True)
            self._work.mkdir()

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        """Write the next picture."""
        with write_errors(self._pattern):
            (self._work / (self._pattern.name % self._count)).write_bytes(png_from_rgbx(rgbx, self._aspect))
        self._count += 1

    def finish(self, *, partial: bool = False) -> Path:
        """Move the pictures to their final place; ``partial``: rename the working folder to PATTERN.partial."""
        with write_errors(self._pattern):
            if partial:
                kept = self._pattern.with_suffix(".partial")
                shutil.rmtree(kept, ignore_errors=True)
                return self._work.rename(kept)
            for old in numbered_files(self._pattern):
                old.unlink()
            for index in range(self._count):
                name = self._pattern.name % index
                os.replace(self._work / name, self._pattern.parent / name)
            self._work.rmdir()
        return self._pattern

    def abort(self) -> None:
        """Remove the working folder, and the folder itself if this sink created it."""
        shutil.rmtree(self._work, ignore_errors=True)
        if self._made_folder:
            with contextlib.suppress(OSError):  # It is not empty if it holds a partial set.
                self._pattern.parent.rmdir()
