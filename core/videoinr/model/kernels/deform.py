"""A modulated deformable 3x3 convolution in one pass over channels-last maps, in Triton; for inference only.

Plain torch writes the values that the taps read, nine times the size of the map, to memory and reads them again for the
product. Here a program reads one tap of its pixels, applies the mask, multiplies, and continues with the next tap: only
the result is written.

Precision: positions, masks and sums are float32; values are interpolated and multiplied in the type of the maps.
Float32 maps, which only tests use, are multiplied by IEEE 754 (input_precision="ieee") and give torch's float32 result
(with TF32 off) to 2e-5: twice the tolerance of a plain convolution, because rounded offsets change what the taps read.
"""

from __future__ import annotations

from functools import partial

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.deformable import DeformableParameters
from videoinr.model.kernels.bare import bare
from videoinr.model.kernels.convolve import MAX_ELEMENTS, convolve_or_torch, packed
from videoinr.model.kernels.reading import sigmoid

_TAPS = 9
_RUN, _WARPS, _STAGES = 64, 8, 1
"""Pixels of a program, its warps, and its loads in flight (with two, fewer programs would fit a multiprocessor)."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _corner(x, place, share, channel):  # type: ignore[no-untyped-def]
    """Return one corner's weighted values for pairs of pixel and group [pairs, channels of a group], of x's type."""
    return tl.load(x + (place[:, None] + channel[None, :])) * share.to(x.dtype.element_ty)[:, None]


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _deform_kernel(  # type: ignore[no-untyped-def]
    x, moves, moved, weight, bias, out, pixels, height, width,
    groups: tl.constexpr, each: tl.constexpr, slope: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    channels: tl.constexpr = groups * each
    # One index runs over pairs of pixel and group: neighbouring threads then read the groups of one pixel, which are
    # mostly adjacent. Declared as not contiguous, each pair's position is computed by the thread that reads there.
    pair = tl.arange(0, run * groups)
    group = tl.max_contiguous(pair % groups, 1)
    pixel = tl.minimum(tl.program_id(0) * run + pair // groups, pixels - 1)
    column, line = pixel % width, pixel // width
    row = line % height
    first_line = line - row
    channel, entry = tl.arange(0, each), tl.arange(0, channels)
    sums = tl.zeros((channels, run), tl.float32)
    for tap in range(9):
        index = tap * 3 * groups + group
        of_pair = moves + (pixel * (27 * groups) + index)
        down = tl.load(of_pair).to(tl.float32) + tl.load(moved + index)
        right = tl.load(of_pair + groups).to(tl.float32) + tl.load(moved + index + groups)
        share = sigmoid(tl.load(of_pair + 2 * groups).to(tl.float32) + tl.load(moved + index + 2 * groups))
        # Everything outside is zero, so positions may be clamped to just outside; unclamped they might exceed int32.
        y = tl.minimum(tl.maximum(row + (tap // 3 - 1) + down, -1.0), height * 1.0)
        x_there = tl.minimum(tl.maximum(column + (tap % 3 - 1) + right, -1.0), width * 1.0)
        top, left = tl.floor(y), tl.floor(x_there)
        below, after = y - top, x_there - left
        top, left = top.to(tl.int32), left.to(tl.int32)
        # Neighbours outside have zero weight; a pixel inside is read in their place.
        upper = tl.where((top >= 0) & (top < height), share * (1 - below), 0.0)
        lower = tl.where(top < height - 1, share * below, 0.0)
        near = tl.where((left >= 0) & (left < width), 1 - after, 0.0)
        far = tl.where(left < width - 1, after, 0.0)
        high = (first_line + tl.minimum(tl.maximum(top, 0), height - 1)) * width
        low = (first_line + tl.minimum(top + 1, height - 1)) * width
        left, right_column = tl.minimum(tl.maximum(left, 0), width - 1), tl.minimum(left + 1, width - 1)
        from_group = group * each
        values = _corner(x, (high + left) * channels + from_group, upper * near, channel)
        values += _corner(x, (high + right_column) * channels + from_group, upper * far, channel)
        values += _corner(x, (low + left) * channels + from_group, lower * near, channel)
        values += _corner(x, (low + right_column) * channels + from_group, lower * far, channel)
        # The product is transposed so that the values are its second factor. As the first, the compiler would move
        # each corner's values between threads before they are weighted.
        factors = tl.load(weight + ((tap * channels + entry)[None, :] * channels + entry[:, None]))
        sums = tl.dot(factors, tl.trans(tl.reshape(values, (run, channels))), sums, input_precision="ieee")
    sums += tl.load(bias + entry)[:, None]
    if slope != 1.0:
        sums = tl.where(sums > 0, sums, sums * slope)
    answer = tl.program_id(0) * run + tl.arange(0, run)
    place = answer[None, :] * channels + entry[:, None]
    tl.store(out + place, sums.to(out.dtype.element_ty), mask=(answer < pixels)[None, :])


def supports(x: Tensor, groups: int) -> bool:
    """Whether :func:`deform` can read ``x`` [B, C, H, W] in ``groups`` groups of channels."""
    each = x.shape[1] // groups
    powers = all(count & (count - 1) == 0 for count in (groups, each))
    return powers and groups * each >= 16 and max(27 * groups, x.shape[1]) * x[:, 0].numel() <= MAX_ELEMENTS


def deform(
    layer: DeformableParameters,
    x: Tensor,
    guide: Tensor,
    *,
    groups: int,
    slope: float = 1.0,
    dtype: torch.dtype = torch.float16,
) -> Tensor:
    """Compute a deformable convolution, with offsets and masks predicted from a guide map, and its activation.

    Args:
        layer: The parameters.
        x: [B, C, H, W], which :func:`supports`.
        guide: [B, C, H, W].
        groups: The number of groups of channels with offsets and masks of their own.
        slope: Slope of the activation for negative values: 0 is ReLU, 1 no activation.
        dtype: The type that maps and weights are converted to.

    Returns:
        [B, C, H, W] of ``dtype``, channels last.
    """
    known = bare(layer.offsets_and_masks, dtype, order=partial(_by_tap, groups=groups))
    moves = convolve_or_torch(known.conv, guide, dtype=dtype).contiguous(memory_format=torch.channels_last)
    x = x.to(dtype).contiguous(memory_format=torch.channels_last)
    batch, channels, height, width = x.shape
    ready, pixels, out = packed(layer, dtype, channels, (channels,)), batch * height * width, torch.empty_like(x)
    _deform_kernel[(triton.cdiv(pixels, _RUN),)](
        x, moves, known.bias, ready.weight, ready.bias, out, pixels, height, width,
        groups=groups, each=channels // groups, slope=slope, run=_RUN, num_warps=_WARPS, num_stages=_STAGES,
    )  # fmt: skip
    return out


def _by_tap(values: Tensor, *, groups: int) -> Tensor:
    """Reorder the outputs [G * 27, ...] of the convolution that predicts offsets and masks.

    From all offsets (by group, then tap, then y and x) followed by all masks (by group, then tap), to one order by tap,
    then y, x and mask, then group, in which a program reads adjacent values at a time.
    """
    kinds = values.tensor_split((2 * _TAPS * groups,))
    by_group = [kind.reshape(groups, _TAPS, -1, *kind.shape[1:]) for kind in kinds]
    return torch.cat([one.movedim(0, 2) for one in by_group], 1).flatten(0, 2)
