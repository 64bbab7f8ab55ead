"""The end of a step of the motion search in one pass, and maps of few channels in the form that products read.

In Triton, for inference only. Done by torch these are a dozen launches for each band of a frame.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.kernels.starting import SIZES, form_of, start

_RUN = 128
"""Pixels of a program."""
_STRIDES = ["by_image", "by_part", "by_row", "by_column"]


@triton.jit(do_not_specialize=[*SIZES, *_STRIDES])  # type: ignore[untyped-decorator, unused-ignore]
def _finish_kernel(  # type: ignore[no-untyped-def]
    made, flow, new_flow, new_hidden, pixels, height, width, by_image, by_part, by_row, by_column,
    hidden: tl.constexpr, padded: tl.constexpr, slope: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    line, column = pixel // width, pixel % width
    part = tl.arange(0, 4)[None, :]
    mask = (pixel < pixels)[:, None] & (part < 4)
    begin = (line // height) * by_image + (line % height) * by_row + column * by_column
    old = tl.load(flow + begin[:, None] + part * by_part, mask=mask, other=0.0)
    change = tl.load(made + pixel[:, None] * (4 + hidden) + part, mask=mask, other=0.0).to(tl.float32)
    tl.store(new_flow + pixel[:, None] * 4 + part, old + change, mask=mask)
    channel = tl.arange(0, padded)[None, :]
    mask = (pixel < pixels)[:, None] & (channel < hidden)
    value = tl.load(made + pixel[:, None] * (4 + hidden) + 4 + channel, mask=mask, other=0.0).to(tl.float32)
    tl.store(new_hidden + pixel[:, None] * hidden + channel, tl.where(value > 0, value, value * slope), mask=mask)


def finish(made: Tensor, flow: Tensor, *, slope: float) -> tuple[Tensor, Tensor]:
    """Return the refined flow and the activated hidden map.

    Args:
        made: The last layer's output [B, 4 + hidden, H, W]: what the flow changes by, and the hidden map.
        flow: The flow before, float32 [B, 4, H, W]; any strides.
        slope: Slope of the activation for negative values.

    Returns:
        The flow, float32 [B, 4, H, W], and the hidden map [B, hidden, H, W], of the type of ``made``; channels last.
    """
    made = made.contiguous(memory_format=torch.channels_last)
    batch, channels, height, width = made.shape
    hidden, pixels = channels - 4, batch * height * width
    new_flow = _empty((batch, 4, height, width), torch.float32, made.device)
    new_hidden = _empty((batch, hidden, height, width), made.dtype, made.device)
    arguments = (made, flow, new_flow, new_hidden, pixels, height, width, *flow.stride())
    constants = {"hidden": hidden, "padded": triton.next_power_of_2(hidden), "slope": slope, "run": _RUN}
    kind = (made.dtype, made.device, hidden, slope, form_of((made, flow, new_flow, new_hidden)))
    start(_finish_kernel, kind, (triton.cdiv(pixels, _RUN), 1, 1), arguments, constants)
    return new_flow, new_hidden


@triton.jit(do_not_specialize=[*SIZES, *_STRIDES])  # type: ignore[untyped-decorator, unused-ignore]
def _words_kernel(  # type: ignore[no-untyped-def]
    x, out, pixels, height, width, by_image, by_part, by_row, by_column,
    channels: tl.constexpr, filled: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    line, column, channel = pixel // width, pixel % width, tl.arange(0, filled)[None, :]
    begin = (line // height) * by_image + (line % height) * by_row + column * by_column
    inside = (pixel < pixels)[:, None]
    value = tl.load(x + begin[:, None] + channel * by_part, mask=inside & (channel < channels), other=0.0)
    tl.store(out + pixel[:, None] * filled + channel, value.to(out.dtype.element_ty), mask=inside)


def words(x: Tensor, dtype: torch.dtype, multiple: int) -> Tensor:
    """Return a map with its channels filled up with zeros, channels last.

    Args:
        x: [B, C, H, W] of any floating-point type and any strides; C is at most ``multiple``, a power of two.
        dtype: The type of the result.
        multiple: The channels of the result.

    Returns:
        [B, multiple, H, W].
    """
    batch, channels, height, width = x.shape
    out = _empty((batch, multiple, height, width), dtype, x.device)
    pixels = batch * height * width
    constants = {"channels": channels, "filled": multiple, "run": _RUN}
    kind = (x.dtype, dtype, x.device, channels, multiple, form_of((x, out)))
    arguments = (x, out, pixels, height, width, *x.stride())
    start(_words_kernel, kind, (triton.cdiv(pixels, _RUN), 1, 1), arguments, constants)
    return out


def _empty(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.empty(shape, dtype=dtype, device=device, memory_format=torch.channels_last)
