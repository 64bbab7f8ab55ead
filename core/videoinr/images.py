"""Pictures between numpy, tensors and the screen, and the one way this program makes a picture smaller."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.types import Pixels


def tensor_from_pixels(pixels: Pixels, device: torch.device) -> Tensor:
    """[H, W, 3] uint8 or uint16 -> float32 [3, H, W] in 0 ... 1 on ``device``."""
    peak = np.iinfo(pixels.dtype).max
    # torch has no arithmetic on uint16: widen before the transfer. It warns of what may not be written to: copy that.
    whole = pixels if pixels.dtype == np.uint8 else pixels.astype(np.int32)
    return torch.from_numpy(np.require(whole, requirements=("C", "W"))).to(device).permute(2, 0, 1).float() / peak


def rgbx_from_tensor(rgb: Tensor) -> Tensor:
    """[h, w, 3] of about 0 ... 1 -> uint8 [h, w, 4] on the same device, rounded to nearest, X = 255."""
    rgbx = torch.full((*rgb.shape[:2], 4), 255, dtype=torch.uint8, device=rgb.device)
    rgbx[..., :3] = rgb.clamp(0, 1).mul(255).round_()
    return rgbx


def uint8_from_pixels(pixels: Pixels) -> NDArray[np.uint8]:
    """[H, W, 3] uint8 or uint16 -> uint8, rounded to the nearest of 256 levels; uint8 is returned as it is.

    The only conversion from 16 to 8 bits in the program.
    """
    if pixels.dtype == np.uint8:
        return cast("NDArray[np.uint8]", pixels)
    # 65535 = 255 * 257, so that adding half of 257 rounds.
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def rgbx_from_pixels(pixels: Pixels) -> NDArray[np.uint8]:
    """[H, W, 3] uint8 or uint16 -> uint8 [H, W, 4], X = 255."""
    rgbx = np.full((*pixels.shape[:2], 4), 255, dtype=np.uint8)
    rgbx[..., :3] = uint8_from_pixels(pixels)
    return rgbx


def downsample(images: Tensor, *, height: int, width: int) -> Tensor:
    """Antialiased bicubic (a = -0.5) to ``height`` x ``width``, rounded to 8 bits: the field's degradation.

    ``images``: [B, 3, H, W] in 0 ... 1; so is the result.
    """
    small = F.interpolate(images, size=(height, width), mode="bicubic", antialias=True, align_corners=False)
    return small.clamp(0, 1).mul(255).round().div(255)


def enlarge_bicubic(images: Tensor, *, height: int, width: int) -> Tensor:
    """Plain bicubic to ``height`` x ``width``: [B, 3, H, W] in 0 ... 1 -> the same, clamped."""
    return F.interpolate(images, size=(height, width), mode="bicubic", align_corners=False).clamp(0, 1)
