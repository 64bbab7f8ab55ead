"""OpenEXR pictures whose display window does not begin at (0, 0), such as crops that keep their place in the whole.

FFmpeg (8.1) takes the corner of the display window for (0, 0): it returns another part of the picture, or none of it.
So it gets the file's bytes with both windows moved.
"""

from __future__ import annotations

import struct

_TILED, _DEEP, _SEVERAL_PARTS = 0x200, 0x800, 0x1000
_LINES = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256)
"""How many lines a block of each compression has."""

_MAX_ATTRIBUTES, _MAX_NAME, _MAX_LINES = 4096, 256, 1 << 16


def with_display_window_at_zero(data: bytes) -> bytes:
    """Return an OpenEXR file with its display window, and all else with it, moved to begin at (0, 0).

    Args:
        data: the file's bytes. Damaged headers, deep pictures and files of several parts come back as they are.
    """
    if len(data) < 8 or struct.unpack_from("<I", data, 4)[0] & (_DEEP | _SEVERAL_PARTS):
        return data
    try:
        places, end = _attributes(data)
        display = struct.unpack_from("<4i", data, places["displayWindow"])
        whole = struct.unpack_from("<4i", data, places["dataWindow"])
        if display[:2] == (0, 0):
            return data
        moved = bytearray(data)
        for name, window in (("displayWindow", display), ("dataWindow", whole)):
            struct.pack_into("<4i", moved, places[name], *(window[axis] - display[axis % 2] for axis in range(4)))
        if not struct.unpack_from("<I", data, 4)[0] & _TILED:
            _move_blocks(moved, end, whole[3] - whole[1] + 1, _LINES[data[places["compression"]]], display[1])
    except (struct.error, KeyError, IndexError, ValueError, OverflowError):
        return data
    return bytes(moved)


def exr_attribute(data: bytes, name: str) -> bytes:
    """Return the value of an attribute of an OpenEXR file by the start of its bytes; empty if it has none there."""
    try:
        at = _attributes(data)[0][name]
        return data[at : at + int(struct.unpack_from("<I", data, at - 4)[0])]
    except (struct.error, KeyError, IndexError, ValueError, OverflowError):
        return b""


def _attributes(data: bytes) -> tuple[dict[str, int], int]:
    """Return where the values of the header's attributes are, and where the header ends; ValueError if it does not."""
    places, at = dict[str, int](), 8
    for _ in range(_MAX_ATTRIBUTES):
        if data[at] == 0:
            return places, at + 1
        name_end = data.index(0, at, at + _MAX_NAME)
        kind_end = data.index(0, name_end + 1, name_end + 1 + _MAX_NAME)
        places[data[at:name_end].decode("latin-1")] = kind_end + 5
        at = kind_end + 5 + int(struct.unpack_from("<I", data, kind_end + 1)[0])
    raise ValueError("The header does not end.")


def _move_blocks(moved: bytearray, table: int, height: int, lines: int, up: int) -> None:
    """Move the blocks of lines, which begin with the number of their first line, up by ``up`` lines."""
    if not 0 < height <= _MAX_LINES:
        raise ValueError("No such height is read.")
    for block in range(-(-height // lines)):
        (at,) = struct.unpack_from("<Q", moved, table + 8 * block)
        (line,) = struct.unpack_from("<i", moved, at)
        struct.pack_into("<i", moved, at, line - up)
