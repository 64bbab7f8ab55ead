"""Image quality metrics: PSNR and SSIM, on luma or on RGB."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Channel = Literal["y", "rgb"]
"""What is compared: BT.601 luma, or RGB (the mean over the three channels)."""

LUMA = (65.481, 128.553, 24.966)
LUMA_OFFSET = 16.0
"""BT.601 luma of RGB in 0 ... 1 is 16 ... 235 in 8-bit levels. SSIM depends on the offset, PSNR does not."""

SSIM_SIDE_PX, SSIM_SIGMA_PX = 11, 1.5
SSIM_K1, SSIM_K2 = 0.01, 0.03


def luma(rgb: Tensor) -> Tensor:
    """Return BT.601 luma [..., H, W], 16/255 ... 235/255, of RGB [..., 3, H, W] in 0 ... 1."""
    weights = torch.tensor(LUMA, device=rgb.device, dtype=rgb.dtype) / 255
    return torch.einsum("...chw,c->...hw", rgb, weights) + LUMA_OFFSET / 255


def psnr(prediction: Tensor, target: Tensor, channel: Channel = "y") -> float:
    """Compute PSNR without rounding and without cropping the border.

    Args:
        prediction: RGB float [3, H, W]; it is clamped to 0 ... 1.
        target: RGB of the same shape in 0 ... 1.
        channel: What is compared.

    Returns:
        PSNR in dB; infinity for equal images.
    """
    error = _planes(prediction.clamp(0, 1), channel) - _planes(target, channel)
    mean = error.square().mean().item()
    return math.inf if mean == 0 else -10 * math.log10(mean)


def ssim(prediction: Tensor, target: Tensor, channel: Channel = "y") -> float:
    """Compute SSIM (Wang et al. 2004) over Gaussian windows of 11 x 11 pixels, sigma 1.5.

    Only windows that lie wholly inside the image count, so no border is invented.

    Args:
        prediction: RGB float [3, H, W], at least 11 x 11; it is clamped to 0 ... 1.
        target: RGB of the same shape in 0 ... 1.
        channel: What is compared.

    Returns:
        Mean SSIM, 1 for equal images.
    """
    a, b = _exact(_planes(prediction.clamp(0, 1), channel)), _exact(_planes(target, channel))
    mean_a, mean_b, square_a, square_b, product = _windowed(torch.stack((a, b, a * a, b * b, a * b)))
    variances = square_a - mean_a**2 + square_b - mean_b**2
    covariance = product - mean_a * mean_b
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (variances + c2)
    return float((above / below).mean())


def gaussian(sigma_px: float, radius_px: int) -> Tensor:
    """Return Gaussian weights, float64 [2 radius_px + 1], that sum to 1."""
    weights = torch.exp(-0.5 * (torch.arange(-radius_px, radius_px + 1, dtype=torch.float64) / sigma_px) ** 2)
    return weights / weights.sum()


def _planes(rgb: Tensor, channel: Channel) -> Tensor:
    """Return the planes [C, H, W] that are compared of RGB [3, H, W]."""
    return luma(rgb)[None] if channel == "y" else rgb


def _exact(planes: Tensor) -> Tensor:
    """Convert to float64 (on MPS, on the CPU): a variance is a small difference of large squares."""
    return (planes.cpu() if planes.device.type == "mps" else planes).double()


def _windowed(maps: Tensor) -> Tensor:
    """Return the Gaussian mean of every 11 x 11 window: [..., H, W] -> [..., H - 10, W - 10]."""
    weights = gaussian(SSIM_SIGMA_PX, SSIM_SIDE_PX // 2).to(maps.device)
    flat = maps.flatten(0, -3)[:, None]
    rows = F.conv2d(flat, weights.view(1, 1, -1, 1))
    return F.conv2d(rows, weights.view(1, 1, 1, -1)).view(*maps.shape[:-2], rows.shape[-2], -1)
