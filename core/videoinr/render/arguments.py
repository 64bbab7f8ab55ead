"""Arguments from Python, checked and made exact: numbers, sizes and regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from videoinr.cancel import CancelToken
from videoinr.errors import UsageError
from videoinr.geometry import Grid, Rect
from videoinr.render.output_area import grid_of, rect_of
from videoinr.text import parsing
from videoinr.types import AcrossCuts, ClipInfo, Instant, Quality, RegionQuery

if TYPE_CHECKING:
    import torch

_TOO_LARGE = 10**18
Number = int | float | Fraction
"""A float stands for the shortest decimal that prints it: 0.3 is exactly 3/10."""
Size = Grid | tuple[int, int]
"""(width, height), pixels."""
Region = Rect | tuple[int, int, int, int]
"""(x, y, width, height), pixels."""


def exact(value: Number, name: str) -> Fraction:
    """Return ``value`` as a fraction. A float means the decimal that it prints, also a float32: 0.3 is 3/10.

    Args:
        value: the argument of a public function.
        name: the argument's name, for the message.

    Raises:
        UsageError: ``value`` is not a finite number.
    """
    try:
        number = Fraction(value) if isinstance(value, int | Fraction) else Fraction(_decimal(value))
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name} = {value!r} is not a number.", hint="Give an int, a float or a Fraction.") from None
    if abs(number) >= _TOO_LARGE:
        raise UsageError(f"{name} has a value that is too large.", hint="Times, rates and scales are below 1e18.")
    return number


def optional(value: Number | None, name: str) -> Fraction | None:
    """Return ``value`` as :func:`exact` does, or None if it is None; ``name`` and the errors are as there."""
    return None if value is None else exact(value, name)


def positive(value: Number, name: str) -> Fraction:
    """Return ``value`` as :func:`exact` does; UsageError, which calls it ``name``, if it is not above 0."""
    number = exact(value, name)
    if number <= 0:
        raise UsageError(f"{name} = {float(number):g} is not above 0.", hint="Give a number above 0.")
    return number


def as_grid(size: Size | None) -> Grid | None:
    """Return ``size`` as a grid; UsageError if it is not two positive whole numbers."""
    if size is None or isinstance(size, Grid):
        return size
    try:
        width, height = size
        return Grid(_whole(width), _whole(height))
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"size = {size!r} is not a size.", hint="Give (width, height) in pixels.") from None


def as_rect(region: Region | None) -> Rect | None:
    """Return ``region`` as a rectangle; UsageError if it is not four whole numbers with pixels between them."""
    if region is None or isinstance(region, Rect):
        return region
    try:
        x, y, width, height = region
        return Rect(_whole(x), _whole(y), _whole(width), _whole(height))
    except (TypeError, ValueError, OverflowError):
        hint = "Give (x, y, width, height) in pixels of the scaled picture."
        raise UsageError(f"region = {region!r} is not a region.", hint=hint) from None


def whole(value: int, name: str) -> int:
    """Return ``value`` as an int; UsageError, which calls it ``name``, if it is no whole number."""
    try:
        return _whole(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name} = {value!r} is not a whole number.", hint="Give an int.") from None


def optional_whole(value: int | None, name: str) -> int | None:
    """Return ``value`` as :func:`whole` does, or None if it is None; ``name`` and the errors are as there."""
    return None if value is None else whole(value, name)


def flag(value: bool, name: str) -> bool:
    """Return ``value`` as a bool; UsageError, which calls it ``name``, if it is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise UsageError(f"{name} = {value!r} is neither True nor False.", hint="Give a bool.")
    return bool(value)


def check_token(value: CancelToken) -> None:
    """Raise UsageError if ``value``, which a public function takes as ``cancel``, is no token."""
    if not isinstance(value, CancelToken):
        raise UsageError(f"cancel = {value!r} is no token.", hint="Give a videoinr.CancelToken(), or leave it out.")


def check_functions(**functions: Callable[..., object] | None) -> None:
    """Raise UsageError if one of the arguments of these names is neither a function nor None."""
    for name, value in functions.items():
        if value is not None and not callable(value):
            raise UsageError(f"{name} = {value!r} is no function.", hint="Give a function, or leave it out.")


def text(value: str, name: str) -> str:
    """Return ``value``; UsageError, which calls it ``name``, if it is no text."""
    if not isinstance(value, str):
        raise UsageError(f"{name} = {value!r} is not a text.", hint="Give a str.")
    return value


def optional_text(value: str | None, name: str) -> str | None:
    """Return ``value`` as :func:`text` does, or None if it is None; ``name`` and the errors are as there."""
    return None if value is None else text(value, name)


def device_name(value: str | torch.device | None) -> str | None:
    """Return the name of the device that ``value`` is or names, or None; UsageError if it is neither.

    torch is not imported for it: whoever gives a ``torch.device`` has done that.
    """
    kind = type(value)
    if (kind.__module__, kind.__name__) == ("torch", "device"):
        # A processor and an Apple GPU are known by their kind alone: torch.device("cpu", 0) is "cpu".
        return value.type if value.type in ("cpu", "mps") else str(value)  # type: ignore[union-attr]
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"device = {value!r} is no device.", hint='Give a str such as "cuda:1", or a torch.device.')


def path(value: str | PathLike[str], name: str) -> Path:
    """Return ``value`` as a path; UsageError, which calls it ``name``, if it is none or empty."""
    if not isinstance(value, str | PathLike) or not str(value):
        raise UsageError(f"{name} = {value!r} is not a path.", hint="Give the name of a file or folder.")
    return Path(value)


def check_names(given: Iterable[str], known: Iterable[str], function: str) -> None:
    """Raise TypeError, as Python does, if ``function`` was given a keyword argument that it does not know."""
    if unknown := set(given) - set(known):
        raise TypeError(f"{function}() got an unexpected keyword argument {min(unknown)!r}")


def as_across_cuts(value: AcrossCuts | str) -> AcrossCuts:
    """Return ``value`` as an AcrossCuts; UsageError if it is none of its names."""
    return value if isinstance(value, AcrossCuts) else AcrossCuts(parsing.across_cuts(text(value, "across_cuts")))


def as_quality(value: str) -> Quality:
    """Return ``value`` as a Quality; UsageError if it is not ``"full"`` or ``"motion"``."""
    return Quality(parsing.quality(text(value, "quality")))


def query_for(
    info: ClipInfo,
    instant: Instant,
    *,
    scale: Number | None,
    size: Size | None,
    region: Region | None,
    default_scale: int,
) -> RegionQuery:
    """Return the query for a region of the clip's picture.

    Args:
        info: the clip.
        instant: the time of the picture.
        scale: grid pixels for each clip pixel; None means ``default_scale``.
        size: (width, height) of the full picture in pixels, instead of a scale.
        region: (x, y, width, height) in pixels of the grid; None means all.
        default_scale: the scale if neither ``scale`` nor ``size`` is given.

    Raises:
        UsageError: the scale or size is not valid or out of range, both were given, or the region lies outside the
            grid.
    """
    grid = grid_of(info, scale=optional(scale, "scale"), size=as_grid(size), default_scale=default_scale)
    return RegionQuery(instant, grid, rect_of(grid, as_rect(region)))


def _decimal(value: Any) -> str:
    """Return the shortest decimal that a float of this type prints as, or what Python's float makes of ``value``."""
    if hasattr(value, "detach"):  # A tensor of torch.
        value = value.detach().float().cpu().numpy()
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value[()]
    return np.format_float_scientific(value) if isinstance(value, np.floating) else repr(float(value))


def _whole(value: int) -> int:
    if int(value) != value:
        raise ValueError
    return int(value)
