"""Reads the crop rectangle of a Matroska or MP4 file, which FFmpeg's decoders leave to the program.

Only the few fields that lead there are read: a walk over elements with a limit on their number and depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from videoinr.geometry import Rect

_MAX_ELEMENTS = 512
"""How many elements of one level are walked over: more than any valid header has."""

_SEGMENT, _TRACKS, _TRACK, _CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0x1F43B675
_TRACK_TYPE, _VIDEO, _VIDEO_TYPE = 0x83, 0xE0, 1
_CROP_LEFT, _CROP_TOP, _CROP_RIGHT, _CROP_BOTTOM = 0x54CC, 0x54BB, 0x54DD, 0x54AA

_SAMPLE_ENTRY_BYTES = 78
"""The fixed fields of a video sample entry, before its boxes."""


@dataclass(frozen=True, slots=True)
class Cropping:
    """How many pixels a container cuts off at each side of the stored frames."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def rect(self, width: int, height: int) -> Rect:
        """Return the pixels that are shown of a stored frame; all of them if the cropping leaves nothing.

        Args:
            width: of the stored frame, in pixels.
            height: of the stored frame, in pixels.
        """
        left, top, right, bottom = self.left, self.top, width - self.right, height - self.bottom
        if min(self.left, self.top, self.right, self.bottom) < 0 or right <= left or bottom <= top:
            return Rect(0, 0, width, height)
        return Rect.from_edges(left, top, right, bottom)


class _Element(NamedTuple):
    kind: int
    start: int
    end: int


def cropping_of(path: Path, format_name: str, number: int, width: int, height: int) -> Cropping:
    """Return how the container crops a video stream.

    Args:
        path: the file.
        format_name: FFmpeg's name of its format.
        number: which of its video streams, counted from 0.
        width, height: the stored size of its frames.
    """
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            if "matroska" in format_name:
                return _matroska(file, end, number)
            if "mp4" in format_name:
                return _mp4(file, end, number, width, height)
    except (OSError, ValueError, LookupError, ArithmeticError, StopIteration):
        pass
    return Cropping()


def _matroska(file: BinaryIO, end: int, number: int) -> Cropping:
    segment = _first(_ebml(file, 0, end), _SEGMENT)
    tracks = _first(_ebml(file, segment.start, segment.end, stop_at=_CLUSTER), _TRACKS)
    videos = []
    for track in _ebml(file, tracks.start, tracks.end):
        fields = list(_ebml(file, track.start, track.end)) if track.kind == _TRACK else []
        if any(field.kind == _TRACK_TYPE and _number(file, field) == _VIDEO_TYPE for field in fields):
            videos.append(_first(iter(fields), _VIDEO))
    found = {each.kind: each for each in _ebml(file, videos[number].start, videos[number].end)} if videos else {}
    sides = (_CROP_LEFT, _CROP_TOP, _CROP_RIGHT, _CROP_BOTTOM)
    return Cropping(*(_number(file, found[side]) if side in found else 0 for side in sides))


def _ebml(file: BinaryIO, start: int, end: int, stop_at: int | None = None) -> Iterator[_Element]:
    """Yield the elements from ``start`` to ``end``."""
    for _ in range(_MAX_ELEMENTS):
        if start >= end:
            return
        file.seek(start)
        head = file.read(12)
        if not head or not head[0]:
            return
        id_bytes = 9 - head[0].bit_length()
        size_bytes = 9 - head[id_bytes].bit_length() if id_bytes < len(head) and head[id_bytes] else 9
        if id_bytes > 4 or size_bytes > 8 or id_bytes + size_bytes > len(head):
            return
        kind = int.from_bytes(head[:id_bytes], "big")
        size = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
        if kind == stop_at:
            return
        start += id_bytes + size_bytes
        # A size of ones only means that it is unknown: a stream that is still being written.
        stop = end if size == (1 << 7 * size_bytes) - 1 else min(end, start + size)
        yield _Element(kind, start, stop)
        start = stop


def _number(file: BinaryIO, element: _Element) -> int:
    file.seek(element.start)
    return int.from_bytes(file.read(min(8, element.end - element.start)), "big")


def _mp4(file: BinaryIO, end: int, number: int, width: int, height: int) -> Cropping:
    movie = _first(_boxes(file, 0, end), b"moov")
    media = [_first(_boxes(file, *box[1:]), b"mdia") for box in _boxes(file, *movie[1:]) if box.kind == _code(b"trak")]
    videos = [each for each in media if _handler(file, each) == b"vide"]
    table = videos[number] if number < len(videos) else None
    for name in (b"minf", b"stbl", b"stsd"):
        table = _first(_boxes(file, *table[1:]), name) if table else None
    if table is None:
        return Cropping()
    entry = next(_boxes(file, table.start + 8, table.end))
    aperture = _first(_boxes(file, entry.start + _SAMPLE_ENTRY_BYTES, entry.end), b"clap")
    return _from_aperture(file, aperture, width, height)


def _from_aperture(file: BinaryIO, box: _Element, width: int, height: int) -> Cropping:
    """Return the cropping of a clean aperture: its size, and how far its centre lies from the frame's."""
    file.seek(box.start)
    data = file.read(32)
    fields = [int.from_bytes(data[place : place + 4], "big", signed=True) for place in range(0, len(data) - 3, 4)]
    if len(fields) < 8:
        return Cropping()
    shown_width, shown_height, x, y = (fields[n] / fields[n + 1] for n in (0, 2, 4, 6))
    left, top = (width - shown_width) / 2 + x, (height - shown_height) / 2 + y
    return Cropping(round(left), round(top), round(width - left - shown_width), round(height - top - shown_height))


def _handler(file: BinaryIO, media: _Element) -> bytes:
    file.seek(_first(_boxes(file, *media[1:]), b"hdlr").start + 8)
    return file.read(4)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[_Element]:
    """Yield the boxes from ``start`` to ``end``."""
    for _ in range(_MAX_ELEMENTS):
        file.seek(start)
        head = file.read(16)
        if start + 8 > end or len(head) < 8:
            return
        size, kind, used = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big"), 8
        if size == 1:
            size, used = int.from_bytes(head[8:16], "big"), 16
        stop = end if size == 0 else start + size
        if stop < start + used or stop > end:
            return
        yield _Element(kind, start + used, stop)
        start = stop


def _code(name: bytes) -> int:
    return int.from_bytes(name, "big")


def _first(elements: Iterator[_Element], kind: int | bytes) -> _Element:
    """Return the first element of ``kind``. Raises ValueError if there is none."""
    wanted = _code(kind) if isinstance(kind, bytes) else kind
    for element in elements:
        if element.kind == wanted:
            return element
    raise ValueError(f"no element {kind!r}")
