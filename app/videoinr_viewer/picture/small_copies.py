"""Small copies of frames, for the minimap and the timeline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from videoinr_viewer.picture.qimages import qimage_from_rgbx

_WHOLE = 0.9
"""A frame of which only so much would be seen is shown whole: small sizes are round numbers of pixels."""


def middle_part(rgbx: NDArray[np.uint8], size: QSize) -> NDArray[np.uint8]:
    """Return the largest part of a frame, uint8 [height, width, 4], around its middle that has the shape of ``size``.

    A part that is hardly smaller than the frame is the frame.
    """
    height, width, _ = rgbx.shape
    rows = min(height, max(1, round(width * size.height() / size.width())))
    columns = min(width, max(1, round(height * size.width() / size.height())))
    if rows * columns >= _WHOLE * height * width:
        return rgbx
    top, left = (height - rows) // 2, (width - columns) // 2
    return rgbx[top : top + rows, left : left + columns]


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
