"""Keeps the continuous spatial feature F_s (paper, eq. 2) of the pixels decoded so far, tile by tile.

F_s does not depend on time: evaluated once for a view, it serves every instant of the pair. Tiles lie on the lattice of
the full grid and each is evaluated independently, so its values do not depend on the region that asked for it. All
tiles of all views share one table of rows, in which each has a slot of ``side`` x ``side`` rows. A page map holds the
slot of each tile of a field, so that a warp which leaves a tile finds its neighbours, as a virtual address finds its
page.

Several threads may work on tiles of one field at a time, each inside its own :meth:`SpatialTiles.work`: no tile that
one of them reads is evicted meanwhile.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from videoinr.geometry import Grid, Tile, tile_rect
from videoinr.model.field_table import FieldTable
from videoinr.model.points import Points
from videoinr.model.representation import Moment, Representation
from videoinr.model.warp import weighted_rows

_ABSENT = -1
"""The slot of a tile that is not in the table."""
_BOX = 9
"""A box of at most so many tiles is evaluated whole, without a look at which of them the flow reaches: a tile and its
eight neighbours."""


@dataclass(eq=False)
class TiledField:
    """F_s of one pair on one grid. The pair's features are not kept here; they have a cache with a budget of its own.

    Attributes:
        grid: The grid on which F_s is evaluated.
        page: int64 [rows of tiles, columns of tiles], the slot of each tile.
        slots: The slot of each tile in the table, oldest first.
        bases: The motion basis of some of these tiles.
    """

    grid: Grid
    page: Tensor
    slots: OrderedDict[Tile, int] = field(default_factory=OrderedDict)
    bases: dict[Tile, tuple[Tensor, ...]] = field(default_factory=dict)


class SpatialTiles:
    """The table of slots, and the fields (pair and grid) that use it; the least recently used is evicted first."""

    def __init__(self, model: Representation, *, side: int, max_bytes: int) -> None:
        """Make an empty table.

        Args:
            model: The model whose F_s is kept; its device is the table's.
            side: The side of a tile, pixels.
            max_bytes: The budget of the table and of the motion bases. Work that needs more tiles at once exceeds it.
        """
        self._side = side
        channels = model.config.spatial_channels
        basis_channels = model.config.temporal_hidden[0] + (8 if model.bends_paths else 4)
        slots = max(32, max_bytes // (side * side * 4 * (channels + basis_channels)))
        # Not zeros: untouched memory takes no room yet, and every row is written before it is read.
        self._table = torch.empty((slots, side * side, channels), device=next(model.parameters()).device)
        self._free = list(reversed(range(slots)))
        self._basis_memory: dict[tuple[int, int], Tensor] = {}
        self._fields: OrderedDict[tuple[Hashable, Grid], TiledField] = OrderedDict()
        self._lock = threading.Lock()
        self._in_use: dict[int, set[Tile]] = {}

    @contextmanager
    def work(self) -> Iterator[None]:
        """Protect every tile that this thread reads inside the context from eviction."""
        thread = threading.get_ident()
        self._in_use[thread] = set()
        try:
            yield
        finally:
            del self._in_use[thread]

    def field(self, key: Hashable, grid: Grid) -> TiledField:
        """Return a field, which becomes the most recently used one; use it before asking for another.

        Args:
            key: The name of the pair and, where F_s depends on time, of the instant.
            grid: The grid on which F_s is evaluated.
        """
        name = (key, grid)
        if name not in self._fields:
            self._forget_empty_fields()
            columns, rows = -(-grid.width // self._side), -(-grid.height // self._side)
            page = torch.full((rows, columns), _ABSENT, dtype=torch.long, device=self._table.device)
            self._fields[name] = TiledField(grid, page)
        self._fields.move_to_end(name)
        return self._fields[name]

    def motion_basis(self, tiled: TiledField, moment: Moment, tile: Tile, points: Points) -> tuple[Tensor, ...]:
        """Return the motion basis at the pixels of a tile.

        Args:
            tiled: The field.
            moment: The pair that the field belongs to.
            tile: The tile.
            points: Its pixels.

        Returns:
            See :meth:`videoinr.model.representation.Moment.motion_basis`. Valid until the thread leaves :meth:`work`.
        """
        self._evaluate(tiled, moment, [tile])
        if tile not in tiled.bases:
            rows, columns, slot = len(points.rows.index), len(points.columns.index), tiled.slots[tile]
            values = self._table[slot].view(1, self._side, self._side, -1)
            spatial = values[:, :rows, :columns].contiguous()
            tiled.bases[tile] = self._copied(slot, moment.motion_basis(points, spatial))
        return tiled.bases[tile]

    def _copied(self, slot: int, basis: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Copy ``basis`` to memory that belongs to the slot and that the next tile in the slot takes over.

        Tiles come and go for hours: with memory of its own for each, the heap would become fragmented.
        """
        return tuple(self._copied_map(slot, number, one) for number, one in enumerate(basis))

    def _copied_map(self, slot: int, number: int, one: Tensor) -> Tensor:
        memory = self._basis_memory.get((slot, number))
        # A motion prior has more channels where the frames beside the pair were read.
        if memory is None or len(memory) < one.numel():
            memory = self._basis_memory[slot, number] = one.new_empty(self._side**2 * one.shape[-1])
        return memory[: one.numel()].view(one.shape).copy_(one)

    def sample(self, tiled: TiledField, moment: Moment, points: Points, flow: Tensor) -> Tensor:
        """Read F_s(x + M) (eq. 6), bilinearly between the pixels of the grid (section 3.5).

        Tiles that the flow reaches and that are not in the table yet are evaluated first: the halo of the region.

        Args:
            tiled: The field.
            moment: The pair that the field belongs to.
            points: The pixels x of a rectangle.
            flow: M, [1, h, w, 2] in latent pixels, order (x, y).

        Returns:
            [1, h, w, spatial_channels].
        """
        side, (x, y) = self._side, points.shifted_on_grid(flow)
        columns, right_weight = _neighbours(x.flatten(), tiled.grid.width)
        rows, lower_weight = _neighbours(y.flatten(), tiled.grid.height)
        # Whole numbers, but in floating point: integer division is one of a processor's slowest instructions.
        tile_columns, tile_rows = (((whole + 0.5) / side).floor_() for whole in (columns, rows))
        self._evaluate(tiled, moment, _tiles_reached(tile_columns, tile_rows))
        pages = (tile_rows[:, None] * tiled.page.shape[1] + tile_columns).long()
        slots = tiled.page.flatten()[pages]
        within = (rows - tile_rows * side)[:, None] * side + (columns - tile_columns * side)
        index = slots.mul_(side**2).add_(within.long())
        index, weights = (each.flatten(0, 1).t().contiguous() for each in (index, lower_weight[:, None] * right_weight))
        return weighted_rows(self._table.flatten(0, 1), index, weights).view(*x.shape, -1)

    def reached(self, tiled: TiledField, moment: Moment, points: Points, flow: Tensor) -> FieldTable:
        """Evaluate the tiles that both ends of the flow reach; see :meth:`TableSampler.reached`.

        Args:
            tiled: The field.
            moment: The pair that the field belongs to.
            points: The pixels x of a rectangle.
            flow: M, [1, h, w, 4] in latent pixels.

        Returns:
            The table, whose tiles are valid until the thread leaves :meth:`work`.
        """
        grid = tiled.grid
        for way in (flow[..., :2], flow[..., 2:]):
            x, y = points.shifted_on_grid(way)
            columns, rows = _edges(x, grid.width, self._side), _edges(y, grid.height, self._side)
            self._evaluate(tiled, moment, _tiles_reached(columns, rows))
        return FieldTable(self._table, tiled.page, self._side, (grid.height, grid.width))

    def _evaluate(self, tiled: TiledField, moment: Moment, tiles: Iterable[Tile]) -> None:
        """Make sure that all ``tiles`` are in the table at the same time, until this thread leaves :meth:`work`."""
        needed = set(tiles)
        with self._lock:
            self._in_use[threading.get_ident()].update(needed)
            missing = sorted(needed - tiled.slots.keys())
        for tile in missing:
            rect = tile_rect(tile, tiled.grid, self._side)
            spatial = moment.spatial_feature(moment.points(rect))
            with self._lock:
                if tile not in tiled.slots:  # Another thread may have evaluated it meanwhile, to the same values.
                    slot = self._take_slot(tiled)
                    self._table[slot].view(self._side, self._side, -1)[: rect.height, : rect.width] = spatial[0]
                    tiled.slots[tile] = slot
                    tiled.page[tile.row, tile.column] = slot

    def keep_only(self, keys: Collection[Hashable]) -> None:
        """Drop the fields of all pairs but ``keys``; their slots are used again, so that memory does not grow."""
        for name in list(self._fields):
            key = name[0][0] if isinstance(name[0], tuple) and name[0] not in keys else name[0]
            if key not in keys:
                self._free += self._fields.pop(name).slots.values()

    def _forget_empty_fields(self) -> None:
        """Drop fields without tiles: work that is cancelled early leaves them, and eviction only meets tiles."""
        for name in [name for name, tiled in self._fields.items() if not tiled.slots]:
            del self._fields[name]

    def _take_slot(self, user: TiledField) -> int:
        """Return a free slot for a tile of ``user``; evict a tile, or let the table grow, if there is none."""
        if not self._free:
            self._evict(user)
        if not self._free:  # The tiles in use alone exceed the budget.
            count = len(self._table)
            self._table = torch.cat((self._table, torch.empty_like(self._table)))
            self._free = list(reversed(range(count, 2 * count)))
        return self._free.pop()

    def _evict(self, user: TiledField) -> None:
        """Free the oldest tile of the least recently used field; no tile if all are in use."""
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
    """Return the pixels around each of P positions on an axis of ``size`` pixels, and their weights: [2, P] each."""
    position = position.clamp(0, size - 1)
    lower = position.floor()
    upper_weight = position - lower
    return torch.stack((lower, (lower + 1).clamp_(max=size - 1))), torch.stack((1 - upper_weight, upper_weight))


def _tiles_reached(columns: Tensor, rows: Tensor) -> list[Tile]:
    """Return the tiles that P bilinear reads reach, given the tiles' columns and rows of their neighbours, [2, P] each.

    If these lie close together, the whole box around them: other instants will need its tiles.
    """
    left, right = (int(edge) for edge in torch.aminmax(columns))
    top, bottom = (int(edge) for edge in torch.aminmax(rows))
    if (right - left + 1) * (bottom - top + 1) <= _BOX:
        return [Tile(column, row) for row in range(top, bottom + 1) for column in range(left, right + 1)]
    width = right + 1
    places = (rows[:, None] * width + columns).long()
    return [Tile(place % width, place // width) for place in set(places.flatten().tolist())]


_ROUNDING = 0.01
"""By how much code that computes a position itself may differ from this file, pixels; far more than it does."""


def _edges(position: Tensor, size: int, side: int) -> Tensor:
    """Return the first and the last tile that each of P positions on an axis may read: [2, P]."""
    edges = torch.stack((position.flatten() - _ROUNDING, position.flatten() + (1 + _ROUNDING)))
    return ((edges.clamp_(0, size - 1).floor_() + 0.5) / side).floor_()


@dataclass(frozen=True, eq=False, slots=True)
class TiledSampler:
    """Reads F_s of one field: a :data:`~videoinr.model.features.FieldSampler` that reads a table."""

    tiles: SpatialTiles
    field: TiledField
    moment: Moment

    def __call__(self, points: Points, flow: Tensor) -> Tensor:
        """Read F_s(x + M); see :meth:`SpatialTiles.sample`."""
        return self.tiles.sample(self.field, self.moment, points, flow)

    def reached(self, points: Points, flow: Tensor) -> FieldTable:
        """Return the table with every tile that the flow reaches; see :meth:`SpatialTiles.reached`."""
        return self.tiles.reached(self.field, self.moment, points, flow)
