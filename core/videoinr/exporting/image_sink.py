"""Writes frames as numbered PNG pictures in a folder."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.clip.picture_folder import COUNTER, numbered_files
from videoinr.errors import ExportError, UsageError
from videoinr.exporting.png import png_from_rgbx
from videoinr.exporting.target import NameTakenError, check_folder, write_errors
from videoinr.writing.claims import claim
from videoinr.writing.names import free_name
from videoinr.writing.partial_folder import PartialFolder


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
    ``aspect``: width of a pixel by its height. ``overwrite``: existing files with the names of the new pictures are
    replaced then; no other file is touched.
    """

    def __init__(self, pattern: Path, *, overwrite: bool, aspect: Fraction = Fraction(1)) -> None:
        self._pattern, self._folder = pattern, pattern.parent
        self._overwrite, self._aspect = overwrite, aspect
        self._work: PartialFolder | None = None
        self._names: list[str] = []

    def open(self) -> None:
        """Check that the folder, or else its parent, exists and has no such pictures; make the working folder."""
        folder = self._folder
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
            self._work = claim(self._pattern if folder.exists() else folder, PartialFolder)

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        """Write the next picture."""
        name = self._pattern.name % len(self._names)
        with write_errors(self._pattern):
            self._opened.write(name, png_from_rgbx(rgbx, self._aspect))
        self._names.append(name)

    def finish(self, *, partial: bool = False) -> Path:
        """Move the pictures to their final place; ``partial``: to a folder called PATTERN.partial."""
        with write_errors(self._pattern):
            return self._keep() if partial else self._place()

    def _place(self) -> Path:
        if not self._folder.exists() and self._becomes(self._folder):
            return self._pattern
        try:
            self._opened.place(self._names, self._folder, replace=self._overwrite)
        except FileExistsError as error:
            kept = free_name(self._pattern.with_suffix(".new"))
            self._opened.become(kept)
            raise NameTakenError(Path(str(error.filename)), kept, len(self._names)) from error
        return self._pattern

    def _becomes(self, folder: Path) -> bool:
        """Rename the working folder to ``folder``. Return False if somebody has made that folder meanwhile."""
        try:
            self._opened.become(folder)
        except OSError:
            if folder.exists():
                return False
            raise
        return True

    def _keep(self) -> Path:
        self._folder.mkdir(exist_ok=True)
        kept = free_name(self._pattern.with_suffix(".partial"))
        self._opened.become(kept)
        return kept

    @property
    def _opened(self) -> PartialFolder:
        assert self._work is not None, "open the sink first"
        return self._work

    def abort(self) -> None:
        """Remove the working folder."""
        if self._work is not None:
            self._work.discard()
