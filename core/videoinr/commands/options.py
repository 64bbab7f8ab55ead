"""How the command line writes numbers, sizes and regions, and the options that several commands share.

Every parser takes what a person typed and raises ``typer.BadParameter`` when it makes no sense.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from videoinr.geometry import Grid, Rect

_Shape = TypeVar("_Shape", Grid, Rect)
# A length limit, and no exponents: Fraction("1e999999999") would compute for hours.
_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18}|\d{1,18}/0*[1-9]\d{0,17})")


def number(text: str) -> Fraction:
    """An exact number: 1.25 or 5/4."""
    if not _NUMBER.fullmatch(text.strip()):
        raise typer.BadParameter(f"'{text}' is no number. Write a decimal such as 1.25 or a fraction such as 5/4.")
    return Fraction(text.strip())


def positive(text: str) -> Fraction:
    """An exact number above 0."""
    value = number(text)
    if value <= 0:
        raise typer.BadParameter(f"'{text}' is not above 0.")
    return value


def grid(text: str) -> Grid:
    """WIDTHxHEIGHT in pixels."""
    width, height = _integers(text, r"(\d{1,9})[xX](\d{1,9})", "a size such as 1280x720")
    return _made(Grid, text, width, height)


def region(text: str) -> Rect:
    """X,Y,WIDTH,HEIGHT in pixels."""
    x, y, width, height = _integers(text, r"(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})", "a region such as 0,0,320,240")
    return _made(Rect, text, x, y, width, height)


def crop(text: str) -> Rect:
    """WIDTHxHEIGHT+X+Y in pixels."""
    width, height, x, y = _integers(text, r"(\d{1,9})[xX](\d{1,9})\+(\d{1,9})\+(\d{1,9})", "a crop such as 320x240+0+0")
    return _made(Rect, text, x, y, width, height)


def _integers(text: str, pattern: str, example: str) -> list[int]:
    match = re.fullmatch(pattern, re.sub(r"\s", "", text))
    if match is None:
        raise typer.BadParameter(f"'{text}' is not {example}.")
    return [int(group) for group in match.groups()]


def _made(kind: type[_Shape], text: str, *values: int) -> _Shape:
    try:
        return kind(*values)
    except ValueError:
        raise typer.BadParameter(f"'{text}' has no pixels.") from None


FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A video, or a folder or pattern of pictures.")]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME|PATH", help="A shipped model's name (videoinr models), or a weights file."),
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="cuda, cuda:1, mps or cpu; the fastest one by default.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ScaleOption = Annotated[
    Fraction | None, typer.Option("--scale", parser=positive, metavar="F", help="Grid pixels for each clip pixel.")
]
SizeOption = Annotated[
    Grid | None, typer.Option("--size", parser=grid, metavar="WxH", help="The full picture's size instead of a scale.")
]
