"""Helpers for maps [B, C, H, W] that the layers and the CUDA kernels share: activation, concatenation, shrinking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.images import tensor_from_planes

CUBIC = -0.5
"""The parameter a of the cubic filter with which maps are shrunk."""


def activated(x: Tensor, slope: float) -> Tensor:
    """Return ``x`` with its negative values multiplied by ``slope``.

    Args:
        x: Any shape.
        slope: 0 is ReLU, 1 the identity (``x`` itself is returned), anything between a leaky ReLU.
    """
    if slope == 1.0:
        return x
    return F.relu(x) if slope == 0.0 else F.leaky_relu(x, slope)


def concat(maps: Sequence[Tensor], dtype: torch.dtype | None = None, *, multiple: int = 1) -> Tensor:
    """Concatenate the channels of ``maps``.

    Args:
        maps: Maps [B, C, H, W] that differ in C only.
        dtype: The type of the result; without it, that of the first map.
        multiple: The number of channels is rounded up to a multiple of this; the channels added are zeros.

    Returns:
        A map [B, sum of all C, H, W] in the channels-last memory format. Where gradients are needed, or a graph is
        traced, it is made by ``torch.cat`` instead, in whatever format that gives, and ``multiple`` is ignored.
    """
    first, channels = maps[0], sum(one.shape[1] for one in maps)
    dtype, filled = dtype or first.dtype, -(-channels // multiple) * multiple
    is_traced = torch.compiler.is_compiling()
    if is_traced or (torch.is_grad_enabled() and any(one.requires_grad for one in maps)):
        return torch.cat([one.to(dtype) for one in maps], 1)
    if len(maps) == 1 and filled == channels:
        return first.to(dtype).contiguous(memory_format=torch.channels_last)
    shape = (len(first), filled, *first.shape[2:])
    out = torch.empty(shape, dtype=dtype, device=first.device, memory_format=torch.channels_last)
    if filled > channels:
        out.zero_()
    begin = 0
    for one in maps:
        # Not torch.cat: of channels-last maps on an H100 it took 8.9 of the 14.9 ms in which lite encoded 960x540.
        out[:, begin : begin + one.shape[1]] = one
        begin += one.shape[1]
    return out


def shrunk(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Shrink ``maps`` with an antialiased bicubic filter.

    In a traced graph it is two matrix products: OpenVINO takes no notice of the antialiasing of ONNX's Resize, TensorRT
    refuses it, and ONNX Runtime on CUDA computes something else.

    Args:
        maps: [B, C, H, W].
        size: (height, width) of the result, along no axis larger.

    Returns:
        [B, C, height, width].
    """
    if not torch.compiler.is_compiling():
        return F.interpolate(maps, size, mode="bicubic", antialias=True, align_corners=False)
    rows, columns = (shrinking_weights(before, after) for before, after in zip(maps.shape[-2:], size, strict=True))
    return torch.matmul(torch.matmul(rows.to(maps), maps), columns.to(maps).T)


def shrinking_weights(before: int, after: int) -> Tensor:
    """Return the weights of the antialiased cubic filter along one axis, [after, before], float32.

    The filter is scaled to the pixels of the result and cut off at the borders; the weights of each pixel add up to 1.
    """
    step = before / after
    centres = (np.arange(after)[:, None] + 0.5) * step
    distances = np.abs(np.arange(before) + 0.5 - centres) / step
    near = ((CUBIC + 2) * distances - (CUBIC + 3)) * distances**2 + 1
    far = CUBIC * (((distances - 5) * distances + 8) * distances - 4)
    weights = np.where(distances < 1, near, np.where(distances < 2, far, 0))
    return torch.from_numpy((weights / weights.sum(1, keepdims=True)).astype(np.float32))


def downsampled(frames: Tensor, factor: int) -> Tensor:
    """Downsample frames [B, N, 3, H, W] by ``factor``, antialiased: sides rounded up, values in 0 ... 1.

    ``frames`` may be uint8; the result is not.
    """
    height, width = (-(-side // factor) for side in frames.shape[-2:])
    if frames.dtype == torch.uint8:  # One after the other, as floats: all of them would take four times the memory.
        small = torch.cat([shrunk(tensor_from_planes(one)[None], (height, width)) for one in frames.flatten(0, 1)])
    else:
        small = shrunk(frames.flatten(0, 1), (height, width))
    return small.clamp(0, 1).view(*frames.shape[:3], height, width)
