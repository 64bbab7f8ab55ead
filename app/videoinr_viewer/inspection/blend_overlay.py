"""Paints the blend mask: blue where the earlier frame has the larger share, orange where the later one has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from videoinr.render.inspected import BlendMask
from videoinr_viewer.inspection.colour_layer import ColourLayer, premultiplied
from videoinr_viewer.picture.pictures import unit_box

MOST_ALPHA = 0.75
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
    return premultiplied(rgb, alpha)


class BlendOverlay(ColourLayer):
    """The blend mask as a layer of the picture."""

    _mask: BlendMask | None = None

    @property
    def mask(self) -> BlendMask | None:
        """What is shown."""
        return self._mask

    def set_mask(self, mask: BlendMask | None) -> None:
        """Show another mask, or none."""
        self._mask, share = mask, None if mask is None else mask.first_share
        self.fill(None if share is None else blend_colours(share))

    def _box(self, image: QImage) -> QRectF:
        assert self._mask is not None
        left, top, right, bottom = unit_box(self._mask.query)
        width, height = self._item.size
        return QRectF(left * width, top * height, (right - left) * width, (bottom - top) * height)
