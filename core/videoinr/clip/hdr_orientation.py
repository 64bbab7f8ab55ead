"""In which order a Radiance HDR picture holds its rows and columns, which FFmpeg (8.1) does not look at.

The last line of the header, such as "-Y 480 +X 640", names the axis that goes from line to line of the file, then the
one within a line; a sign says in which direction. Y grows upward, so that this one begins with the top row.
"""

from __future__ import annotations

import re

from videoinr.clip.exif import TURNS

_RESOLUTION = re.compile(rb"\n\n([-+][XY]) (\d{1,9}) ([-+][XY]) (\d{1,9})\n")
_MOST_HEADER_BYTES = 1 << 16

_NUMBERS = {
    (b"-Y", b"+X"): 1, (b"-Y", b"-X"): 2, (b"+Y", b"-X"): 3, (b"+Y", b"+X"): 4,
    (b"+X", b"-Y"): 5, (b"-X", b"-Y"): 6, (b"-X", b"+Y"): 7, (b"+X", b"+Y"): 8,
}  # fmt: skip
"""The orders, as Exif numbers them."""


def turns_from_hdr(data: bytes) -> tuple[int, bool]:
    """Return (quarter turns clockwise, mirrored left to right before them) of a Radiance HDR file."""
    found = _RESOLUTION.search(data, 0, _MOST_HEADER_BYTES)
    return TURNS[_NUMBERS.get((found[1], found[3]), 1)] if found else TURNS[1]


def with_lines_as_rows(data: bytes) -> bytes:
    """Return a Radiance HDR file whose lines FFmpeg takes for rows; the same bytes if it does so anyway."""
    found = _RESOLUTION.search(data, 0, _MOST_HEADER_BYTES)
    if found is None or found[1].endswith(b"Y"):
        return data
    return data[: found.start()] + b"\n\n-Y " + found[2] + b" +X " + found[4] + b"\n" + data[found.end() :]


def holds_xyz(data: bytes) -> bool:
    """Return whether the numbers of a Radiance HDR file are CIE XYZ, which FFmpeg returns as RGB."""
    header, _, _ = data[:_MOST_HEADER_BYTES].partition(b"\n\n")
    return b"\nFORMAT=32-bit_rle_xyze" in header
