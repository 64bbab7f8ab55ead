"""The positions of a rectangle's pixels on the latent feature, and the ways of sampling it there.

Two lattices lie over the same picture, edge on edge: the *grid* of the picture to decode, and the latent feature, which
has the size of the source frames. Pixel i of n of a grid lies at (i + 0.5) * size / n - 0.5 latent pixels (centre
coordinates: 0 is the centre of the first latent pixel).

Positions are separable: a column of the grid has one x, whatever the row. They are computed from whole pixel indices of
the full grid, never relative to the rectangle, so a pixel has the same position in every rectangle that contains it.
That is what makes ``decode(region) == decode(full)[region]`` exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from videoinr.geometry import Grid, Rect


@dataclass(frozen=True, eq=False)
class Axis:
    """The columns, or the rows, of a rectangle of pixels.

    Attributes:
        index: int64 [n], their indices on the full grid.
        position: float32 [n], their positions in latent pixels.
        grid_pixels: How many columns (rows) the full grid has.
        latent_pixels: How many columns (rows) the latent feature has.
    """

    index: Tensor
    position: Tensor
    grid_pixels: int
    latent_pixels: int

    @classmethod
    def make(cls, start: int, count: int, *, grid_pixels: int, latent_pixels: int, device: torch.device) -> Axis:
        """Make the axis of the grid pixels ``start`` ... ``start + count - 1``.

        Args:
            start: Index of the first column (row) on the full grid.
            count: How many columns (rows) the rectangle has.
            grid_pixels: How many columns (rows) the full grid has.
            latent_pixels: How many columns (rows) the latent feature has.
            device: Where the axis is to be.
        """
        index = torch.arange(start, start + count, device=device)
        # In float64: at x32 of a wide clip, float32 is off by a thousandth of a pixel here.
        position = (index.double() + 0.5) * (latent_pixels / grid_pixels) - 0.5
        return cls(index, position.float(), grid_pixels, latent_pixels)

    @property
    def pixels_per_latent(self) -> float:
        """How many grid pixels one latent pixel spans: the space scale along this axis."""
        return self.grid_pixels / self.latent_pixels

    def nearest(self) -> tuple[Tensor, Tensor]:
        """Return the index of the nearest latent pixel, int64 [n], and 2 (x - v*), float32 [n] in -1 ... 1 (eq. 2)."""
        nearest = self.nearest_position()
        return nearest.long(), 2 * (self.position - nearest)

    def nearest_position(self) -> Tensor:
        """Return v*, the position of the nearest latent pixel: float32 [n], latent pixels."""
        return (self.position + 0.5).floor().clamp(0, self.latent_pixels - 1)

    def neighbours(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the latent pixels before and after each position, and the weight of the second in a linear read.

        Returns:
            int64 [n], int64 [n] and float32 [n]. Positions outside read the border.
        """
        position = self.position.clamp(0, self.latent_pixels - 1)
        lower = position.floor()
        upper = (lower + 1).clamp(max=self.latent_pixels - 1)
        return lower.long(), upper.long(), position - lower


@dataclass(frozen=True, eq=False)
class Points:
    """The h x w pixels of a rectangle of some grid: h rows and w columns."""

    columns: Axis
    rows: Axis

    @classmethod
    def make(cls, rect: Rect, grid: Grid, *, latent_hw: tuple[int, int], device: torch.device) -> Points:
        """Make the pixels of a rectangle.

        Args:
            rect: The rectangle, in pixels of ``grid``.
            grid: The size of the full picture.
            latent_hw: (height, width) of the latent feature, in latent pixels.
            device: Where the points are to be.
        """
        height, width = latent_hw
        return cls(
            Axis.make(rect.x, rect.width, grid_pixels=grid.width, latent_pixels=width, device=device),
            Axis.make(rect.y, rect.height, grid_pixels=grid.height, latent_pixels=height, device=device),
        )

    def nearest(self, latent: Tensor, origin: tuple[int, int] = (0, 0)) -> Tensor:
        """Sample ``latent`` [B, H, W, C], whose first pixel is ``origin``, at the nearest pixel (z* of eq. 2)."""
        rows, columns = self.rows.nearest()[0], self.columns.nearest()[0]
        return latent.index_select(1, rows - origin[1]).index_select(2, columns - origin[0])

    def offsets(self) -> Tensor:
        """Return 2 (x - v*) of eq. 2: float32 [1, h, w, 2] in -1 ... 1, order (x, y).

        The unit is half a latent pixel, as in LIIF: the network's input then spans -1 ... 1.
        """
        x, y = self.columns.nearest()[1], self.rows.nearest()[1]
        shape = (len(y), len(x))
        return torch.stack((x[None, :].expand(shape), y[:, None].expand(shape)), dim=-1)[None]

    def bilinear(self, latent: Tensor, origin: tuple[int, int] = (0, 0)) -> Tensor:
        """Sample ``latent`` [B, H, W, C], whose first pixel is ``origin``, bilinearly: [B, h, w, C].

        Borders of the frame are extended.
        """
        upper, lower, weight = self.rows.neighbours()
        upper, lower = latent.index_select(1, upper - origin[1]), latent.index_select(1, lower - origin[1])
        rows = torch.lerp(upper, lower, weight[:, None, None])
        left, right, weight = self.columns.neighbours()
        left, right = rows.index_select(2, left - origin[0]), rows.index_select(2, right - origin[0])
        return torch.lerp(left, right, weight[:, None])

    def shifted(self, flow: Tensor) -> tuple[Tensor, Tensor]:
        """Return x' = x + M (eq. 5).

        Args:
            flow: M, [B, h, w, 2] in latent pixels, order (x, y).

        Returns:
            x and y, each float32 [B, h, w], in latent pixels.
        """
        return self.columns.position + flow[..., 0], self.rows.position[:, None] + flow[..., 1]

    def shifted_on_grid(self, flow: Tensor) -> tuple[Tensor, Tensor]:
        """Return x' = x + M as :meth:`shifted` does, but in pixels of the full grid (centre coordinates)."""
        x = self.columns.index + flow[..., 0] * self.columns.pixels_per_latent
        y = self.rows.index[:, None] + flow[..., 1] * self.rows.pixels_per_latent
        return x, y
