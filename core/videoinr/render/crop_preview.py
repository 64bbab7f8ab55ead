"""The part of a clip's frames that a view shows, encoded first where the whole of them would take long.

What an encoder says of a pixel hangs on pixels far around it, but hardly on any beyond the nearest dozen or two. So a
zoomed view gets a draft from features of its own part and a margin; what is shown in full comes from whole frames.
"""

from __future__ import annotations

from videoinr.geometry import Grid, Rect, rect_on_grid
from videoinr.types import RegionQuery

MARGIN_PX = 16
"""Clip pixels around what is shown that are encoded with it."""
LEAST_MARGIN_PX = 8
"""What must still be left of them for the same part to serve a view that has moved on."""
STEP_PX = 8
"""Parts begin and end at multiples of this: an encoder's pyramid halves there as it does in whole frames."""
MOST_SHARE = 0.5
"""Of the frames; a part larger than this does not pay."""


def part_around(query: RegionQuery, clip: Grid) -> Rect | None:
    """The pixels of ``clip`` to encode for ``query``: those it shows, and a margin. None where that is most of them."""
    shown = _widened(query, clip, MARGIN_PX)
    left, top = shown.x // STEP_PX * STEP_PX, shown.y // STEP_PX * STEP_PX
    right, bottom = min(clip.width, _above(shown.right)), min(clip.height, _above(shown.bottom))
    part = Rect(left, top, right - left, bottom - top)
    return part if part.area <= MOST_SHARE * clip.rect.area else None


def serves(part: Rect, query: RegionQuery, clip: Grid) -> bool:
    """Whether features of ``part`` will do for ``query``."""
    return part.contains(_widened(query, clip, LEAST_MARGIN_PX))


def on_whole_pixels(query: RegionQuery, clip: Grid) -> RegionQuery:
    """``query`` on the next coarser grid of which each of the clip's pixels is whole pixels: so is any part, then."""
    times = _times(query, clip)
    grid = Grid(clip.width * times, clip.height * times)
    return RegionQuery(query.instant, grid, rect_on_grid(query.rect, query.grid, grid))


def within(part: Rect, query: RegionQuery, clip: Grid) -> RegionQuery:
    """``query``, which is :func:`on_whole_pixels`, as it is put to a clip that is nothing but ``part``."""
    times, rect = _times(query, clip), query.rect
    moved = Rect(rect.x - part.x * times, rect.y - part.y * times, rect.width, rect.height)
    return RegionQuery(query.instant, Grid(part.width * times, part.height * times), moved)


def _times(query: RegionQuery, clip: Grid) -> int:
    return max(1, query.grid.width // clip.width)


def _widened(query: RegionQuery, clip: Grid, margin: int) -> Rect:
    shown = rect_on_grid(query.rect, query.grid, clip)
    left, top = max(0, shown.x - margin), max(0, shown.y - margin)
    right, bottom = min(clip.width, shown.right + margin), min(clip.height, shown.bottom + margin)
    return Rect(left, top, right - left, bottom - top)


def _above(edge: int) -> int:
    return -(-edge // STEP_PX) * STEP_PX
