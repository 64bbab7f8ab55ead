"""F_s as a table of tiles: what a sampler of tiles offers to code that reads the rows itself."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from videoinr.model.points import Points


class FieldTable(NamedTuple):
    """F_s of all tiles that a warp reaches.

    Attributes:
        table: float32 [slots, side * side, spatial_channels], channels last.
        page: int64 [rows of tiles, columns of tiles], the slot of each tile.
        side: The side of a tile, pixels.
        grid_hw: (height, width) of the grid that the tiles lie on, pixels.
    """

    table: Tensor
    page: Tensor
    side: int
    grid_hw: tuple[int, int]


@runtime_checkable
class TableSampler(Protocol):
    """A :data:`~videoinr.model.features.FieldSampler` that reads a table."""

    def reached(self, points: Points, flow: Tensor) -> FieldTable:
        """Return the table with every tile that bilinear reads at both ends of the flow reach.

        Args:
            points: The pixels x of a rectangle.
            flow: M, [1, h, w, 4] in latent pixels.
        """
