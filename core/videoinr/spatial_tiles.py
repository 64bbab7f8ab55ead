"""The continuous spatial feature F_s (paper, eq. 2) of whatever was looked at, tile by tile.

F_s knows no time: evaluated once for a view, it serves every instant of the pair. Tiles lie on the lattice of the
full grid and each is evaluated by itself, so its numbers do not depend on the region that asked for it. All tiles
of all views share one table of rows, a slot of ``side`` x ``side`` rows each; a warp that leaves a tile finds its
neighbours through a page map, like a program its memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from videoinr.geometry import Grid, Tile, tile_rect
from videoinr.model.points import Points
from videoinr.model.representation import Representation
from videoinr.model.warp import corners, weighted_rows

_ABSENT = -1


@dataclass(eq=False)
class TiledField:
    """F_s of one pair on one grid: which slot each tile lies in, oldest first, and the motion basis of some tiles.

    The pair's features are not kept here: they are large, and have a cache with a budget of its own.
    """

    grid: Grid
    page: Tensor
    slots: OrderedDict[Tile, int] = field(default_factory=OrderedDict)
    bases: dict[Tile, Any] = field(default_factory=dict)


class SpatialTiles:
    """The table of slots, and the fields (pair and grid) that use it; fields least recently used make room first."""

    def __init__(self, model: Representation, *, side: int, max_bytes: int) -> None:
        self._model, self._side = model, side
        channels = model.config.spatial_channels
        basis_channels = model.config.temporal_hidden[0] + 4
        slots = max(32, max_bytes // (side * side * 4 * (channels + basis_channels)))
        # Not zeros: memory that was never touched costs nothing yet, and every row is written before it is read.
        self._table = torch.empty((slots, side * side, channels), device=next(model.parameters()).device)
        self._free = list(reversed(range(slots)))
        self._fields: OrderedDict[tuple[Hashable, Grid], TiledField] = OrderedDict()

    def field(self, key: Hashable, grid: Grid) -> TiledField:
        """The field ``key`` on ``grid``, from now on the most recently used; use it before asking for another.

        ``key`` is the pair, and where F_s is not free of time, the instant with it.
        """
        name = (key, grid)
        if name not in self._fields:
            self._forget_empty_fields()
            columns, rows = -(-grid.width // self._side), -(-grid.height // self._side)
            page = torch.full((rows, columns), _ABSENT, dtype=torch.long, device=self._table.device)
            self._fields[name] = TiledField(grid, page)
        self._fields.move_to_end(name)
        return self._fields[name]

    def motion_basis(self, tiled: TiledField, features: Any, tile: Tile, points: Points) -> Any:
        """The time-independent part of the flow at the pixels of ``tile``, which are ``points``."""
        if tile not in tiled.bases:
            self._bring(tiled, features, [tile])
            rows, columns = len(points.rows.index), len(points.columns.index)
            slot = self._table[tiled.slots[tile]].view(1, self._side, self._side, -1)
            spatial = slot[:, :rows, :columns].contiguous()
            tiled.bases[tile] = self._model.motion_basis(features, points, spatial)
        return tiled.bases[tile]

    def sample(self, tiled: TiledField, features: Any, points: Points, flow: Tensor) -> Tensor:
        """F_s(x + M) (eq. 6) at ``points`` moved by ``flow`` [1, h, w, 2] (latent pixels) -> [1, h, w, C].

        Bilinear between the grid's pixels (section 3.5). Tiles that the flow reaches and that are not here yet are
        evaluated first: the halo of the region.
        """
        side, (x, y) = self._side, points.shifted_on_grid(flow)
        columns, rows, weights = corners(x.flatten(), y.flatten(), height=tiled.grid.height, width=tiled.grid.width)
        tile_columns, tile_rows = columns // side, rows // side
        slots = tiled.page[tile_rows, tile_columns]
        if bool((slots == _ABSENT).any()):
            reached = torch.zeros_like(tiled.page, dtype=torch.bool)
            reached[tile_rows, tile_columns] = True
            self._bring(tiled, features, [Tile(column, row) for row, column in reached.nonzero().tolist()])
            slots = tiled.page[tile_rows, tile_columns]
        index = slots * side**2 + (rows % side) * side + columns % side
        return weighted_rows(self._table.flatten(0, 1), index, weights).view(*x.shape, -1)

    def _bring(self, tiled: TiledField, features: Any, tiles: Iterable[Tile]) -> None:
        """See to it that all ``tiles`` are here at the same time."""
        needed = set(tiles)
        for tile in sorted(needed - tiled.slots.keys()):
            slot = self._take_slot(tiled, needed)
            rect = tile_rect(tile, tiled.grid, self._side)
            points = Points.make(rect, tiled.grid, latent_hw=features.latent_hw, device=self._table.device)
            spatial = self._model.spatial_feature(features, points)
            self._table[slot].view(self._side, self._side, -1)[: rect.height, : rect.width] = spatial[0]
            tiled.slots[tile] = slot
            tiled.page[tile.row, tile.column] = slot

    def _forget_empty_fields(self) -> None:
        """Drop fields without tiles: work cancelled early leaves them behind, and eviction never meets them."""
        for name in [name for name, tiled in self._fields.items() if not tiled.slots]:
            del self._fields[name]

    def _take_slot(self, user: TiledField, needed: set[Tile]) -> int:
        if not self._free:
            self._evict(user, needed)
        if not self._free:  # one warp reaches more tiles than the budget holds: it must have them all
            count = len(self._table)
            self._table = torch.cat((self._table, torch.empty_like(self._table)))
            self._free = list(reversed(range(count, 2 * count)))
        return self._free.pop()

    def _evict(self, user: TiledField, needed: set[Tile]) -> None:
        """Free the oldest tile of the field used longest ago; nothing if all there is is needed now."""
        for name, tiled in self._fields.items():
            for tile, slot in tiled.slots.items():
                if tiled is not user or tile not in needed:
                    del tiled.slots[tile]
                    tiled.bases.pop(tile, None)
                    tiled.page[tile.row, tile.column] = _ABSENT
                    self._free.append(slot)
                    if not tiled.slots and tiled is not user:
                        del self._fields[name]
                    return
