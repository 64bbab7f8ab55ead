"""Draws a motion field as numbers: colours of a wheel, and arrows. No Qt.

The hue of the wheel is the direction: red to the right, then yellow-green down, cyan to the left, violet up. The
opacity is the length, up to a scale that is one of 1, 2, 5, 10 ... clip pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoinr.render.inspected import FlowField

MOST_ALPHA = 0.85
"""The opacity of a motion as long as the scale, or longer."""
SCALE_PERCENTILE = 98
"""The share of the pixels, percent, whose motion from frame to frame is within the scale."""
LEAST_SCALE_PX = 0.1
TRUE_LENGTH = (0.3, 3.0)
"""Arrows have their true length on the screen if the longest has so many times their distance from each other."""
HEAD, HEAD_SHARE = math.radians(150), 0.35
"""The angle between an arrow and each line of its head, and their length as a share of the arrow's."""


def nice_scale(value: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, 50 ... and their tenths that is not below ``value``."""
    value = max(value, LEAST_SCALE_PX)
    decade = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= value * (1 - 1e-9))


def scale_of(field: FlowField) -> float:
    """Return the scale of a field, clip pixels: it holds for the flows to both frames, at all times of the pair."""
    whole = np.linalg.norm(field.flow[1] - field.flow[0], axis=-1)
    finite = whole[np.isfinite(whole)]
    if not finite.size:
        return nice_scale(0.0)
    # Not np.percentile: it imports numpy.ma, here while the window waits.
    rank = (finite.size - 1) * SCALE_PERCENTILE // 100
    return nice_scale(float(np.partition(finite, rank)[rank]))


def wheel_colours(flow: NDArray[np.float32], scale_px: float) -> NDArray[np.uint8]:
    """Return the colours of ``flow``.

    Args:
        flow: [h, w, 2], (x, y) in clip pixels.
        scale_px: the length that has the full colour.

    Returns:
        uint8 [h, w, 4]: red, green, blue, each times the opacity, and the opacity.
    """
    x, y = np.nan_to_num(flow[..., 0]), np.nan_to_num(flow[..., 1])
    hue = (np.arctan2(y, x) / (2 * np.pi) % 1.0) * 6
    rgb = np.stack((np.abs(hue - 3) - 1, 2 - np.abs(hue - 2), 2 - np.abs(hue - 4)), -1).clip(0, 1)
    alpha = MOST_ALPHA * np.minimum(np.hypot(x, y) / scale_px, 1.0)[..., None]
    colours: NDArray[np.uint8] = np.rint(255 * np.concatenate((rgb * alpha, alpha), -1)).astype(np.uint8)
    return colours


def wheel(side: int) -> NDArray[np.uint8]:
    """Return the wheel itself: uint8 [side, side, 4]; its rim is the scale, and outside it is transparent."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    flow = np.stack(np.broadcast_arrays(axis[None, :], axis[:, None]), -1)
    colours = wheel_colours(flow, 1.0)
    colours[np.hypot(flow[..., 0], flow[..., 1]) > 1] = 0
    return colours


@dataclass(frozen=True, eq=False)
class Arrows:
    """The lines of all arrows.

    ``tails`` and ``tips`` are float64 [n, 2], physical pixels; ``heads`` [n, 2, 2] the ends of both lines of each head.
    """

    tails: NDArray[np.float64]
    tips: NDArray[np.float64]
    heads: NDArray[np.float64]


def arrow_spacing(zoom: float, least_px: float) -> float:
    """Return how far apart arrows begin, clip pixels: a power of two, so that the places stay while one zooms."""
    return 2.0 ** math.ceil(math.log2(least_px / zoom))


def magnification(scale_px: float, zoom: float, spacing_px: float) -> float:
    """Return how many times longer than the motion arrows are drawn: a power of two, 1 wherever that can be read.

    Args:
        scale_px: the field's scale, clip pixels.
        zoom: physical pixels for each clip pixel.
        spacing_px: the arrows' distance from each other, physical pixels.
    """
    longest = scale_px * zoom / spacing_px
    if TRUE_LENGTH[0] <= longest <= TRUE_LENGTH[1]:
        return 1.0
    return 2.0 ** round(math.log2(1 / longest))


def arrows(
    field: FlowField, *, to_later: bool, clip: tuple[int, int], seen: tuple[float, float, float, float],
    zoom: float, corner: tuple[float, float], scale_px: float, least_px: float,
) -> Arrows:  # fmt: skip
    """Return the arrows of the visible part of a field. Each leads from a pixel to where it lies in the other frame,
    or in that direction, if they are magnified.

    Args:
        field: the motion.
        to_later: lead to the later frame; otherwise to the earlier one.
        clip: (width, height) of the clip.
        seen: the visible part, (left, top, right, bottom) in clip pixels.
        zoom: physical pixels for each clip pixel.
        scale_px: the field's scale, clip pixels.
        corner: where the clip's top left corner is drawn, physical pixels.
        least_px: the least distance between arrows, physical pixels; it may be twice as much.
    """
    spacing = arrow_spacing(zoom, least_px)
    grid, rect = field.query.grid, field.query.rect
    places, picked = [], []
    for low, high, size, side, first, count in (
        (seen[0], seen[2], clip[0], grid.width, rect.x, rect.width),
        (seen[1], seen[3], clip[1], grid.height, rect.y, rect.height),
    ):
        along = (np.arange(math.floor(low / spacing), math.ceil(high / spacing)) + 0.5) * spacing
        index = np.floor(along * side / size).astype(np.intp) - first
        inside = (index >= 0) & (index < count) & (along < size)
        places.append(along[inside])
        picked.append(index[inside])
    tails = np.stack(np.meshgrid(*places), -1).reshape(-1, 2)
    flow = field.flow[int(to_later)][np.ix_(picked[1], picked[0])].reshape(-1, 2).astype(np.float64)
    finite = np.isfinite(flow).all(-1)
    tails, flow = tails[finite], flow[finite]
    tails = tails * zoom + np.asarray(corner)
    lines = flow * zoom * magnification(scale_px, zoom, spacing * zoom)
    return Arrows(tails, tails + lines, tails[:, None] + lines[:, None] + _heads(lines))


def _heads(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return both lines of the head of each arrow, from its tip: [n, 2, 2]."""
    turned = []
    for angle in (HEAD, -HEAD):
        cos, sin = math.cos(angle), math.sin(angle)
        turned.append(lines @ np.array([[cos, sin], [-sin, cos]]))
    return HEAD_SHARE * np.stack(turned, 1)
