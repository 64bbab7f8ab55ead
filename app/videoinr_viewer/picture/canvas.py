"""The box of the picture: turns the mouse into intents."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal

WHEEL_STEPS_TO_DOUBLE = 4
"""Notches of a wheel that double the zoom."""
NOTCH = 120
"""The wheel's angle, in eighths of a degree, for one notch."""

BOX = (0.0, 0.0, 100.0, 100.0)
"""The range of the box, (x, y, width, height): arbitrary, because nothing in it is placed by its coordinates."""


class CanvasBox(pg.ViewBox):  # type: ignore[misc]
    """A ViewBox that emits a signal for each mouse gesture, and never moves: the item in it paints by the view itself.

    The points in its signals are logical pixels of the view.
    """

    zoom_wanted = Signal(float, QPointF)
    """Factor, and the point that stays fixed."""
    pan_wanted = Signal(QPointF, bool)
    """Distance of the mouse from the start of the drag, and whether the drag starts now."""
    pan_ended = Signal()
    scrub_wanted = Signal(int)
    """Sixteenths of a frame."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False, enableMouse=False, invertY=True, defaultPadding=0.0)
        self.disableAutoRange()
        self.setRange(QRectF(*BOX), padding=0)

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        """Zoom at the cursor; with Shift, move in time."""
        notches = ev.delta() / NOTCH
        ev.accept()
        if ev.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.scrub_wanted.emit(round(notches) or (1 if notches > 0 else -1))
        else:
            self.zoom_wanted.emit(2 ** (notches / WHEEL_STEPS_TO_DOUBLE), ev.scenePos())

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        """Pan with the left or the middle button."""
        if ev.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            ev.ignore()
            return
        ev.accept()
        self.pan_wanted.emit(QPointF(ev.scenePos() - ev.buttonDownScenePos()), ev.isStart())
        if ev.isFinish():
            self.pan_ended.emit()
