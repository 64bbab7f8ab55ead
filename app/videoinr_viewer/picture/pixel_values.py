"""The values under a point of the picture: what is shown, and what the source has there. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from videoinr.types import Instant, RenderedRegion
from videoinr_viewer.picture.pictures import PictureStack, unit_box

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class PixelValues:
    """The values under one point.

    Attributes:
        x, y: the point, clip pixels on the edge axis.
        instant: the instant of the picture that is shown there; None while nothing is shown.
        shown: the red, green and blue of that picture, 0 ... 255.
        source: those of the source pixel there, of the frame at or before the instant.
    """

    x: float
    y: float
    instant: Instant | None
    shown: Rgb | None
    source: Rgb | None


def values_at(stack: PictureStack, size: tuple[int, int], point: tuple[float, float]) -> PixelValues | None:
    """Return the values under ``point``, or None beside the picture.

    Args:
        stack: the pictures on the screen.
        size: (width, height) of the clip.
        point: (x, y) in clip pixels on the edge axis.
    """
    if not (0 <= point[0] < size[0] and 0 <= point[1] < size[1]):
        return None
    unit = (point[0] / size[0], point[1] / size[1])
    top = next((region for region in reversed(stack.regions) if _holds(region, unit)), stack.source)
    shown = None if top is None else _value(top, unit)
    source = None if stack.source is None else _value(stack.source, unit)
    return PixelValues(*point, None if top is None else top.query.instant, shown, source)


def _holds(region: RenderedRegion, unit: tuple[float, float]) -> bool:
    left, top, right, bottom = unit_box(region.query)
    return left <= unit[0] < right and top <= unit[1] < bottom


def _value(region: RenderedRegion, unit: tuple[float, float]) -> Rgb:
    grid, rect = region.query.grid, region.query.rect
    column = min(max(math.floor(unit[0] * grid.width) - rect.x, 0), rect.width - 1)
    row = min(max(math.floor(unit[1] * grid.height) - rect.y, 0), rect.height - 1)
    red, green, blue, _ = (int(value) for value in region.rgbx[row, column])
    return red, green, blue
