"""From the view state to the pixels to decode: pure functions, no window, no thread."""

from __future__ import annotations

import math
from dataclasses import replace

from videoinr.geometry import Grid, Rect, rect_from_units, rect_on_grid
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, RegionQuery, RenderRequest, ViewState

MIN_SCALE, MAX_SCALE = 0.25, 32.0
"""The range of decode scales, grid pixels per clip pixel; beyond it the screen magnifies or reduces the picture."""


def scale_from_zoom(zoom: float) -> float:
    """Return the decode scale for a zoom.

    From x1 up, one pixel is decoded for each screen pixel. Below x1 a point-sampled picture would shimmer, so the next
    power of two above is decoded and the screen averages it down, by less than 2 : 1.

    Args:
        zoom: physical screen pixels per clip pixel, above 0.

    Returns:
        Grid pixels per clip pixel, MIN_SCALE ... MAX_SCALE.
    """
    scale = zoom if zoom >= 1 else 2.0 ** math.ceil(math.log2(zoom))
    return min(max(scale, MIN_SCALE), MAX_SCALE)


def visible_units(view: ViewState, info: ClipInfo, screen_px: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the box that a window shows, in unit coordinates.

    They are 0 ... 1 across the clip's picture; beyond that range lies the margin around it.

    Args:
        view: the centre and the zoom.
        info: the clip.
        screen_px: (width, height) of the window, physical pixels.

    Returns:
        (left, top, right, bottom).
    """
    half_x, half_y = (side / view.zoom / 2 for side in screen_px)
    (x, y), width, height = view.centre, info.width, info.height
    return (x - half_x) / width, (y - half_y) / height, (x + half_x) / width, (y + half_y) / height


def region_in_view(view: ViewState, info: ClipInfo, screen_px: tuple[int, int]) -> tuple[Grid, Rect] | None:
    """Return the virtual full frame and the pixels of it that a window shows; None if it shows none.

    Args:
        view: the centre and the zoom.
        info: the clip.
        screen_px: (width, height) of the window, physical pixels.
    """
    grid = info.grid.scaled(scale_from_zoom(view.zoom))
    rect = rect_from_units(*visible_units(view, info, screen_px), grid)
    return None if rect is None else (grid, rect)


def resolve(
    view: ViewState, info: ClipInfo, timeline: Timeline, screen_px: tuple[int, int], *, moving: bool
) -> RenderRequest | None:
    """Return the request for the pixels that a window shows of the clip.

    Args:
        view: the time, the centre and the zoom.
        info: the clip.
        timeline: the clip's frame times.
        screen_px: (width, height) of the window, physical pixels.
        moving: whether the view is changing, so that a draft now is better than a full picture later.

    Returns:
        The request, or None if no pixel of the picture is in view.
    """
    found = region_in_view(view, info, screen_px)
    if found is None:
        return None
    (grid, rect), units = found, visible_units(view, info, screen_px)
    instant, on_screen = timeline.instant_from_time(view.time_secs), None
    screen = info.grid.scaled(view.zoom)
    if screen.width < grid.width and (seen := rect_from_units(*units, screen)) is not None:
        on_screen = RegionQuery(instant, screen, seen)
    return RenderRequest(RegionQuery(instant, grid, rect), moving, on_screen)


def coarser(query: RegionQuery, divisor: int) -> RegionQuery:
    """Return ``query`` on a coarser grid: the same instant and area of the picture.

    Args:
        query: the view. Its exposure is left out: a draft shows the instant alone.
        divisor: how many times coarser the grid is in each direction, 1 or more; its size is rounded up.
    """
    grid = Grid(-(-query.grid.width // divisor), -(-query.grid.height // divisor))
    return replace(query, grid=grid, rect=rect_on_grid(query.rect, query.grid, grid), exposure=None, part=None)
