"""From where a person looks to the pixels to decode: pure functions, no window, no thread."""

from __future__ import annotations

import math

from videoinr.geometry import Grid, rect_from_units, rect_on_grid
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, RegionQuery, RenderRequest, ViewState

MIN_SCALE, MAX_SCALE = 0.25, 32.0
"""Grid pixels per clip pixel that the program decodes; beyond, the screen magnifies or shrinks the picture."""


def scale_from_zoom(zoom: float) -> float:
    """The decode scale (grid pixels per clip pixel) for ``zoom`` (physical screen pixels per clip pixel).

    One decoded pixel for each screen pixel from x1 up. Below x1 the representation would be point-sampled and
    shimmer, so the next power of two above is decoded and the screen averages it down, less than 2 : 1.
    """
    scale = zoom if zoom >= 1 else 2.0 ** math.ceil(math.log2(zoom))
    return min(max(scale, MIN_SCALE), MAX_SCALE)


def visible_units(view: ViewState, info: ClipInfo, screen_px: tuple[int, int]) -> tuple[float, float, float, float]:
    """The box (left, top, right, bottom) that a ``screen_px`` (width, height) window shows.

    Unit coordinates: 0..1 across the clip's picture; beyond that range lies the margin around the picture.
    """
    half_x, half_y = (side / view.zoom / 2 for side in screen_px)
    (x, y), width, height = view.centre, info.width, info.height
    return (x - half_x) / width, (y - half_y) / height, (x + half_x) / width, (y + half_y) / height


def resolve(
    view: ViewState, info: ClipInfo, timeline: Timeline, screen_px: tuple[int, int], *, moving: bool
) -> RenderRequest | None:
    """The request for what a window of ``screen_px`` (width, height; physical pixels) shows of the clip.

    None when no part of the picture is in view.
    """
    grid = info.grid.scaled(scale_from_zoom(view.zoom))
    rect = rect_from_units(*visible_units(view, info, screen_px), grid)
    if rect is None:
        return None
    return RenderRequest(RegionQuery(timeline.instant_from_time(view.time_secs), grid, rect), moving)


def coarser(query: RegionQuery, divisor: int) -> RegionQuery:
    """The same part of the picture at the same instant on a grid ``divisor`` times coarser each way."""
    grid = Grid(-(-query.grid.width // divisor), -(-query.grid.height // divisor))
    return RegionQuery(query.instant, grid, rect_on_grid(query.rect, query.grid, grid))
