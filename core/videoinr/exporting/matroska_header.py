"""Changes the header of a finished Matroska or WebM file: its pixel aspect and its duration. The size stays the same.

PyAV cannot set the aspect of a stream, which FFmpeg's Matroska muxer would write; VP9, AV1 and FFV1 have none of their
own. DisplayWidth and DisplayHeight take the place of two flags and of a name. Without DisplayHeight, which may be left
out, MediaInfo takes pixels for square.
FFmpeg's duration counts the encoder's delay of sound, which is not played: 21 ms for AAC.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

MUXER_OPTIONS = {"write_crc32": "0", "avoid_negative_ts": "disabled"}
"""Options of FFmpeg's muxer: checksums would not fit a changed header, and the delay of sound shall move no picture."""

PLACE_HOLDER = "place"
"""The name of a track that gives its room to the aspect."""

_SEGMENT, _TRACKS, _ENTRY, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xB0, 0xBA
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
_FLAG_LACING, _FLAG_DEFAULT, _NAME, _VOID = 0x9C, 0x88, 0x536E, 0xEC

_INFO, _DURATION = 0x1549A966, 0x4489
_MSECS_PER_SEC = 1000
"""FFmpeg's muxer counts in milliseconds."""

_HEADER_BYTES = 1 << 16


class _Element(NamedTuple):
    """An EBML element: it starts at ``at``; its data are bytes ``start`` to ``end``."""

    name: int
    at: int
    start: int
    end: int


def write_matroska_aspect(path: Path, aspect: Fraction) -> bool:
    """Set the width of a pixel by its height in the first track of a file that this program wrote.

    Returns:
        False if the header is not laid out as FFmpeg 8 does it; the file then stays as it is.
    """
    with path.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        changed = with_display_width(header, aspect)
        if changed is None:
            return False
        file.seek(0)
        file.write(changed)
    return True


def write_matroska_duration(path: Path, secs: Fraction) -> bool:
    """Set the duration of a file that this program wrote.

    Returns:
        False if the header is not laid out as FFmpeg 8 does it; the file then stays as it is.
    """
    with path.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        segment = _children(header, _Element(0, 0, 0, len(header))).get(_SEGMENT)
        info = _children(header, segment).get(_INFO) if segment else None
        duration = _children(header, info).get(_DURATION) if info else None
        if duration is None or duration.end - duration.start != struct.calcsize(">d"):
            return False
        file.seek(duration.start)
        file.write(struct.pack(">d", float(secs * _MSECS_PER_SEC)))
    return True


def with_display_width(header: bytes, aspect: Fraction) -> bytes | None:
    """Return the start of a Matroska file with DisplayWidth, equally long; None if its layout is another one."""
    entry: _Element | None = _Element(0, 0, 0, len(header))
    for name in (_SEGMENT, _TRACKS, _ENTRY):
        entry = _children(header, entry).get(name) if entry else None
    of_entry = _children(header, entry) if entry else {}
    video = of_entry.get(_VIDEO)
    of_video = _children(header, video) if video else {}
    if entry is None or video is None or not {_PIXEL_WIDTH, _PIXEL_HEIGHT} <= of_video.keys():
        return None
    width, height = (_number(header, of_video[name]) for name in (_PIXEL_WIDTH, _PIXEL_HEIGHT))
    shown = _shortest(_DISPLAY_WIDTH, round(width * aspect))
    kept = b"".join(header[child.at : child.end] for name, child in of_video.items() if name != _DISPLAY_UNIT)
    for content in (shown + _shortest(_DISPLAY_HEIGHT, height) + kept, shown + kept):
        if (changed := _with_video(header, entry, of_entry, content)) is not None:
            return changed
    return None


def _with_video(header: bytes, entry: _Element, of_entry: dict[int, _Element], content: bytes) -> bytes | None:
    """Return ``header`` with the description ``content`` of the pictures in a track; None if there is no room."""
    others = [header[child.at : child.end] for name, child in of_entry.items() if name not in _TO_DROP]
    changed = b"".join(others) + _written(_VIDEO, content)
    spare = entry.end - entry.start - len(changed)
    if spare < 0 or spare == 1 or entry.end > len(header):
        return None
    filling = _written(_VOID, bytes(spare - 2)) if spare else b""
    return header[: entry.start] + changed + filling + header[entry.end :]


_TO_DROP = (_VIDEO, _FLAG_LACING, _FLAG_DEFAULT, _NAME, _VOID)
"""Elements of a track that are written anew or left out. Both flags are 1 by default, which suits the first track."""


def _children(data: bytes, parent: _Element) -> dict[int, _Element]:
    found, at = dict[int, _Element](), parent.start
    while at < min(parent.end, len(data)) and (element := _element_at(data, at)) is not None:
        found.setdefault(element.name, element)
        at = element.end
    return found


def _element_at(data: bytes, at: int) -> _Element | None:
    name_bytes = _length(data, at)
    size_bytes = _length(data, at + name_bytes)
    start = at + name_bytes + size_bytes
    if not name_bytes or not size_bytes or start > len(data):
        return None
    size = int.from_bytes(data[at + name_bytes : start], "big") & ((1 << 7 * size_bytes) - 1)
    return _Element(int.from_bytes(data[at : at + name_bytes], "big"), at, start, start + size)


def _length(data: bytes, at: int) -> int:
    """Return how many bytes an EBML number at ``at`` takes; 0 if there is none."""
    return 9 - data[at].bit_length() if at < len(data) and data[at] else 0


def _number(data: bytes, element: _Element) -> int:
    return int.from_bytes(data[element.start : element.end], "big")


def _shortest(name: int, number: int) -> bytes:
    return _written(name, number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _written(name: int, content: bytes) -> bytes:
    size = len(content).to_bytes(1, "big") if len(content) < 127 else (0x4000 | len(content)).to_bytes(2, "big")
    first = bytes([size[0] | 0x80]) if len(size) == 1 else size
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + first + content
