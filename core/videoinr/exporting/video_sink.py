"""Writes frames to a video file: parts are encoded into a journal, which becomes the file at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import ExportError
from videoinr.exporting.codecs import check_encodes
from videoinr.exporting.coding import Coding
from videoinr.exporting.companions import Companions
from videoinr.exporting.journal import Journal
from videoinr.exporting.packet_file import PacketFile
from videoinr.exporting.part_writer import PartWriter
from videoinr.exporting.parts import WHOLE, PartPlan, Share
from videoinr.exporting.planes import Picture
from videoinr.exporting.share_file import share_path, write_share
from videoinr.exporting.sinks import ResumableSink
from videoinr.exporting.sound.ahead import SoundAhead
from videoinr.exporting.target import NameTakenError, partial_path, write_errors
from videoinr.exporting.video_file import assemble, verify_output
from videoinr.exporting.video_mux import CompanionError, VideoParts, end_bytes
from videoinr.writing.names import free_name
from videoinr.writing.partial_file import PartialFile


@dataclass(frozen=True)
class VideoOutput:
    """The output of a :class:`VideoSink`.

    Attributes:
        out: the file.
        coding: the settings of the video stream.
        plan: the parts of the export.
        facts: what the export is, for its journal.
        companions: what goes with the pictures; None for nothing.
        share: which share of the export is written, to a file of its own.
        overwrite: whether an existing file is replaced.
        keeps_partial: whether room is kept on the disk, so that the file can be finished when the disk is full.
        resumes: whether to go on with what a killed export has left.
    """

    out: Path
    coding: Coding
    plan: PartPlan
    facts: dict[str, Any]
    companions: Companions | None = None
    share: Share = WHOLE
    overwrite: bool = False
    keeps_partial: bool = False
    resumes: bool = False

    @property
    def parts(self) -> range:
        """The parts that are written."""
        return range(self.plan.count) if self.share == WHOLE else self.share.parts(self.plan)

    @property
    def target(self) -> Path:
        """The file that is written: ``out``, or the file of a share."""
        return self.out if self.share == WHOLE else share_path(self.out, self.share)


class VideoSink(ResumableSink):
    """Writes a video; frame ``i`` is shown at ``i / fps`` seconds. ``token`` cancels :meth:`finish`."""

    def __init__(self, output: VideoOutput, *, token: CancelToken = NEVER) -> None:
        self._output, self._coding, self._token = output, output.coding, token
        self._journal: Journal | None = None
        self._parts: PartWriter | None = None
        self._file: PartialFile | None = None
        self._companions: Companions | None = None
        self._sound: SoundAhead | None = None
        self._count = 0
        self._said: list[str] = []

    @property
    def coding(self) -> Coding:
        """The settings of the video stream, for whose planes :meth:`write` takes too."""
        return self._coding

    def open(self) -> None:
        """Test and start the encoder, and create the journal, or go on with one."""
        output = self._output
        check_encodes(self._coding.codec)
        with self._errors():
            if output.resumes:
                # The shares of other machines follow the plan of this version.
                journal = Journal.resumed(output.target, output.facts, any_parts=output.share == WHOLE)
                self._output = output = replace(output, plan=journal.plan or output.plan)
            else:
                journal = Journal.begun(output.target, output.facts)
            self._journal = journal
            self._parts = PartWriter(journal, self._coding, output.plan, output.parts)
            if output.keeps_partial:
                self._file = self._new_file()
        if output.companions is not None and output.share == WHOLE:
            self._sound = SoundAhead(output.companions, output.plan.total / self._coding.fps, self._token)

    def _new_file(self) -> PartialFile:
        assert self._journal is not None
        return PartialFile(self._journal.folder.path / self._output.target.name)

    @property
    def wanted(self) -> range:
        """The frames that remain to be written next, up to some that are there already."""
        assert self._parts is not None, "open the sink first"
        output, start = self._output, self._parts.next_frame
        end = output.plan.frames(output.parts[-1]).stop
        assert self._journal is not None
        stops = (output.plan.frames(part).start for part in sorted(self._journal.whole))
        return range(start, next((stop for stop in stops if stop >= start), end))

    @property
    def total_frames(self) -> int:
        """How many frames the output will have."""
        output = self._output
        return sum(len(output.plan.frames(part)) for part in output.parts)

    @property
    def done_frames(self) -> int:
        """How many frames a killed export has left done."""
        assert self._journal is not None
        return sum(len(file.packets) for file in self._journal.whole.values())

    @property
    def noted_cuts(self) -> set[int]:
        """The pairs across cuts that were met in parts that a killed export has left done."""
        assert self._journal is not None
        notes = (file.notes or {} for file in self._journal.whole.values())
        return {cut for note in notes for cut in note.get("cuts", [])}

    @property
    def said(self) -> list[str]:
        """Sentences about the output, after :meth:`finish`."""
        return self._said

    @property
    def kept_frames(self) -> int:
        """How many frames the file holds, after :meth:`finish`."""
        return self._count

    def write(self, rgbx: Picture, *, cut: int | None = None) -> None:
        """Encode the next frame; ``cut``: the pair that it shows, if there is a cut in it."""
        assert self._parts is not None, "open the sink first"
        with self._errors():
            if self._file is not None:
                self._file.reserve(self._needed_bytes())
            self._parts.write(rgbx, cut=cut)

    def _needed_bytes(self) -> int:
        """Return how much room the end of the export needs besides the parts.

        It is that of the largest part, which is freed only after it was copied, and of the file's own structures.
        """
        assert self._parts is not None
        return self._parts.largest_size + end_bytes(self._parts.next_frame)

    def finish(self, *, partial: bool = False) -> Path:
        """Finish the parts, write and check the file, and give it its name."""
        assert self._parts is not None, "open the sink first"
        # What is kept of a cancelled export is finished although it was cancelled, as the sound was.
        token = NEVER if partial else self._token
        if partial:
            self._end_sound()
        with self._errors():
            files = self._parts.finish_partial() if partial else self._parts.finish(token.check)
            parts = self._parts_with_room(files) if partial else VideoParts.complete(files)
            if not parts.frames:
                raise ExportError("No frame is complete.")
            self._count = parts.frames
            is_share = self._output.share != WHOLE
            file = self._share_file(files) if is_share else self._written(parts, token)
            file.complete()
        if not is_share:
            verify_output(file.path, self._coding, parts.frames, self._companions, token)
        path = self._named(file, partial=partial)
        self._end_sound()
        self._discard_journal()
        return path

    def _parts_with_room(self, files: list[PacketFile]) -> VideoParts:
        """Return as many frames of ``files`` as fit on the disk, if each file is removed after it was copied."""
        self._file = self._file or self._new_file()
        for parts in VideoParts.prefixes(files):
            with contextlib.suppress(OSError):
                self._file.reserve(parts.largest_size + end_bytes(parts.frames))
                return parts
        return VideoParts((), 0)

    def _share_file(self, files: list[PacketFile]) -> PartialFile:
        output, self._file = self._output, self._new_file()
        write_share(self._file, output.facts, output.share, files)
        return self._file

    def _written(self, parts: VideoParts, token: CancelToken) -> PartialFile:
        self._file = file = self._file or self._new_file()
        try:
            file.reserve(parts.size + end_bytes(parts.frames))
            has_room = True
        except OSError:
            # There is no room for the file beside its parts. They are removed one by one as they are copied.
            has_room = False
        self._companions = self._output.companions
        try:
            assemble(file, self._coding, parts, self._companions, token, ahead=self._sound, frees=not has_room)
        except CompanionError as error:
            if not has_room:
                raise
            # The pictures are worth more than what goes with them.
            self._said.append(f"The sound and other streams were left out. {error}")
            self._companions = None
            file.discard()
            self._file = file = self._new_file()
            assemble(file, self._coding, parts, None, token)
        return file

    def _named(self, file: PartialFile, *, partial: bool) -> Path:
        out = self._output.target
        with write_errors(out):
            if partial:
                return file.commit(partial_path(out), replace=False)
            try:
                return file.commit(out, replace=self._output.overwrite)
            except FileExistsError as error:
                kept = file.commit(free_name(out), replace=False)
                self._discard_journal()
                raise NameTakenError(out, kept, self._count) from error

    def _discard_journal(self) -> None:
        if self._journal is not None:
            self._journal.discard()

    def abort(self) -> None:
        """End the coders, and remove the journal and the file."""
        self._end()
        self._discard_journal()

    def leave(self) -> None:
        """End the coders, and leave the journal for an export that resumes, if a part is done."""
        self._end()
        if self._journal is not None and self._journal.whole:
            self._journal.leave()
        else:
            self._discard_journal()

    def _end_sound(self) -> None:
        if self._sound is not None:
            self._sound.close()
            self._sound = None

    def _end(self) -> None:
        self._end_sound()
        if self._parts is not None:
            self._parts.abort()
        if self._file is not None:
            # PyAV writes no end to a closed file: that could take long, or fail again.
            self._file.discard()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with write_errors(self._output.target):
                yield
        except (av.FFmpegError, ValueError) as error:
            raise (self._coding.refusal() if self._parts is None else self._coding.failure(error)) from error
