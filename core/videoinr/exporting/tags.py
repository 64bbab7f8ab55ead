"""What a file says about its colours, in FFmpeg's numbers (those of ITU-T H.273)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from videoinr.colour import MATRICES, PRIMARIES, RANGES, TRANSFERS, ColourSpec

_UNSPECIFIED = 2
# swscale's numbers for the matrices it can apply; it has one set of coefficients for both names of BT.601.
_SWSCALE = {"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 5, "smpte240m": 7, "bt2020nc": 9}


@dataclass(frozen=True, slots=True)
class StreamTags:
    """The numbers a stream carries, and ``swscale_matrix``, by which its planes are computed from RGB."""

    matrix: int
    range: int
    primaries: int
    transfer: int
    swscale_matrix: int


def tags_from_colour(colour: ColourSpec, *, rgb: bool, full_range: bool) -> StreamTags:
    """The tags for a file made from a clip of ``colour``.

    ``rgb``: the file holds RGB itself. Otherwise the clip's matrix is kept, or BT.709 where it has none that can be
    written (an RGB clip); its range is kept if ``full_range`` says that the file can tell.
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
