"""Sums the four samples of the decoder's first layer, for training on CUDA; one program takes a run of pixels.

For each of the two frames the decoder samples the projected F_s (on the pixel grid) and the projected latent feature
(on the low-resolution lattice) at the pixel's warped position. The sum of all four is its first layer before the sine.
Plain torch would write each sample and each position to memory and read it again. In float32; to 1e-5 of the plain
code, see :mod:`videoinr.model.kernels`.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.kernels.reading import place

_RUN = 32
"""Pixels of a program."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _read(table, row, right, below, wx, wy, channel, mask, pitch: tl.constexpr):  # type: ignore[no-untyped-def]
    first, wx, wy = row[:, None] * pitch + channel, wx[:, None], wy[:, None]
    right, below = right[:, None] * pitch, below[:, None] * pitch
    top = tl.load(table + first, mask=mask, other=0.0) * (1 - wx)
    top += tl.load(table + first + right, mask=mask, other=0.0) * wx
    bottom = tl.load(table + first + below, mask=mask, other=0.0) * (1 - wx)
    bottom += tl.load(table + first + below + right, mask=mask, other=0.0) * wx
    return top * (1 - wy) + bottom * wy


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _scatter(table, grad_table, row, right, below, wx, wy, channel, mask, grad, pitch: tl.constexpr):  # type: ignore[no-untyped-def]
    """Add the gradient to the four corners; return the gradients of x and y, in pixels of the map."""
    first, wx, wy = row[:, None] * pitch + channel, wx[:, None], wy[:, None]
    right, below = right[:, None] * pitch, below[:, None] * pitch
    tl.atomic_add(grad_table + first, grad * (1 - wx) * (1 - wy), mask=mask, sem="relaxed")
    tl.atomic_add(grad_table + first + right, grad * wx * (1 - wy), mask=mask, sem="relaxed")
    tl.atomic_add(grad_table + first + below, grad * (1 - wx) * wy, mask=mask, sem="relaxed")
    tl.atomic_add(grad_table + first + below + right, grad * wx * wy, mask=mask, sem="relaxed")
    top_left = tl.load(table + first, mask=mask, other=0.0)
    top_right = tl.load(table + first + right, mask=mask, other=0.0)
    bottom_left = tl.load(table + first + below, mask=mask, other=0.0)
    bottom_right = tl.load(table + first + below + right, mask=mask, other=0.0)
    along_x = (top_right - top_left) * (1 - wy) + (bottom_right - bottom_left) * wy
    along_y = (bottom_left - top_left) * (1 - wx) + (bottom_right - top_right) * wx
    return tl.sum(grad * along_x, axis=1), tl.sum(grad * along_y, axis=1)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _pixels(images, rows, columns, run: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return the pixels of this program: their image, whether they exist, their place in the flow, column and row."""
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    here = tl.program_id(1) * rows * columns + pixel
    column, row = (pixel % columns).to(tl.float32), (pixel // columns).to(tl.float32)
    return tl.program_id(1) % images, pixel < rows * columns, here, column, row


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _targets(flow, here, way, column, row, inside, rows, columns, height, width):  # type: ignore[no-untyped-def]
    """Return where the flow ``way`` leads the pixels: x and y on the fine map, then x and y on the coarse map."""
    mx = tl.load(flow + here * 4 + 2 * way, mask=inside, other=0.0)
    my = tl.load(flow + here * 4 + 2 * way + 1, mask=inside, other=0.0)
    coarse_x, coarse_y = (column + 0.5) * (width / columns) - 0.5 + mx, (row + 0.5) * (height / rows) - 0.5 + my
    return column + mx * (columns / width), row + my * (rows / height), coarse_x, coarse_y


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _forward_kernel(  # type: ignore[no-untyped-def]
    fine, coarse, flow, out, images, rows, columns, height, width,
    channels: tl.constexpr, padded: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    image, inside, here, column, row = _pixels(images, rows, columns, run)
    channel = tl.arange(0, padded)[None, :]
    mask = inside[:, None] & (channel < channels)
    total = tl.zeros([run, padded], tl.float32)
    for way in tl.static_range(2):
        fine_x, fine_y, coarse_x, coarse_y = _targets(
            flow, here, way, column, row, inside, rows, columns, height, width
        )
        at, right, below, wx, wy, _, _ = place(fine_x, fine_y, inside, rows, columns)
        at += image * rows * columns
        total += _read(fine + way * channels, at, right, below, wx, wy, channel, mask, 2 * channels)
        at, right, below, wx, wy, _, _ = place(coarse_x, coarse_y, inside, height, width)
        at += image * height * width
        total += _read(coarse + way * channels, at, right, below, wx, wy, channel, mask, 2 * channels)
    tl.store(out + here[:, None] * channels + channel, total, mask=mask)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _backward_kernel(  # type: ignore[no-untyped-def]
    fine, coarse, flow, grad_out, grad_fine, grad_coarse, grad_flow, images, rows, columns, height, width,
    channels: tl.constexpr, padded: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    image, inside, here, column, row = _pixels(images, rows, columns, run)
    channel = tl.arange(0, padded)[None, :]
    mask = inside[:, None] & (channel < channels)
    grad = tl.load(grad_out + here[:, None] * channels + channel, mask=mask, other=0.0)
    for way in tl.static_range(2):
        fine_x, fine_y, coarse_x, coarse_y = _targets(
            flow, here, way, column, row, inside, rows, columns, height, width
        )
        at, right, below, wx, wy, free_x, free_y = place(fine_x, fine_y, inside, rows, columns)
        at += image * rows * columns
        fx, fy = _scatter(
            fine + way * channels, grad_fine + way * channels, at, right, below, wx, wy, channel, mask, grad,
            2 * channels,
        )  # fmt: skip
        gx, gy = tl.where(free_x, fx * (columns / width), 0.0), tl.where(free_y, fy * (rows / height), 0.0)
        at, right, below, wx, wy, free_x, free_y = place(coarse_x, coarse_y, inside, height, width)
        at += image * height * width
        cx, cy = _scatter(
            coarse + way * channels, grad_coarse + way * channels, at, right, below, wx, wy, channel, mask, grad,
            2 * channels,
        )  # fmt: skip
        tl.store(grad_flow + here * 4 + 2 * way, gx + tl.where(free_x, cx, 0.0), mask=inside)
        tl.store(grad_flow + here * 4 + 2 * way + 1, gy + tl.where(free_y, cy, 0.0), mask=inside)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, fine: Tensor, coarse: Tensor, flow: Tensor) -> Tensor:
        fine, coarse, flow = fine.contiguous(), coarse.contiguous(), flow.contiguous()
        ctx.save_for_backward(fine, coarse, flow)
        out = fine.new_empty((*flow.shape[:-1], fine.shape[-1] // 2))
        _forward_kernel[_programs(flow)](fine, coarse, flow, out, *_sizes(fine, coarse), **_shape(fine))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine, coarse, flow = ctx.saved_tensors
        grad_fine, grad_coarse, grad_flow = torch.zeros_like(fine), torch.zeros_like(coarse), torch.empty_like(flow)
        _backward_kernel[_programs(flow)](
            fine, coarse, flow, grads[0].contiguous(), grad_fine, grad_coarse, grad_flow,
            *_sizes(fine, coarse), **_shape(fine),
        )  # fmt: skip
        return grad_fine, grad_coarse, grad_flow


def _programs(flow: Tensor) -> tuple[int, int]:
    instants, images, rows, columns, _ = flow.shape
    return triton.cdiv(rows * columns, _RUN), instants * images


def _sizes(fine: Tensor, coarse: Tensor) -> tuple[int, ...]:
    return len(fine), *fine.shape[1:3], *coarse.shape[1:3]


def _shape(fine: Tensor) -> dict[str, int]:
    channels = fine.shape[-1] // 2
    return {"channels": channels, "padded": triton.next_power_of_2(channels), "run": _RUN}


def gather(fine: Tensor, coarse: Tensor, flow: Tensor) -> Tensor:
    """Sample both maps bilinearly along both flows, and sum the four samples.

    Args:
        fine: The map on the pixel grid [B, H, W, 2D]: D channels to read along the flow to the first frame, then D
            along the flow to the second.
        coarse: The map on the low-resolution lattice [B, h, w, 2D], in the same order.
        flow: [K, B, H, W, 4] in lattice pixels: x and y to the first frame, x and y to the second.

    Returns:
        [K, B, H, W, D]; borders are extended. All tensors are float32 on CUDA; differentiable in all three.
    """
    out: Tensor = _Gather.apply(fine, coarse, flow)  # type: ignore[no-untyped-call]
    return out
