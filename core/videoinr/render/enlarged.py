"""Draws pictures beyond the scales of a model's training: decoded at the greatest of them, and enlarged from there.

SpatialINR (eq. 2) reads the place x - v* within a latent pixel, and training shows it some places only: at x4 those a
quarter of a pixel apart. What it answers between them is nothing that it learned: beyond x4 every source pixel gets
dots and edges of its own, and on validation clips at x6 and x8 the PSNR is lower than that of the x4 picture enlarged
(tests/benchmarks/NOTES.md). So the lattice of the greatest trained scale is decoded, and Lanczos' kernel interpolates
it. All greater zooms share that lattice, and a zoom of x27 evaluates a 45th of the points.

Each pixel is computed from its place on the whole grid, so a region equals the same pixels of the whole to the bit.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from videoinr.decode.recording import MOST_RECORDED_PX, Repeated, cuda_graph
from videoinr.geometry import Grid, Rect
from videoinr.images import deep_from_tensor, rgbx_from_tensor
from videoinr.types import RegionQuery

_LOBES = 3
_TAPS = range(1 - _LOBES, 1 + _LOBES)
_BAND_PX = 1 << 20
"""Pixels that are enlarged at a time, which bounds the memory."""


class Decode(Protocol):
    """Decodes the pixels of a query: [rect.height, rect.width, 4], uint8, or int32 of 16 bits."""

    def __call__(self, query: RegionQuery, *, to_cpu: bool, deep: bool) -> Tensor:
        """Decode ``query``."""


class Enlarger:
    """Draws the pictures of one clip and model, on any grid.

    Attributes:
        most: the grid of the greatest scale of the model's training.
    """

    def __init__(self, most: Grid, device: torch.device) -> None:
        """``device`` is the model's. A GPU's kernels write 8 bits, and 16 take it as long as a CPU's code would."""
        self.most, self._is_gpu = most, device.type == "cuda"
        self._repeat = Repeated(cuda_graph if self._is_gpu else None)

    def drawn(self, query: RegionQuery, decode: Decode, *, to_cpu: bool, deep: bool) -> Tensor:
        """Decode ``query``, or enlarge it from the finest grid of the model's training.

        Args:
            query: the grid and the rectangle.
            decode: decodes a query by the model.
            to_cpu: copy the picture to the CPU; otherwise it stays on the device.
            deep: return 16 bits.

        Returns:
            uint8 [rect.height, rect.width, 4], RGBX; deep: int32, 0 ... 65535. A picture that stays on a GPU is lent:
            the next call may write over it.
        """
        trained = Grid(min(query.grid.width, self.most.width), min(query.grid.height, self.most.height))
        if trained == query.grid:
            return decode(query, to_cpu=to_cpu, deep=deep)
        part = decoded_query(query, trained)
        picture = decode(part, to_cpu=False, deep=deep or not self._is_gpu)
        repeat = self._repeat if query.rect.area <= MOST_RECORDED_PX else None
        picture = enlarged(picture, part, query, deep=deep, repeat=repeat)
        return picture.cpu() if to_cpu else picture


def decoded_query(query: RegionQuery, decoded: Grid) -> RegionQuery:
    """Return the query, on the grid ``decoded``, for the pixels from which ``query`` is interpolated."""
    columns, rows = (_reach(*axis) for axis in _axes(query.grid, query.rect, decoded))
    return replace(query, grid=decoded, rect=Rect.from_edges(columns[0], rows[0], columns[1] + 1, rows[1] + 1))


def enlarged(
    picture: Tensor, part: RegionQuery, query: RegionQuery, *, deep: bool, repeat: Repeated | None = None
) -> Tensor:  # fmt: skip
    """Interpolate the pixels of ``query``.

    Args:
        picture: uint8 [h, w, 4], or int32 of 16 bits, the pixels of ``part``.
        part: as :func:`decoded_query` returned it.
        query: the pixels that are wanted.
        deep: return 16 bits.
        repeat: calls what will be called again for the next instant, and may then write over the result.

    Returns:
        uint8 [rect.height, rect.width, 4], RGBX; deep: int32, 0 ... 65535. On the device of ``picture``.
    """
    device, rect = picture.device, query.rect
    (x, columns), (y, rows) = (
        _lanczos(*axis, first, device)
        for axis, first in zip(_axes(query.grid, rect, part.grid), (part.rect.x, part.rect.y), strict=True)
    )
    levels, peak = deep_from_tensor if deep else rgbx_from_tensor, 255 if picture.dtype == torch.uint8 else 65535

    def mixed(picture: Tensor) -> Tensor:
        rgb = _mixed(picture[..., :3].float().div_(peak), 1, x, columns[..., None])
        out = torch.empty((rect.height, rect.width, 4), dtype=torch.int32 if deep else torch.uint8, device=device)
        # A GPU waits for each launch longer than for its work.
        step = rect.height if device.type == "cuda" else max(1, _BAND_PX // rect.width)
        for top in range(0, rect.height, step):
            band = slice(top, top + step)
            out[band] = levels(_mixed(rgb, 0, y[:, band], rows[:, band, None, None]))
        return out

    if repeat is None:
        return mixed(picture)
    return repeat((part.grid, part.rect, query.grid, rect, deep), mixed, picture)


_Axis = tuple[int, int, int, int]
"""The first pixel, the pixel after the last, the pixels of the whole grid, and those of the decoded one."""


def _axes(grid: Grid, rect: Rect, decoded: Grid) -> tuple[_Axis, _Axis]:
    columns = rect.x, rect.right, grid.width, decoded.width
    return columns, (rect.y, rect.bottom, grid.height, decoded.height)


def _reach(first: int, end: int, size: int, decoded: int) -> tuple[int, int]:
    """Return the first and the last decoded pixel that the kernel reads for the pixels ``first`` ... ``end`` - 1."""
    low, high = (math.floor((pixel + 0.5) * decoded / size - 0.5) for pixel in (first, end - 1))
    return max(0, low + _TAPS[0]), min(decoded - 1, high + _TAPS[-1])


@lru_cache(maxsize=16)  # The frames of an export have the same grid: on a GPU this was a third of the work.
def _lanczos(
    first: int, end: int, size: int, decoded: int, origin: int, device: torch.device
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the decoded pixels [6, n], counted from ``origin``, that each pixel mixes, and their shares [6, n].

    Beyond the edges of the frame its last pixel goes on. Both are kept: nobody may write into them.
    """
    place = (torch.arange(first, end, dtype=torch.float64, device=device) + 0.5) * decoded / size - 0.5
    nearest = place.floor()
    pixels = torch.stack([nearest + tap for tap in _TAPS])
    way = place - pixels
    shares = torch.sinc(way) * torch.sinc(way / _LOBES)
    shares /= shares.sum(0)
    return pixels.clamp_(0, decoded - 1).long() - origin, shares.float()


def _mixed(values: Tensor, axis: int, pixels: Tensor, shares: Tensor) -> Tensor:
    """Add up the ``pixels`` along ``axis`` of ``values`` by their ``shares``.

    Products and sums are apart: a fused one is rounded otherwise where a loop's last elements are not vectors.
    """
    total: Tensor | None = None
    for index, share in zip(pixels, shares, strict=True):
        part = values.index_select(axis, index).mul_(share)
        total = part if total is None else total.add_(part)
    assert total is not None
    return total
