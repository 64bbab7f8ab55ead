"""Paints where the motion of a pair is doubtful: the expected error of each cell, from yellow to red."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from videoinr.render.inspected import Doubt
from videoinr_viewer.inspection.colour_layer import ColourLayer, premultiplied

MOST_LEVELS = 32
"""The expected error that has the full colour, levels of 255."""
MOST_ALPHA = 0.8
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
    return premultiplied(rgb, alpha)


class DoubtOverlay(ColourLayer):
    """The doubt about the pair in view as a layer of the picture."""

    _doubt: Doubt | None = None

    @property
    def doubt(self) -> Doubt | None:
        """What is shown."""
        return self._doubt

    def set_doubt(self, doubt: Doubt | None) -> None:
        """Show another measure, or none."""
        self._doubt = doubt
        self.fill(None if doubt is None else doubt_colours(doubt.failure.error * np.float32(255)))

    def _box(self, image: QImage) -> QRectF:
        assert self._doubt is not None
        side = self._doubt.failure.cell_px
        return QRectF(0, 0, image.width() * side, image.height() * side)
