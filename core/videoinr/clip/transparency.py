"""Transparent pixels, laid over a background: the colours under them are not meant to be seen."""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from videoinr.clip.background import TRANSPARENT, Background
from videoinr.types import Pixels

TRANSPARENT_NOTE = "The clip has transparent pixels."


def can_be_transparent(pix_fmt: av.VideoFormat) -> bool:
    """Return whether pixels of ``pix_fmt`` have an alpha channel, or a palette that may have one."""
    return pix_fmt.has_palette or any(component.is_alpha for component in pix_fmt.components)


def laid_over(pixels: Pixels, alpha: Pixels, background: Background, *, is_premultiplied: bool = False) -> Pixels:
    """Lay a picture over a background, in the picture's own levels as browsers do.

    Args:
        pixels: [height, width, 3], uint8 or uint16.
        alpha: [height, width] of the same type; the peak is opaque.
        background: what is behind it.
        is_premultiplied: whether ``pixels`` were multiplied by ``alpha`` already.

    Returns:
        [height, width, 3] of the same type; ``pixels`` itself where all is opaque.
    """
    peak = int(np.iinfo(pixels.dtype).max)
    if background.is_alpha:
        shown: Any = np.repeat(alpha[..., None], 3, axis=2)
        return cast("Pixels", shown)
    if alpha.min() == peak:
        return pixels
    height, width = alpha.shape
    # 65535 * 65535 fits in 32 bits without a sign.
    share: NDArray[Any] = alpha[..., None].astype(np.uint32)
    behind = background.pixels(height, width, peak) * (peak - share)
    front = pixels.astype(np.uint32) * (np.uint32(peak) if is_premultiplied else share)
    mixed = (front.astype(np.uint64) + behind + peak // 2) // peak
    laid: Pixels = np.minimum(mixed, peak).astype(pixels.dtype)
    return laid


def alpha_of(frame: av.VideoFrame, peak: int, *, width: int, height: int) -> Pixels | None:
    """Return the alpha channel of ``frame``, resampled; None if its format has none.

    Args:
        frame: the frame.
        peak: the value of an opaque pixel, 255 or 65535.
        width: of the result, in pixels.
        height: of the result, in pixels.

    Returns:
        [height, width] in 0 ... ``peak``, uint8 or uint16.
    """
    if not can_be_transparent(frame.format):
        return None
    stored = _stored_alpha(frame) if peak == 255 and (frame.width, frame.height) == (width, height) else None
    if stored is not None:
        return stored
    converted = frame.reformat(format="rgba64le" if peak > 255 else "rgba", width=width, height=height)
    alpha: Pixels = np.ascontiguousarray(converted.to_ndarray()[..., 3])  # type: ignore[assignment]
    bits = max((each.bits for each in frame.format.components if each.is_alpha), default=8)
    if peak > 255 and bits < 16:
        # swscale widens by a shift, and ends below the peak.
        white = ((1 << bits) - 1) << (16 - bits)
        alpha = np.minimum(np.rint(alpha * (peak / white)), peak).astype(np.uint16)
    return alpha


_PACKED = {"rgba": 3, "bgra": 3, "argb": 0, "abgr": 0}
"""The place of alpha among the four bytes of a pixel."""


def _stored_alpha(frame: av.VideoFrame) -> Pixels | None:
    """Return the alpha channel of a frame in one of the usual 8-bit formats without swscale; None for other formats."""
    place, planes = _PACKED.get(frame.format.name), frame.planes
    if place is None:
        return None
    rows = np.frombuffer(memoryview(planes[0]), np.uint8).reshape(planes[0].height, planes[0].line_size)
    return np.ascontiguousarray(rows[:, place : 4 * frame.width : 4])


def transparency_note(frame: av.VideoFrame, alpha: av.VideoFrame | None, background: Background) -> tuple[str, ...]:
    """Return a sentence if the first picture of a clip has transparent pixels; otherwise nothing.

    Args:
        frame: the first picture.
        alpha: its alpha channel where the file keeps it apart.
        background: what is shown behind transparent pixels.
    """
    own = alpha_of(frame, 255, width=frame.width, height=frame.height) if alpha is None else grey_pixels(alpha, 255)
    if own is None or own.min() == 255:
        return ()
    return (note_on(background),)


def note_on(background: Background) -> str:
    """Return the sentence that tells what is behind transparent pixels."""
    if background.name == TRANSPARENT:
        return f"{TRANSPARENT_NOTE} They are shown on black, and an export keeps them."
    return f"{TRANSPARENT_NOTE} They are shown on {background.name}."


def grey_pixels(frame: av.VideoFrame, peak: int) -> Pixels:
    """Return the pixels of a grey frame of any depth; its full range is used.

    Args:
        frame: the frame.
        peak: the value of white, 255 or 65535.

    Returns:
        [height, width] in 0 ... ``peak``, uint8 or uint16.
    """
    white = (1 << frame.format.components[0].bits) - 1
    scaled = np.rint(frame.to_ndarray().astype(np.float64) / white * peak)
    return scaled.astype(np.uint8) if peak == 255 else scaled.astype(np.uint16)
