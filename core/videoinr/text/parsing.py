"""Parsers of what a user types: numbers, factors, frame rates, sizes and regions.

The command line and the export dialog use the same parsers, so they accept the same words. Each parser raises
:class:`videoinr.errors.UsageError` for a text that it does not accept. No heavy module is imported here.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal, TypeVar, get_args

from videoinr.errors import UsageError
from videoinr.geometry import Grid, Rect
from videoinr.text.plain import printable

_Shape = TypeVar("_Shape", Grid, Rect)

# A length limit, and no exponents: Fraction("1e999999999") would compute for hours.
_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18}|\d{1,18}/0*[1-9]\d{0,17})")
_FACTOR = re.compile(r"[x×]\s*(?P<after>.+)|(?P<before>.+?)\s*[x×]", re.IGNORECASE)
_PERCENT = re.compile(r"(.+?)\s*%")
_FPS = re.compile(r"(.+?)\s*fps", re.IGNORECASE)
_SIDE = r"(\d{1,9})"
_SIZE = re.compile(rf"{_SIDE}[x×]{_SIDE}", re.IGNORECASE)
_REGION = re.compile(rf"{_SIDE},{_SIDE},{_SIDE},{_SIDE}")
_CROP = re.compile(rf"{_SIDE}[x×]{_SIDE}\+{_SIDE}\+{_SIDE}", re.IGNORECASE)


AcrossCutsName = Literal["hold", "blend", "decode"]
"""The values of :class:`videoinr.types.AcrossCuts`; that module loads numpy."""
_ACROSS_CUTS: tuple[AcrossCutsName, ...] = get_args(AcrossCutsName)


def across_cuts(text: str) -> AcrossCutsName:
    """Return the name of what is shown across a cut: ``hold``, ``blend`` or ``decode``."""
    for name in _ACROSS_CUTS:
        if text.strip().lower() == name:
            return name
    raise UsageError(f"'{text}' is not a way to show a cut.", hint="Write hold, blend or decode.")


QualityName = Literal["full", "motion"]
"""The names of :class:`videoinr.types.Quality` that a user may ask for."""
_QUALITIES: tuple[QualityName, ...] = get_args(QualityName)


def quality(text: str) -> QualityName:
    """Return the name of how a picture is rendered: ``full`` or ``motion``."""
    for name in _QUALITIES:
        if text.strip().lower() == name:
            return name
    raise UsageError(f"'{text}' is not a quality.", hint="Write full or motion.")


def number(text: str) -> Fraction:
    """Return an exact number: ``1.25``, ``1,25`` or ``5/4``."""
    value = _number(text)
    if value is None:
        raise UsageError(f"'{text}' is not a number.", hint="Write a decimal such as 1.25, or a fraction such as 5/4.")
    return value


def factor(text: str) -> Fraction:
    """Return a factor above 0: ``×4``, ``x2.5``, ``4x``, ``25%`` as editors write speeds, or a plain number."""
    if found := _PERCENT.fullmatch(text.strip()):
        percent = _number(found[1])
        value = None if percent is None else percent / 100
    else:
        match = _FACTOR.fullmatch(text.strip())
        value = _number(match["after"] or match["before"] if match else text)
    if value is None:
        raise UsageError(f"'{text}' is not a factor.", hint="Write 4, x2.5, 5/2 or 25%.")
    return _above_zero(value, text)


def _is_factor(text: str) -> bool:
    """Return whether ``text`` can be nothing but a factor."""
    return bool(_FACTOR.fullmatch(text.strip()) or _PERCENT.fullmatch(text.strip()))


def rate(text: str) -> Fraction:
    """Return a frame rate above 0, frames per second: ``60``, ``24000/1001`` or ``23.976 fps``."""
    return _rate(text, "Write 60 or 24000/1001.")


def rate_or_factor(text: str) -> tuple[Fraction | None, Fraction | None]:
    """Return (frames per second, None), or (None, factor) for a multiple of the clip's rate such as ``×4``."""
    if _is_factor(text):
        return None, factor(text)
    return _rate(text, "Write 60, 24000/1001, or ×4 for four times the clip's own rate."), None


def size(text: str) -> Grid:
    """Return a picture's size in pixels: ``1280x720``."""
    match = _SIZE.fullmatch(_without_spaces(text))
    if match is None:
        raise UsageError(f"'{text}' is not a size.", hint="Write width x height, such as 1280x720.")
    return _shape(Grid, text, *map(int, match.groups()))


def size_or_factor(text: str) -> tuple[Grid | None, Fraction | None]:
    """Return (size, None), or (None, factor) for a multiple of the clip's size such as ``×2.5``."""
    if _SIZE.fullmatch(_without_spaces(text)):
        return size(text), None
    if _is_factor(text):
        return None, factor(text)
    raise UsageError(f"'{text}' is not a size.", hint="Write ×4, or width x height such as 1920x1080.")


def region(text: str) -> Rect:
    """Return a region of a grid in pixels: ``X,Y,WIDTH,HEIGHT`` or ``WIDTHxHEIGHT+X+Y``."""
    plain = _without_spaces(text)
    if match := _REGION.fullmatch(plain):
        x, y, width, height = map(int, match.groups())
    elif match := _CROP.fullmatch(plain):
        width, height, x, y = map(int, match.groups())
    else:
        raise UsageError(
            f"'{text}' is not a region.", hint="Write X,Y,WIDTH,HEIGHT such as 40,0,320,240, or 320x240+40+0."
        )
    return _shape(Rect, text, x, y, width, height)


def _number(text: str) -> Fraction | None:
    """The number, or None if the text is not one."""
    plain = re.sub(r"\s*/\s*", "/", text.strip()).replace(",", ".")
    return Fraction(plain) if _NUMBER.fullmatch(plain) else None


def _rate(text: str, hint: str) -> Fraction:
    match = _FPS.fullmatch(text.strip())
    value = _number(match[1] if match else text)
    if value is None:
        raise UsageError(f"'{text}' is not a frame rate.", hint=hint)
    return _above_zero(value, text)


def _above_zero(value: Fraction, text: str) -> Fraction:
    if value <= 0:
        raise UsageError(f"'{text}' is not above 0.", hint="Give a number above 0.")
    return value


def _without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)


def _shape(kind: type[_Shape], text: str, *values: int) -> _Shape:
    try:
        return kind(*values)
    except ValueError:
        raise UsageError(f"'{text}' has no pixels.", hint="Give a width and a height of at least 1.") from None


_BYTE_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def byte_count(text: str) -> int:
    """Return the bytes that ``text`` means: ``512M``, ``1.5 GiB``, ``2gb``; units are powers of 1024.

    Raises:
        UsageError: ``text`` is no such size.
    """
    found = re.fullmatch(r"(\d{1,15}(?:[.,]\d{1,6})?)\s*([KMGT]?)(?:I?B)?", text.strip().upper())
    if found is None:
        raise UsageError(f"'{printable(text)}' is not a size of memory.", hint="Examples: 512M, 1.5G.")
    return int(Fraction(found[1].replace(",", ".")) * _BYTE_UNITS[found[2]])
