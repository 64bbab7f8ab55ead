"""Walks over the elements of Matroska files and the boxes of MP4 and QuickTime files: the few that lead to a field.

Elements beyond a number are not looked at, and none is believed to reach beyond the one that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_MAX_ELEMENTS = 512
"""How many elements of one level are walked over: more than any valid header has."""


class Element(NamedTuple):
    """An element or a box: its kind, and where its content lies in the file, [start, end)."""

    kind: int
    start: int
    end: int


def ebml(file: BinaryIO, start: int, end: int, stop_at: int | None = None) -> Iterator[Element]:
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
        yield Element(kind, start, stop)
        start = stop


def number_in(file: BinaryIO, element: Element) -> int:
    """Return the number that an element of Matroska holds."""
    file.seek(element.start)
    return int.from_bytes(file.read(min(8, element.end - element.start)), "big")


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Element]:
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
        yield Element(kind, start + used, stop)
        start = stop


def field(file: BinaryIO, start: int, count: int, *, signed: bool = False) -> int:
    """Return the big-endian number in ``count`` bytes at ``start``. Raises ValueError beyond the file's end."""
    file.seek(start)
    data = file.read(count)
    if len(data) < count:
        raise ValueError("the file ends before")
    return int.from_bytes(data, "big", signed=signed)


def descend(file: BinaryIO, box: Element, *names: bytes) -> Element:
    """Return the box that is found in ``box`` by a path of names. Raises ValueError if one of them is missing."""
    for name in names:
        box = first(boxes(file, *box[1:]), name)
    return box


def code_of(name: bytes) -> int:
    """Return the kind of the boxes of a name."""
    return int.from_bytes(name, "big")


def first(elements: Iterator[Element], kind: int | bytes) -> Element:
    """Return the first element of ``kind``. Raises ValueError if there is none."""
    wanted = code_of(kind) if isinstance(kind, bytes) else kind
    for element in elements:
        if element.kind == wanted:
            return element
    raise ValueError(f"no element {kind!r}")


def handler_of(file: BinaryIO, media: Element) -> bytes:
    """Return the kind of a track by its box ``mdia``: ``vide``, ``soun``, ``tmcd`` ..."""
    file.seek(descend(file, media, b"hdlr").start + 8)
    return file.read(4)
