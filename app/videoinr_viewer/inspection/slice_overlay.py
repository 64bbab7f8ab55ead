"""Paints the line of an x-t slice over the picture."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from videoinr.render.inspected import Place
from videoinr_viewer.picture.picture_item import Pane

OUTLINE, INK = QColor(0, 0, 0, 190), QColor(255, 255, 255)
START, END = QColor(120, 220, 255), QColor(255, 170, 90)
END_PX = 4.5


class SliceOverlay:
    """A layer of the picture. ``line``: its start and its end, clip pixels; None while there is none."""

    def __init__(self) -> None:
        self.line: tuple[Place, Place] | None = None

    def paint(self, painter: QPainter, pane: Pane, ratio: float) -> None:
        """Paint the line in ``pane``; ``ratio``: physical pixels for each logical one."""
        if self.line is None:
            return
        start, end = (pane.physical.map(QPointF(*place)) for place in self.line)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for colour, width in ((OUTLINE, 3.6), (INK, 1.4)):
            painter.setPen(QPen(colour, width * ratio, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(start, end)
        for point, colour in ((start, START), (end, END)):
            painter.setPen(QPen(OUTLINE, 1.5 * ratio))
            painter.setBrush(colour)
            painter.drawEllipse(point, END_PX * ratio, END_PX * ratio)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
