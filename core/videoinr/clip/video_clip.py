"""The clip in a video file, whose frames can be read in any order."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path

import av
from av.video.frame import PictureType

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.base import ClipBase, ReadReport, check_frame_index, identity_of
from videoinr.clip.cursor import Batch, Cursor
from videoinr.clip.deinterlacing import Deinterlacer
from videoinr.clip.found import Found
from videoinr.clip.frame_cache import FrameCache
from videoinr.clip.open_options import OpenOptions
from videoinr.clip.pixels import PixelReader, frame_bytes
from videoinr.clip.source_stamp import SourceStamp
from videoinr.clip.video_file import VideoFile, av_errors_as
from videoinr.clip.video_opening import OpenedVideo, open_video_stream
from videoinr.errors import ClipError, UsageError
from videoinr.types import Pixels

DECODED_BYTES = 192 << 20
"""The budget of decoded frames, kept for steps back as the decoder returned them (an 8-bit 4K frame: 12 MiB)."""

PICTURE_BYTES = 128 << 20
"""The budget of frames kept as RGB: the second frame of a pair is the first of the next one."""

_BIDIRECTIONAL = (PictureType.B, PictureType.BI)

_CONVERT = "Convert the clip to an ordinary pixel format first."


class VideoClip(ClipBase):
    """The :class:`~videoinr.clip.Clip` of a video file.

    One decoder reads forward as long as that is the shortest way to a frame. Otherwise it seeks to the key packet at
    or before the frame.
    """

    def __init__(self, video: OpenedVideo, identity: str, stamp: SourceStamp | None = None) -> None:
        """Make the clip of an opened video.

        Args:
            video: the opened video.
            identity: see :attr:`Clip.identity`.
            stamp: what the file was before it was read.

        Raises:
            ClipError: the first frame cannot be converted to RGB.
        """
        super().__init__(video.info, video.timeline, identity, stamp)
        self._file: VideoFile | None = video.file
        self._cursor: Cursor = video.cursor
        self._reader: PixelReader = video.reader
        count = video.timeline.frame_count
        self._deinterlacer = Deinterlacer(video.fields, self._decoded_frame, count) if video.fields else None
        # A deinterlaced frame takes lines of both neighbours.
        self._beside = 1 if video.fields else 0
        self._decoded: FrameCache[av.VideoFrame] = FrameCache(DECODED_BYTES, at_least=1)
        self._pictures: FrameCache[Pixels] = FrameCache(PICTURE_BYTES, at_least=1)
        self._substitutes: dict[int, int] = {}
        self._with_errors: set[int] = set()
        self._keys: set[int] = set()
        self._bidirectional: set[int] = set()
        self._other_size: set[int] = set()
        self._size = video.facts.size
        for number, facts in zip(video.numbers, video.facts.frames, strict=True):
            if number is not None:
                self._note(number, (facts.width, facts.height), is_corrupt=facts.is_corrupt)
        self._keep(video.head)
        if video.head:
            # A pixel format that cannot be converted is an error of opening, not of the first read.
            self.frame(0)

    @property
    def seeks(self) -> int:
        """How often the decoder was moved to another place in the file since the clip was opened."""
        return self._open_file().seeks

    @property
    def alpha_stream(self) -> int | None:
        """Which of the file's video streams is the alpha channel of this one; None without one."""
        return self._open_file().alpha_stream

    @property
    def report(self) -> ReadReport:
        """See :attr:`Clip.report`."""
        return ReadReport(len(self._with_errors), len(self._substitutes), len(self._other_size))

    @property
    def held_bytes(self) -> int:
        """The bytes that the cached frames take."""
        return self._decoded.held_bytes + self._pictures.held_bytes

    @property
    def stand_ins(self) -> Mapping[int, int]:
        """See :attr:`Clip.stand_ins`."""
        return self._substitutes

    @property
    def damaged(self) -> frozenset[int]:
        """See :attr:`Clip.damaged`."""
        origins = self._with_errors | self._substitutes.keys()
        ends = [*sorted(self._keys - origins), self._timeline.frame_count]
        found = set[int]()
        for origin in sorted(origins):
            if origin not in found:
                first = origin
                # B-frames are built on the frame that is shown after them, too.
                while first - 1 in self._bidirectional:
                    first -= 1
                end = ends[bisect_right(ends, origin)]
                found.update(range(max(0, first - self._beside), min(ends[-1], end + self._beside)))
        return frozenset(found)

    def frame(self, index: int, token: CancelToken = NEVER) -> Pixels:
        """See :meth:`Clip.frame`."""
        check_frame_index(index, self._timeline.frame_count)
        self._open_file()
        picture = self._pictures.get(index)
        if picture is None:
            with av_errors_as(f"Frame {index} of “{self._info.path.name}” cannot be converted to RGB.", _CONVERT):
                decoded = self._deinterlacer.frame(index) if self._deinterlacer else self._decoded_frame(index, token)
                picture = self._reader.pixels(decoded)
            self._pictures.put(index, picture, picture.nbytes)
        return picture

    def hold_at_most(self, frames: int) -> None:
        """See :meth:`Clip.hold_at_most`."""
        self._decoded.limit(frames)
        self._pictures.limit(frames)

    def close(self) -> None:
        """See :meth:`Clip.close`."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._decoded.clear()
        self._pictures.clear()
        with contextlib.suppress(AttributeError):
            del self._cursor, self._reader, self._deinterlacer

    def _open_file(self) -> VideoFile:
        if self._file is None:
            raise UsageError(f"“{self._info.path.name}” was closed.")
        return self._file

    def _keep(self, batch: Batch) -> None:
        for number, frame in batch:
            self._decoded.put(number, frame, frame_bytes(frame))
            self._note(number, (frame.width, frame.height), is_corrupt=frame.is_corrupt)
            if frame.key_frame:
                self._keys.add(number)
            elif frame.pict_type in _BIDIRECTIONAL:
                self._bidirectional.add(number)

    def _note(self, number: int, size: tuple[int, int], *, is_corrupt: bool) -> None:
        if is_corrupt:
            self._with_errors.add(number)
        if size != self._size:
            self._other_size.add(number)

    def _decoded_frame(self, index: int, token: CancelToken = NEVER) -> av.VideoFrame:
        index = self._substitutes.get(index, index)
        held = self._decoded.get(index)
        return self._decode_to(index, token) if held is None else held

    def _decode_to(self, index: int, token: CancelToken) -> av.VideoFrame:
        nearest: tuple[int, av.VideoFrame] | None = None
        for _ in self._cursor.approaches(index):
            while (batch := self._cursor.read(index)) is not None:
                token.check()
                self._keep(batch)
                for number, frame in batch:
                    if nearest is None or _distance(number, index) < _distance(nearest[0], index):
                        nearest = number, frame
                if nearest and nearest[0] == index:
                    return nearest[1]
        if nearest is None:
            raise ClipError(
                f"Frame {index} of “{self._info.path.name}” cannot be decoded.",
                hint="The file is damaged there. Other frames may still be readable.",
            )
        self._substitutes[index] = nearest[0]
        self._keep([nearest])
        return nearest[1]


def _distance(number: int, index: int) -> tuple[bool, int]:
    """Return a sort key of substitutes for frame ``index``: earlier frames first, near ones first."""
    return number > index, abs(number - index)


def open_video(path: Path, options: OpenOptions, token: CancelToken, found: Found) -> VideoClip:
    """Open a video file as a clip; see :func:`~videoinr.clip.open_clip`.

    Args:
        path: the file.
        options: how to read it.
        token: cancels the opening.
        found: what an opening before found; it gets what this one finds.

    Raises:
        ClipError: the file holds no frame that can be shown.
        UsageError: the file has no such video stream.
        Cancelled: ``token`` was cancelled.
    """
    stamp = SourceStamp.of([path])
    video = open_video_stream(path, options, token, found)
    identity = identity_of(path, [path], video.info.colour) + options.suffix
    try:
        return VideoClip(video, identity, stamp)
    except BaseException:
        video.file.close()
        raise
