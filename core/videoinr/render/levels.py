"""The size at which a clip's frames are encoded: below x1 the display's power of two, since finer pixels are not seen.

A picture of half the clip's size then takes a quarter of the time and of the memory, and is not point-sampled: the
frames were shrunk with an antialiased filter before.
"""

from __future__ import annotations

from videoinr.geometry import Grid

LEAST_PX = 40_000
"""Frames are not shrunk to fewer pixels: they are encoded at once anyway, and motion is found better in larger ones."""
_DIVISORS = (2, 4)
"""Below a quarter of the clip's size nothing is decoded (view.py)."""


def sizes_of(clip: Grid) -> list[Grid]:
    """Return all sizes at which frames of the size ``clip`` may be encoded."""
    return [clip, *(clip.scaled(1 / divisor) for divisor in _DIVISORS)]


def encoded_size(clip: Grid, grid: Grid) -> Grid:
    """Return the size of the frames to encode for pictures on ``grid``: the clip's, its half or its quarter.

    Args:
        clip: the size of the clip's frames.
        grid: the grid of the picture; never finer than the result by less than a factor of two.
    """
    sizes = ((divisor, clip.scaled(1 / divisor)) for divisor in reversed(_DIVISORS))
    fine = (size for divisor, size in sizes if size.rect.area >= LEAST_PX and _is_within(grid, clip, divisor))
    return next(fine, clip)


def _is_within(grid: Grid, clip: Grid, divisor: int) -> bool:
    """Return whether ``grid`` is no finer than ``clip`` divided by ``divisor``, whose sides are rounded."""
    sides = ((grid.width, clip.width), (grid.height, clip.height))
    return all(divisor * one <= other + divisor / 2 for one, other in sides)
