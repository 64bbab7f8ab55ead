"""Decodes a region of an encoded pair tile by tile: on a CPU, and wherever the CUDA kernels cannot.

Tiles lie on the lattice of the full grid. Each is computed whole and independently of the others, whatever the region:
pixels of a tile outside the region are computed only to keep the shape, since the order of additions in a matrix
product depends on it. That makes ``decode(region) == decode(full)[region]`` exact to the bit on a CPU. Between tiles
work can be cancelled, and memory does not grow with the region.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.flow import decode_flow
from videoinr.decode.heap import keep_freed_blocks, return_freed_blocks
from videoinr.decode.spatial_tiles import SpatialTiles, TiledField, TiledSampler
from videoinr.decode.tile_workers import TileWorkers
from videoinr.devices import ComputeProfile
from videoinr.errors import DeviceError, UsageError, is_out_of_memory
from videoinr.geometry import LinePhases, Rect, Tile, tile_rect, tiles_over
from videoinr.images import deep_from_tensor, rgbx_from_tensor
from videoinr.model.ops import prepare_cpu
from videoinr.model.points import Points
from videoinr.model.representation import Features, Moment, Representation
from videoinr.types import Instant, PairKey, RegionQuery

MIN_TILE_SIDE = 16
"""Tiles are not halved below this side, pixels, when memory is short."""


class TiledDecoder:
    """Decodes regions of encoded pairs, and keeps F_s and the motion basis for other times of the same view."""

    def __init__(self, model: Representation, profile: ComputeProfile) -> None:
        """Make a decoder.

        Args:
            model: The model that encodes the pairs, on the profile's device.
            profile: The device, the size of tiles, and the budget of the cache of tiles.
        """
        if profile.device.type == "cpu":
            if profile.pair_bytes is None:
                keep_freed_blocks()
            else:
                return_freed_blocks()  # Somebody asked for a bound on the memory.
            prepare_cpu()
        self._model, self._profile = model, profile
        self._side = profile.tile_side
        self._tiles = SpatialTiles(model, side=self._side, max_bytes=profile.tile_bytes)
        self._workers = TileWorkers(profile.workers)

    def close(self) -> None:
        """End the worker threads."""
        self._workers.close()

    @property
    def tile_side(self) -> int:
        """The side of a tile, pixels; halved each time that memory did not suffice."""
        return self._side

    def compact(self, features: Features) -> Features:
        """Return ``features`` in the form to cache for :meth:`decode`: unchanged."""
        return features

    def keep_only(self, keys: Collection[PairKey]) -> None:
        """Drop what is kept of all pairs but ``keys``."""
        self._tiles.keep_only(keys)

    @torch.inference_mode()
    def decode(
        self, key: PairKey, features: Features, query: RegionQuery, token: CancelToken, *, to_cpu: bool = True,
        deep: bool = False,
    ) -> Tensor:  # fmt: skip
        """Decode the pixels of a region.

        Args:
            key: The pair's name in the caches.
            features: The pair, encoded by the decoder's model.
            query: The instant, the grid and the rectangle.
            token: Cancels the work between tiles.
            to_cpu: Copy the picture to the CPU; otherwise it stays on the device.
            deep: Return 16 bits.

        Returns:
            uint8 [rect.height, rect.width, 4], RGBX; deep: int32, 0 ... 65535.

        Raises:
            Cancelled: ``token`` was cancelled.
            DeviceError: The memory does not suffice even with the smallest tiles.
        """
        while True:
            try:
                picture = self._decode(key, features, query, token, deep=deep)
                return picture.cpu() if to_cpu else picture
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._halve_tiles(error)

    def flow(self, features: Features, instant: Instant, token: CancelToken) -> Tensor:
        """Decode the flow at ``instant``: float32 [2, clip height, clip width, 2] (see flow.py)."""
        return decode_flow(features, float(instant.phase), token)

    def _decode(
        self, key: PairKey, features: Features, query: RegionQuery, token: CancelToken, *, deep: bool
    ) -> Tensor:
        rect, levels = query.rect, deep_from_tensor if deep else rgbx_from_tensor
        t = torch.full((1, 1, 1, 1), float(query.instant.phase), device=self._profile.device)
        moment = features.at(query.grid, t)
        if query.lines is not None and not moment.is_time_free:
            raise UsageError(
                "This model knows no pictures whose lines have times of their own, so no rolling shutter is corrected.",
                hint="Choose another model, such as lite or base, or leave the readout out.",
            )
        name: Hashable = key if moment.is_time_free else (key, query.instant.phase)
        field = self._tiles.field(name, moment.grid)
        kind = torch.int32 if deep else torch.uint8
        out = torch.empty((rect.height, rect.width, 4), dtype=kind, device=self._profile.device)

        def work(tile: Tile) -> None:
            whole = tile_rect(tile, query.grid, self._side)
            visible = whole.intersection(rect)
            assert visible is not None
            at = moment if query.lines is None else features.at(query.grid, _times(query.lines, whole, t))
            with self._tiles.work():
                pixels = levels(self._tile(field, at, whole, visible, tile)[0])
            out[visible.relative_to(rect).slices] = pixels[visible.relative_to(whole).slices]

        self._workers.each(work, tiles_over(rect, self._side), token)
        return out

    def _tile(self, field: TiledField, moment: Moment, rect: Rect, visible: Rect, tile: Tile) -> Tensor:
        """Decode a whole tile, the pixels ``rect``, of which the region contains ``visible``: RGB [1, h, w, 3]."""
        tiles, points = self._tiles, moment.points(rect)
        flow = moment.motion(tiles.motion_basis(field, moment, tile, points))
        if visible != rect:
            flow = _confined(flow, points, rect, visible)
        return moment.colour(points, flow, TiledSampler(tiles, field, moment))

    def _halve_tiles(self, error: BaseException) -> None:
        """Go on with tiles of half the side, or raise DeviceError if they would be too small."""
        if self._side // 2 < MIN_TILE_SIDE:
            raise DeviceError(
                f"The memory of {self._profile.device_name} does not suffice.",
                hint="Close other programs, choose a smaller model, or use --device cpu.",
            ) from error
        # The stack frames of the failed call still refer to the old tiles, which must be freed before more is
        # allocated.
        error.with_traceback(None)
        del self._tiles
        if self._profile.device.type == "cuda":
            torch.cuda.empty_cache()
        self._side //= 2
        self._tiles = SpatialTiles(self._model, side=self._side, max_bytes=self._profile.tile_bytes // 4)


def _times(lines: LinePhases, rect: Rect, like: Tensor) -> Tensor:
    """Return the time of each line of ``rect``: [1, h, 1, 1], or [1, 1, w, 1] for columns; of the type of ``like``."""
    return like.new_tensor(lines.over(rect)).view((1, 1, -1, 1) if lines.is_sideways else (1, -1, 1, 1))


def _confined(flow: Tensor, points: Points, rect: Rect, visible: Rect) -> Tensor:
    """Change the flow outside ``visible`` so that it does not make the decoder evaluate more tiles of F_s.

    Pixels outside ``visible`` then lead where the nearest pixel inside leads; those inside keep their flow.

    Args:
        flow: [1, h, w, 4] of the pixels ``rect``.
        points: The pixels ``rect``.
        rect: A whole tile.
        visible: The pixels of it that the region contains.
    """
    rows = torch.arange(rect.height, device=flow.device).clamp_(visible.y - rect.y, visible.bottom - rect.y - 1)
    columns = torch.arange(rect.width, device=flow.device).clamp_(visible.x - rect.x, visible.right - rect.x - 1)
    flow, x, y = flow[:, rows][:, :, columns], points.columns.position, points.rows.position
    flow[..., 0::2] += (x[columns] - x)[:, None]
    flow[..., 1::2] += (y[rows] - y)[:, None, None]
    return flow
