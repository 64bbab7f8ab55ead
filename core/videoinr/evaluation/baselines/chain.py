"""Restorers of two parts: something that interpolates in time and something that enlarges, in either order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from videoinr.errors import VideoInrError
from videoinr.evaluation.clips import Method
from videoinr.geometry import Grid

Enlarger = Callable[[Tensor, Grid], Tensor]
"""(pictures [B, 3, h, w] in 0 ... 1, output grid) -> [B, 3, H, W]."""


class BaselineMissingError(VideoInrError):
    """A peer needs a package or a program that is not installed here."""


def enlarged_then_blended(enlarge: Enlarger) -> Method:
    """Both frames of the pair enlarged once, and (1 - t) I0 + t I1 of the results."""

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        first, last = enlarge(low, grid)
        return [torch.lerp(first, last, t) for t in times]

    return restore


def interpolated_then_enlarged(interpolate: Method, enlarge: Enlarger) -> Method:
    """Every picture interpolated on the pair's own grid, then enlarged by itself."""

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        small = interpolate(low, Grid(low.shape[-1], low.shape[-2]), times)
        return list(enlarge(torch.stack(small), grid))

    return restore
