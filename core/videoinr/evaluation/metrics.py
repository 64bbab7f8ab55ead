"""Picture quality as the field measures it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

LUMA = (65.481, 128.553, 24.966)
"""BT.601 luma of RGB in 0 ... 1, in 8-bit steps (without the offset of 16, which a difference does not see)."""


def luma(rgb: Tensor) -> Tensor:
    """[..., 3, H, W] in 0 ... 1 -> [..., H, W], studio-range Y over 255."""
    weights = torch.tensor(LUMA, device=rgb.device, dtype=rgb.dtype) / 255
    return torch.einsum("...chw,c->...hw", rgb, weights)


def psnr_y(prediction: Tensor, target: Tensor) -> float:
    """PSNR in dB of two pictures [3, H, W] in 0 ... 1 on Y: float, not rounded, no border cut off."""
    error = luma(prediction.clamp(0, 1) - target).square().mean().item()
    return math.inf if error == 0 else -10 * math.log10(error)
