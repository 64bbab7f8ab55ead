"""Zoom, pan and fit as pure functions on a ViewState. Screen coordinates are physical pixels, (x, y), y down.

A view keeps its exact centre; rounding it at every step would let the picture drift. For drawing and decoding alone,
:func:`drawn` puts the picture's top left corner on a whole screen pixel, so that panning by whole pixels moves the
decoded pixels without resampling them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from videoinr.types import ClipInfo, ViewState

MIN_ZOOM, MAX_ZOOM = 1 / 32, 32.0
"""Physical screen pixels for each clip pixel. No picture is decoded at a larger scale than MAX_ZOOM."""
LEAST_SHARE = 0.5
"""How small the picture may be made, as a share of its size in a fitted view, or at x1 if that is smaller."""
FIT_MARGIN_PX = 12
"""Margin of a fitted picture on each side, logical pixels."""

ScreenPx = tuple[int, int]
Point = tuple[float, float]


def clip_point(view: ViewState, screen_px: ScreenPx, at: Point) -> Point:
    """Return the point of the clip under the screen point ``at``, in clip pixels on the edge axis."""
    x, y = ((c + (a - side / 2) / view.zoom) for c, a, side in zip(view.centre, at, screen_px, strict=True))
    return x, y


def drawn_point(view: ViewState, screen_px: ScreenPx, at: Point) -> Point:
    """Return the point of the clip that is drawn at the screen point ``at``: see :func:`drawn`."""
    return clip_point(drawn(view, screen_px), screen_px, at)


def zoomed(
    view: ViewState, info: ClipInfo, screen_px: ScreenPx, *, factor: float, at: Point, fixed: Point | None = None
) -> ViewState:
    """Return ``view`` magnified by ``factor``; a point of the clip comes to lie under the screen point ``at``.

    Args:
        view: the view before.
        info: the clip.
        screen_px: (width, height) of the window.
        factor: the change of the zoom, above 0.
        at: the screen point.
        fixed: the point of the clip, in clip pixels; None for the one that is drawn at ``at`` now.
    """
    x, y = fixed or drawn_point(view, screen_px, at)
    zoom = min(max(view.zoom * factor, least_zoom(info, screen_px)), MAX_ZOOM)
    if math.isclose(zoom, round(zoom), rel_tol=1e-6):
        zoom = float(round(zoom))
    centre = (x - (at[0] - screen_px[0] / 2) / zoom, y - (at[1] - screen_px[1] / 2) / zoom)
    return inside(replace(view, centre=centre, zoom=zoom), info)


def least_zoom(info: ClipInfo, screen_px: ScreenPx) -> float:
    """Return the least zoom: the picture does not shrink to a dot (see LEAST_SHARE)."""
    fit = min(screen_px[0] / info.width, screen_px[1] / info.height)
    return max(min(fit, 1.0) * LEAST_SHARE, MIN_ZOOM)


def panned(view: ViewState, info: ClipInfo, *, by_px: tuple[int, int]) -> ViewState:
    """Return ``view`` with the picture moved by ``by_px`` whole screen pixels (right and down are positive)."""
    x, y = (c - d / view.zoom for c, d in zip(view.centre, by_px, strict=True))
    return inside(replace(view, centre=(x, y)), info)


def fitted(view: ViewState, info: ClipInfo, screen_px: ScreenPx, *, margin_px: float) -> ViewState:
    """Return ``view`` with the whole picture visible, as large as ``margin_px`` on each side allows."""
    room = [max(1.0, side - 2 * margin_px) for side in screen_px]
    zoom = min(max(min(room[0] / info.width, room[1] / info.height), MIN_ZOOM), MAX_ZOOM)
    return replace(view, centre=(info.width / 2, info.height / 2), zoom=zoom)


def inside(view: ViewState, info: ClipInfo) -> ViewState:
    """Return ``view`` with its centre inside the picture."""
    x, y = (min(max(c, 0.0), float(side)) for c, side in zip(view.centre, (info.width, info.height), strict=True))
    return replace(view, centre=(x, y))


def drawn(view: ViewState, screen_px: ScreenPx) -> ViewState:
    """Return the view that is drawn: ``view`` with the picture's top left corner on a whole screen pixel."""
    x, y = (_drawn_centre(c, view.zoom, side) for c, side in zip(view.centre, screen_px, strict=True))
    return replace(view, centre=(x, y))


def _drawn_centre(centre: float, zoom: float, screen_side: int) -> float:
    corner = screen_side / 2 - centre * zoom
    return (screen_side / 2 - math.floor(corner + 0.5)) / zoom
