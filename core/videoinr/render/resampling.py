"""Resamples a rendered region to a finer grid, so that the screen need not: screens round down and shift."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.geometry import Rect
from videoinr.model.points import Axis
from videoinr.types import RegionQuery, RenderedRegion


@torch.inference_mode()
def on_grid(region: RenderedRegion, query: RegionQuery) -> RenderedRegion:
    """Return ``region`` with the pixels of ``query``, read bicubically.

    Args:
        region: pixels of the same instant that cover those of ``query``, on a coarser grid.
        query: what is wanted.

    Returns:
        A region that answers ``query``; its samples are those of ``region``.
    """
    start, held = time.perf_counter(), region.query
    if (held.grid, held.rect) == (query.grid, query.rect):
        return region
    x = _positions(query.rect.x, query.rect.width, query.grid.width, held.grid.width, held.rect, along_x=True)
    y = _positions(query.rect.y, query.rect.height, query.grid.height, held.grid.height, held.rect, along_x=False)
    pixels = torch.full((query.rect.height, query.rect.width, 4), 255, dtype=torch.uint8)
    pixels[..., :3] = _read(torch.from_numpy(region.rgbx[..., :3].copy()), x, y)
    elapsed_secs = region.elapsed_secs + time.perf_counter() - start
    samples = region.samples or held.grid
    return replace(region, query=query, rgbx=pixels.numpy(), elapsed_secs=elapsed_secs, samples=samples)


def _positions(start: int, count: int, pixels: int, size: int, held: Rect, *, along_x: bool) -> Tensor:
    """Return where pixels of one axis lie in the rectangle ``held``, in the -1 ... 1 of ``grid_sample``: [count]."""
    axis = Axis.make(start, count, grid_pixels=pixels, latent_pixels=size, device=torch.device("cpu"))
    first, length = (held.x, held.width) if along_x else (held.y, held.height)
    return (2 * (axis.position - first) + 1) / length - 1


def _read(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Read ``image`` [H, W, 3] at columns x [w] and rows y [h]: float32 [h, w, 3], whole levels."""
    # grid_sample divides a batch among the threads, but no picture: so every thread gets a band of rows.
    bands = max(1, min(torch.get_num_threads(), len(y)))
    rows = -(-len(y) // bands)
    padded = F.pad(y, (0, bands * rows - len(y)))
    grid = torch.empty((bands, rows, len(x), 2))
    grid[..., 0], grid[..., 1] = x, padded.view(bands, rows, 1)
    planes = image.permute(2, 0, 1)[None].float().expand(bands, -1, -1, -1)
    read = F.grid_sample(planes, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return read.permute(0, 2, 3, 1).reshape(bands * rows, len(x), 3)[: len(y)].clamp_(0, 255).round_()
