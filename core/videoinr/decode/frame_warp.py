"""Warps two frames along the flows of a proxy and blends them: pixels of any region, on any grid.

Frames that are finer than the grid are shrunk to it first (antialiased), whole, so that nothing is point-sampled; what
remains is a bicubic read at x + flow. On a CPU that has fast code, that is one pass in C over the rows (model/native);
elsewhere the grid is computed in whole tiles, each by itself. So on a CPU a region equals the crop of the whole to the
bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.proxy_motion import MotionMaps
from videoinr.decode.tile_workers import TileWorkers
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid, Rect, Tile, tile_rect, tiles_over
from videoinr.model import ops
from videoinr.model.points import Points
from videoinr.model.warp import sample_bicubic
from videoinr.types import RegionQuery

if TYPE_CHECKING:
    from videoinr.model.native.warp import WarpedRows

_Pixels = Callable[[Rect], Tensor]
"""The pixels of a tile, float32 [3, h, w], levels, not clamped."""
_TAPS = 2
"""Pixels that a bicubic read needs on either side of its position."""
_BAND_ROWS = 16
"""Rows that a thread draws at a time: few, so that all threads end together and a cancelled picture ends soon."""


def plane_size(clip: Grid, grid: Grid) -> Grid:
    """Return the size of the frames to warp for pictures on ``grid``: the clip's, but along no axis finer than that."""
    return Grid(min(clip.width, grid.width), min(clip.height, grid.height))


class FrameWarper:
    """Draws warped frames on the threads that the device has."""

    def __init__(self, profile: ComputeProfile) -> None:
        """Make a warper for the device of ``profile``; its tiles have twice the side of the decoder's."""
        # A pixel costs less here than in the decoder, whose tiles would leave the workers waiting for Python's lock.
        self._side, self._device = 2 * profile.tile_side, profile.device
        self._workers = TileWorkers(profile.workers)

    def close(self) -> None:
        """End the threads."""
        self._workers.close()

    @torch.inference_mode()
    def between(
        self, first: Tensor, second: Tensor, motion: MotionMaps | None, query: RegionQuery, token: CancelToken
    ) -> Tensor:
        """Draw the pixels of ``query``, between two frames.

        Args:
            first: the first frame, uint8 [3, H, W], of the size :func:`plane_size`.
            second: the second frame, like ``first``.
            motion: the motion at the query's phase, or at those of its lines; None blends the frames as they are.
            query: the phase, the grid and the rectangle.
            token: cancels the work between tiles.

        Returns:
            uint8 [rect.height, rect.width, 4], RGBX, on the device.

        Raises:
            Cancelled: ``token`` was cancelled.
        """
        size = _size(first)
        maps = _maps(motion, size, query, self._device)
        if (rows := ops.warped_rows((first, second), maps, query.rect, query.grid)) is not None:
            return self._drawn_by_rows(rows, token)

        def pixels(rect: Rect) -> Tensor:
            *flow, share = _enlarged(maps, rect, query.grid)
            points = Points.make(rect, query.grid, latent_hw=(size.height, size.width), device=self._device)
            x, y = points.columns.position, points.rows.position[:, None]
            one, other = _read(first, x + flow[0], y + flow[1]), _read(second, x + flow[2], y + flow[3])
            return torch.lerp(other, one, share)

        return self._drawn(pixels, query, token)

    @torch.inference_mode()
    def frame(self, plane: Tensor, query: RegionQuery, token: CancelToken) -> Tensor:
        """Draw the pixels of ``query`` from one frame as it is.

        Args:
            plane: the frame, uint8 [3, H, W], of the size :func:`plane_size`.
            query, token: as for :meth:`between`; the instant does not matter.

        Returns:
            uint8 [rect.height, rect.width, 4], RGBX, on the device: the frame's own pixels if the grid is the frame's.
        """
        if _size(plane) == query.grid:
            return _rgbx(plane[:, *query.rect.slices])
        if (rows := ops.warped_rows((plane,), None, query.rect, query.grid)) is not None:
            return self._drawn_by_rows(rows, token)
        size = _size(plane)

        def pixels(rect: Rect) -> Tensor:
            points = Points.make(rect, query.grid, latent_hw=(size.height, size.width), device=plane.device)
            x, y = points.columns.position, points.rows.position[:, None]
            return _read(plane, x.expand(rect.height, -1), y.expand(-1, rect.width))

        return self._drawn(pixels, query, token)

    def _drawn_by_rows(self, rows: WarpedRows, token: CancelToken) -> Tensor:
        height = len(rows.out)
        bands = ((row, min(row + _BAND_ROWS, height)) for row in range(0, height, _BAND_ROWS))
        self._workers.each(lambda band: rows.draw(*band), bands, token)
        return rows.out

    def _drawn(self, pixels: _Pixels, query: RegionQuery, token: CancelToken) -> Tensor:
        rect = query.rect
        out = torch.empty((rect.height, rect.width, 4), dtype=torch.uint8, device=self._device)

        def work(tile: Tile) -> None:
            whole = tile_rect(tile, query.grid, self._side)
            visible = whole.intersection(rect)
            assert visible is not None
            drawn = _rgbx(pixels(whole).clamp_(0, 255).round_())
            out[visible.relative_to(rect).slices] = drawn[visible.relative_to(whole).slices]

        self._workers.each(work, tiles_over(rect, self._side), token)
        return out


def _maps(motion: MotionMaps | None, size: Grid, query: RegionQuery, device: torch.device) -> Tensor:
    """Return the flows in pixels of frames of ``size``, and the first frame's share: [5, h, w] of the proxy's size."""
    if motion is None:
        shares = [1 - phase for phase in _phases(query)]
        is_sideways = query.lines is not None and query.lines.is_sideways
        maps = torch.zeros((5, len(shares)), device=device)
        maps[4] = torch.tensor(shares)
        return maps[:, None] if is_sideways else maps[:, :, None]
    height, width = motion.flow.shape[1:3]
    scale = motion.flow.new_tensor((size.width / width, size.height / height))
    return torch.cat((motion.flow * scale.repeat(2), motion.share), -1)[0].permute(2, 0, 1).contiguous()


def _phases(query: RegionQuery) -> list[float]:
    """Return the query's phase, or that of each line of its grid."""
    return [float(query.instant.phase)] if query.lines is None else query.lines.over(query.grid.rect)


def _enlarged(maps: Tensor, rect: Rect, grid: Grid) -> Tensor:
    """Read ``maps`` [C, H, W] bilinearly at the pixels ``rect`` of ``grid``: [C, h, w]."""
    points = Points.make(rect, grid, latent_hw=(maps.shape[1], maps.shape[2]), device=maps.device)
    upper, lower, down = points.rows.neighbours()
    left, right, along = points.columns.neighbours()
    # Along the few rows of the maps first: a read of single columns costs ten times as much as one of whole rows.
    # To know which rows these are would make a GPU wait.
    first, last = (int(upper[0]), int(lower[-1])) if maps.device.type == "cpu" else (0, maps.shape[1] - 1)
    few = maps[:, first : last + 1]
    columns = torch.lerp(few.index_select(2, left), few.index_select(2, right), along)
    return torch.lerp(columns.index_select(1, upper - first), columns.index_select(1, lower - first), down[:, None])


def _read(plane: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Read ``plane`` [3, H, W] bicubically at x and y [h, w]: float32 [3, h, w], levels, not clamped.

    Only the box of pixels that is read is converted to floating point.
    """
    height, width = plane.shape[1:]
    x, y = x.nan_to_num().clamp(-1, width), y.nan_to_num().clamp(-1, height)
    left, right, top, bottom = torch.stack((*torch.aminmax(x), *torch.aminmax(y))).tolist()
    columns = slice(max(0, math.floor(left) - _TAPS), min(width, math.floor(right) + _TAPS + 2))
    rows = slice(max(0, math.floor(top) - _TAPS), min(height, math.floor(bottom) + _TAPS + 2))
    box = plane[:, rows, columns].float().contiguous()
    return sample_bicubic(box[None], (x - columns.start)[None], (y - rows.start)[None])[0].permute(2, 0, 1)


def _size(plane: Tensor) -> Grid:
    return Grid(plane.shape[2], plane.shape[1])


def _rgbx(pixels: Tensor) -> Tensor:
    """Return levels [3, h, w] as uint8 [h, w, 4], X = 255."""
    rgbx = torch.full((*pixels.shape[1:], 4), 255, dtype=torch.uint8, device=pixels.device)
    rgbx[..., :3] = pixels.permute(1, 2, 0)
    return rgbx
