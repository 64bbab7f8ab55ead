"""Resizes channels-last maps bilinearly in one pass, in Triton; for inference only.

Under autocast torch resizes in float32, with two more passes that convert the type before and after.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from videoinr.model.kernels.starting import SIZES, form_of, start

_RUN, _WARPS = 32, 4
"""Pixels of a program, and its warps."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _ends(place, size, step):  # type: ignore[no-untyped-def]
    """Return both neighbours of output pixel ``place`` on an axis of ``size`` pixels, and the second one's weight."""
    at = tl.maximum((place + 0.5) * step - 0.5, 0.0)
    first = tl.minimum(at.to(tl.int32), size - 1)
    return first, tl.minimum(first + 1, size - 1), at - first


@triton.jit(do_not_specialize=SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def _resize_kernel(  # type: ignore[no-untyped-def]
    x, out, pixels, height, width, out_height, out_width, step_y, step_x,
    gain: tl.constexpr, channels: tl.constexpr, padded: tl.constexpr, run: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    line, channel = pixel // out_width, tl.arange(0, padded)[None, :]
    mask = (pixel < pixels)[:, None] & (channel < channels)
    high, low, below = _ends(line % out_height, height, step_y)
    left, right, after = _ends(pixel % out_width, width, step_x)
    first_line = (line // out_height) * height
    high, low = (first_line + high) * width, (first_line + low) * width
    below, after = below[:, None], after[:, None]
    upper = tl.load(x + (high + left)[:, None] * channels + channel, mask=mask, other=0.0).to(tl.float32) * (1 - after)
    upper += tl.load(x + (high + right)[:, None] * channels + channel, mask=mask, other=0.0).to(tl.float32) * after
    lower = tl.load(x + (low + left)[:, None] * channels + channel, mask=mask, other=0.0).to(tl.float32) * (1 - after)
    lower += tl.load(x + (low + right)[:, None] * channels + channel, mask=mask, other=0.0).to(tl.float32) * after
    answer = (upper * (1 - below) + lower * below) * gain
    tl.store(out + pixel[:, None] * channels + channel, answer.to(out.dtype.element_ty), mask=mask)


def resize(x: Tensor, size: tuple[int, int], *, gain: float = 1.0) -> Tensor:
    """Resize ``x`` bilinearly, as torch does with align_corners=False, and multiply it by ``gain``.

    Args:
        x: [B, C, H, W] of any floating-point type.
        size: Height and width of the result.
        gain: A factor, 2 for a flow that is enlarged twice.

    Returns:
        [B, C, *size] of the type of ``x``, channels last; sums are float32.
    """
    x = x.contiguous(memory_format=torch.channels_last)
    batch, channels, height, width = x.shape
    shape = (batch, channels, *size)
    out = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    pixels = batch * size[0] * size[1]
    arguments = (x, out, pixels, height, width, *size, height / size[0], width / size[1])
    constants = {"gain": gain, "channels": channels, "padded": triton.next_power_of_2(channels), "run": _RUN}
    kind = (x.dtype, x.device, gain, channels, form_of((x, out)))
    start(_resize_kernel, kind, (triton.cdiv(pixels, _RUN), 1, 1), arguments, constants, num_warps=_WARPS)
    return out
