"""Paints where the motion of a pair is doubtful: the expected error of each cell, from yellow to red."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from videoinr.render.inspected import Doubt
from videoinr_viewer.picture.picture_item import Pane, PictureItem
from videoinr_viewer.picture.qimages import qimage_from_premultiplied

MOST_LEVELS = 32
"""The expected error that has the full colour, levels of 255."""
MOST_ALPHA, STALE_OPACITY = 0.8, 0.35
YELLOW, RED = np.array([255.0, 214.0, 64.0]), np.array([224.0, 30.0, 60.0])


def doubt_colours(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the colours of expected errors.

    Args:
        levels: [h, w], levels of 255.

    Returns:
        uint8 [h, w, 4]: red, green, blue, each times the opacity, and the opacity.
    """
    share = np.clip(np.nan_to_num(levels) / MOST_LEVELS, 0, 1)[..., None]
    alpha = MOST_ALPHA * share
    rgb = YELLOW + share * (RED - YELLOW)
    colours: NDArray[np.uint8] = np.rint(np.concatenate((rgb * alpha, 255 * alpha), -1)).astype(np.uint8)
    return colours


class DoubtOverlay:
    """A layer of ``item``. ``is_fresh``: whether the doubt is about the pair in view."""

    def __init__(self, item: PictureItem) -> None:
        self._item = item
        self.is_on = self.is_fresh = False
        self._doubt: Doubt | None = None
        self._image: QImage | None = None

    @property
    def doubt(self) -> Doubt | None:
        """What is shown."""
        return self._doubt

    def set_doubt(self, doubt: Doubt | None) -> None:
        """Show another measure, or none."""
        self._doubt = doubt
        colours = None if doubt is None else doubt_colours(doubt.failure.error * np.float32(255))
        self._image = None if colours is None else qimage_from_premultiplied(colours)

    def paint(self, painter: QPainter, pane: Pane, ratio: float) -> None:
        """Paint the cells in ``pane``; they have the same size at any ``ratio``."""
        if not self.is_on or self._doubt is None or self._image is None:
            return
        side = self._doubt.failure.cell_px
        box = QRectF(0, 0, self._image.width() * side, self._image.height() * side)
        painter.save()
        painter.setClipRect(self._item.frame_box(pane))
        painter.setOpacity(1.0 if self.is_fresh else STALE_OPACITY)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(pane.physical.mapRect(box), self._image)
        painter.restore()
