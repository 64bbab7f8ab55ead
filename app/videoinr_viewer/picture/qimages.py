"""numpy pixels -> QImage, in one place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage


def qimage_from_rgbx(pixels: NDArray[np.uint8]) -> QImage:
    """A QImage over ``pixels`` (uint8 [height, width, 4], C-contiguous, RGBX), without a copy.

    The image reads the array's memory, so the array hangs on the returned object: keep that very object as long
    as anything shows it, and ``copy()`` it before it is handed to a clipboard or a pixmap that may outlive it.
    """
    height, width, channels = pixels.shape
    if channels != 4 or pixels.dtype != np.uint8 or not pixels.flags.c_contiguous:
        raise ValueError(f"RGBX pixels are contiguous uint8 [h, w, 4], not {pixels.dtype} {pixels.shape}")
    image = QImage(pixels.data.cast("B"), width, height, width * 4, QImage.Format.Format_RGBX8888)
    image._pixels = pixels  # type: ignore[attr-defined]  # keeps the memory alive
    return image
