"""Converts pictures between clip pixels, tensors and 8-bit RGBX, and resizes them bicubically."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.geometry import Grid
from videoinr.types import Pixels

_DEEP_PEAK = 65535


def tensor_from_pixels(pixels: Pixels, device: torch.device, size: Grid | None = None) -> Tensor:
    """Convert pixels to a tensor.

    Args:
        pixels: [H, W, 3], uint8 or uint16.
        device: where the tensor shall be.
        size: a size to which they are shrunk, antialiased; along no axis larger. None: theirs.

    Returns:
        float32 [3, H, W] in 0 ... 1, at the pixels' own depth; shrunk ones of 16 bits are not rounded.
    """
    return tensor_from_planes(planes_from_pixels(pixels, device, size))


def planes_from_pixels(pixels: Pixels, device: torch.device, size: Grid | None = None) -> Tensor:
    """Do the part of :func:`tensor_from_pixels` that uploads and shrinks pixels: what is worth keeping of a frame.

    Args:
        pixels, device, size: as for :func:`tensor_from_pixels`.

    Returns:
        Of 8 bits: uint8 [3, H, W], a quarter of the memory of floats. Of 16 bits: float32 [3, H, W] in 0 ... 1.
    """
    # torch has no arithmetic on uint16, so it is widened before the transfer. It warns of read-only arrays, so
    # they are copied.
    whole = pixels if pixels.dtype == np.uint8 else pixels.astype(np.int32)
    planes = torch.from_numpy(np.require(whole, requirements=("C", "W"))).to(device).permute(2, 0, 1)
    size = size or Grid(planes.shape[2], planes.shape[1])
    if planes.dtype == torch.uint8:
        return shrink(planes[None], size)[0]
    if planes.shape[1:] == (size.height, size.width):
        return planes.float() / _DEEP_PEAK
    small = F.interpolate(
        planes[None].float(), (size.height, size.width), mode="bicubic", antialias=True, align_corners=False
    )
    return (small[0] / _DEEP_PEAK).clamp_(0, 1)


def tensor_from_planes(planes: Tensor) -> Tensor:
    """Return planes of :func:`planes_from_pixels` as float32 in 0 ... 1: those of 16 bits themselves."""
    return planes.float() / 255 if planes.dtype == torch.uint8 else planes


def rgbx_from_tensor(rgb: Tensor) -> Tensor:
    """Convert a decoded picture to 8 bits, clamped and rounded to the nearest level.

    Args:
        rgb: [h, w, 3], 0 ... 1; values outside are clamped.

    Returns:
        uint8 [h, w, 4] on the same device, X = 255.
    """
    rgbx = torch.full((*rgb.shape[:2], 4), 255, dtype=torch.uint8, device=rgb.device)
    rgbx[..., :3] = rgb.clamp(0, 1).mul(255).round_()
    return rgbx


def mixed(pictures: Iterable[tuple[Fraction, Tensor]]) -> Tensor:
    """Mix pictures [h, w, C] of one shape by their shares, which add up to 1: uint8, or int32 of 16 bits.

    A single picture is returned as it is. Each is read before the next is asked for, which may be written over it.
    """
    total, kind = None, torch.uint8
    for share, picture in pictures:
        if share == 1:
            return picture
        part, kind = float(share) * picture.float(), picture.dtype
        total = part if total is None else total + part
    assert total is not None
    return total.round_().clamp_(0, 255 if kind == torch.uint8 else 65535).to(kind)


def deep_from_tensor(rgb: Tensor) -> Tensor:
    """Convert a decoded picture to 16 bits, clamped and rounded to the nearest level.

    Args:
        rgb: [h, w, 3], 0 ... 1; values outside are clamped.

    Returns:
        int32 [h, w, 4] in 0 ... 65535 on the same device, X = 65535: torch calculates little with uint16.
    """
    rgbx = torch.full((*rgb.shape[:2], 4), 65535, dtype=torch.int32, device=rgb.device)
    rgbx[..., :3] = rgb.clamp(0, 1).mul(65535).round_()
    return rgbx


def uint16_from_deep(rgbx: Tensor) -> Any:
    """Return a picture of :func:`deep_from_tensor` as an array, uint16 [h, w, 4]."""
    return rgbx.cpu().numpy().astype(np.uint16)


def uint8_from_pixels(pixels: Pixels) -> NDArray[np.uint8]:
    """Convert pixels to 8 bits, rounding to the nearest level. The only conversion from 16 to 8 bits in the program.

    Args:
        pixels: [H, W, 3], uint8 (returned unchanged) or uint16.

    Returns:
        uint8 [H, W, 3].
    """
    if pixels.dtype == np.uint8:
        return cast("NDArray[np.uint8]", pixels)
    # 65535 = 255 * 257, so that adding half of 257 rounds.
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def rgbx_from_pixels(pixels: Pixels) -> NDArray[np.uint8]:
    """Convert pixels [H, W, 3], uint8 or uint16, to uint8 [H, W, 4] with X = 255."""
    rgbx = np.full((*pixels.shape[:2], 4), 255, dtype=np.uint8)
    rgbx[..., :3] = uint8_from_pixels(pixels)
    return rgbx


def downsample(images: Tensor, *, height: int, width: int) -> Tensor:
    """Downsample with an antialiased bicubic filter (a = -0.5) and round to 8 bits: the field's standard degradation.

    Args:
        images: [B, 3, H, W] in 0 ... 1.
        height: rows of the result.
        width: columns of the result.

    Returns:
        [B, 3, height, width] in 0 ... 1, multiples of 1 / 255.
    """
    small = F.interpolate(images, size=(height, width), mode="bicubic", antialias=True, align_corners=False)
    return small.clamp(0, 1).mul(255).round().div(255)


def shrink(planes: Tensor, size: Grid) -> Tensor:
    """Shrink 8-bit pictures with an antialiased bicubic filter.

    Args:
        planes: uint8 [B, 3, H, W].
        size: of the result; along no axis larger.

    Returns:
        uint8 [B, 3, size.height, size.width], rounded to the nearest level; ``planes`` itself if that is its size.
    """
    height, width = size.height, size.width
    if planes.shape[-2:] == (height, width):
        return planes
    if planes.device.type == "cpu":  # torch shrinks bytes themselves, many times as fast as floats
        packed = planes.contiguous(memory_format=torch.channels_last)
        return F.interpolate(packed, (height, width), mode="bicubic", antialias=True, align_corners=False)
    small = F.interpolate(planes.float(), (height, width), mode="bicubic", antialias=True, align_corners=False)
    return small.round_().clamp_(0, 255).to(torch.uint8)


def upsample_bicubic(images: Tensor, *, height: int, width: int) -> Tensor:
    """Upsample [B, 3, H, W] in 0 ... 1 bicubically to ``height`` x ``width`` pixels, clamped to 0 ... 1."""
    return F.interpolate(images, size=(height, width), mode="bicubic", align_corners=False).clamp(0, 1)
