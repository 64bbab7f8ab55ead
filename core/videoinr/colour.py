"""Colour tags: a clip's matrix, range, primaries and transfer, and the guesses where a clip does not give them.

Names are those that ``ffprobe`` prints, except the identity matrix, which is "rgb" here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum

from videoinr.errors import UsageError

MATRICES: Mapping[int, str] = {
    0: "rgb",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
    15: "ipt-c2",
    16: "ycgco-re",
    17: "ycgco-ro",
}
"""The name of each H.273 code, which FFmpeg uses too. The next three tables are alike."""

RANGES: Mapping[int, str] = {1: "tv", 2: "pc"}

PRIMARIES: Mapping[int, str] = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}

TRANSFERS: Mapping[int, str] = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}

HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
"""PQ and HLG: a standard-range screen needs tone mapping to show them."""


@dataclass(frozen=True, slots=True)
class ColourSpec:
    """How to read a clip's colours, under FFmpeg's names.

    Attributes:
        matrix: bt709, smpte170m (BT.601), bt2020nc, rgb ... (see :data:`MATRICES`).
        range: "tv" (limited) or "pc" (full).
        primaries: see :data:`PRIMARIES`.
        transfer: see :data:`TRANSFERS`.
        guessed: the names of those fields that the clip does not give.
    """

    matrix: str
    range: str
    primaries: str
    transfer: str
    guessed: tuple[str, ...] = ()


class PixelFamily(Enum):
    """The kind of planes in a pixel format."""

    YUV = "yuv"
    RGB = "rgb"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class ColourTags:
    """A clip's own colour tags: names as in :class:`ColourSpec`, None where a tag is missing."""

    matrix: str | None = None
    range: str | None = None
    primaries: str | None = None
    transfer: str | None = None

    @classmethod
    def from_codes(cls, *, matrix: int, range_: int, primaries: int, transfer: int) -> ColourTags:
        """Return the tags for FFmpeg's codes; unknown codes become None."""
        return cls(MATRICES.get(matrix), RANGES.get(range_), PRIMARIES.get(primaries), TRANSFERS.get(transfer))

    def filled_from(self, other: ColourTags) -> ColourTags:
        """Return these tags, with the tags of ``other`` where these are missing."""
        return ColourTags(*(getattr(self, name) or getattr(other, name) for name in _TAG_NAMES))


_TAG_NAMES = tuple(field.name for field in fields(ColourTags))


def colour_from_tags(tags: ColourTags, *, width: int, height: int, family: PixelFamily) -> ColourSpec:
    """Return the colours of a clip: its tags, and a guess for each missing one.

    The guesses are those of mpv: BT.709 from HD on (1280 columns, or more than 576 rows), BT.601 below, limited range,
    the BT.709 transfer. RGB is full-range sRGB. Grey is full range too: programs based on FFmpeg store it so, without
    a tag.

    Args:
        tags: the clip's own tags.
        width: columns of the stored frames.
        height: rows of the stored frames.
        family: the kind of planes.
    """
    matrix = _matrix(tags, width, height, family)
    guess = ColourSpec(
        matrix=matrix,
        range=tags.range or ("tv" if family is PixelFamily.YUV else "pc"),
        primaries=tags.primaries or _primaries(matrix, height),
        transfer=tags.transfer or ("iec61966-2-1" if family is PixelFamily.RGB else "bt709"),
        guessed=tuple(name for name in _TAG_NAMES if getattr(tags, name) is None),
    )
    # The matrix of RGB is not a guess: the pixel format gives it.
    return guess if family is not PixelFamily.RGB else _without_guess(guess, "matrix")


def check_colour(spec: ColourSpec) -> ColourSpec:
    """Check that FFmpeg knows all names in ``spec``, and return it.

    Raises:
        UsageError: a field has an unknown name.
    """
    for field, names in (("matrix", MATRICES), ("range", RANGES), ("primaries", PRIMARIES), ("transfer", TRANSFERS)):
        if getattr(spec, field) not in names.values():
            raise UsageError(
                f"There is no colour {field} “{getattr(spec, field)}”.",
                hint=f"Choose one of: {', '.join(names.values())}.",
            )
    return spec


def _matrix(tags: ColourTags, width: int, height: int, family: PixelFamily) -> str:
    if family is PixelFamily.RGB:
        return "rgb"
    if tags.matrix not in (None, "rgb"):
        return str(tags.matrix)
    if tags.primaries == "bt2020":
        return "bt2020nc"
    return "bt709" if width >= 1280 or height > 576 else "smpte170m"


def _primaries(matrix: str, height: int) -> str:
    if matrix.startswith("bt2020"):
        return "bt2020"
    if matrix in ("bt709", "rgb"):
        return "bt709"
    return {576: "bt470bg", 480: "smpte170m", 486: "smpte170m"}.get(height, "bt709")


def _without_guess(spec: ColourSpec, name: str) -> ColourSpec:
    guessed = tuple(each for each in spec.guessed if each != name)
    return ColourSpec(spec.matrix, spec.range, spec.primaries, spec.transfer, guessed)
