"""Grids and rectangles in whole pixels, and the maps between clip, grid and unit coordinates.

Every coordinate in the program obeys one pixel-centre convention: in a picture ``n`` pixels wide, pixel ``i``
covers ``[i, i + 1)`` of the *edge* axis ``[0, n]`` and has its centre at ``i + 1/2``. A *centre* coordinate
counts from the centre of pixel 0, so ``centre = edge - 1/2``. Order is (x, y), x to the right, y down.

A region is a rectangle of whole pixels on a virtual full-frame grid, never a float crop: a float crop would move
the pixel centres at every pan, and the picture would swim.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Grid:
    """The virtual full frame, ``width`` x ``height`` pixels, that regions are cut from."""

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
    """``width`` x ``height`` pixels of a grid, the first one at column ``x``, row ``y``."""

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
        """The first column past the rectangle."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row past the rectangle."""
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
        """Whether every pixel of ``other`` is one of this rectangle's."""
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def intersection(self, other: Rect) -> Rect | None:
        """The pixels both rectangles share, or None where they share none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect.from_edges(x, y, right, bottom) if right > x and bottom > y else None


class Tile(NamedTuple):
    """One cell of the lattice of ``side`` x ``side`` tiles that starts at a grid's corner."""

    column: int
    row: int


def tile_rect(tile: Tile, grid: Grid, side: int) -> Rect:
    """The pixels of ``tile``: ``side`` x ``side``, less what the grid's right and bottom edges cut off."""
    x, y = tile.column * side, tile.row * side
    return Rect(x, y, min(side, grid.width - x), min(side, grid.height - y))


def tiles_over(rect: Rect, side: int) -> list[Tile]:
    """The lattice tiles that share a pixel with ``rect``, row by row."""
    return [
        Tile(column, row)
        for row in range(rect.y // side, (rect.bottom - 1) // side + 1)
        for column in range(rect.x // side, (rect.right - 1) // side + 1)
    ]


def rect_from_units(left: float, top: float, right: float, bottom: float, grid: Grid) -> Rect | None:
    """The smallest rectangle of ``grid`` over a box given in unit coordinates (0..1 across the full frame).

    What lies outside the frame is cut off; None if nothing is left.
    """
    x, y = math.floor(left * grid.width), math.floor(top * grid.height)
    width = math.ceil(right * grid.width) - x
    height = math.ceil(bottom * grid.height) - y
    if width < 1 or height < 1:
        return None
    return Rect(x, y, width, height).intersection(grid.rect)


def rect_on_grid(rect: Rect, source: Grid, target: Grid) -> Rect:
    """The smallest rectangle of ``target`` over the same part of the picture as ``rect`` of ``source``."""
    x = rect.x * target.width // source.width
    y = rect.y * target.height // source.height
    right = -(-rect.right * target.width // source.width)
    bottom = -(-rect.bottom * target.height // source.height)
    return Rect.from_edges(x, y, max(x + 1, right), max(y + 1, bottom))
