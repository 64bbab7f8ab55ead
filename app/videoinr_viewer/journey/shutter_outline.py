"""The outline of the region that has a shutter of its own, over the picture while its window is open."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.picture.picture_item import Pane

_COLOURS = (QColor(0, 0, 0, 190), QColor(255, 214, 90))


class ShutterOutline:
    """A layer of the picture."""

    def __init__(self, planner: JourneyPlanner) -> None:
        self._planner = planner

    def paint(self, painter: QPainter, pane: Pane, ratio: float) -> None:
        """Paint the outline in ``pane``; ``ratio``: physical pixels for each logical one."""
        region = self._planner.journey.shutter_region
        if region is None or not self._planner.shows_region:
            return
        rect = region.rect
        box = pane.physical.mapRect(QRectF(rect.x, rect.y, rect.width, rect.height))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, style in zip(_COLOURS, (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine), strict=True):
            painter.setPen(QPen(colour, 1.6 * ratio, style))
            painter.drawRect(box)
