"""Recognises the H.264, H.265 and H.266 packets at which decoding can start and frames can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ORDERED_CODECS = ("h264", "hevc", "vvc")
"""The codecs whose decoders output frames in the order in which they are shown, whatever their packets' times."""

_SEARCHED_BYTES = 1 << 14
"""How much of a key packet is searched: parameter sets and messages come before its picture."""

_IDR = {"h264": (5,), "hevc": (19, 20), "vvc": (7, 8)}
_PICTURES = {"h264": range(1, 6), "hevc": range(32), "vvc": range(12)}


def starts_closed_group(packet: Any, codec: str) -> bool:
    """Return whether the key packet ``packet`` holds an IDR picture.

    All frames before an IDR picture in the file are shown before it, and all others after it.

    Args:
        packet: PyAV's packet, or any buffer.
        codec: FFmpeg's name of the codec. For codecs other than :data:`ORDERED_CODECS` the answer is False.
    """
    if codec not in ORDERED_CODECS:
        return False
    first = next((kind for kind in map(_KIND[codec], _units(memoryview(packet))) if kind in _PICTURES[codec]), None)
    return first in _IDR[codec]


_KIND = {
    "h264": lambda unit: unit[0] & 0x1F,
    "hevc": lambda unit: unit[0] >> 1 & 0x3F,
    "vvc": lambda unit: unit[1] >> 3,
}


def _units(packet: memoryview) -> Iterator[bytes]:
    """Yield the first two bytes of each NAL unit, whose beginning is marked by lengths or by start codes."""
    by_length = _places_by_length(packet)
    if by_length is not None:
        yield from (bytes(packet[place : place + 2]) for place in by_length)
        return
    data = bytes(packet[:_SEARCHED_BYTES])
    place = data.find(b"\0\0\1")
    while 0 <= place < len(data) - 4:
        yield data[place + 3 : place + 5]
        place = data.find(b"\0\0\1", place + 3)


def _places_by_length(packet: memoryview) -> list[int] | None:
    """Return where units begin if each has its length in four bytes before it; None if the lengths do not add up."""
    place, places = 0, list[int]()
    while place + 6 <= len(packet):
        places.append(place + 4)
        place += 4 + int.from_bytes(packet[place : place + 4], "big")
    return places if place == len(packet) else None
