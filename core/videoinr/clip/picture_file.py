"""One picture in one file: decoded, or only its size read from the header."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path

import av

from videoinr.clip.exif import turns_from_exif
from videoinr.clip.pixels import Orientation, orientation_from_angle
from videoinr.clip.video_file import MAX_PIXELS, av_errors_as, check_size
from videoinr.errors import ClipError

_MAX_FILE_BYTES = 1 << 30

_OPTIONS = {"max_pixels": str(MAX_PIXELS)}

_PNG_HEAD_BYTES = 24

_HEADER_BYTES = 1 << 16
"""How much of a file is read to learn a picture's size. Most formats need less."""


@dataclass(frozen=True, eq=False)
class DecodedPicture:
    """A decoded picture file, and how to set it upright."""

    frame: av.VideoFrame
    codec: str
    orientation: Orientation


def decode_picture(file: Path) -> DecodedPicture:
    """Decode the (first) picture in ``file``.

    Raises:
        ClipError: the file cannot be read, or holds no picture that can be decoded.
    """
    with av_errors_as(f"The picture “{file.name}” cannot be read.", "It may be damaged."):
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise ClipError(f"The picture “{file.name}” is larger than a gigabyte.")
        # FFmpeg gets the bytes without the name: it would take a number in the name for a pattern.
        data = file.read_bytes()
        _refuse_animated_webp(data, file.name)
        with av.open(io.BytesIO(data), "r", options=_OPTIONS, metadata_errors="replace") as container:
            stream = container.streams.video[0]
            check_size(stream.codec_context.width, stream.codec_context.height, file.name)
            stream.codec_context.options = _OPTIONS
            frame = next(container.decode(stream), None)
            if frame is None:
                raise ClipError(f"There is no picture in “{file.name}”.", hint="It may be damaged.")
            return DecodedPicture(frame, stream.codec_context.codec.canonical_name, _orientation(data, frame))


def _orientation(data: bytes, frame: av.VideoFrame) -> Orientation:
    """Return how to set the picture upright. ``frame.side_data`` is never read: see :mod:`videoinr.clip.exif`."""
    turns = turns_from_exif(data)
    return orientation_from_angle(frame) if turns is None else Orientation(*turns)


def _refuse_animated_webp(data: bytes, name: str) -> None:
    # The extended header's second flag says that the file is animated (RFC 9649, 2.7).
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and len(data) > 20 and data[20] & 0x02:
        raise ClipError(
            f"“{name}” is an animated WebP, which FFmpeg cannot decode.",
            hint="The file is not damaged. Convert it to a video or a GIF first.",
        )


def stored_size(file: Path) -> tuple[int, int]:
    """Return (width, height) of the picture in ``file`` as stored, before any turn.

    The file's header is enough for most formats; where it is not, the picture is decoded.

    Raises:
        ClipError: the picture has to be decoded, and cannot be.
    """
    size = _size_in_header(file)
    if 0 in size:
        frame = decode_picture(file).frame
        size = frame.width, frame.height
    return size


def _size_in_header(file: Path) -> tuple[int, int]:
    """Return (width, height), or (0, 0) if only decoding can tell."""
    try:
        with file.open("rb") as opened:
            head = opened.read(_PNG_HEAD_BYTES)
            # A PNG needs no FFmpeg: a data set may hold a hundred thousand of them.
            if head.startswith(b"\x89PNG") and head[12:16] == b"IHDR":
                width, height = struct.unpack(">II", head[16:24])
                return width, height
            head += opened.read(_HEADER_BYTES - _PNG_HEAD_BYTES)
        with av.open(io.BytesIO(head), "r", options=_OPTIONS, metadata_errors="replace") as container:
            context = container.streams.video[0].codec_context
            return context.width, context.height
    except (av.FFmpegError, OSError, ValueError, LookupError, struct.error):
        return 0, 0
