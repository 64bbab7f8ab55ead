"""What the picture's widget shows, pixel by pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from helpers.stage import Stage
from videoinr.types import RenderedRegion
from videoinr_viewer.picture.comparing import Compare, Reference

Shot = NDArray[np.uint8]


def shot_of(stage: Stage) -> Shot:
    """uint8 [height, width, 4] of the picture without its overlays."""
    image = stage.viewer.window.frame_view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGBX8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4).copy()


def compare(stage: Stage, mode: Compare, reference: Reference = Reference.NEAREST) -> RenderedRegion:
    """Turn the comparison on, wait until it is complete, and return the full picture."""
    window = stage.viewer.window
    window.modes.set_reference(reference)
    window.modes.set_compare(mode)
    stage.wait_until_complete()
    stage.wait_for(lambda: window.frame_view.comparison.is_complete)
    full = window.frame_view.full_for(stage.viewer.session.last_query)
    assert full is not None
    return full


def corner(stage: Stage, full: RenderedRegion) -> tuple[int, int]:
    """Return where the first pixel of the full picture lies in its pane."""
    session = stage.viewer.session
    x, y = (
        round(side / 2 - centre * session.view.zoom)
        for side, centre in zip(session.screen_px, session.drawn_view.centre, strict=True)
    )
    return x + full.query.rect.x, y + full.query.rect.y
