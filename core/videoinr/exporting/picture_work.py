"""PictureWork: the working folder of an export to pictures, which a killed export leaves for one that resumes."""

from __future__ import annotations

import contextlib
import os
import zlib
from pathlib import Path
from typing import Self

from videoinr.exporting.journal import FACTS_NAME, Facts, begun_folder, resumed_folder
from videoinr.exporting.picture_names import working_target
from videoinr.exporting.png import is_whole_png
from videoinr.writing.partial_file import write_all
from videoinr.writing.partial_folder import PartialFolder

_CUTS_NAME = "cuts"
_SUMS_NAME = "sums"
"""The sizes and checksums of pictures whose format has none."""


class PictureWork:
    """Pictures that wait in ``folder`` for their place; made by :meth:`begun` or :meth:`resumed`. Errors are OSErrors.

    Attributes:
        folder: the folder.
        done: the numbers of the pictures that are whole. Several threads may write pictures.
        cuts: the pairs across cuts that were met.
    """

    def __init__(self, pattern: Path, folder: PartialFolder) -> None:
        self._name, self.folder = pattern.name, folder
        self.done: set[int] = set()
        self.cuts: list[int] = []

    @classmethod
    def begun(cls, pattern: Path, facts: Facts, _frames: int) -> Self:
        """Make the folder of a new export. Raises ExportError if another process writes pictures of that name."""
        return cls(pattern, begun_folder(working_target(pattern), facts))

    @classmethod
    def resumed(cls, pattern: Path, facts: Facts, frames: int) -> Self:
        """Go on with what a killed export of the same ``facts`` and of ``frames`` pictures has left.

        Raises:
            ExportError: there is nothing, or only of other exports; or another process writes these pictures.
        """
        work = cls(pattern, resumed_folder(pattern, working_target(pattern), facts, any_parts=True))
        work._find_pictures({work._name % number: number for number in range(frames)})
        return work

    def _find_pictures(self, numbers: dict[str, int]) -> None:
        sums = self._read_lines(_SUMS_NAME)
        for path in list(self.folder.path.iterdir()):
            number = numbers.get(path.name)
            if number is not None and self._is_whole(number, path.read_bytes(), sums):
                self.done.add(number)
            elif path.name not in (FACTS_NAME, _CUTS_NAME, _SUMS_NAME):
                path.unlink()
        self.cuts = [int(line) for line in self._read_lines(_CUTS_NAME) if line.isdecimal()]

    def _is_whole(self, number: int, data: bytes, sums: set[str]) -> bool:
        return is_whole_png(data) if self._is_png else _sum_of(number, data) in sums

    @property
    def _is_png(self) -> bool:
        return Path(self._name).suffix.lower() == ".png"

    def _read_lines(self, name: str) -> set[str]:
        try:
            return set((self.folder.path / name).read_text("ascii", "replace").splitlines())
        except FileNotFoundError:
            return set()

    @property
    def names(self) -> list[str]:
        """The names of the pictures that are whole, from the first one on without a gap."""
        count = next(number for number in range(len(self.done) + 1) if number not in self.done)
        return [self._name % number for number in range(count)]

    def write(self, number: int, data: bytes) -> None:
        """Write picture ``number``."""
        self.folder.write(self._name % number, data)
        if not self._is_png:
            self._append(_SUMS_NAME, _sum_of(number, data))
        self.done.add(number)

    def note_cut(self, pair: int) -> None:
        """Note that the pictures show ``pair``, which has a cut in it."""
        if pair in self.cuts:
            return
        self.cuts.append(pair)
        self._append(_CUTS_NAME, str(pair))

    def _append(self, name: str, line: str) -> None:
        descriptor = os.open(self.folder.path / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            write_all(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)

    def drop_gaps(self) -> None:
        """Remove the pictures after the first one that is missing."""
        names = self.names
        for number in [each for each in self.done if each >= len(names)]:
            (self.folder.path / (self._name % number)).unlink(missing_ok=True)

    def become(self, folder: Path) -> None:
        """Rename the folder to ``folder``, which must not exist or be empty, and keep only pictures in it."""
        self.folder.become(folder)
        # Only now: without its description, a killed export cannot be resumed.
        for name in (FACTS_NAME, _CUTS_NAME, _SUMS_NAME):
            with contextlib.suppress(OSError):
                (folder / name).unlink(missing_ok=True)

    def place(self, folder: Path, *, replace: bool) -> None:
        """Move the pictures to ``folder``; see :meth:`PartialFolder.place`."""
        facts = self.folder.path / FACTS_NAME
        aside = facts.with_suffix(".placed")
        # Of an export that is killed while its pictures move, some are no longer here, and others' may be.
        facts.rename(aside)
        try:
            self.folder.place(self.names, folder, replace=replace)
        except OSError:
            with contextlib.suppress(OSError):
                aside.rename(facts)
            raise


def _sum_of(number: int, data: bytes) -> str:
    """Return the line that says which bytes picture ``number`` has."""
    return f"{number} {len(data)} {zlib.crc32(data):08x}"
