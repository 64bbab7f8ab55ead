"""The layers that the encoders are built from. How each is computed, and by which backend, is decided in ops.py."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from videoinr.model import ops
from videoinr.model.deformable import DeformableParameters

LEAK = 0.1
"""Slope of the encoders' leaky ReLU for negative values."""


def conv(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Conv2d:
    """Return a 3x3 convolution that keeps height and width.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: 1, or 2 to halve height and width, rounding up.
    """
    return nn.Conv2d(in_channels, out_channels, 3, stride, 1)


class ExactConv(nn.Conv2d):
    """A 3x3 convolution that keeps the size, and that runs in float32 on a CPU even under autocast.

    The encoders read frames with one and output flows with others. In bfloat16, with its 8 bits, these would round
    pixels by up to half an 8-bit level and flows by up to 1/512 of their length, which is most of the error that half
    precision causes. Training is not affected: it uses autocast on CUDA only, where these are ordinary convolutions.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H, W], which is float32 on a CPU."""
        if not ops.is_on_cpu(x):
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

    def forward(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """Map [B, C, H, W] to the same shape, and write the result into ``out`` if given (:func:`ops.convolve`)."""
        return ops.convolve(self.second, ops.convolve(self.first, x, slope=0.0), add=x, out=out)


class DeformableConv(DeformableParameters):
    """A modulated deformable 3x3 convolution; its offsets and masks are predicted from a guide map."""

    def forward(self, x: Tensor, guide: Tensor, *, slope: float = 1.0) -> Tensor:
        """Convolve ``x`` with taps moved and weighted as ``guide`` says.

        Args:
            x: [B, C, H, W].
            guide: [B, C, H, W]; a 3x3 convolution of it gives the offsets and, before a sigmoid, the masks.
            slope: Slope of the activation for negative values (:func:`~videoinr.model.maps.activated`).

        Returns:
            [B, C, H, W].
        """
        return ops.deformable_layer(self, x, guide, slope=slope)
