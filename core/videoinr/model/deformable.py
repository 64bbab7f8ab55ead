"""Modulated deformable convolution: 3x3, each tap read where an offset says and weighed by a mask.

torchvision's operator does it where torchvision is installed; everywhere else (and it is no dependency of ours) plain
torch does, on any device, with gradients, to the same numbers. Where CUDA infers in half precision, a kernel of our own
(kernels/deform.py) takes the place of either.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from videoinr.model import kernels
from videoinr.model.ops import activated, convolved

TAPS = 9
"""Of a 3x3 kernel, row by row."""
_BAND_BYTES = 8 * 2**20
"""What is read for one band of rows, on a CPU: about what its caches hold. Twice as fast as all rows at once."""
_LARGE_BAND_BYTES = 256 * 2**20
"""The same elsewhere: few launches, and memory bounded."""


def deformable_conv(x: Tensor, offsets: Tensor, masks: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A 3x3 convolution of ``x`` [B, C, H, W] with stride 1, padding 1 and moved taps -> [B, D, H, W], float32.

    ``weight`` [D, C, 3, 3] and ``bias`` [D]. The channels of x fall into G groups, each with its own ``offsets``
    [B, G * 9 * 2, H, W] (laid out group, tap, then y and x; pixels) and ``masks`` [B, G * 9, H, W] (group, tap;
    already in 0 ... 1). A tap reads x bilinearly, and zeros outside. Differentiable in all five.

    Under autocast only what the taps have read is in half precision, as the inputs of any other convolution are:
    half precision would round the positions.
    """
    kind = x.device.type
    product = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
    x, offsets, weight, bias = x.float(), offsets.float(), weight.float(), bias.float()
    with torch.autocast(kind, enabled=False):
        # What torch.compile can see through, it joins with what comes before and after. And torchvision's gradients,
        # replayed in a CUDA graph, ended in an illegal memory access (torch 2.11, H200): training keeps to plain torch.
        trains = torch.is_grad_enabled() and weight.requires_grad and x.is_cuda
        operator = None if trains or torch.compiler.is_compiling() else _torchvision_operator()
        if operator is not None:
            answer: Tensor = operator(x, offsets, weight, bias, padding=1, mask=masks.float())
            return answer
        return plain_deformable_conv(x, offsets, masks, weight, bias, product=product)


def plain_deformable_conv(
    x: Tensor, offsets: Tensor, masks: Tensor, weight: Tensor, bias: Tensor, *, product: torch.dtype | None = None
) -> Tensor:
    """:func:`deformable_conv` in plain torch, one band of rows at a time.

    ``product``: the type of the factors of its matrix product; without it, that of ``x`` throughout.
    """
    batch, channels, height, width = x.shape
    bytes_per_row = 4 * batch * channels * TAPS * width
    rows = max(1, (_BAND_BYTES if x.device.type == "cpu" else _LARGE_BAND_BYTES) // bytes_per_row)
    product = product or x.dtype
    kernel = weight.flatten(1).to(product)
    bands = []
    for top in range(0, height, rows):
        band = slice(top, min(top + rows, height))
        read = _read_taps(x, offsets[:, :, band], masks[:, :, band], top=top, dtype=product)
        bands.append(torch.matmul(kernel, read).view(batch, len(kernel), -1, width))
    return (bands[0] if len(bands) == 1 else torch.cat(bands, 2)) + bias[:, None, None]


def _read_taps(x: Tensor, offsets: Tensor, masks: Tensor, *, top: int, dtype: torch.dtype) -> Tensor:
    """What the taps of some rows (offsets [B, G * 9 * 2, n, W]) read, weighed: [B, C * 9, n * W], of ``dtype``."""
    batch, _, height, width = x.shape
    groups, rows = masks.shape[1] // TAPS, masks.shape[2]
    tap = torch.arange(TAPS, device=x.device)[:, None, None]
    columns = torch.arange(width, device=x.device) + tap % 3
    lines = torch.arange(top, top + rows, device=x.device)[:, None] + tap // 3
    moved = offsets.reshape(batch * groups, TAPS, 2, rows, width)
    # Of pixel p of n: (2p + 1) / n - 1. What no gradient passes is worked out on one row and one column.
    unit_x = torch.add((2 * columns - 1) / width - 1, moved[:, :, 1], alpha=2 / width)
    unit_y = torch.add((2 * lines - 1) / height - 1, moved[:, :, 0], alpha=2 / height)
    grid = torch.stack((unit_x, unit_y), -1).view(batch * groups, TAPS * rows, width, 2)
    maps = x.reshape(batch * groups, -1, height, width)
    read = F.grid_sample(maps, grid, padding_mode="zeros", align_corners=False).to(dtype)
    weights = masks.to(dtype).reshape(batch * groups, 1, TAPS, rows, width)
    read = read.view(batch * groups, -1, TAPS, rows, width) * weights
    return read.view(batch, -1, rows * width)


@cache
def _torchvision_operator() -> Callable[..., Any] | None:
    try:
        operator: Callable[..., Any] = importlib.import_module("torchvision.ops").deform_conv2d
    except (ImportError, RuntimeError, OSError, AttributeError):  # absent, or built for another torch
        return None
    return operator


def deformable_conv_source() -> str:
    """Whose deformable convolution is in use: ``torchvision`` or ``torch``."""
    return "torch" if _torchvision_operator() is None else "torchvision"


class DeformableConv(nn.Module):
    """A 3x3 deformable convolution whose offsets and masks come from a guide map by a convolution of their own.

    At first nothing is moved and every mask is 1/2.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self._groups = groups
        self.offsets_and_masks = nn.Conv2d(channels, 3 * TAPS * groups, 3, 1, 1)
        self.weight = nn.Parameter(torch.empty(channels, channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(channels))
        bound = (channels * TAPS) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.zeros_(self.offsets_and_masks.weight)
        nn.init.zeros_(self.offsets_and_masks.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, guide: Tensor, *, slope: float = 1.0) -> Tensor:
        """``x`` [B, C, H, W] and its guide, of the same shape -> leaky(the convolution) [B, C, H, W].

        ``slope``: as of :func:`~videoinr.model.ops.convolved`.
        """
        dtype = kernels.half_inference(x)
        if dtype is not None:
            from videoinr.model.kernels.deform import deform, serves

            if serves(x, self._groups):
                return deform(self, x, guide, groups=self._groups, slope=slope, dtype=dtype)
        moves = convolved(self.offsets_and_masks, guide)
        offsets_y_x, masks = moves.tensor_split((2 * TAPS * self._groups,), 1)
        return activated(deformable_conv(x, offsets_y_x, masks.sigmoid(), self.weight, self.bias), slope)
