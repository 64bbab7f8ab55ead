"""The decoder's last step on CUDA: both frames read bicubically along the flow, mixed, and the residual added."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

_RUN = 128


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _tap(d, order: tl.constexpr):  # type: ignore[no-untyped-def]
    """Weight of the tap ``order`` (0 ... 3) at distance ``d`` from tap 1, and its derivative; bicubic, a = -0.75."""
    if order == 0:
        s = d + 1
        return -0.75 * (((s - 5) * s + 8) * s - 4), -0.75 * ((3 * s - 10) * s + 8)
    if order == 1:
        return (1.25 * d - 2.25) * d * d + 1, (3.75 * d - 4.5) * d
    if order == 2:
        s = 1 - d
        return (1.25 * s - 2.25) * s * s + 1, -(3.75 * s - 4.5) * s
    s = 2 - d
    return -0.75 * (((s - 5) * s + 8) * s - 4), 0.75 * ((3 * s - 10) * s + 8)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _bicubic(frame, x, y, inside, height, width):  # type: ignore[no-untyped-def]
    """Red, green, blue of the planar ``frame`` at x, y and their derivatives along x and along y."""
    left, top = tl.floor(x), tl.floor(y)
    dx, dy = x - left, y - top
    # A flow gone wild in training must not become an index that no integer holds.
    column = tl.minimum(tl.maximum(left, -4.0), width + 4.0).to(tl.int32)
    row = tl.minimum(tl.maximum(top, -4.0), height + 4.0).to(tl.int32)
    zero = x * 0.0
    r, g, b, rx, gx, bx, ry, gy, by = zero, zero, zero, zero, zero, zero, zero, zero, zero
    for j in tl.static_range(4):
        wy, vy = _tap(dy, j)
        at = tl.minimum(tl.maximum(row + (j - 1), 0), height - 1) * width
        for i in tl.static_range(4):
            wx, vx = _tap(dx, i)
            place = frame + at + tl.minimum(tl.maximum(column + (i - 1), 0), width - 1)
            red = tl.load(place, mask=inside, other=0.0)
            green = tl.load(place + height * width, mask=inside, other=0.0)
            blue = tl.load(place + 2 * height * width, mask=inside, other=0.0)
            r, g, b = r + wx * wy * red, g + wx * wy * green, b + wx * wy * blue
            rx, gx, bx = rx + vx * wy * red, gx + vx * wy * green, bx + vx * wy * blue
            ry, gy, by = ry + wx * vy * red, gy + wx * vy * green, by + wx * vy * blue
    return r, g, b, rx, gx, bx, ry, gy, by


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _forward_kernel(  # type: ignore[no-untyped-def]
    answer, flow, prior_logit, frames, out, images, rows, columns, height, width, run: tl.constexpr
):
    slot = tl.program_id(1)
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    inside = pixel < rows * columns
    here = slot * rows * columns + pixel
    x = ((pixel % columns).to(tl.float32) + 0.5) * (width / columns) - 0.5
    y = ((pixel // columns).to(tl.float32) + 0.5) * (height / rows) - 0.5
    first = frames + (slot % images) * 6 * height * width
    mx, my = tl.load(flow + here * 4, mask=inside, other=0.0), tl.load(flow + here * 4 + 1, mask=inside, other=0.0)
    r0, g0, b0, _, _, _, _, _, _ = _bicubic(first, x + mx, y + my, inside, height, width)
    mx, my = tl.load(flow + here * 4 + 2, mask=inside, other=0.0), tl.load(flow + here * 4 + 3, mask=inside, other=0.0)
    r1, g1, b1, _, _, _, _, _, _ = _bicubic(first + 3 * height * width, x + mx, y + my, inside, height, width)
    share = tl.sigmoid(tl.load(answer + here * 4 + 3, mask=inside, other=0.0) + tl.load(prior_logit + slot))
    r = r1 + share * (r0 - r1) + tl.load(answer + here * 4, mask=inside, other=0.0)
    g = g1 + share * (g0 - g1) + tl.load(answer + here * 4 + 1, mask=inside, other=0.0)
    b = b1 + share * (b0 - b1) + tl.load(answer + here * 4 + 2, mask=inside, other=0.0)
    place = out + slot * 3 * rows * columns + pixel
    tl.store(place, r, mask=inside)
    tl.store(place + rows * columns, g, mask=inside)
    tl.store(place + 2 * rows * columns, b, mask=inside)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _backward_kernel(  # type: ignore[no-untyped-def]
    answer, flow, prior_logit, frames, grad_out, grad_answer, grad_flow, images, rows, columns, height, width,
    run: tl.constexpr,
):  # fmt: skip
    slot = tl.program_id(1)
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    inside = pixel < rows * columns
    here = slot * rows * columns + pixel
    x = ((pixel % columns).to(tl.float32) + 0.5) * (width / columns) - 0.5
    y = ((pixel // columns).to(tl.float32) + 0.5) * (height / rows) - 0.5
    place = grad_out + slot * 3 * rows * columns + pixel
    gr = tl.load(place, mask=inside, other=0.0)
    gg = tl.load(place + rows * columns, mask=inside, other=0.0)
    gb = tl.load(place + 2 * rows * columns, mask=inside, other=0.0)
    share = tl.sigmoid(tl.load(answer + here * 4 + 3, mask=inside, other=0.0) + tl.load(prior_logit + slot))
    first = frames + (slot % images) * 6 * height * width
    mx, my = tl.load(flow + here * 4, mask=inside, other=0.0), tl.load(flow + here * 4 + 1, mask=inside, other=0.0)
    r, g, b, rx, gx, bx, ry, gy, by = _bicubic(first, x + mx, y + my, inside, height, width)
    of_share = gr * r + gg * g + gb * b
    tl.store(grad_flow + here * 4, share * (gr * rx + gg * gx + gb * bx), mask=inside)
    tl.store(grad_flow + here * 4 + 1, share * (gr * ry + gg * gy + gb * by), mask=inside)
    mx, my = tl.load(flow + here * 4 + 2, mask=inside, other=0.0), tl.load(flow + here * 4 + 3, mask=inside, other=0.0)
    r, g, b, rx, gx, bx, ry, gy, by = _bicubic(first + 3 * height * width, x + mx, y + my, inside, height, width)
    of_share -= gr * r + gg * g + gb * b
    tl.store(grad_flow + here * 4 + 2, (1 - share) * (gr * rx + gg * gx + gb * bx), mask=inside)
    tl.store(grad_flow + here * 4 + 3, (1 - share) * (gr * ry + gg * gy + gb * by), mask=inside)
    tl.store(grad_answer + here * 4, gr, mask=inside)
    tl.store(grad_answer + here * 4 + 1, gg, mask=inside)
    tl.store(grad_answer + here * 4 + 2, gb, mask=inside)
    tl.store(grad_answer + here * 4 + 3, of_share * share * (1 - share), mask=inside)


class _Blend(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, answer: Tensor, flow: Tensor, prior_logit: Tensor, frames: Tensor) -> Tensor:
        tensors = [tensor.contiguous() for tensor in (answer, flow, prior_logit, frames)]
        ctx.save_for_backward(*tensors)
        instants, images, rows, columns, _ = answer.shape
        out = answer.new_empty((instants, images, 3, rows, columns))
        _forward_kernel[_programs(answer)](*tensors, out, *_sizes(answer, frames), run=_RUN)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        tensors = ctx.saved_tensors
        answer, frames = tensors[0], tensors[3]
        grad_answer, grad_flow = torch.empty_like(answer), torch.empty_like(answer)
        _backward_kernel[_programs(answer)](
            *tensors, grads[0].contiguous(), grad_answer, grad_flow, *_sizes(answer, frames), run=_RUN
        )
        return grad_answer, grad_flow, None, None


def _programs(answer: Tensor) -> tuple[int, int]:
    instants, images, rows, columns, _ = answer.shape
    return triton.cdiv(rows * columns, _RUN), instants * images


def _sizes(answer: Tensor, frames: Tensor) -> tuple[int, ...]:
    return len(frames), *answer.shape[2:4], *frames.shape[-2:]


def blend(answer: Tensor, flow: Tensor, prior_logit: Tensor, frames: Tensor) -> Tensor:
    """Pictures [K, B, 3, H, W]; float32 on CUDA, differentiable in ``answer`` and ``flow`` only.

    ``answer`` [K, B, H, W, 4]: the decoder's residual (RGB) and the logit of the first frame's share, to which
    ``prior_logit`` [K, B] is added. ``flow`` [K, B, H, W, 4] in frame pixels, order (x, y, x, y). ``frames``
    [B, 2, 3, h, w], read bicubically (a = -0.75), borders extended.
    """
    out: Tensor = _Blend.apply(answer, flow, prior_logit, frames)  # type: ignore[no-untyped-call]
    return out
