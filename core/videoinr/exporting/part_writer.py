"""Takes the frames of an export in order and has them encoded part by part into the journal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from videoinr.errors import ExportError
from videoinr.exporting.coding import Coding
from videoinr.exporting.journal import Journal
from videoinr.exporting.packet_file import PacketFile
from videoinr.exporting.part_coder import Converters, PartCoder, coders_at_once
from videoinr.exporting.parts import PartPlan
from videoinr.exporting.planes import Picture, Planes
from videoinr.exporting.waiting import ByteBudget, waiting_bytes


class PartWriter:
    """Writes the frames that ``journal`` lacks; the parts before ``parts`` belong to others.

    Attributes:
        next_frame: the number of the frame that is written next.
    """

    def __init__(self, journal: Journal, coding: Coding, plan: PartPlan, parts: range) -> None:
        self._journal, self._coding, self._plan, self._parts = journal, coding, plan, parts
        encoder = coding.new_encoder()  # An encoder that refuses the frames does so now.
        self._header: dict[str, Any] = {"extradata": bytes(encoder.extradata or b"").hex()}
        self._budget = ByteBudget(waiting_bytes())
        self._converters = Converters(coding, self._budget)
        self._most_ending = coders_at_once(coding.frame_bytes)
        self._current: PartCoder | None = None
        self._ending: list[PartCoder] = []
        self._met: list[int] = []
        self.next_frame = plan.frames(parts.start).start
        self._skip_done()

    @property
    def largest_size(self) -> int:
        """How many bytes the largest part has, or will have when its frames so far are encoded: an estimate."""
        coders = [*self._ending, *([self._current] if self._current else [])]
        known = [packet.size for coder in coders for packet in coder.writer.packets]
        known += [file.size // len(file.packets) for file in self._journal.whole.values()]
        usual = sum(known) * 3 // 2 // len(known) if known else self._coding.width * self._coding.height
        sizes = [coder.writer.size + (coder.taken - len(coder.writer.packets)) * usual for coder in coders]
        return max([*sizes, *(file.size for file in self._journal.whole.values())], default=usual)

    def write(self, picture: Picture, *, cut: int | None = None) -> None:
        """Encode the next frame; ``cut``: the pair that it shows, if there is a cut in it.

        Raises:
            OSError, av.FFmpegError, ValueError: an earlier frame could not be encoded or written.
        """
        self._check()
        if self._current is None:
            self._current = self._new_coder(self._plan.part_of(self.next_frame))
        if cut is not None and cut not in self._met:
            self._met.append(cut)
        self._budget.take(picture.nbytes, self._check)
        if isinstance(picture, Planes):
            self._current.put(self.next_frame, picture, picture.nbytes)
        else:
            self._current.put(self.next_frame, *self._converters.submit(picture))
        self.next_frame += 1
        if self.next_frame == self._plan.frames(self._current.part).stop:
            self._end_part()
            self._skip_done()

    def _skip_done(self) -> None:
        while self.next_frame < self._plan.total and self._plan.part_of(self.next_frame) in self._journal.whole:
            part = self._plan.part_of(self.next_frame)
            self.next_frame = self._plan.frames(part).stop

    def _new_coder(self, part: int) -> PartCoder:
        while len(self._ending) >= self._most_ending:
            self._join(self._ending[0], self._check)
        header = {**self._header, "first": self._plan.frames(part).start}
        return PartCoder(part, self._coding, self._journal.writer(part, header), self._budget)

    def _end_part(self) -> None:
        coder, self._current = self._current, None
        if coder is not None:
            coder.finish({"cuts": self._met}, self._journal.path(coder.part))
            self._met = []
            self._ending.append(coder)

    def _check(self) -> None:
        """Raise the error of a coder that has failed, and take over the parts that are done."""
        for coder in [*self._ending, *([self._current] if self._current else [])]:
            if coder.error is not None:
                raise coder.error
        for coder in self._ending[:]:
            if not coder.is_running:
                self._join(coder)

    def _join(self, coder: PartCoder, check: Callable[[], None] = lambda: None) -> None:
        coder.join(check)
        if coder.error is not None:
            raise coder.error
        if coder in self._ending:
            self._ending.remove(coder)
            self._journal.note_done(coder.part)

    def finish(self, check: Callable[[], None]) -> list[PacketFile]:
        """Wait until all parts are done, and return their files. ``check`` is called meanwhile, and may raise."""
        self._end_part()
        while self._ending:
            self._join(self._ending[0], check)
        self._converters.close()
        parts = self._parts_from_first()
        return [self._journal.whole[part] for part in parts if part in self._journal.whole]

    def finish_partial(self) -> list[PacketFile]:
        """Have the frames that were taken encoded as far as possible. Return the files of the parts, in order.

        The last one may lack its end, and frames that others refer to.
        """
        if self._current is not None:
            self._current.flush()
            self._ending.append(self._current)
            self._current = None
        for coder in self._ending:
            coder.join()
        self._converters.close()
        unfinished = {coder.part: coder.writer.path for coder in self._ending}
        files: list[PacketFile] = []
        for part in self._parts_from_first():
            if part in self._journal.whole:
                files.append(self._journal.whole[part])
            elif part in unfinished:
                files.append(PacketFile(unfinished[part]))
            else:
                break
        return files

    def _parts_from_first(self) -> range:
        last = max([*self._journal.whole, *(coder.part for coder in self._ending)], default=self._parts.start - 1)
        return range(self._parts.start, last + 1)

    def abort(self) -> None:
        """End all threads soon. The journal has the parts that are whole by then."""
        coders = [*self._ending, *([self._current] if self._current else [])]
        for coder in coders:
            coder.stop()
        for coder in coders:
            coder.join()
            if coder.is_whole:  # It may have become so after the last frame was taken.
                with contextlib.suppress(OSError, ExportError):  # What ended the export is told, not this.
                    self._journal.note_done(coder.part)
        self._converters.close()
