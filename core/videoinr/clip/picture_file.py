"""One picture in one file: decoded, or only its size read from the header.

The decoder is chosen by the file's first bytes, and gets the bytes themselves: none of FFmpeg's demuxers looks at a
picture, but that of AVIF and HEIC. Thus no text under the name of a picture leads FFmpeg to other files or the network.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from videoinr.clip.exif import turns_from_exif
from videoinr.clip.exr_windows import with_display_window_at_zero
from videoinr.clip.float_grey import rgb_of_float_grey
from videoinr.clip.formats import PICTURE_OPTIONS
from videoinr.clip.hdr_orientation import holds_xyz, turns_from_hdr, with_lines_as_rows
from videoinr.clip.picture_format import (
    EXR,
    HDR,
    JPEG,
    PFM,
    PNG,
    TGA,
    TIFF,
    PictureFormat,
    check_supported,
    format_of,
    is_animated_png,
    is_jpeg_ls_by_pixel,
    is_premultiplied,
    is_tiled,
    is_video,
    read_head,
    tiff_pages,
    unread_numbers,
    with_first_page,
    with_unit_scale,
)
from videoinr.clip.pixels import Orientation, orientation_from_angle
from videoinr.clip.video_file import MAX_PIXELS, av_errors_as, check_size
from videoinr.errors import ClipError

_MAX_FILE_BYTES = 1 << 30

_OPTIONS = {"max_pixels": str(MAX_PIXELS)}

_OPEN_OPTIONS = {**_OPTIONS, **PICTURE_OPTIONS}

_HEADER_BYTES = 1 << 16
"""How much of a file is read to learn a picture's size. Most formats need less."""


@dataclass(frozen=True, eq=False)
class DecodedPicture:
    """A decoded picture.

    Attributes:
        frame: its pixels.
        codec: FFmpeg's name of the codec.
        orientation: how to set it upright.
        pixel_aspect: width / height of a pixel, as stored.
        alpha: its alpha channel, a grey frame, where the file keeps it apart (AVIF).
        kind: the format of the file.
        is_premultiplied: whether its colours were multiplied by its alpha channel.
    """

    frame: av.VideoFrame
    codec: str
    orientation: Orientation
    pixel_aspect: Fraction
    kind: PictureFormat
    alpha: av.VideoFrame | None = field(default=None)
    is_premultiplied: bool = False


def decode_picture(file: Path, page: int = 0) -> DecodedPicture:
    """Decode one picture of a file.

    Args:
        file: the picture file.
        page: which page of a TIFF file, counted from 0; other files have one picture, the first.

    Raises:
        ClipError: the file cannot be read, or holds no picture that can be decoded.
    """
    with av_errors_as(f"The picture “{file.name}” cannot be read.", "It may be damaged."):
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise ClipError(f"The picture “{file.name}” is larger than a gigabyte.")
        data = file.read_bytes()
        kind = check_supported(format_of(data, file), data, file)
        if kind is TIFF and page:
            data = with_first_page(data, tiff_pages(data)[page][0])
        _check_read_right(data, kind, file)
        if kind is PFM:
            data = with_unit_scale(data)
        if kind is EXR:
            data = with_display_window_at_zero(data)
        return _decode_bytes(data, kind, file) if kind.decoder else _decode_container(data, kind, file)


def _decode_bytes(data: bytes, kind: PictureFormat, file: Path) -> DecodedPicture:
    context: Any = av.CodecContext.create(kind.decoder, "r")
    context.options = _OPTIONS
    rows = with_lines_as_rows(data) if kind is HDR else data
    try:
        frame = next(iter([*context.decode(av.Packet(rows)), *context.decode(None)]), None)
    except av.FFmpegError:
        # FFmpeg refuses too large pictures without a reason.
        check_size(*_size_in_header(file), file.name)
        raise
    if frame is None:
        raise ClipError(f"There is no picture in “{file.name}”.", hint="It may be damaged.")
    check_size(frame.width, frame.height, file.name)
    orientation = Orientation(*turns_from_hdr(data)) if kind is HDR else _orientation(data, frame)
    aspect = _aspect(context.sample_aspect_ratio)
    codec, multiplied = context.codec.canonical_name, is_premultiplied(data, kind)
    return DecodedPicture(rgb_of_float_grey(frame), codec, orientation, aspect, kind, is_premultiplied=multiplied)


def _decode_container(data: bytes, kind: PictureFormat, file: Path) -> DecodedPicture:
    with av.open(
        io.BytesIO(data), "r", format=kind.demuxer, options=_OPEN_OPTIONS, metadata_errors="replace"
    ) as container:
        streams = container.streams.video
        first = streams[0]
        if any(Disposition.dependent in stream.disposition for stream in streams):
            raise _tiles(file, kind)
        check_size(first.codec_context.width, first.codec_context.height, file.name)
        grey = [stream for stream in streams[1:] if _is_alpha(stream, first)]
        frame = _first_frame(container, first)
        if frame is None:
            raise ClipError(f"There is no picture in “{file.name}”.", hint="It may be damaged.")
        codec, aspect = first.codec_context.codec.canonical_name, _aspect(first.sample_aspect_ratio)
        alpha = None
        if grey:
            container.seek(0)
            alpha = _first_frame(container, grey[0])
        return DecodedPicture(frame, codec, _orientation(data, frame), aspect, kind, alpha)


def _check_read_right(data: bytes, kind: PictureFormat, file: Path) -> None:
    """Raise ClipError for pictures that FFmpeg would return as noise or as black, without an error."""
    if kind is TIFF and is_tiled(data):
        raise _tiles(file, kind)
    if kind is TIFF and (numbers := unread_numbers(data)):
        raise ClipError(
            f"“{file.name}” is a TIFF picture of {numbers}, which cannot be read.",
            hint="The file is not damaged. Convert it to 8 or 16 bits without a sign and without JPEG, or to OpenEXR.",
        )
    if kind is HDR and holds_xyz(data):
        raise ClipError(
            f"“{file.name}” is a Radiance picture of XYZ colours, which cannot be read.",
            hint="The file is not damaged. Convert it to RGB first.",
        )
    if kind is JPEG and is_jpeg_ls_by_pixel(data):
        raise ClipError(
            f"“{file.name}” is a JPEG-LS picture with its colours pixel by pixel, which cannot be read.",
            hint="The file is not damaged. Convert it to PNG or TIFF first.",
        )


def _tiles(file: Path, kind: PictureFormat) -> ClipError:
    return ClipError(
        f"“{file.name}” is a {kind.name} picture made of tiles, which cannot be read.",
        hint="The file is not damaged. Convert it to PNG or JPEG first"
        + (", or to a TIFF made of strips." if kind is TIFF else "."),
    )


def _is_alpha(stream: av.VideoStream, picture: av.VideoStream) -> bool:
    alike = (stream.width, stream.height) == (picture.width, picture.height)
    return alike and (stream.pix_fmt or "").startswith("gray") and not (picture.pix_fmt or "").startswith("gray")


def _first_frame(container: Any, stream: av.VideoStream) -> av.VideoFrame | None:
    stream.codec_context.options = _OPTIONS
    return next(container.decode(stream), None)


def _aspect(ratio: Fraction | None) -> Fraction:
    return Fraction(ratio or 1)


def _orientation(data: bytes, frame: av.VideoFrame) -> Orientation:
    """Return how to set the picture upright. ``frame.side_data`` is never read: see :mod:`videoinr.clip.exif`."""
    turns = turns_from_exif(data)
    return orientation_from_angle(frame) if turns is None else Orientation(*turns)


def pages_of(file: Path) -> tuple[list[int], int]:
    """Return the pages of ``file`` that have the size of its first one, and how many have not.

    All files but TIFF files have the page 0 alone.

    Raises:
        OSError: the file cannot be read.
    """
    if format_of(read_head(file), file) is not TIFF or file.stat().st_size > _MAX_FILE_BYTES:
        return [0], 0
    sizes = [size for _, *size in tiff_pages(file.read_bytes())]
    alike = [page for page, size in enumerate(sizes) if size == sizes[0]]
    return alike or [0], len(sizes) - len(alike)


def is_video_content(file: Path) -> bool:
    """Return whether ``file`` holds an animated PNG, AVIF or GIF, or a video, by its content.

    Raises:
        OSError: the file cannot be read.
    """
    head = read_head(file)
    if format_of(head, file) is not PNG:
        return is_video(head)
    with file.open("rb") as opened:
        return is_animated_png(opened.read(_HEADER_BYTES))


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
            head = opened.read(64)
            kind = format_of(head, file)
            # A PNG needs no FFmpeg: a data set may hold a hundred thousand of them.
            if kind is PNG and head[12:16] == b"IHDR":
                width, height = struct.unpack(">II", head[16:24])
                return width, height
            if kind is TGA:
                width, height = struct.unpack("<HH", head[12:16])
                return width, height
            if kind is None or not kind.demuxer:
                return 0, 0
            head += opened.read(_HEADER_BYTES - len(head))
        source = io.BytesIO(head)
        with av.open(source, "r", format=kind.demuxer, options=_OPEN_OPTIONS, metadata_errors="replace") as container:
            context = container.streams.video[0].codec_context
            return context.width, context.height
    except (av.FFmpegError, OSError, ValueError, LookupError, struct.error):
        return 0, 0
