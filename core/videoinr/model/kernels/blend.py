"""The decoder's last step for training on CUDA: warps both frames bicubically, mixes them and adds the residual.

In float32; to 1e-5 of the plain code, see :mod:`videoinr.model.kernels`.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.kernels.reading import bicubic

_RUN = 128
"""Pixels of a program."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _pixels(rows, columns, height, width, run: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return the pixels of this program: slot, index, whether they exist, place in the flow, x and y in the frames."""
    slot = tl.program_id(1)
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    x = ((pixel % columns).to(tl.float32) + 0.5) * (width / columns) - 0.5
    y = ((pixel // columns).to(tl.float32) + 0.5) * (height / rows) - 0.5
    return slot, pixel, pixel < rows * columns, slot * rows * columns + pixel, x, y


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _forward_kernel(  # type: ignore[no-untyped-def]
    answer, flow, prior_logit, frames, out, images, rows, columns, height, width, run: tl.constexpr
):
    slot, pixel, inside, here, x, y = _pixels(rows, columns, height, width, run)
    first = frames + (slot % images) * 6 * height * width
    mx, my = tl.load(flow + here * 4, mask=inside, other=0.0), tl.load(flow + here * 4 + 1, mask=inside, other=0.0)
    r0, g0, b0, _, _, _, _, _, _ = bicubic(first, x + mx, y + my, inside, height, width)
    mx, my = tl.load(flow + here * 4 + 2, mask=inside, other=0.0), tl.load(flow + here * 4 + 3, mask=inside, other=0.0)
    r1, g1, b1, _, _, _, _, _, _ = bicubic(first + 3 * height * width, x + mx, y + my, inside, height, width)
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
    slot, pixel, inside, here, x, y = _pixels(rows, columns, height, width, run)
    place = grad_out + slot * 3 * rows * columns + pixel
    gr = tl.load(place, mask=inside, other=0.0)
    gg = tl.load(place + rows * columns, mask=inside, other=0.0)
    gb = tl.load(place + 2 * rows * columns, mask=inside, other=0.0)
    share = tl.sigmoid(tl.load(answer + here * 4 + 3, mask=inside, other=0.0) + tl.load(prior_logit + slot))
    first = frames + (slot % images) * 6 * height * width
    mx, my = tl.load(flow + here * 4, mask=inside, other=0.0), tl.load(flow + here * 4 + 1, mask=inside, other=0.0)
    r, g, b, rx, gx, bx, ry, gy, by = bicubic(first, x + mx, y + my, inside, height, width)
    of_share = gr * r + gg * g + gb * b
    tl.store(grad_flow + here * 4, share * (gr * rx + gg * gx + gb * bx), mask=inside)
    tl.store(grad_flow + here * 4 + 1, share * (gr * ry + gg * gy + gb * by), mask=inside)
    mx, my = tl.load(flow + here * 4 + 2, mask=inside, other=0.0), tl.load(flow + here * 4 + 3, mask=inside, other=0.0)
    r, g, b, rx, gx, bx, ry, gy, by = bicubic(first + 3 * height * width, x + mx, y + my, inside, height, width)
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
    """Blend the two warped frames of B pairs at K instants.

    Args:
        answer: The decoder's output [K, B, H, W, 4]: the residual (RGB), and the logit of the first frame's weight.
        flow: [K, B, H, W, 4] in pixels of ``frames``: x and y to the first frame, x and y to the second.
        prior_logit: Added to the logit [K, B].
        frames: [B, 2, 3, h, w]; read bicubically (a = -0.75), the border extended.

    Returns:
        Pictures [K, B, 3, H, W]. All tensors are float32 on CUDA; differentiable in ``answer`` and ``flow`` only.
    """
    out: Tensor = _Blend.apply(answer, flow, prior_logit, frames)  # type: ignore[no-untyped-call]
    return out
