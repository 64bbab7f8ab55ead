"""Pictures that are warped from source frames on a CPU, each row in one pass (warp.c).

The formulae are those of :mod:`videoinr.decode.frame_warp`, whose torch code stays the reference: tests compare both.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int32, c_void_p

import torch
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.model.native.build import library
from videoinr.model.points import Points

_MAPS = 8


class _Warp(ctypes.Structure):
    _fields_ = (
        *((name, c_int32) for name in ("width", "height", "frame_width", "frame_height")),
        ("frames", c_void_p * 2),
        *((name, c_void_p) for name in ("column_position", "row_position", "maps")),
        *((name, c_int32) for name in ("map_width", "padding")),
        *((name, c_void_p) for name in ("left", "right", "upper", "lower", "along", "down", "out")),
    )  # fmt: skip


class WarpedRows:
    """Draws the rows of a picture in any order, on any threads.

    Attributes:
        out: uint8 [rect.height, rect.width, 4], RGBX.
    """

    def __init__(self, frames: Sequence[Tensor], maps: Tensor | None, rect: Rect, grid: Grid) -> None:
        """Prepare to draw.

        Args:
            frames: the first frame and, if there are maps, the second: uint8 [3, H, W], best channels last in memory.
            maps: flow x, y to the first frame, to the second, in pixels of the frames, and the first one's share:
                float32 [5, h, w]. None draws the first frame as it is.
            rect: the pixels to draw.
            grid: the size of the whole picture.
        """
        cpu = torch.device("cpu")
        height, width = frames[0].shape[1:]
        packed = [frame.permute(1, 2, 0).contiguous() for frame in frames]
        at = Points.make(rect, grid, latent_hw=(height, width), device=cpu)
        self.out = torch.empty((rect.height, rect.width, 4), dtype=torch.uint8)
        self._warp = _Warp(
            width=rect.width, height=rect.height, frame_width=width, frame_height=height,
            frames=(c_void_p * 2)(*(frame.data_ptr() for frame in packed)),
            column_position=at.columns.position.data_ptr(), row_position=at.rows.position.data_ptr(),
            out=self.out.data_ptr(),
        )  # fmt: skip
        self._kept: list[object] = [packed, at]
        self._map_width = 0
        if maps is not None:
            self._add(maps, rect, grid)

    def _add(self, maps: Tensor, rect: Rect, grid: Grid) -> None:
        count, height, width = maps.shape
        packed = maps.new_zeros((height, width, _MAPS))
        packed[..., :count] = maps.permute(1, 2, 0)
        at = Points.make(rect, grid, latent_hw=(height, width), device=maps.device)
        columns, rows = at.columns.neighbours(), at.rows.neighbours()
        warp, self._map_width = self._warp, width
        warp.maps, warp.map_width = packed.data_ptr(), width
        warp.left, warp.right, warp.along = (each.data_ptr() for each in columns)
        warp.upper, warp.lower, warp.down = (each.data_ptr() for each in rows)
        self._kept += [packed, columns, rows]

    def draw(self, first: int, last: int) -> None:
        """Draw the rows ``first`` ... ``last`` - 1 of the rectangle."""
        made = library()
        assert made is not None
        if not self._map_width:
            made.videoinr_enlarge(ctypes.byref(self._warp), first, last)
            return
        line = torch.empty(self._map_width * _MAPS)
        made.videoinr_warp(ctypes.byref(self._warp), first, last, line.data_ptr())
