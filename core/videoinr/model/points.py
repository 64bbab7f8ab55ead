"""The pixels of a rectangle, as the representation sees them: positions on the low-resolution latent lattice.

Everything here is separable: column ``i`` of a grid lies at one x whatever its row. Coordinates are computed from
whole pixel indices of the full grid, never relative to the rectangle, so a pixel gets the same numbers in every
rectangle that holds it: that is what makes ``decode(region) == decode(full)[region]`` exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from videoinr.geometry import Grid, Rect


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a rectangle of pixels over a lattice of ``size`` latent features.

    ``index``: int64 [n], pixels of the full grid, ``pixels`` of them in all. ``position``: float32 [n], the same
    in latent pixels, centre coordinates (0 = centre of the first latent feature).
    """

    index: Tensor
    position: Tensor
    pixels: int
    size: int

    @classmethod
    def make(cls, start: int, count: int, *, pixels: int, size: int, device: torch.device) -> Axis:
        """Pixels ``start`` ... ``start + count - 1`` of ``pixels`` over ``size`` latent features."""
        index = torch.arange(start, start + count, device=device)
        # In double: at x32 of a wide clip, float32 would already lose a thousandth of a pixel here.
        position = (index.double() + 0.5) * (size / pixels) - 0.5
        return cls(index, position.float(), pixels, size)

    @property
    def pixels_per_latent(self) -> float:
        """How many grid pixels one latent pixel spans."""
        return self.pixels / self.size

    def nearest(self) -> tuple[Tensor, Tensor]:
        """Index int64 [n] of the nearest latent feature, and 2 (x - v*) float32 [n], in -1 ... 1 (eq. 2)."""
        nearest = self.nearest_position()
        return nearest.long(), 2 * (self.position - nearest)

    def nearest_position(self) -> Tensor:
        """v*, float32 [n]: where the nearest latent feature lies, latent pixels."""
        return (self.position + 0.5).floor().clamp(0, self.size - 1)

    def neighbours(self) -> tuple[Tensor, Tensor, Tensor]:
        """Lower and upper neighbour int64 [n], and the upper one's weight float32 [n]; borders are extended."""
        position = self.position.clamp(0, self.size - 1)
        lower = position.floor()
        upper = (lower + 1).clamp(max=self.size - 1)
        return lower.long(), upper.long(), position - lower


@dataclass(frozen=True, eq=False)
class Points:
    """The pixels of a rectangle: [rows.n, columns.n] of them, over a latent feature of [rows.size, columns.size]."""

    columns: Axis
    rows: Axis

    @classmethod
    def make(cls, rect: Rect, grid: Grid, *, latent_hw: tuple[int, int], device: torch.device) -> Points:
        """The pixels ``rect`` of ``grid`` over a latent feature of ``latent_hw`` (height, width) pixels."""
        height, width = latent_hw
        return cls(
            Axis.make(rect.x, rect.width, pixels=grid.width, size=width, device=device),
            Axis.make(rect.y, rect.height, pixels=grid.height, size=height, device=device),
        )

    def nearest(self, latent: Tensor) -> Tensor:
        """[B, H, W, C] sampled at the nearest feature of each pixel -> [B, n_rows, n_columns, C]."""
        return latent.index_select(1, self.rows.nearest()[0]).index_select(2, self.columns.nearest()[0])

    def offsets(self) -> Tensor:
        """2 (x - v*) of each pixel to its nearest feature: float32 [1, n_rows, n_columns, 2], order (x, y)."""
        x, y = self.columns.nearest()[1], self.rows.nearest()[1]
        shape = (len(y), len(x))
        return torch.stack((x[None, :].expand(shape), y[:, None].expand(shape)), dim=-1)[None]

    def bilinear(self, latent: Tensor) -> Tensor:
        """[B, H, W, C] sampled bilinearly at each pixel, borders extended -> [B, n_rows, n_columns, C]."""
        upper, lower, weight = self.rows.neighbours()
        rows = torch.lerp(latent.index_select(1, upper), latent.index_select(1, lower), weight[:, None, None])
        left, right, weight = self.columns.neighbours()
        return torch.lerp(rows.index_select(2, left), rows.index_select(2, right), weight[:, None])

    def shifted(self, flow: Tensor) -> tuple[Tensor, Tensor]:
        """x and y, each float32 [B, n_rows, n_columns], of the pixels moved by ``flow``: x' = x + M (eq. 5).

        ``flow``: [B, n_rows, n_columns, 2] latent pixels, order (x, y). The result is in latent pixels, centre
        coordinates.
        """
        return self.columns.position + flow[..., 0], self.rows.position[:, None] + flow[..., 1]

    def shifted_on_grid(self, flow: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`shifted`, in pixels of the full grid (centre coordinates)."""
        x = self.columns.index + flow[..., 0] * self.columns.pixels_per_latent
        y = self.rows.index[:, None] + flow[..., 1] * self.rows.pixels_per_latent
        return x, y
