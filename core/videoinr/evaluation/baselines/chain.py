"""Methods of two steps: temporal interpolation and spatial upsampling, in either order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from videoinr.errors import VideoInrError
from videoinr.evaluation.clips import Method
from videoinr.geometry import Grid

Upsampler = Callable[[Tensor, Grid], Tensor]
"""Spatial upsampling: (frames float32 [B, 3, h, w] in 0 ... 1, output grid) -> [B, 3, H, W]."""


class BaselineMissingError(VideoInrError):
    """An external baseline needs a package or a program that is not installed."""


def upsampled_then_blended(upsample: Upsampler) -> Method:
    """Return a method that upsamples both frames of the pair, then blends them: (1 - t) I0 + t I1."""

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        first, last = upsample(low, grid)
        return [torch.lerp(first, last, t) for t in times]

    return restore


def interpolated_then_upsampled(interpolate: Method, upsample: Upsampler) -> Method:
    """Return a method that interpolates at the pair's resolution, then upsamples every frame."""

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        small = interpolate(low, Grid(low.shape[-1], low.shape[-2]), times)
        return list(upsample(torch.stack(small), grid))

    return restore
