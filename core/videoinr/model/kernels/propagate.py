"""Chooses each point's flow among its neighbours' on CUDA, in Triton; for inference only.

Plain torch stacks, warps and compares the candidates in some thirty launches, each of which takes longer than its work
on a level of a quarter of the frames' size. Here are two: the errors of all candidates, and their comparison.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.kernels.reading import bilinear
from videoinr.model.kernels.starting import SIZES, form_of, start

_RUN = 32
"""Points of a program."""
_BITS = 16
MOST_DISTANCES = 3
"""Distances that one packed integer holds."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _neighbour(number, packed, line, column, height, width, bits: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return the line and the column of candidate ``number``; the border is extended."""
    distance = ((packed >> (bits * ((number - 1) // 4))) & ((1 << bits) - 1)).to(tl.int32)
    way = (number - 1) % 4
    own = number == 0
    down = tl.where(way == 0, -distance, tl.where(way == 1, distance, 0))
    right = tl.where(way == 2, -distance, tl.where(way == 3, distance, 0))
    down, right = tl.where(own, 0, down), tl.where(own, 0, right)
    return (
        tl.minimum(tl.maximum(line + down, 0), height - 1),
        tl.minimum(tl.maximum(column + right, 0), width - 1),
    )


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _seen(table, first_row, x, y, mask, height, width, channel, channels: tl.constexpr):  # type: ignore[no-untyped-def]
    """Sample an image bilinearly; positions outside read the border."""
    x, y = tl.minimum(tl.maximum(x, 0.0), width - 1.0), tl.minimum(tl.maximum(y, 0.0), height - 1.0)
    left, top = tl.floor(x), tl.floor(y)
    wx, wy = (x - left)[:, None], (y - top)[:, None]
    corner = (first_row + top.to(tl.int32)) * width + left.to(tl.int32)
    right = tl.where(left + 1 < width, channels, 0)[:, None]
    below = tl.where(top + 1 < height, width * channels, 0)[:, None]
    return bilinear(table, corner[:, None] * channels + channel, right, below, wx, wy, mask)


@triton.jit(do_not_specialize=SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def _errors_kernel(  # type: ignore[no-untyped-def]
    first, second, flow, errors, packed, points, height, width,
    bits: tl.constexpr, channels: tl.constexpr, padded: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    point, number = tl.program_id(0) * run + tl.arange(0, run), tl.program_id(1)
    inside = point < points
    row, column = point // width, point % width
    line, first_row = row % height, (row // height) * height
    there_line, there_column = _neighbour(number, packed, line, column, height, width, bits)
    there = flow + ((first_row + there_line) * width + there_column) * 4
    channel = tl.arange(0, padded)[None, :]
    mask = inside[:, None] & (channel < channels)
    x, y = column.to(tl.float32), line.to(tl.float32)
    x1, y1 = x + tl.load(there, mask=inside, other=0.0), y + tl.load(there + 1, mask=inside, other=0.0)
    x2, y2 = x + tl.load(there + 2, mask=inside, other=0.0), y + tl.load(there + 3, mask=inside, other=0.0)
    one = _seen(first, first_row, x1, y1, mask, height, width, channel, channels)
    two = _seen(second, first_row, x2, y2, mask, height, width, channel, channels)
    tl.store(errors + number * points + point, tl.sum(tl.abs(one - two), axis=1) / channels, mask=inside)


@triton.jit(do_not_specialize=SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def _choice_kernel(  # type: ignore[no-untyped-def]
    errors, flow, out, packed, margin, points, height, width,
    bits: tl.constexpr, candidates: tl.constexpr, window: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    point = tl.program_id(0) * run + tl.arange(0, run)
    inside = point < points
    row, column = point // width, point % width
    line, first_row = row % height, (row // height) * height
    best, chosen = tl.full((run,), float("inf"), tl.float32), tl.zeros((run,), tl.int32)
    for number in range(candidates):
        total, count = tl.zeros((run,), tl.float32), tl.zeros((run,), tl.float32)
        for tap in range(window * window):
            near_line, near_column = line + tap // window - window // 2, column + tap % window - window // 2
            seen = inside & (near_line >= 0) & (near_line < height) & (near_column >= 0) & (near_column < width)
            at = number * points + (first_row + near_line) * width + near_column
            total += tl.load(errors + at, mask=seen, other=0.0)
            count += seen.to(tl.float32)
        error = total / tl.maximum(count, 1.0) * tl.where(number == 0, 1.0, margin)
        better = error < best
        best, chosen = tl.where(better, error, best), tl.where(better, number, chosen)
    there_line, there_column = _neighbour(chosen, packed, line, column, height, width, bits)
    there = flow + ((first_row + there_line) * width + there_column) * 4
    part = tl.arange(0, 4)[None, :]
    taken = tl.load(there[:, None] + part, mask=inside[:, None], other=0.0)
    tl.store(out + point[:, None] * 4 + part, taken, mask=inside[:, None])


def propagate(
    first: Tensor, second: Tensor, flow: Tensor, distances: Sequence[int], *, window: int, margin: float
) -> Tensor:
    """Choose flows as :func:`videoinr.model.ops.propagated` does.

    Args:
        first: The first frame's feature [B, C, H, W], of any floating-point type.
        second: The second frame's feature.
        flow: [B, 4, H, W] float32.
        distances: At most ``MOST_DISTANCES`` distances, pixels.
        window: Side of the window over which an error is averaged, pixels.
        margin: Factor on a neighbour's error.

    Returns:
        The flow, [B, 4, H, W], channels last.
    """
    first, second = (image.contiguous(memory_format=torch.channels_last) for image in (first, second))
    flow = flow.float().contiguous(memory_format=torch.channels_last)
    batch, channels, height, width = first.shape
    points, candidates = batch * height * width, 1 + 4 * len(distances)
    packed = sum(distance << (_BITS * place) for place, distance in enumerate(distances))
    errors = torch.empty((candidates, points), dtype=torch.float32, device=flow.device)
    out = torch.empty_like(flow)
    programs = triton.cdiv(points, _RUN)
    padded = triton.next_power_of_2(channels)
    start(
        _errors_kernel, (first.dtype, flow.device, packed, channels, form_of((first, second, flow, errors))),
        (programs, candidates, 1), (first, second, flow, errors, packed, points, height, width),
        {"bits": _BITS, "channels": channels, "padded": padded, "run": _RUN},
    )  # fmt: skip
    start(
        _choice_kernel, (flow.device, packed, candidates, window, form_of((errors, flow, out))),
        (programs, 1, 1), (errors, flow, out, packed, margin, points, height, width),
        {"bits": _BITS, "candidates": candidates, "window": window, "run": _RUN}, num_warps=1,
    )  # fmt: skip
    return out
