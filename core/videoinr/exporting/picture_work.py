"""PictureWork: the working folder of an export to pictures, which a killed export leaves for one that resumes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Self

from videoinr.exporting.journal import FACTS_NAME, Facts, begun_folder, resumed_folder
from videoinr.exporting.picture_names import working_target
from videoinr.exporting.png import is_whole_png
from videoinr.writing.partial_file import write_all
from videoinr.writing.partial_folder import PartialFolder

_CUTS_NAME = "cuts"


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
        work = cls(pattern, resumed_folder(pattern, working_target(pattern), facts))
        work._find_pictures({work._name % number: number for number in range(frames)})
        return work

    def _find_pictures(self, numbers: dict[str, int]) -> None:
        for path in list(self.folder.path.iterdir()):
            number = numbers.get(path.name)
            if number is not None and is_whole_png(path.read_bytes()):
                self.done.add(number)
            elif path.name == _CUTS_NAME:
                self.cuts = [int(line) for line in path.read_text("ascii", "replace").split() if line.isdecimal()]
            elif path.name != FACTS_NAME:
                path.unlink()

    @property
    def names(self) -> list[str]:
        """The names of the pictures that are whole, from the first one on without a gap."""
        count = next(number for number in range(len(self.done) + 1) if number not in self.done)
        return [self._name % number for number in range(count)]

    def write(self, number: int, data: bytes) -> None:
        """Write picture ``number``."""
        self.folder.write(self._name % number, data)
        self.done.add(number)

    def note_cut(self, pair: int) -> None:
        """Note that the pictures show ``pair``, which has a cut in it."""
        if pair in self.cuts:
            return
        self.cuts.append(pair)
        descriptor = os.open(self.folder.path / _CUTS_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            write_all(descriptor, f"{pair}\n".encode())
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
        for name in (FACTS_NAME, _CUTS_NAME):
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
