"""Grids, rectangles and lines in whole pixels, and the maps between clip, grid and unit coordinates.

All coordinates follow one pixel-centre convention: in a picture ``n`` pixels wide, pixel ``i`` covers ``[i, i + 1)`` of
the *edge* axis ``[0, n]``, and its centre is at ``i + 1/2``. A *centre* coordinate counts from the centre of pixel 0:
``centre = edge - 1/2``. The order is (x, y), x to the right and y down.

A region is a rectangle of whole pixels on a virtual full-frame grid, never a float crop: a float crop would move the
pixel centres with every pan, and the picture would shimmer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Grid:
    """A virtual full frame of ``width`` x ``height`` pixels. Regions are rectangles of it."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a grid needs at least one pixel each way, not {self.width}x{self.height}")

    @property
    def rect(self) -> Rect:
        """The rectangle that covers the whole grid."""
        return Rect(0, 0, self.width, self.height)

    def scaled(self, scale: float) -> Grid:
        """Return the grid ``scale`` times as large: each side rounded half up, at least one pixel."""
        return Grid(max(1, math.floor(self.width * scale + 0.5)), max(1, math.floor(self.height * scale + 0.5)))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of ``width`` x ``height`` pixels whose first pixel is at column ``x``, row ``y`` of a grid."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a rectangle needs at least one pixel each way, not {self.width}x{self.height}")

    @classmethod
    def from_edges(cls, left: int, top: int, right: int, bottom: int) -> Rect:
        """Return the rectangle of columns ``left`` ... ``right`` - 1 and rows ``top`` ... ``bottom`` - 1."""
        return cls(left, top, right - left, bottom - top)

    @property
    def right(self) -> int:
        """The first column after the rectangle."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row after the rectangle."""
        return self.y + self.height

    @property
    def area(self) -> int:
        """The number of pixels."""
        return self.width * self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index an array [height, width, ...] with this to get the rectangle's pixels."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def relative_to(self, origin: Rect) -> Rect:
        """Return the same pixels, counted from the first pixel of ``origin``."""
        return Rect(self.x - origin.x, self.y - origin.y, self.width, self.height)

    def contains(self, other: Rect) -> bool:
        """Return whether every pixel of ``other`` is in this rectangle."""
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def widened(self, margin: int, grid: Grid) -> Rect:
        """Return the rectangle with ``margin`` more pixels on each side, as far as ``grid`` goes."""
        left, top = max(0, self.x - margin), max(0, self.y - margin)
        return Rect.from_edges(left, top, min(grid.width, self.right + margin), min(grid.height, self.bottom + margin))

    def union(self, other: Rect) -> Rect:
        """Return the smallest rectangle that contains both."""
        left, top = min(self.x, other.x), min(self.y, other.y)
        return Rect.from_edges(left, top, max(self.right, other.right), max(self.bottom, other.bottom))

    def intersection(self, other: Rect) -> Rect | None:
        """Return the rectangle of the pixels in both, or None if there are none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect.from_edges(x, y, right, bottom) if right > x and bottom > y else None


class Tile(NamedTuple):
    """One tile of the lattice of square tiles that starts at a grid's top left corner."""

    column: int
    row: int


def tile_rect(tile: Tile, grid: Grid, side: int) -> Rect:
    """Return the pixels of ``tile``: ``side`` x ``side``, fewer at the grid's right and bottom edges."""
    x, y = tile.column * side, tile.row * side
    return Rect(x, y, min(side, grid.width - x), min(side, grid.height - y))


def tiles_over(rect: Rect, side: int) -> list[Tile]:
    """Return the tiles of ``side`` x ``side`` pixels that share a pixel with ``rect``, row by row."""
    return [
        Tile(column, row)
        for row in range(rect.y // side, (rect.bottom - 1) // side + 1)
        for column in range(rect.x // side, (rect.right - 1) // side + 1)
    ]


def rect_from_units(left: float, top: float, right: float, bottom: float, grid: Grid) -> Rect | None:
    """Return the smallest rectangle of ``grid`` that covers a box in unit coordinates (0 ... 1 across the full frame).

    The box is clipped to the frame; None if nothing is left of it.
    """
    x, y = math.floor(left * grid.width), math.floor(top * grid.height)
    width = math.ceil(right * grid.width) - x
    height = math.ceil(bottom * grid.height) - y
    if width < 1 or height < 1:
        return None
    return Rect(x, y, width, height).intersection(grid.rect)


def rect_on_grid(rect: Rect, source: Grid, target: Grid) -> Rect:
    """Return the smallest rectangle of ``target`` that covers what ``rect`` covers on ``source``."""
    x = rect.x * target.width // source.width
    y = rect.y * target.height // source.height
    right = -(-rect.right * target.width // source.width)
    bottom = -(-rect.bottom * target.height // source.height)
    return Rect.from_edges(x, y, max(x + 1, right), max(y + 1, bottom))


@dataclass(frozen=True, slots=True)
class Readout:
    """How a rolling shutter read the frames of a clip, line by line: a line is a row, or a column of turned frames.

    Attributes:
        secs: from the first line (the uppermost row, or the leftmost column) to the end of the last one; negative: the
            last line was read first. A frame's own time is that of its middle. Not 0.
        is_sideways: whether lines are columns.
    """

    secs: Fraction
    is_sideways: bool = False

    def delay_secs(self, line: int, count: int) -> Fraction:
        """Return how long after a frame's own time the middle of line ``line`` of ``count`` was read."""
        return self.secs * Fraction(2 * line + 1 - count, 2 * count)


@dataclass(frozen=True, slots=True)
class LinePhases:
    """The phase at which a decoder computes each line of a region, in place of the instant's.

    Attributes:
        first: the first line, a row or a column of the grid.
        phases: 0 ... 1, from that line on.
        is_sideways: whether lines are columns.
    """

    first: int
    phases: tuple[float, ...]
    is_sideways: bool = False

    def over(self, rect: Rect) -> list[float]:
        """Return the phase of each line of ``rect``; one that is not there has that of the nearest."""
        start, count = (rect.x, rect.width) if self.is_sideways else (rect.y, rect.height)
        return [self._phase(line) for line in range(start, start + count)]

    def spread(self, whole: int, count: int) -> list[float]:
        """Return the phases of ``count`` lines across a grid of ``whole``: those of the lines at their middle."""
        return [self._phase((2 * line + 1) * whole // (2 * count)) for line in range(count)]

    def _phase(self, line: int) -> float:
        return self.phases[min(max(line - self.first, 0), len(self.phases) - 1)]


def shown_readout(secs: Fraction, rotation: int) -> Readout | None:
    """Return the readout of frames as they are shown; None for 0.

    Args:
        secs: from the first row of the sensor to its last; negative: the last row was read first.
        rotation: degrees clockwise by which the frames are turned to be shown (ClipInfo.rotation).
    """
    if not secs:
        return None
    # The sensor's uppermost row is shown at the right at 90 degrees, at the bottom at 180, and at the left at 270.
    return Readout(-secs if rotation in (90, 180) else secs, rotation in (90, 270))


def longest_readout_secs(fps: Fraction) -> Fraction:
    """Return the longest readout that is corrected in a clip of ``fps``: two frames. A camera reads each in one."""
    return 2 / fps
