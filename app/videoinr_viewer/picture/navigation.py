"""Zoom, pan and fit as pure functions on a ViewState. Screen coordinates are physical pixels, (x, y), y down.

The picture's top left corner always lies on a whole screen pixel, so that panning by whole pixels moves the decoded
pixels without resampling them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from videoinr.types import ClipInfo, ViewState

MIN_ZOOM, MAX_ZOOM = 1 / 32, 64.0
"""Physical screen pixels for each clip pixel."""
FIT_MARGIN_PX = 12
"""Margin of a fitted picture on each side, logical pixels."""

ScreenPx = tuple[int, int]
Point = tuple[float, float]


def clip_point(view: ViewState, screen_px: ScreenPx, at: Point) -> Point:
    """Return the point of the clip under the screen point ``at``, in clip pixels on the edge axis."""
    x, y = ((c + (a - side / 2) / view.zoom) for c, a, side in zip(view.centre, at, screen_px, strict=True))
    return x, y


def zoomed(view: ViewState, info: ClipInfo, screen_px: ScreenPx, *, factor: float, at: Point) -> ViewState:
    """Return ``view`` magnified by ``factor``; the clip's point under the screen point ``at`` stays there."""
    fixed = clip_point(view, screen_px, at)
    zoom = min(max(view.zoom * factor, MIN_ZOOM), MAX_ZOOM)
    if math.isclose(zoom, round(zoom), rel_tol=1e-6):
        zoom = float(round(zoom))
    x, y = (f - (a - side / 2) / zoom for f, a, side in zip(fixed, at, screen_px, strict=True))
    return aligned(replace(view, centre=(x, y), zoom=zoom), info, screen_px)


def panned(view: ViewState, info: ClipInfo, screen_px: ScreenPx, *, by_px: tuple[int, int]) -> ViewState:
    """Return ``view`` with the picture moved by ``by_px`` whole screen pixels (right and down are positive)."""
    x, y = (c - d / view.zoom for c, d in zip(view.centre, by_px, strict=True))
    return aligned(replace(view, centre=(x, y)), info, screen_px)


def fitted(view: ViewState, info: ClipInfo, screen_px: ScreenPx, *, margin_px: float) -> ViewState:
    """Return ``view`` with the whole picture visible, as large as ``margin_px`` on each side allows."""
    room = [max(1.0, side - 2 * margin_px) for side in screen_px]
    zoom = min(max(min(room[0] / info.width, room[1] / info.height), MIN_ZOOM), MAX_ZOOM)
    centre = (info.width / 2, info.height / 2)
    return aligned(replace(view, centre=centre, zoom=zoom), info, screen_px)


def aligned(view: ViewState, info: ClipInfo, screen_px: ScreenPx) -> ViewState:
    """Return ``view`` with its centre inside the picture and the picture's corner on a whole screen pixel."""
    x, y = (
        _aligned_centre(min(max(c, 0.0), float(side)), view.zoom, screen_side)
        for c, side, screen_side in zip(view.centre, (info.width, info.height), screen_px, strict=True)
    )
    return replace(view, centre=(x, y))


def _aligned_centre(centre: float, zoom: float, screen_side: int) -> float:
    corner = screen_side / 2 - centre * zoom
    return (screen_side / 2 - math.floor(corner + 0.5)) / zoom
