"""What an animated WebP file says of itself: its size and the durations of its frames."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videoinr.errors import ExportError

_CHUNK = struct.Struct("<4sI")
_CANVAS_AT, _DURATION_AT, _SIDE, _DURATION = 4, 12, 3, 3
"""Where VP8X has the canvas and ANMF the duration, and how many bytes these numbers take."""


@dataclass(frozen=True, slots=True)
class WebpFacts:
    """The size of a WebP's pictures, how many it stores (equal ones are stored once), and how long they last.

    Where all are equal, or there is one, libwebp stores a single picture without a duration: ``stored`` is 0 then.
    """

    width: int
    height: int
    stored: int
    duration_secs: Fraction


def webp_facts(path: Path) -> WebpFacts:
    """Read the chunks of the animated WebP file ``path``.

    Raises:
        ExportError: it is none, or it is cut off.
    """
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or int.from_bytes(data[4:8], "little") + 8 != len(data):
        raise ExportError("The written file failed its check: it is no whole WebP file.")
    size, msecs, stored, at = (0, 0), 0, 0, 12
    while at + _CHUNK.size <= len(data):
        name, length = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        if name == b"VP8X":
            size = _number(data, at + _CANVAS_AT, _SIDE) + 1, _number(data, at + _CANVAS_AT + _SIDE, _SIDE) + 1
        elif name == b"ANMF":
            msecs += _number(data, at + _DURATION_AT, _DURATION)
            stored += 1
        elif name in (b"VP8 ", b"VP8L") and not stored and size == (0, 0):
            size = _size_of_picture(name, data, at)
        at += length + length % 2
    return WebpFacts(*size, stored, Fraction(msecs, 1000))


def _number(data: bytes, at: int, count: int) -> int:
    return int.from_bytes(data[at : at + count], "little")


def _size_of_picture(kind: bytes, data: bytes, at: int) -> tuple[int, int]:
    """Return the width and the height of a single picture, lossy or lossless (VP8L), whose chunk begins at ``at``."""
    if kind == b"VP8 ":
        # After a tag of three bytes and a start code: two numbers of 14 bits, each with two bits of scale above it.
        return _number(data, at + 6, 2) & 0x3FFF, _number(data, at + 8, 2) & 0x3FFF
    sides = _number(data, at + 1, 4)
    return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
