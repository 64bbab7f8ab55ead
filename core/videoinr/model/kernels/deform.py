"""A modulated deformable 3x3 convolution in one pass over channels-last maps, in Triton; for inference alone.

In plain torch what the taps read, nine times the map, goes to memory and back before it is multiplied. Here a program
reads a tap of its pixels, weighs it, multiplies it and goes on to the next: only the result is written.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor, nn

from videoinr.model.kernels.convolve import MAX_ELEMENTS, finish, packed

_RUN, _WARPS = 64, 4
"""Pixels of a program, and its warps."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _corner(  # type: ignore[no-untyped-def]
    x, image, row, column, weight, height, width, channel, inside, channels: tl.constexpr
):
    """What one corner of every group's position adds: [run, groups, channels of a group]; zero outside the map."""
    there = inside & (row >= 0) & (row < height) & (column >= 0) & (column < width)
    place = ((image * height + row) * width + column) * channels
    values = tl.load(x + place[:, :, None] + channel, mask=there[:, :, None], other=0.0)
    return values.to(tl.float32) * weight[:, :, None]


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _deform_kernel(  # type: ignore[no-untyped-def]
    x, moves, weight, bias, out, pixels, height, width,
    groups: tl.constexpr, each: tl.constexpr, pitch: tl.constexpr, outputs: tl.constexpr,
    wide: tl.constexpr, rest: tl.constexpr, slope: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    channels: tl.constexpr = groups * each
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    inside = (pixel < pixels)[:, None]
    column, line = (pixel % width)[:, None], (pixel // width)[:, None]
    row, image = line % height, line // height
    group = tl.arange(0, groups)[None, :]
    channel = (tl.arange(0, groups) * each)[None, :, None] + tl.arange(0, each)[None, None, :]
    entry, output = tl.arange(0, channels), tl.arange(0, wide)
    sums = tl.zeros((run, wide), tl.float32)
    if rest:
        more = wide + tl.arange(0, rest)
        more_sums = tl.zeros((run, rest), tl.float32)
    of_pixel = moves + pixel[:, None] * pitch
    for tap in range(9):
        index = group * 9 + tap
        down = tl.load(of_pixel + 2 * index, mask=inside, other=0.0).to(tl.float32)
        right = tl.load(of_pixel + 2 * index + 1, mask=inside, other=0.0).to(tl.float32)
        share = tl.load(of_pixel + 18 * groups + index, mask=inside, other=0.0).to(tl.float32)
        share = 1 / (1 + tl.exp(-tl.maximum(share, -80.0)))
        y, x_there = row + (tap // 3 - 1) + down, column + (tap % 3 - 1) + right
        # Far outside all is zero, however far; so far that whole numbers end, it must still be outside.
        y = tl.minimum(tl.maximum(y, -2.0), height + 1.0)
        x_there = tl.minimum(tl.maximum(x_there, -2.0), width + 1.0)
        top, left = tl.floor(y), tl.floor(x_there)
        below, after = y - top, x_there - left
        top_row, left_column = top.to(tl.int32), left.to(tl.int32)
        upper, lower = share * (1 - below), share * below
        values = _corner(x, image, top_row, left_column, upper * (1 - after), height, width, channel, inside, channels)
        values += _corner(x, image, top_row, left_column + 1, upper * after, height, width, channel, inside, channels)
        values += _corner(
            x, image, top_row + 1, left_column, lower * (1 - after), height, width, channel, inside, channels
        )
        values += _corner(
            x, image, top_row + 1, left_column + 1, lower * after, height, width, channel, inside, channels
        )
        read = tl.reshape(values, (run, channels)).to(x.dtype.element_ty)
        factors = weight + (tap * channels + entry)[:, None] * (wide + rest)
        sums = tl.dot(read, tl.load(factors + output[None, :]), sums)
        if rest:
            more_sums = tl.dot(read, tl.load(factors + more[None, :]), more_sums)
    finish(sums, pixel, pixel < pixels, output, bias, out, out, outputs, slope, False)
    if rest:
        finish(more_sums, pixel, pixel < pixels, more, bias, out, out, outputs, slope, False)


def serves(x: Tensor, groups: int) -> bool:
    """Whether :func:`deform` can read ``x`` [B, C, H, W] in so many groups of channels."""
    each = x.shape[1] // groups
    powers = all(count & (count - 1) == 0 for count in (groups, each))
    return powers and groups * each >= 16 and 27 * groups * x[:, 0].numel() <= MAX_ELEMENTS


def deform(
    layer: nn.Module, x: Tensor, moves: Tensor, *, groups: int, slope: float = 1.0, dtype: torch.dtype = torch.float16
) -> Tensor:
    """leaky(:func:`~videoinr.model.deformable.deformable_conv`) -> [B, D, H, W] of ``dtype``, channels last.

    ``layer`` has the ``weight`` and ``bias``. ``moves`` [B, G * 27, H, W]: offsets, then what the sigmoid makes masks
    of, laid out as there. Positions, weights and sums are float32.
    """
    x = x.to(dtype).contiguous(memory_format=torch.channels_last)
    moves = moves.contiguous(memory_format=torch.channels_last)
    batch, channels, height, width = x.shape
    ready = packed(layer, dtype, channels, (channels,))
    outputs, pixels = len(layer.weight), batch * height * width  # type: ignore[arg-type]
    shape = (batch, outputs, height, width)
    out = torch.empty(shape, dtype=dtype, device=x.device, memory_format=torch.channels_last)
    _deform_kernel[(triton.cdiv(pixels, _RUN),)](
        x, moves, ready.weight, ready.bias, out, pixels, height, width,
        groups=groups, each=channels // groups, pitch=27 * groups, outputs=outputs,
        wide=ready.wide, rest=ready.rest, slope=slope, run=_RUN, num_warps=_WARPS,
    )  # fmt: skip
    return out
