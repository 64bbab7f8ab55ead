"""The colour tags of an exported file, in FFmpeg's numbers (those of ITU-T H.273)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from videoinr.colour import MATRICES, PRIMARIES, RANGES, TRANSFERS, ColourSpec

_UNSPECIFIED = 2
# swscale's numbers of the matrices that it can apply; both names of BT.601 have the same coefficients.
_SWSCALE = {"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 5, "smpte240m": 7, "bt2020nc": 9}


@dataclass(frozen=True, slots=True)
class StreamTags:
    """The colour tags of a stream, and ``swscale_matrix``: swscale's number of the matrix from RGB to its planes."""

    matrix: int
    range: int
    primaries: int
    transfer: int
    swscale_matrix: int


def tags_from_colour(colour: ColourSpec, *, rgb: bool, full_range: bool) -> StreamTags:
    """Return the tags of a file made from a clip of ``colour``.

    Args:
        colour: the clip's colours.
        rgb: whether the file holds RGB. If not, it keeps the clip's matrix, or has BT.709 for an RGB clip.
        full_range: whether the file can be tagged as full range. If not, its range is limited.
    """
    if rgb:
        matrix, value_range = "rgb", "pc"
    else:
        matrix = colour.matrix if colour.matrix in _SWSCALE else "bt709"
        value_range = colour.range if full_range else "tv"
    return StreamTags(
        matrix=_code(MATRICES, matrix),
        range=_code(RANGES, value_range),
        primaries=_code(PRIMARIES, colour.primaries),
        transfer=_code(TRANSFERS, colour.transfer),
        swscale_matrix=_SWSCALE.get(matrix, _SWSCALE["bt709"]),
    )


def _code(names: Mapping[int, str], name: str) -> int:
    return next((code for code, known in names.items() if known == name), _UNSPECIFIED)
