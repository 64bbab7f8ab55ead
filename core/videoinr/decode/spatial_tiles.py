"""The continuous spatial feature F_s (paper, eq. 2) of whatever was looked at, tile by tile.

F_s knows no time: evaluated once for a view, it serves every instant of the pair. Tiles lie on the lattice of the
full grid and each is evaluated by itself, so its numbers do not depend on the region that asked for it. All tiles
of all views share one table of rows, a slot of ``side`` x ``side`` rows each; a warp that leaves a tile finds its
neighbours through a page map, like a program its memory.

Several threads may work on tiles of one field at a time, each inside its own :meth:`SpatialTiles.work`: no tile that
one of them reads is thrown out meanwhile.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from videoinr.geometry import Grid, Tile, tile_rect
from videoinr.model.points import Points
from videoinr.model.representation import Representation
from videoinr.model.warp import weighted_rows

_ABSENT = -1
_BOX = 9
"""Tiles in a box that are brought without a look at which of them are reached: a tile and all around it."""


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
        self._rooms: dict[tuple[int, int], Tensor] = {}
        self._fields: OrderedDict[tuple[Hashable, Grid], TiledField] = OrderedDict()
        self._lock = threading.Lock()
        self._in_use: dict[int, set[Tile]] = {}

    @contextmanager
    def work(self) -> Iterator[None]:
        """What this thread reads inside stays until it leaves."""
        thread = threading.get_ident()
        self._in_use[thread] = set()
        try:
            yield
        finally:
            del self._in_use[thread]

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
        """The time-independent part of the flow at the pixels of ``tile``, which are ``points``; holds during work."""
        self._bring(tiled, features, [tile])
        if tile not in tiled.bases:
            rows, columns, slot = len(points.rows.index), len(points.columns.index), tiled.slots[tile]
            values = self._table[slot].view(1, self._side, self._side, -1)
            spatial = values[:, :rows, :columns].contiguous()
            tiled.bases[tile] = self._kept(slot, self._model.motion_basis(features, points, spatial))
        return tiled.bases[tile]

    def _kept(self, slot: int, basis: Any) -> Any:
        """``basis``, a tensor or a dataclass of some, in the room of ``slot``, which every tile of the slot takes over.

        Tiles come and go for hours. Were each to bring memory of its own, the heap would end up full of holes.
        """
        if isinstance(basis, Tensor):
            return self._in_room(slot, 0, basis)
        values = [getattr(basis, each.name) for each in fields(basis)]
        return type(basis)(*(self._in_room(slot, number, value) for number, value in enumerate(values)))

    def _in_room(self, slot: int, number: int, value: Tensor) -> Tensor:
        room = self._rooms.get((slot, number))
        if room is None:
            room = self._rooms[slot, number] = value.new_empty(self._side**2 * value.shape[-1])
        kept = room[: value.numel()].view(value.shape)
        return kept.copy_(value)

    def sample(self, tiled: TiledField, features: Any, points: Points, flow: Tensor) -> Tensor:
        """F_s(x + M) (eq. 6) at ``points`` moved by ``flow`` [1, h, w, 2] (latent pixels) -> [1, h, w, C].

        Bilinear between the grid's pixels (section 3.5). Tiles that the flow reaches and that are not here yet are
        evaluated first: the halo of the region.
        """
        side, (x, y) = self._side, points.shifted_on_grid(flow)
        columns, right_weight = _neighbours(x.flatten(), tiled.grid.width)
        rows, lower_weight = _neighbours(y.flatten(), tiled.grid.height)
        # Whole numbers in floating point: dividing integers is one of the slowest things a processor does.
        tile_columns, tile_rows = (((whole + 0.5) / side).floor_() for whole in (columns, rows))
        self._bring(tiled, features, _reached(tile_columns, tile_rows))
        pages = (tile_rows[:, None] * tiled.page.shape[1] + tile_columns).long()
        slots = tiled.page.flatten()[pages]
        within = (rows - tile_rows * side)[:, None] * side + (columns - tile_columns * side)
        index = slots.mul_(side**2).add_(within.long())
        index, weights = (each.flatten(0, 1).t().contiguous() for each in (index, lower_weight[:, None] * right_weight))
        return weighted_rows(self._table.flatten(0, 1), index, weights).view(*x.shape, -1)

    def _bring(self, tiled: TiledField, features: Any, tiles: Iterable[Tile]) -> None:
        """See to it that all ``tiles`` are here at the same time, and stay while this thread works."""
        needed = set(tiles)
        with self._lock:
            self._in_use[threading.get_ident()].update(needed)
            missing = sorted(needed - tiled.slots.keys())
        for tile in missing:
            rect = tile_rect(tile, tiled.grid, self._side)
            points = Points.make(rect, tiled.grid, latent_hw=features.latent_hw, device=self._table.device)
            spatial = self._model.spatial_feature(features, points)
            with self._lock:
                if tile not in tiled.slots:  # another thread may have brought it meanwhile, with the same numbers
                    slot = self._take_slot(tiled)
                    self._table[slot].view(self._side, self._side, -1)[: rect.height, : rect.width] = spatial[0]
                    tiled.slots[tile] = slot
                    tiled.page[tile.row, tile.column] = slot

    def _forget_empty_fields(self) -> None:
        """Drop fields without tiles: work cancelled early leaves them behind, and eviction never meets them."""
        for name in [name for name, tiled in self._fields.items() if not tiled.slots]:
            del self._fields[name]

    def _take_slot(self, user: TiledField) -> int:
        if not self._free:
            self._evict(user)
        if not self._free:  # the work going on reaches more tiles than the budget holds: it must have them all
            count = len(self._table)
            self._table = torch.cat((self._table, torch.empty_like(self._table)))
            self._free = list(reversed(range(count, 2 * count)))
        return self._free.pop()

    def _evict(self, user: TiledField) -> None:
        """Free the oldest tile of the field used longest ago; nothing if all there is is in use."""
        in_use = set[Tile]().union(*self._in_use.values())
        for name, tiled in self._fields.items():
            for tile, slot in tiled.slots.items():
                if tiled is not user or tile not in in_use:
                    del tiled.slots[tile]
                    tiled.bases.pop(tile, None)
                    tiled.page[tile.row, tile.column] = _ABSENT
                    self._free.append(slot)
                    if not tiled.slots and tiled is not user:
                        del self._fields[name]
                    return


def _neighbours(position: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Lower and upper neighbour of P positions on an axis of ``size`` pixels, and their weights: [2, P] each."""
    position = position.clamp(0, size - 1)
    lower = position.floor()
    upper_weight = position - lower
    return torch.stack((lower, (lower + 1).clamp_(max=size - 1))), torch.stack((1 - upper_weight, upper_weight))


def _reached(columns: Tensor, rows: Tensor) -> list[Tile]:
    """The tiles in which positions lie, given the columns and rows of tiles [2, P] of their neighbours.

    Where all lie close together, the whole box around them: its tiles are wanted sooner or later.
    """
    left, right = (int(edge) for edge in torch.aminmax(columns))
    top, bottom = (int(edge) for edge in torch.aminmax(rows))
    if (right - left + 1) * (bottom - top + 1) <= _BOX:
        return [Tile(column, row) for row in range(top, bottom + 1) for column in range(left, right + 1)]
    width = right + 1
    places = (rows[:, None] * width + columns).long()
    return [Tile(place % width, place // width) for place in set(places.flatten().tolist())]
