"""Paints the blend mask: blue where the earlier frame has the larger share, orange where the later one has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from videoinr.render.inspected import BlendMask
from videoinr_viewer.picture.picture_item import Pane, PictureItem
from videoinr_viewer.picture.pictures import unit_box
from videoinr_viewer.picture.qimages import qimage_from_premultiplied

MOST_ALPHA, STALE_OPACITY = 0.75, 0.35
EARLIER, LATER = np.array([45.0, 125.0, 255.0]), np.array([255.0, 140.0, 0.0])


def blend_colours(first_share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the colours of shares: the frame's that has more, the more opaque the more it has; clear at one half.

    Args:
        first_share: [h, w], 0 ... 1.

    Returns:
        uint8 [h, w, 4]: red, green, blue, each times the opacity, and the opacity.
    """
    share = np.clip(np.nan_to_num(first_share, nan=0.5), 0, 1)[..., None]
    alpha = MOST_ALPHA * np.abs(2 * share - 1)
    rgb = np.where(share > 0.5, EARLIER, LATER)
    colours: NDArray[np.uint8] = np.rint(np.concatenate((rgb * alpha, 255 * alpha), -1)).astype(np.uint8)
    return colours


class BlendOverlay:
    """A layer of ``item``. ``is_fresh``: whether the mask is that of the instant in view."""

    def __init__(self, item: PictureItem) -> None:
        self._item = item
        self.is_on = self.is_fresh = False
        self._mask: BlendMask | None = None
        self._image: QImage | None = None

    @property
    def mask(self) -> BlendMask | None:
        """What is shown."""
        return self._mask

    def set_mask(self, mask: BlendMask | None) -> None:
        """Show another mask, or none."""
        self._mask, share = mask, None if mask is None else mask.first_share
        self._image = None if share is None else qimage_from_premultiplied(blend_colours(share))

    def paint(self, painter: QPainter, pane: Pane, ratio: float) -> None:
        """Paint the mask in ``pane``; its pixels have the same size at any ``ratio``."""
        if not self.is_on or self._mask is None or self._image is None:
            return
        left, top, right, bottom = unit_box(self._mask.query)
        width, height = self._item.size
        box = QRectF(left * width, top * height, (right - left) * width, (bottom - top) * height)
        painter.save()
        painter.setClipRect(self._item.frame_box(pane))
        painter.setOpacity(1.0 if self.is_fresh else STALE_OPACITY)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(pane.physical.mapRect(box), self._image)
        painter.restore()
