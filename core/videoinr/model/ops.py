"""The convolutions that the encoders are made of, and what comes before and after each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from videoinr.model import kernels

LEAK = 0.1
"""The encoders' activation leaks this share of what is below zero."""


def leaky(x: Tensor) -> Tensor:
    """The encoders' activation."""
    return activated(x, LEAK)


def activated(x: Tensor, slope: float) -> Tensor:
    """``x`` with ``slope`` times what is below zero: 0 is ReLU, 1 nothing at all."""
    if slope == 1.0:
        return x
    return F.relu(x) if slope == 0.0 else F.leaky_relu(x, slope)


def conv(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size (or halves it, rounding up)."""
    return nn.Conv2d(in_channels, out_channels, 3, stride, 1)


def convolved(layer: nn.Conv2d, *parts: Tensor, slope: float = 1.0, add: Tensor | None = None) -> Tensor:
    """leaky(layer(x)) + add: a convolution and what follows it -> [B, D, H', W'].

    x is the channels of ``parts`` one after the other, each [B, C, H, W]; ``slope`` as of :func:`activated`. One
    pass in all where CUDA infers in half precision.
    """
    dtype = kernels.half_inference(parts[0])
    if dtype is not None:
        from videoinr.model.kernels.convolve import convolve, serves

        if serves(layer, parts[0]):
            return convolve(layer, parts, slope=slope, add=add, dtype=dtype)
    out = activated(layer(joined(parts) if len(parts) > 1 else parts[0]), slope)
    return out if add is None else add + out


def joined(parts: Sequence[Tensor], dtype: torch.dtype | None = None, *, multiple: int = 1) -> Tensor:
    """The channels of ``parts``, each [B, C, H, W], one after the other, and zeros up to a ``multiple`` of channels.

    Of ``dtype``, or that of the first; channels last but for parts that gradients pass, which are not filled up.
    """
    first, channels = parts[0], sum(part.shape[1] for part in parts)
    dtype, filled = dtype or first.dtype, -(-channels // multiple) * multiple
    if torch.is_grad_enabled() and any(part.requires_grad for part in parts):
        return torch.cat([part.to(dtype) for part in parts], 1)
    if len(parts) == 1 and filled == channels:
        return first.to(dtype).contiguous(memory_format=torch.channels_last)
    shape = (len(first), filled, *first.shape[2:])
    out = torch.empty(shape, dtype=dtype, device=first.device, memory_format=torch.channels_last)
    if filled > channels:
        out.zero_()
    begin = 0
    for part in parts:
        # Not torch.cat: of channels-last maps on an H100 it took 8.9 of the 14.9 ms in which lite encoded 960x540.
        out[:, begin : begin + part.shape[1]] = part
        begin += part.shape[1]
    return out


def resized(x: Tensor, size: tuple[int, int], *, gain: float = 1.0) -> Tensor:
    """``gain`` times ``x`` [B, C, H, W], bilinear -> [B, C, *size]."""
    if kernels.half_inference(x) is not None:
        from videoinr.model.kernels.resize import resize

        return resize(x, size, gain=gain)
    out = F.interpolate(x, size, mode="bilinear", align_corners=False)
    return out if gain == 1.0 else gain * out


class ExactConv(nn.Conv2d):
    """A 3x3 convolution that keeps the size, and that a CPU computes in float32 even where autocast is on.

    The frames come in through one and the flows go out through others. In bfloat16 (8 bits) that would round pixels
    by up to half an 8-bit level, and flows by up to a 512th of themselves: most of what half precision costs a
    picture. Training is not touched: it knows autocast on CUDA alone, where these are convolutions like all others.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> the same with ``out_channels``; float32 on a CPU."""
        if x.device.type != "cpu":
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


class ResidualBlock(nn.Module):
    """x + conv(ReLU(conv(x))), without normalisation; starts close to the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = conv(channels, channels), conv(channels, channels)
        for layer in (self.first, self.second):
            nn.init.kaiming_normal_(layer.weight)
            layer.weight.data.mul_(0.1)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> the same."""
        return convolved(self.second, convolved(self.first, x, slope=0.0), add=x)
