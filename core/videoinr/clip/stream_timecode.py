"""Timecode inside a video stream: in the GOP headers of MPEG-1 and MPEG-2, and with the pictures of H.264 and H.265.

Encoders that know no timecode write one, too: zero, or the same in all places. So zero says nothing, and a timecode
counts only if the next one in the stream goes on from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from videoinr.clip.start_timecode import TAG, start_timecode
from videoinr.text.timecode import timecode
from videoinr.types import StartTimecode

if TYPE_CHECKING:
    import av

_GOP_CODECS = ("mpeg1video", "mpeg2video")
_FRAME_CODECS = ("h264", "hevc")
_GOP, _PICTURE = b"\0\0\x01\xb8", b"\0\0\x01\0"
_SEARCHED_BYTES = 1024
_WANTED = 2
"""So many timecodes are read: the first, and the next, which must go on from it."""


@dataclass(frozen=True, slots=True)
class GopTimecode:
    """The timecode of a group of pictures (ISO/IEC 13818-2, 6.3.8).

    Attributes:
        text: HH:MM:SS:FF, of the group's first picture in the order of showing.
        pts: when the picture after the header is shown, ticks.
        number: how many pictures of the group are shown before that one (its temporal reference).
    """

    text: str
    pts: int
    number: int


class GopTimecodes:
    """Collects the timecodes of the first groups of pictures of a stream."""

    def __init__(self) -> None:
        self._found: list[GopTimecode] = []

    def note(self, packet: Any, codec: str) -> None:
        """Read a key packet.

        Args:
            packet: the packet, as PyAV gives it.
            codec: FFmpeg's name of the stream's codec.
        """
        if codec in _GOP_CODECS and len(self._found) < _WANTED and packet.pts is not None:
            read = _read_gop(bytes(memoryview(packet)[:_SEARCHED_BYTES]))
            if read is not None:
                self._found.append(GopTimecode(read[0], packet.pts, read[1]))

    @property
    def found(self) -> tuple[GopTimecode, ...]:
        """What was read, in the order of the file."""
        return tuple(self._found)


def _read_gop(data: bytes) -> tuple[str, int] | None:
    """Return the timecode of the group that begins in ``data``, and the temporal reference of the picture after it."""
    gop = data.find(_GOP)
    picture = data.find(_PICTURE, gop + 4)
    if gop < 0 or picture < 0 or picture + 6 > len(data):
        return None
    bits = int.from_bytes(data[gop + 4 : gop + 8], "big")
    hours, minutes, secs, frames = bits >> 26 & 31, bits >> 20 & 63, bits >> 13 & 63, bits >> 7 & 63
    text = f"{hours:02}:{minutes:02}:{secs:02}{';' if bits >> 31 else ':'}{frames:02}"
    return text, int.from_bytes(data[picture + 4 : picture + 6], "big") >> 6


def frame_timecodes(frames: Iterable[av.VideoFrame], codec: str) -> tuple[str, ...]:
    """Return the timecodes of the first frames of a stream; empty texts where a frame has none.

    Args:
        frames: the first frames, in the order of showing.
        codec: FFmpeg's name of the codec. Of others than H.264 and H.265 no frame is asked.
    """
    if codec not in _FRAME_CODECS:
        return ()
    try:
        texts = [frame.metadata.get(TAG, "") for frame, _ in zip(frames, range(_WANTED), strict=False)]
    except ValueError:  # Metadata that are no text.
        return ()
    return tuple(text if timecode(text) else "" for text in texts)


def timecode_of_groups(
    groups: tuple[GopTimecode, ...], fps: Fraction, tick_secs: Fraction, first_pts: int
) -> StartTimecode | None:
    """Return what the first groups of pictures say of the clip's first frame; None if that is nothing.

    Args:
        groups: their timecodes.
        fps: the clip's rate.
        tick_secs: of the stream.
        first_pts: when the clip's first frame is shown, ticks.
    """
    skipped = [round((first_pts - group.pts) * tick_secs * fps) + group.number for group in groups]
    return _agreed([(group.text, frames) for group, frames in zip(groups, skipped, strict=True)], fps)


def timecode_of_frames(texts: tuple[str, ...], fps: Fraction) -> StartTimecode | None:
    """Return what the first frames say of the first one; None if that is nothing.

    Args:
        texts: their timecodes, as :func:`frame_timecodes` returned them.
        fps: the clip's rate.
    """
    return _agreed([(text, -number) for number, text in enumerate(texts)], fps)


def _agreed(names: list[tuple[str, int]], fps: Fraction) -> StartTimecode | None:
    """Return the timecode of the clip's first frame, if all names (and how many frames they are before it) give one."""
    named = timecode(names[0][0]) if names else None
    if named is None or not (named.secs or named.frames):
        return None
    found = {start_timecode(text, fps, skipped=skipped) for text, skipped in names}
    return found.pop() if len(found) == 1 else None
