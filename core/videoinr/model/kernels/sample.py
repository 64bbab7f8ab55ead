"""Samples channels-last maps bilinearly on CUDA, forward and backward, in Triton.

torch's grid_sample needs channels first, so the heads would transpose every map before and after, and its backward pass
scatters one channel at a time. Here a program takes a run of positions and moves whole rows of channels, in coalesced
reads and atomic additions. In float32; to 1e-5 of the plain code, see :mod:`videoinr.model.kernels`.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.kernels.reading import bilinear

_RUN = 32
"""Positions of a program."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _corner(x_ptr, y_ptr, point, inside, points_per_image, height, width):  # type: ignore[no-untyped-def]
    x_raw = tl.load(x_ptr + point, mask=inside, other=0.0)
    y_raw = tl.load(y_ptr + point, mask=inside, other=0.0)
    x = tl.minimum(tl.maximum(x_raw, 0.0), width - 1.0)
    y = tl.minimum(tl.maximum(y_raw, 0.0), height - 1.0)
    left, top = tl.floor(x), tl.floor(y)
    row = (point // points_per_image) * height + top.to(tl.int32)
    corner = row * width + left.to(tl.int32)
    right = tl.where(left + 1 < width, 1, 0)
    below = tl.where(top + 1 < height, width, 0)
    free_x = (x_raw > 0) & (x_raw < width - 1)
    free_y = (y_raw > 0) & (y_raw < height - 1)
    return corner, right, below, x - left, y - top, free_x, free_y


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _forward_kernel(  # type: ignore[no-untyped-def]
    table, x_ptr, y_ptr, out, points, points_per_image, height, width,
    channels: tl.constexpr, padded: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    point = tl.program_id(0) * run + tl.arange(0, run)
    inside = point < points
    corner, right, below, wx, wy, _, _ = _corner(x_ptr, y_ptr, point, inside, points_per_image, height, width)
    channel = tl.arange(0, padded)[None, :]
    mask = inside[:, None] & (channel < channels)
    first = corner[:, None] * channels + channel
    right, below = right[:, None] * channels, below[:, None] * channels
    read = bilinear(table, first, right, below, wx[:, None], wy[:, None], mask)
    tl.store(out + point[:, None] * channels + channel, read, mask=mask)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _backward_kernel(  # type: ignore[no-untyped-def]
    table, x_ptr, y_ptr, grad_out, grad_table, grad_x, grad_y, points, points_per_image, height, width,
    channels: tl.constexpr, padded: tl.constexpr, run: tl.constexpr, of_positions: tl.constexpr,
):  # fmt: skip
    point = tl.program_id(0) * run + tl.arange(0, run)
    inside = point < points
    corner, right, below, wx, wy, free_x, free_y = _corner(x_ptr, y_ptr, point, inside, points_per_image, height, width)
    channel = tl.arange(0, padded)[None, :]
    mask = inside[:, None] & (channel < channels)
    first = corner[:, None] * channels + channel
    right, below = right[:, None] * channels, below[:, None] * channels
    wx, wy = wx[:, None], wy[:, None]
    grad = tl.load(grad_out + point[:, None] * channels + channel, mask=mask, other=0.0).to(tl.float32)
    # A position on the lattice (nearest sampling) has one corner of non-zero weight: the other three are masked out.
    tl.atomic_add(grad_table + first, grad * (1 - wx) * (1 - wy), mask=mask, sem="relaxed")
    tl.atomic_add(grad_table + first + right, grad * wx * (1 - wy), mask=mask & (wx > 0), sem="relaxed")
    tl.atomic_add(grad_table + first + below, grad * (1 - wx) * wy, mask=mask & (wy > 0), sem="relaxed")
    tl.atomic_add(grad_table + first + below + right, grad * wx * wy, mask=mask & (wx * wy > 0), sem="relaxed")
    if of_positions:
        top_left = tl.load(table + first, mask=mask, other=0.0).to(tl.float32)
        top_right = tl.load(table + first + right, mask=mask, other=0.0).to(tl.float32)
        bottom_left = tl.load(table + first + below, mask=mask, other=0.0).to(tl.float32)
        bottom_right = tl.load(table + first + below + right, mask=mask, other=0.0).to(tl.float32)
        along_x = (top_right - top_left) * (1 - wy) + (bottom_right - bottom_left) * wy
        along_y = (bottom_left - top_left) * (1 - wx) + (bottom_right - top_right) * wx
        gx, gy = tl.sum(grad * along_x, axis=1), tl.sum(grad * along_y, axis=1)
        tl.store(grad_x + point, tl.where(free_x, gx, 0.0), mask=inside)
        tl.store(grad_y + point, tl.where(free_y, gy, 0.0), mask=inside)


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, x: Tensor, y: Tensor) -> Tensor:
        image, x, y = image.contiguous(), x.contiguous(), y.contiguous()
        ctx.save_for_backward(image, x, y)
        out = image.new_empty((*x.shape, image.shape[-1]))
        _forward_kernel[_programs(x)](image, x, y, out, *_sizes(image, x), **_shape(image))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        image, x, y = ctx.saved_tensors
        of_positions = ctx.needs_input_grad[1] or ctx.needs_input_grad[2]
        grad_image = torch.zeros_like(image, dtype=torch.float32)
        grad_x, grad_y = (torch.empty_like(x), torch.empty_like(y)) if of_positions else (None, None)
        _backward_kernel[_programs(x)](
            image, x, y, grads[0].contiguous(), grad_image, x if grad_x is None else grad_x,
            y if grad_y is None else grad_y, *_sizes(image, x), **_shape(image), of_positions=of_positions,
        )  # fmt: skip
        return grad_image.to(image.dtype), grad_x, grad_y


def _programs(x: Tensor) -> tuple[int]:
    return (triton.cdiv(x.numel(), _RUN),)


def _sizes(image: Tensor, x: Tensor) -> tuple[int, int, int, int]:
    return x.numel(), x[0].numel(), image.shape[1], image.shape[2]


def _shape(image: Tensor) -> dict[str, int]:
    channels = image.shape[-1]
    return {"channels": channels, "padded": triton.next_power_of_2(channels), "run": _RUN}


def sample(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample ``image`` bilinearly at the positions ``x``, ``y``; the border is extended.

    Args:
        image: [B, H, W, C], of any floating-point type.
        x: [B, h, w] float32, in pixels of ``image``, centre coordinates.
        y: Like ``x``.

    Returns:
        [B, h, w, C] of the type of ``image``; sums are float32. Differentiable in all three.
    """
    out: Tensor = _Sample.apply(image, x, y)  # type: ignore[no-untyped-call]
    return out
