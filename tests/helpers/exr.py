"""Writes OpenEXR files, whose every attribute is known."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray


def exr(
    channels: dict[str, NDArray[np.float16]],
    corner: tuple[int, int] = (0, 0),
    display: tuple[int, int, int, int] | None = None,
    timecode: int | None = None,
) -> bytes:
    """Return an OpenEXR file of half floats, without compression; channels in the order of their names.

    ``corner`` is where its pixels begin, ``display`` its display window with the last column and row; None: the pixels.
    ``timecode``: 32 bits of SMPTE 12M for the attribute ``timeCode``.
    """
    names = sorted(channels)
    height, width = channels[names[0]].shape
    listed = b"".join(name.encode() + b"\0" + struct.pack("<iB3xii", 1, 0, 1, 1) for name in names) + b"\0"
    left, top = corner
    data_window = left, top, left + width - 1, top + height - 1
    window, shown = struct.pack("<4i", *data_window), struct.pack("<4i", *(display or data_window))
    attributes = (
        ("channels", "chlist", listed), ("compression", "compression", b"\0"), ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", shown), ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)), ("screenWindowCenter", "v2f", bytes(8)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
        *([] if timecode is None else [("timeCode", "timecode", struct.pack("<II", timecode, 0))]),
    )  # fmt: skip
    header = struct.pack("<II", 20000630, 2) + b"".join(
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value
        for name, kind, value in attributes
    ) + b"\0"  # fmt: skip
    lines = [
        struct.pack("<iI", top + y, 2 * width * len(names)) + b"".join(channels[name][y].tobytes() for name in names)
        for y in range(height)
    ]
    first = len(header) + 8 * height
    return header + struct.pack(f"<{height}Q", *(first + y * len(lines[0]) for y in range(height))) + b"".join(lines)
