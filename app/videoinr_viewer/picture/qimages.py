"""Converts numpy pixels to QImages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage


def qimage_from_rgbx(pixels: NDArray[np.uint8]) -> QImage:
    """Return a QImage that shares the memory of ``pixels``.

    The returned object keeps the array alive: keep this object as long as anything shows the image, and ``copy()`` it
    for a clipboard or a pixmap that may outlive it.

    Args:
        pixels: uint8 [height, width, 4], C-contiguous, RGBX.

    Raises:
        ValueError: The array has another shape, type or memory layout.
    """
    return _shared(pixels, QImage.Format.Format_RGBX8888)


def qimage_from_premultiplied(pixels: NDArray[np.uint8]) -> QImage:
    """Return a QImage as :func:`qimage_from_rgbx` does, of RGBA pixels whose colours are times the opacity."""
    return _shared(pixels, QImage.Format.Format_RGBA8888_Premultiplied)


def _shared(pixels: NDArray[np.uint8], kind: QImage.Format) -> QImage:
    height, width, channels = pixels.shape
    if channels != 4 or pixels.dtype != np.uint8 or not pixels.flags.c_contiguous:
        raise ValueError(f"pixels must be contiguous RGBX or RGBA, uint8 [h, w, 4], not {pixels.dtype} {pixels.shape}")
    image = QImage(pixels.data.cast("B"), width, height, width * 4, kind)
    image._pixels = pixels  # type: ignore[attr-defined]  # keeps the memory alive
    return image
