"""Small copies of frames, for the minimap and the timeline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from videoinr_viewer.picture.qimages import qimage_from_rgbx


def small_copy(rgbx: NDArray[np.uint8], size: QSize) -> QImage:
    """Return a copy of ``size`` pixels of a frame, uint8 [height, width, 4].

    Large frames are thinned out first, which costs little time.
    """
    height, width, _ = rgbx.shape
    step = max(1, min(height // max(1, 2 * size.height()), width // max(1, 2 * size.width())))
    thin = np.ascontiguousarray(rgbx[step // 2 :: step, step // 2 :: step])
    return qimage_from_rgbx(thin).scaled(
        size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
