"""Computes a whole sine head forward and backward, for training on CUDA; one program takes a run of points.

model/siren.py is the plain form. The pre-activation of the first layer is a sum of two terms: ``base``, which differs
from point to point, and ``shift``, one vector for each image and instant (the contribution of the time, and the bias).
Several instants read the same ``base``, so its time-independent values are neither copied nor added in memory.

Precision: sines, biases and sums are float32. The factors of matrix products are float16 in the forward pass and, on a
GPU, bfloat16 in the backward pass. Relative to the largest value, outputs are within 4e-3 of float32 and gradients
within 4e-3 + 3 * 2 * 2^-9 = 1.6e-2: at most three products follow each other, and bfloat16 rounds each of their two
factors by up to 2^-9. tests/core/test_kernels.py asserts both. The largest errors measured on an H200, against float64,
were 4e-3 and 8e-3 (a head of 64-64-64-4).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.siren import OMEGA

# Triton's interpreter, which runs the tests on a CPU, computes with numpy, which has no bfloat16.
_GRADIENT = tl.constexpr(tl.float32 if os.environ.get("TRITON_INTERPRET") == "1" else tl.bfloat16)

MAX_WIDTH = 64
"""The widest layer whose weights fit into a program's registers and shared memory."""

_FORWARD_RUN, _BACKWARD_RUN = 64, 32
_FORWARD_WARPS, _BACKWARD_WARPS = 4, 4
"""Points of a program, and its warps."""
_BACKWARD_PROGRAMS = 132 * 4
"""About four for each multiprocessor of an H100; each keeps its own sums of the weights' gradients."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _fold(z):  # type: ignore[no-untyped-def]
    """Split z into n pi + r with |r| <= pi/2; return r and (-1)^n. Accurate for |z| up to some 10^4."""
    n = tl.floor(z * 0.3183098861837907 + 0.5)
    # pi is split into two constants; the first has so few bits that n times it is exact.
    r = (z - n * 3.140625) - n * 0.0009676535897932385
    return r, 1 - 2 * (n - 2 * tl.floor(0.5 * n))


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _sin_of_folded(r, sign):  # type: ignore[no-untyped-def]
    u = r * r
    p = (2.605151610064083e-06 * u - 0.00019809040024371558) * u + 0.008333050533612595
    return sign * r * ((p * u - 0.16666657966461887) * u + 0.9999999957137162)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _cos_of_folded(r, sign):  # type: ignore[no-untyped-def]
    u = r * r
    p = (2.3153014365357804e-05 * u - 0.0013853660033010886) * u + 0.04166357801859109
    return sign * ((p * u - 0.49999905025299785) * u + 0.999999953224469)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _sin(z):  # type: ignore[no-untyped-def]
    """Return sin(z) to about 1e-7; faster than the library's sine, which handles far larger arguments than occur."""
    r, sign = _fold(z)
    return _sin_of_folded(r, sign)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _apply(a, weights):  # type: ignore[no-untyped-def]
    """Return a @ weights for ``a`` in -1 ... 1, where float16 has as many significant bits as TF32."""
    return tl.dot(a.to(tl.float16), weights.to(tl.float16))


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _apply_to_gradient(g, weights):  # type: ignore[no-untyped-def]
    """Return g @ weights; gradients may be tiny, so they are rounded to bfloat16, which has float32's exponent."""
    return tl.dot(g.to(_GRADIENT), weights.to(_GRADIENT))


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _weights(w_ptr, rows, columns, n_rows, n_columns):  # type: ignore[no-untyped-def]
    """Load an nn.Linear's weight [out, in] as a tile [in, out], padded with zeros."""
    mask = (rows[:, None] < n_rows) & (columns[None, :] < n_columns)
    return tl.load(w_ptr + columns[None, :] * n_rows + rows[:, None], mask=mask, other=0.0)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _inner_layer(w_ptr, b_ptr, channel, width: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return the weights and the bias of a hidden layer of ``width`` inputs and outputs."""
    return _weights(w_ptr, channel, channel, width, width), tl.load(b_ptr + channel, mask=channel < width, other=0.0)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _forward_kernel(  # type: ignore[no-untyped-def]
    base, shift, w1, b1, w2, b2, w_last, b_last, out, points, images, instants,
    width: tl.constexpr, wide: tl.constexpr, outputs: tl.constexpr, wide_out: tl.constexpr,
    layers: tl.constexpr, run: tl.constexpr, omega: tl.constexpr,
):  # fmt: skip
    image = tl.program_id(1)
    point = tl.program_id(0) * run + tl.arange(0, run)
    inside = (point < points)[:, None]
    channel, output = tl.arange(0, wide), tl.arange(0, wide_out)
    here = image * points + point
    x = tl.load(base + here[:, None] * width + channel, mask=inside & (channel < width), other=0.0)
    last = _weights(w_last, channel, output, width, outputs)
    last_bias = tl.load(b_last + output, mask=output < outputs, other=0.0)
    first, second = last, last
    first_bias, second_bias = last_bias, last_bias
    if layers > 0:
        first, first_bias = _inner_layer(w1, b1, channel, width)
    if layers > 1:
        second, second_bias = _inner_layer(w2, b2, channel, width)
    for instant in range(instants):
        moved = x + tl.load(shift + (instant * images + image) * width + channel, mask=channel < width, other=0.0)
        a = _sin(omega * moved)
        if layers > 0:
            a = _sin(omega * (_apply(a, first) + first_bias))
        if layers > 1:
            a = _sin(omega * (_apply(a, second) + second_bias))
        y = _apply(a, last) + last_bias
        where = instant * images * points + here
        tl.store(out + where[:, None] * outputs + output, y, mask=inside & (output < outputs))


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _backward_kernel(  # type: ignore[no-untyped-def]
    base, shift, w1, b1, w2, b2, w_last, grad_out,
    grad_base, grad_shift, grad_w1, grad_b1, grad_w2, grad_b2, grad_last, grad_last_bias,
    points, images, instants, tiles,
    width: tl.constexpr, wide: tl.constexpr, outputs: tl.constexpr, wide_out: tl.constexpr,
    layers: tl.constexpr, run: tl.constexpr, omega: tl.constexpr,
):  # fmt: skip
    image, program = tl.program_id(1), tl.program_id(1) * tl.num_programs(0) + tl.program_id(0)
    channel, output = tl.arange(0, wide), tl.arange(0, wide_out)
    last = _weights(w_last, channel, output, width, outputs)
    first, second = last, last
    first_bias = tl.zeros([wide], tl.float32)
    second_bias = first_bias
    d_first, d_second = tl.zeros([wide, wide], tl.float32), tl.zeros([wide, wide], tl.float32)
    d_first_bias, d_second_bias = tl.zeros([wide], tl.float32), tl.zeros([wide], tl.float32)
    d_last, d_last_bias = tl.zeros([wide, wide_out], tl.float32), tl.zeros([wide_out], tl.float32)
    if layers > 0:
        first, first_bias = _inner_layer(w1, b1, channel, width)
    if layers > 1:
        second, second_bias = _inner_layer(w2, b2, channel, width)
    for tile in range(tl.program_id(0), tiles, tl.num_programs(0)):
        point = tile * run + tl.arange(0, run)
        inside = (point < points)[:, None]
        here = image * points + point
        real = inside & (channel < width)
        x = tl.load(base + here[:, None] * width + channel, mask=real, other=0.0)
        gx = tl.zeros([run, wide], tl.float32)
        for instant in range(instants):
            moved = x + tl.load(shift + (instant * images + image) * width + channel, mask=channel < width, other=0.0)
            r0, sign0 = _fold(omega * moved)
            a0 = _sin_of_folded(r0, sign0)
            where = instant * images * points + here
            g = tl.load(grad_out + where[:, None] * outputs + output, mask=inside & (output < outputs), other=0.0)
            d_last_bias += tl.sum(g, axis=0)
            r1, sign1, a1, r2, sign2, top = r0, sign0, a0, r0, sign0, a0
            if layers > 0:
                r1, sign1 = _fold(omega * (_apply(a0, first) + first_bias))
                a1 = _sin_of_folded(r1, sign1)
                top = a1
            if layers > 1:
                r2, sign2 = _fold(omega * (_apply(a1, second) + second_bias))
                top = _sin_of_folded(r2, sign2)
            d_last += _apply_to_gradient(tl.trans(top), g)
            g = _apply_to_gradient(g, tl.trans(last))
            if layers > 1:
                g = g * omega * _cos_of_folded(r2, sign2)
                d_second_bias += tl.sum(g, axis=0)
                d_second += _apply_to_gradient(tl.trans(a1), g)
                g = _apply_to_gradient(g, tl.trans(second))
            if layers > 0:
                g = g * omega * _cos_of_folded(r1, sign1)
                d_first_bias += tl.sum(g, axis=0)
                d_first += _apply_to_gradient(tl.trans(a0), g)
                g = _apply_to_gradient(g, tl.trans(first))
            g = g * omega * _cos_of_folded(r0, sign0)
            gx += g
            row = (image * tiles + tile) * instants + instant
            tl.store(grad_shift + row * width + channel, tl.sum(g, axis=0), mask=channel < width)
        tl.store(grad_base + here[:, None] * width + channel, gx, mask=real)
    square = program * wide * wide + channel[:, None] * wide + channel
    if layers > 0:
        tl.store(grad_w1 + square, d_first)
        tl.store(grad_b1 + program * wide + channel, d_first_bias)
    if layers > 1:
        tl.store(grad_w2 + square, d_second)
        tl.store(grad_b2 + program * wide + channel, d_second_bias)
    tl.store(grad_last + program * wide * wide_out + channel[:, None] * wide_out + output, d_last)
    tl.store(grad_last_bias + program * wide_out + output, d_last_bias)


class _Siren(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, base: Tensor, shift: Tensor, last: Tensor, last_bias: Tensor, *hidden: Tensor) -> Tensor:
        base, shift = base.contiguous(), shift.contiguous()
        ctx.save_for_backward(base, shift, last, last_bias, *hidden)
        (images, points, _), instants = base.shape, len(shift)
        out = base.new_empty((instants, images, points, len(last)))
        programs = (triton.cdiv(points, _FORWARD_RUN), images)
        w1, b1, w2, b2 = _pairs(hidden, last, last_bias)
        _forward_kernel[programs](
            base, shift, w1, b1, w2, b2, last, last_bias, out, points, images, instants,
            **_sizes(base, last, hidden), run=_FORWARD_RUN, num_warps=_FORWARD_WARPS,
        )  # fmt: skip
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        base, shift, last, last_bias, *hidden = ctx.saved_tensors
        (images, points, width), instants = base.shape, len(shift)
        sizes = _sizes(base, last, hidden)
        wide, wide_out = sizes["wide"], sizes["wide_out"]
        tiles = triton.cdiv(points, _BACKWARD_RUN)
        programs = min(tiles, max(1, _BACKWARD_PROGRAMS // images))
        count = programs * images
        grad_base = torch.empty_like(base)
        grad_shift = base.new_empty((images, tiles, instants, width))
        # Each program writes its own sums, which are added in a fixed order: gradients are the same in every run.
        squares = [base.new_empty((count, wide, wide)) for _ in range(2)]
        rows = [base.new_empty((count, wide)) for _ in range(2)]
        grad_last, grad_last_bias = base.new_empty((count, wide, wide_out)), base.new_empty((count, wide_out))
        w1, b1, w2, b2 = _pairs(hidden, last, last_bias)
        _backward_kernel[(programs, images)](
            base, shift, w1, b1, w2, b2, last, grads[0].contiguous(),
            grad_base, grad_shift, squares[0], rows[0], squares[1], rows[1], grad_last, grad_last_bias,
            points, images, instants, tiles, **sizes, run=_BACKWARD_RUN, num_warps=_BACKWARD_WARPS,
        )  # fmt: skip
        of_hidden = []
        for square, row in list(zip(squares, rows, strict=True))[: len(hidden) // 2]:
            of_hidden += [square.sum(0)[:width, :width].t(), row.sum(0)[:width]]
        return (
            grad_base,
            grad_shift.sum(1).transpose(0, 1),
            grad_last.sum(0)[:width, : len(last)].t(),
            grad_last_bias.sum(0)[: len(last)],
            *of_hidden,
        )


def _pairs(hidden: Sequence[Tensor], last: Tensor, last_bias: Tensor) -> list[Tensor]:
    """Return weights and biases of two hidden layers; placeholders stand for absent layers and are never read."""
    return [*hidden, *((last, last_bias) * 2)][:4]


def _sizes(base: Tensor, last: Tensor, hidden: Sequence[Tensor]) -> dict[str, Any]:
    width, outputs = base.shape[-1], len(last)
    return {
        "width": width,
        "wide": max(16, triton.next_power_of_2(width)),
        "outputs": outputs,
        "wide_out": max(16, triton.next_power_of_2(outputs)),
        "layers": len(hidden) // 2,
        "omega": OMEGA,
    }


def fits(hidden_widths: Sequence[int], outputs: int) -> bool:
    """Whether :func:`siren` can compute a head with sine layers of these widths."""
    return len(set(hidden_widths)) == 1 and len(hidden_widths) <= 3 and max(*hidden_widths, outputs) <= MAX_WIDTH


def siren(base: Tensor, shift: Tensor, hidden: Sequence[tuple[Tensor, Tensor]], last: tuple[Tensor, Tensor]) -> Tensor:
    """Compute a head at B x P points and K instants.

    Args:
        base: The term of the first layer's pre-activation that does not depend on the instant [B, P, C].
        shift: The term that depends on the image and the instant only [K, B, C].
        hidden: Weight [C, C] and bias [C] of each further sine layer, two at most.
        last: Weight [outputs, C] and bias [outputs] of the linear layer.

    Returns:
        [K, B, P, outputs]. All tensors are float32 on CUDA; differentiable in all of them.
    """
    out: Tensor = _Siren.apply(base, shift, *last, *(tensor for pair in hidden for tensor in pair))  # type: ignore[no-untyped-call]
    return out
