"""The x-t slice: the pixels of a line across the picture, over time.

Each column of a slice is the line at one instant, decoded as the picture of that instant is: its pixels are pixels of
that picture, neither mixed nor resampled. Only the tiles that the line crosses are decoded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import CancelToken
from videoinr.geometry import Grid, Rect
from videoinr.render.inquiry import Inquiry
from videoinr.render.inspected import Place
from videoinr.render.renderer import Renderer
from videoinr.types import Instant, Quality, RegionQuery

MOST_PIXELS, MOST_COLUMNS = 512, 512
"""The most pixels of a line, and the most instants of a slice, unless the stretch alone has more pairs."""
TILE_PX = 128
"""Side of the decoder's tiles (visible_part.TILE_PX, which the window cannot import: it needs torch)."""
STEPS = (8, 4, 2, 1)
"""Instants from one frame to the next: the most of these with which a slice has at most MOST_COLUMNS."""


@dataclass(frozen=True)
class SlicePlan:
    """What a slice shows.

    Attributes:
        line: the start and the end of the line, (x, y) in clip pixels on the edge axis.
        grid: the grid whose pixels are taken.
        first: the first pair.
        last: the last pair.
        steps: instants for each pair; one more follows after the last pair.
    """

    line: tuple[Place, Place]
    grid: Grid
    first: int
    last: int
    steps: int

    @property
    def columns(self) -> int:
        """How many instants there are."""
        return (self.last - self.first + 1) * self.steps + 1

    def instant(self, column: int) -> Instant:
        """Return the instant of a column; every ``steps``-th is that of a source frame."""
        pair, step = divmod(column, self.steps)
        if self.first + pair > self.last:
            return Instant(self.last, Fraction(1))
        return Instant(self.first + pair, Fraction(step, self.steps))

    def nearest_first(self, position: Fraction) -> tuple[int, ...]:
        """Return all columns: pair by pair, those of the pair at ``position`` (source frames) first."""
        groups = {pair: range(self.steps * (pair - self.first), self.steps * (pair - self.first + 1))
                  for pair in range(self.first, self.last + 1)}  # fmt: skip
        ordered = sorted(groups, key=lambda pair: abs(pair + Fraction(1, 2) - position))
        columns = [column for pair in ordered for column in groups[pair]]
        return (*columns, self.columns - 1)


def plan_slice(
    line: tuple[Place, Place], clip: Grid, *, scale: float, pairs: tuple[int, int], pair_count: int
) -> SlicePlan:
    """Plan a slice.

    Args:
        line: the start and the end of the line, clip pixels; they are moved into the picture.
        clip: the size of the clip.
        scale: the grid of the view, in pixels for each clip pixel: a finer one would show more than there is room for.
        pairs: the first and the last pair of the stretch.
        pair_count: how many pairs the clip has.
    """
    start, end = ((min(max(x, 0.0), float(clip.width)), min(max(y, 0.0), float(clip.height))) for x, y in line)
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1.0)
    finest = 2.0 ** math.floor(math.log2(max(MOST_PIXELS / length, 2**-5)))
    first, last = (min(max(pair, 0), pair_count - 1) for pair in pairs)
    count = last - first + 1
    steps = next((step for step in STEPS if count * step < MOST_COLUMNS), STEPS[-1])
    return SlicePlan((start, end), clip.scaled(min(finest, scale)), first, last, steps)


def line_pixels(line: tuple[Place, Place], clip: Grid, grid: Grid) -> NDArray[np.intp]:
    """Return the pixels of ``grid`` that a line across a clip of the size ``clip`` crosses.

    Returns:
        [n, 2], (x, y): one for each step of a pixel along the longer side of the line, n at least 1.
    """
    ends = np.array(line) * (grid.width / clip.width, grid.height / clip.height)
    count = max(1, round(float(np.abs(ends[1] - ends[0]).max())))
    along = (np.arange(count) + 0.5)[:, None] / count
    pixels = np.floor(ends[0] + along * (ends[1] - ends[0])).astype(np.intp)
    inside: NDArray[np.intp] = np.clip(pixels, 0, (grid.width - 1, grid.height - 1))
    return inside


def tile_boxes(pixels: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], Rect]]:
    """Split the pixels of a line by the decoder's tiles; yield the indices of some and the box around them."""
    tiles = pixels // TILE_PX
    starts = np.flatnonzero(np.any(np.diff(tiles, axis=0, prepend=tiles[:1] - 1) != 0, axis=1))
    for indices in np.split(np.arange(len(pixels)), starts[1:]):
        low, high = pixels[indices].min(0), pixels[indices].max(0) + 1
        yield indices, Rect.from_edges(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


@dataclass(frozen=True, eq=False)
class SliceColumn:
    """One column of a slice: the line's pixels at one instant, uint8 [n, 3]. ``left``: how many are still to come."""

    plan: SlicePlan
    column: int
    rgb: NDArray[np.uint8]
    left: int


@dataclass(frozen=True)
class SliceInquiry(Inquiry):
    """What does the line show over time? The answers are SliceColumns, in the order of ``columns``."""

    plan: SlicePlan
    columns: tuple[int, ...]

    @property
    def next_instant(self) -> Instant:
        """The instant of the next column."""
        return self.plan.instant(self.columns[0])

    def step(self, renderer: Renderer, token: CancelToken) -> tuple[object, Inquiry | None]:
        """Decode the next column."""
        column, *rest = self.columns
        pixels = line_pixels(self.plan.line, renderer.opened.info.grid, self.plan.grid)
        rgb = np.empty((len(pixels), 3), np.uint8)
        for indices, rect in tile_boxes(pixels):
            token.check()
            query = RegionQuery(self.plan.instant(column), self.plan.grid, rect)
            region = renderer.render(query, Quality.FULL, token)
            at = pixels[indices] - (rect.x, rect.y)
            rgb[indices] = region.rgbx[at[:, 1], at[:, 0], :3]
        answer = SliceColumn(self.plan, column, rgb, len(rest))
        return answer, SliceInquiry(self.plan, tuple(rest)) if rest else None
