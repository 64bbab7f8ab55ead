"""Writes frames as numbered pictures in a folder."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.picture_folder import numbered_files
from videoinr.decode.priority import stand_back
from videoinr.errors import ExportError
from videoinr.exporting.cores import usable_cores
from videoinr.exporting.picture_formats import PICTURES, PictureFormat
from videoinr.exporting.picture_names import check_pattern
from videoinr.exporting.picture_work import PictureWork
from videoinr.exporting.sinks import ResumableSink
from videoinr.exporting.target import NameTakenError, check_folder, write_errors
from videoinr.exporting.waiting import PATIENCE_SECS, ByteBudget, waiting_bytes
from videoinr.writing.names import free_name

_MOST_WRITERS = 8


@dataclass(frozen=True)
class PictureOutput:
    """The output of an :class:`ImageSink`.

    Attributes:
        pattern: the files' names (folder/%05d.png), counted from 0.
        overwrite: whether existing files with the names of the new pictures are replaced; no other file is touched.
        aspect: width of a pixel by its height.
        frames: how many pictures there will be.
        facts: what the export is, for a later one that resumes it.
        resumes: whether to go on with what a killed export has left.
        form: the format of the pictures.
    """

    pattern: Path
    overwrite: bool = False
    aspect: Fraction = Fraction(1)
    frames: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    resumes: bool = False
    form: PictureFormat = PICTURES[0]


class ImageSink(ResumableSink):
    """Writes picture files to a working folder beside their final place; they move there together at the end.

    ``token`` cancels :meth:`finish`.
    """

    def __init__(self, output: PictureOutput, *, token: CancelToken = NEVER) -> None:
        self._output, self._token = output, token
        self._pattern, self._folder = output.pattern, output.pattern.parent
        self._work: PictureWork | None = None
        self._found = 0
        self._next = 0
        self._budget = ByteBudget(waiting_bytes())
        writers = min(_MOST_WRITERS, max(1, usable_cores() // 2))
        self._pool = ThreadPoolExecutor(writers, thread_name_prefix="picture", initializer=stand_back)
        self._writing: deque[Future[None]] = deque()

    def open(self) -> None:
        """Check that the folder, or else its parent, exists and has no such pictures; make the working folder."""
        folder = self._folder
        check_pattern(self._pattern)
        if folder.exists() and not folder.is_dir():
            raise ExportError(f"{folder} is a file.", hint="Choose another folder.")
        if numbered_files(self._pattern) and not self._output.overwrite:
            raise ExportError(
                f"{folder} already holds pictures with these names.",
                hint="Choose another folder, or replace them with --overwrite.",
            )
        check_folder(folder if folder.exists() else folder.parent)
        begin = PictureWork.resumed if self._output.resumes else PictureWork.begun
        with write_errors(self._pattern):
            self._work = begin(self._pattern, self._output.facts, self._output.frames)
        self._found = len(self._work.done)

    @property
    def wanted(self) -> range:
        """The frames that remain to be written next, up to some that are there already."""
        done, total = self._opened.done, self._output.frames
        start = next((number for number in range(self._next, total) if number not in done), total)
        return range(start, next((number for number in range(start, total) if number in done), total))

    @property
    def total_frames(self) -> int:
        """How many pictures there will be."""
        return self._output.frames

    @property
    def done_frames(self) -> int:
        """How many pictures a killed export has left."""
        return self._found

    @property
    def noted_cuts(self) -> set[int]:
        """The pairs across cuts that were met in them."""
        return set(self._opened.cuts)

    @property
    def said(self) -> list[str]:
        """Nothing."""
        return []

    @property
    def kept_frames(self) -> int:
        """How many pictures are whole, from the first one on without a gap."""
        return len(self._opened.names)

    def write(self, rgbx: NDArray[np.uint8], *, cut: int | None = None) -> None:
        """Have the next picture written; ``cut``: the pair that it shows, if there is a cut in it."""
        with write_errors(self._pattern):
            self._check()
            while self._next in self._opened.done:
                self._next += 1
            if cut is not None:
                self._opened.note_cut(cut)
            self._budget.take(rgbx.nbytes, self._check)
            self._writing.append(self._pool.submit(self._write, self._next, rgbx))
            self._next += 1

    def _write(self, number: int, rgbx: NDArray[np.uint8]) -> None:
        try:
            self._opened.write(number, self._output.form.encoded(rgbx, self._output.aspect))
        finally:
            self._budget.give_back(rgbx.nbytes)

    def _check(self) -> None:
        """Raise the error of a picture that could not be written."""
        while self._writing and self._writing[0].done():
            self._writing.popleft().result()

    def finish(self, *, partial: bool = False) -> Path:
        """Move the pictures to their final place; ``partial``: to a folder called PATTERN.partial."""
        with write_errors(self._pattern):
            if partial:
                # What is written when the disk is full is no less whole.
                self._pool.shutdown()
                return self._keep()
            while self._writing:
                wait([self._writing[0]], PATIENCE_SECS)
                self._token.check()
                self._check()
            path = self._place()
        self._pool.shutdown()
        return path

    def _place(self) -> Path:
        work = self._opened
        if not self._folder.exists() and self._becomes(self._folder):
            return self._pattern
        try:
            work.place(self._folder, replace=self._output.overwrite)
        except FileExistsError as error:
            kept = free_name(self._pattern.with_suffix(".new"))
            work.become(kept)
            raise NameTakenError(Path(str(error.filename)), kept, len(work.names)) from error
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
        if not self._opened.names:
            raise ExportError("No frame is complete.")
        self._opened.drop_gaps()
        self._folder.mkdir(exist_ok=True)
        kept = free_name(self._pattern.with_suffix(".partial"))
        self._opened.become(kept)
        return kept

    @property
    def _opened(self) -> PictureWork:
        assert self._work is not None, "open the sink first"
        return self._work

    def abort(self) -> None:
        """Remove the working folder."""
        self._pool.shutdown(cancel_futures=True)
        if self._work is not None:
            self._work.folder.discard()

    def leave(self) -> None:
        """Write what waits, and leave the working folder for an export that resumes, if there is a picture in it."""
        self._pool.shutdown()
        if self._work is not None:
            end = self._work.folder.leave if self._work.names or self._work.done else self._work.folder.discard
            end()
