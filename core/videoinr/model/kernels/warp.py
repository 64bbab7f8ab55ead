"""Warps channels-last maps along a flow in one pass, in Triton; for inference only.

The positions are computed where they are used: as maps of their own they take five more passes.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.kernels.reading import bilinear, place
from videoinr.model.kernels.starting import SIZES, form_of, start

_RUN = 32
"""Positions of a program."""
_STRIDES = ["by_image", "by_part", "by_row", "by_column", "left", "top", "from_left", "from_top"]


@triton.jit(do_not_specialize=[*SIZES, *_STRIDES])  # type: ignore[untyped-decorator, unused-ignore]
def _warp_kernel(  # type: ignore[no-untyped-def]
    image, flow, out, points, height, width, out_height, out_width,
    by_image, by_part, by_row, by_column, left, top, from_left, from_top,
    channels: tl.constexpr, padded: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    point = tl.program_id(0) * run + tl.arange(0, run)
    inside = point < points
    line, column = point // out_width, point % out_width
    number, row = line // out_height, line % out_height
    moved = flow + number * by_image + row * by_row + column * by_column
    # In this order: the sums are those of plain torch.
    x = (column + left).to(tl.float32) + tl.load(moved, mask=inside, other=0.0).to(tl.float32) - from_left
    y = (row + top).to(tl.float32) + tl.load(moved + by_part, mask=inside, other=0.0).to(tl.float32) - from_top
    corner, right, below, wx, wy, _, _ = place(x, y, inside, height, width)
    channel = tl.arange(0, padded)[None, :]
    mask = inside[:, None] & (channel < channels)
    first = (number * height * width + corner)[:, None] * channels + channel
    right, below = right[:, None] * channels, below[:, None] * channels
    read = bilinear(image, first, right, below, wx[:, None], wy[:, None], mask)
    tl.store(out + point[:, None] * channels + channel, read, mask=mask)


def warp(image: Tensor, flow: Tensor, *, at: tuple[int, int] = (0, 0), start_of: tuple[int, int] = (0, 0)) -> Tensor:
    """Read ``image`` bilinearly at x + ``flow``; the border is extended.

    Args:
        image: [B, C, H, W], of any floating-point type.
        flow: [B, 2, h, w], pixels, order (x, y); any strides.
        at: The column and row of the flow's first pixel.
        start_of: The column and row of the image's first pixel.

    Returns:
        [B, C, h, w] of the type of ``image``, channels last; sums are float32.
    """
    image = image.contiguous(memory_format=torch.channels_last)
    batch, channels, height, width = image.shape
    size = flow.shape[2:]
    shape = (batch, channels, *size)
    out = torch.empty(shape, dtype=image.dtype, device=image.device, memory_format=torch.channels_last)
    points = batch * size[0] * size[1]
    constants = {"channels": channels, "padded": triton.next_power_of_2(channels), "run": _RUN}
    kind = (image.dtype, flow.dtype, image.device, channels, form_of((image, flow, out)))
    arguments = (image, flow, out, points, height, width, *size, *flow.stride(), *at, *start_of)
    start(_warp_kernel, kind, (triton.cdiv(points, _RUN), 1, 1), arguments, constants)
    return out
