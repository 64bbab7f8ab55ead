"""A clip in a video file: opened, its frames numbered, read in any order."""

from __future__ import annotations

import contextlib
from pathlib import Path

import av

from videoinr.cancel import CancelToken
from videoinr.clip.base import ClipBase, check_frame_index, identity_of
from videoinr.clip.cursor import Batch, Cursor
from videoinr.clip.pixels import PixelReader
from videoinr.clip.ring import Ring
from videoinr.clip.video_file import VideoFile, av_errors_as
from videoinr.clip.video_opening import Opening, open_stream
from videoinr.colour import ColourSpec
from videoinr.errors import ClipError, UsageError
from videoinr.types import Pixels

DECODED_BYTES = 192 << 20
"""Decoded frames kept for steps back, as the decoder left them (a 4K frame of 8 bits takes 12 MiB)."""

PICTURE_BYTES = 128 << 20
"""Frames kept as RGB; a pair's second frame is the next pair's first."""

_CONVERT = "Convert the clip to an ordinary pixel format first."


class VideoClip(ClipBase):
    """See :class:`~videoinr.clip.Clip`. ``seeks`` counts how often the decoder was sent elsewhere in the file.

    Frames come from one decoder that reads on as long as that is the shortest way, and otherwise goes to the key
    packet at or before the frame asked for.
    """

    def __init__(self, opening: Opening, identity: str) -> None:
        super().__init__(opening.info, opening.timeline, identity)
        self._file: VideoFile | None = opening.file
        self._cursor: Cursor = opening.cursor
        self._reader: PixelReader = opening.reader
        self._decoded: Ring[av.VideoFrame] = Ring(DECODED_BYTES, at_least=2)
        self._pictures: Ring[Pixels] = Ring(PICTURE_BYTES, at_least=2)
        self._stand_ins: dict[int, int] = {}
        self._keep(opening.head)
        # Whatever cannot be converted shows now, and not at the first frame asked for.
        self.frame(0)

    @property
    def seeks(self) -> int:
        """How often the decoder was sent elsewhere since the clip was opened."""
        return self._open_file().seeks

    @property
    def held_bytes(self) -> int:
        """What the decoded frames take that are kept for steps back."""
        return self._decoded.held_bytes + self._pictures.held_bytes

    def frame(self, index: int) -> Pixels:
        """See :meth:`Clip.frame`."""
        check_frame_index(index, self._timeline.frame_count)
        self._open_file()
        picture = self._pictures.get(index)
        if picture is None:
            decoded = self._decoded_frame(index)
            with av_errors_as(f"Frame {index} of “{self._info.path.name}” cannot be converted to RGB.", _CONVERT):
                picture = self._reader.pixels(decoded)
            self._pictures.put(index, picture, picture.nbytes)
        return picture

    def close(self) -> None:
        """See :meth:`Clip.close`."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._decoded.clear()
        self._pictures.clear()
        with contextlib.suppress(AttributeError):
            del self._cursor, self._reader

    def _open_file(self) -> VideoFile:
        if self._file is None:
            raise UsageError(f"“{self._info.path.name}” was closed.")
        return self._file

    def _keep(self, batch: Batch) -> None:
        for number, frame in batch:
            self._decoded.put(number, frame, _frame_bytes(frame))

    def _decoded_frame(self, index: int) -> av.VideoFrame:
        index = self._stand_ins.get(index, index)
        held = self._decoded.get(index)
        return self._decode_to(index) if held is None else held

    def _decode_to(self, index: int) -> av.VideoFrame:
        nearest: tuple[int, av.VideoFrame] | None = None
        for _ in self._cursor.approaches(index):
            while (batch := self._cursor.read(index)) is not None:
                self._keep(batch)
                for number, frame in batch:
                    if nearest is None or _distance(number, index) < _distance(nearest[0], index):
                        nearest = number, frame
                if nearest and nearest[0] == index:
                    return nearest[1]
        if nearest is None:
            raise ClipError(
                f"Frame {index} of “{self._info.path.name}” cannot be decoded.",
                hint="The file is damaged there; other parts of it may still play.",
            )
        self._stand_ins[index] = nearest[0]
        self._keep([nearest])
        return nearest[1]


def _distance(number: int, index: int) -> tuple[bool, int]:
    """Orders frames by how well they stand in for ``index``: those before it first, the nearest first."""
    return number > index, abs(number - index)


def _frame_bytes(frame: av.VideoFrame) -> int:
    return frame.width * frame.height * frame.format.padded_bits_per_pixel // 8


def open_video(path: Path, *, colour: ColourSpec | None, token: CancelToken) -> VideoClip:
    """Open the video file ``path``; see :func:`~videoinr.clip.open_clip`.

    Raises:
        ClipError: it holds no frame that can be shown.
        Cancelled: ``token`` was cancelled.
    """
    opening = open_stream(path, colour=colour, token=token)
    try:
        return VideoClip(opening, identity_of(path, [path], opening.info.colour))
    except BaseException:
        opening.file.close()
        raise
