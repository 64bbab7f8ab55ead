"""RegionQuery + PairFeatures -> pixels, tile by tile, so that work can be cancelled and memory stays flat.

Tiles lie on the lattice of the full grid, and every tile is computed whole and by itself, whatever the region (what of
it lies outside, for its shape alone): that makes ``decode(region) == decode(full)[region]`` hold to the bit on a CPU,
where the order of sums within a matrix product depends on its shape.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.flow import decode_flow
from videoinr.decode.spatial_tiles import SpatialTiles, TiledField
from videoinr.decode.tile_workers import TileWorkers
from videoinr.devices import ComputeProfile, is_out_of_memory
from videoinr.errors import DeviceError
from videoinr.geometry import Grid, Rect, Tile, tile_rect, tiles_over
from videoinr.images import rgbx_from_tensor
from videoinr.model.points import Points
from videoinr.model.released.network import ReleasedFeatures
from videoinr.model.representation import Features, Representation
from videoinr.types import Instant, PairKey, RegionQuery

MIN_TILE_SIDE = 16


class RegionDecoder:
    """Decodes regions of encoded pairs, and remembers what does not depend on time."""

    def __init__(self, model: Representation, profile: ComputeProfile) -> None:
        self._model, self._profile = model, profile
        self._side = profile.tile_side
        self._tiles = SpatialTiles(model, side=self._side, max_bytes=profile.tile_bytes)
        self._workers = TileWorkers(profile.workers)

    def close(self) -> None:
        """End the worker threads."""
        self._workers.close()

    @property
    def tile_side(self) -> int:
        """The side of a tile, pixels; halved when the memory did not suffice."""
        return self._side

    def kept(self, features: Features) -> Features:
        """``features`` in the form to keep for :meth:`decode`: as they are."""
        return features

    @torch.inference_mode()
    def decode(
        self, key: PairKey, features: Features, query: RegionQuery, token: CancelToken, *, to_cpu: bool = True
    ) -> Tensor:
        """The pixels of ``query``: uint8 [rect.height, rect.width, 4] RGBX on the CPU, or else on the device.

        Raises Cancelled between tiles, and DeviceError when the memory does not suffice even for the smallest ones.
        """
        while True:
            try:
                picture = self._decode(key, features, query, token)
                return picture.cpu() if to_cpu else picture
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink_tiles(error)

    def flow(self, features: Features, instant: Instant, token: CancelToken) -> Tensor:
        """Decode the flow at ``instant``: float32 [2, clip height, clip width, 2] (see flow.py)."""
        return decode_flow(self._model, features, float(instant.phase), token)

    def _decode(self, key: PairKey, features: Features, query: RegionQuery, token: CancelToken) -> Tensor:
        rect = query.rect
        phase = torch.full((1, 1, 1, 1), float(query.instant.phase), device=self._profile.device)
        name, seen, grid = _field_of(key, features, query, phase)
        field = self._tiles.field(name, grid)
        out = torch.empty((rect.height, rect.width, 4), dtype=torch.uint8, device=self._profile.device)

        def work(tile: Tile) -> None:
            whole = tile_rect(tile, query.grid, self._side)
            part = whole.intersection(rect)
            assert part is not None
            with self._tiles.work():
                pixels = rgbx_from_tensor(self._tile(field, seen, whole, part, tile, phase)[0])
            out[part.relative_to(rect).slices] = pixels[part.relative_to(whole).slices]

        self._workers.each(work, tiles_over(rect, self._side), token)
        return out

    def _tile(self, field: TiledField, seen: Any, rect: Rect, part: Rect, tile: Tile, phase: Tensor) -> Tensor:
        """One whole tile, ``rect``, at one instant: [1, h, w, 3]; only ``part`` of it will be looked at."""
        model, tiles = self._model, self._tiles
        points = Points.make(rect, field.grid, latent_hw=seen.latent_hw, device=self._profile.device)
        flow = model.motion(tiles.motion_basis(field, seen, tile, points), phase)
        if part != rect:
            flow = _led_inside(flow, points, rect, part)
        return model.colour(seen, points, flow, phase, lambda points, way: tiles.sample(field, seen, points, way))

    def _shrink_tiles(self, error: BaseException) -> None:
        if self._side // 2 < MIN_TILE_SIDE:
            raise DeviceError(
                f"The memory of {self._profile.device_name} does not suffice.",
                hint="Close other programs, choose a smaller model, or use --device cpu.",
            ) from error
        # The frames of the call that failed still hold the old tiles: their memory must be free before more is taken.
        error.with_traceback(None)
        del self._tiles
        if self._profile.device.type == "cuda":
            torch.cuda.empty_cache()
        self._side //= 2
        self._tiles = SpatialTiles(self._model, side=self._side, max_bytes=self._profile.tile_bytes // 4)


def _led_inside(flow: Tensor, points: Points, rect: Rect, part: Rect) -> Tensor:
    """``flow`` [1, h, w, 4] of ``rect``; outside ``part`` it leads to where the nearest pixel of that is led.

    What is not looked at must not reach for tiles that nobody else needs. The pixels of ``part`` do not notice.
    """
    rows = torch.arange(rect.height, device=flow.device).clamp_(part.y - rect.y, part.bottom - rect.y - 1)
    columns = torch.arange(rect.width, device=flow.device).clamp_(part.x - rect.x, part.right - rect.x - 1)
    flow, x, y = flow[:, rows][:, :, columns], points.columns.position, points.rows.position
    flow[..., 0::2] += (x[columns] - x)[:, None]
    flow[..., 1::2] += (y[rows] - y)[:, None, None]
    return flow


def _field_of(key: PairKey, features: Features, query: RegionQuery, phase: Tensor) -> tuple[Hashable, Any, Grid]:
    """The name of F_s in the caches, the features that it is evaluated from, and the grid that it lies on.

    A released network's F_s holds for one instant, and reaches past the picture where the clip was filled up.
    """
    if isinstance(features, ReleasedFeatures):
        moment = features.at(query.grid, phase)
        return (key, query.instant.phase), moment, moment.grid
    return key, features, query.grid
