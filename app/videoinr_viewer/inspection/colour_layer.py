"""A picture of colours that lies over the frame, such as a mask or a measure of each cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from videoinr_viewer.picture.picture_item import Pane, PictureItem
from videoinr_viewer.picture.qimages import qimage_from_premultiplied

STALE_OPACITY = 0.35
"""Of a layer whose instant is not the one in view: the one in view is being computed."""


def premultiplied(rgb: NDArray[np.floating], alpha: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Multiply colours by their opacity.

    Args:
        rgb: [h, w, 3], 0 ... 255.
        alpha: [h, w, 1], 0 ... 1.

    Returns:
        uint8 [h, w, 4]: red, green, blue, each times the opacity, and the opacity.
    """
    colours: NDArray[np.uint8] = np.rint(np.concatenate((rgb * alpha, 255 * alpha), -1)).astype(np.uint8)
    return colours


class ColourLayer:
    """A layer of ``item``. ``is_fresh``: whether it is about the instant in view."""

    def __init__(self, item: PictureItem) -> None:
        self._item = item
        self.is_on = self.is_fresh = False
        self._image: QImage | None = None

    def fill(self, colours: NDArray[np.uint8] | None) -> None:
        """Show other colours, uint8 [h, w, 4] of :func:`premultiplied`, or none."""
        self._image = None if colours is None else qimage_from_premultiplied(colours)

    def paint(self, painter: QPainter, pane: Pane, ratio: float) -> None:
        """Paint the colours in ``pane``; they have the same size at any ``ratio``."""
        if not self.is_on or self._image is None:
            return
        painter.save()
        painter.setClipRect(self._item.frame_box(pane))
        painter.setOpacity(1.0 if self.is_fresh else STALE_OPACITY)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(pane.physical.mapRect(self._box(self._image)), self._image)
        painter.restore()

    def _box(self, image: QImage) -> QRectF:
        """Return where ``image`` lies, in pixels of the clip."""
        raise NotImplementedError
