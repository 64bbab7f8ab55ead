"""Scene-linear pictures (OpenEXR, Radiance HDR), shown as sRGB."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from videoinr.clip.background import Background
from videoinr.types import Pixels

_FLOAT_FORMATS = ("gbrpf32", "gbrapf32", "grayf32", "rgbf32", "rgbaf32")


def holds_floats(frame: av.VideoFrame) -> bool:
    """Return whether ``frame`` holds floating-point RGB or grey that numpy can read."""
    return frame.format.name[:-2] in _FLOAT_FORMATS


def srgb_from_linear(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sRGB levels (0 ... 1) of amounts of light (IEC 61966-2-1); what is beyond 0 ... 1 is cut off."""
    clipped = np.clip(np.nan_to_num(light, nan=0.0), 0, 1)
    curve = np.float32(1.055) * clipped ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(clipped <= 0.0031308, np.float32(12.92) * clipped, curve)


def pixels_from_light(frame: av.VideoFrame, background: Background) -> Pixels:
    """Return a floating-point frame as sRGB pixels.

    Its colours are multiplied by its alpha channel, as OpenEXR files hold them, and laid over ``background`` in light.

    Args:
        frame: the frame, whose values are linear light: grey, RGB or RGBA, 1 for white.
        background: what is shown behind transparent pixels.

    Returns:
        uint16 [height, width, 3], 0 ... 65535.
    """
    stored = frame.to_ndarray().astype(np.float32, copy=False)
    if stored.ndim == 2:
        stored = np.repeat(stored[..., None], 3, axis=2)
    light = stored[..., :3]
    if stored.shape[2] == 4:
        alpha = np.clip(stored[..., 3:], 0, 1)
        height, width = stored.shape[:2]
        behind = light_from_srgb(background.pixels(height, width, 255).astype(np.float32) / np.float32(255))
        light = light + (1 - alpha) * behind
    return np.rint(srgb_from_linear(light) * 65535).astype(np.uint16)


def light_from_srgb(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the amounts of light of sRGB levels, both 0 ... 1; the inverse of :func:`srgb_from_linear`."""
    curve = ((levels + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(levels <= 0.04045, levels / np.float32(12.92), curve)


def as_srgb(pixels: Pixels) -> Pixels:
    """Return pixels of linear levels, uint8 or uint16, as sRGB pixels of the same type."""
    peak = int(np.iinfo(pixels.dtype).max)
    levels = srgb_from_linear(np.arange(peak + 1, dtype=np.float32) / np.float32(peak))
    scaled = np.rint(levels * peak)
    table: Pixels = scaled.astype(np.uint8) if peak == 255 else scaled.astype(np.uint16)
    return table[pixels]
