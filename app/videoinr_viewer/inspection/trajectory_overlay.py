"""Paints the way of one point from frame to frame: a line with a tick at each sixteenth of the time."""

from __future__ import annotations

import math
from fractions import Fraction

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from videoinr.render.inspected import Trajectory
from videoinr_viewer.picture.picture_item import Pane
from videoinr_viewer.style.fonts import from_system

OUTLINE, INK, NOW = QColor(0, 0, 0, 190), QColor(120, 220, 255), QColor(255, 255, 255)
TICK_PX, LONG_TICK_PX, RING_PX = 3.0, 6.0, 6.0
"""Half the length of a tick, of every fourth one, and the radius of the ring at the time in view; logical pixels."""
OTHER_TIME_OPACITY = 0.5
"""While another pair of frames is in view."""


class TrajectoryOverlay:
    """A layer of the picture. ``phase``: the time in view between the trajectory's frames; None if it is elsewhere."""

    def __init__(self) -> None:
        self.trajectory: Trajectory | None = None
        self.phase: Fraction | None = None

    def place_now(self) -> tuple[float, float] | None:
        """Return where the point is at the time in view, clip pixels; None while that is elsewhere."""
        way, phase = self.trajectory, self.phase
        if way is None or phase is None:
            return None
        along = phase * (len(way.places) - 1)
        before = min(int(along), len(way.places) - 2)
        part = float(along - before)
        (x0, y0), (x1, y1) = way.places[before], way.places[before + 1]
        return x0 + part * (x1 - x0), y0 + part * (y1 - y0)

    def paint(self, painter: QPainter, pane: Pane, ratio: float) -> None:
        """Paint the way in ``pane``; ``ratio``: physical pixels for each logical one."""
        if self.trajectory is None:
            return
        points = [pane.physical.map(QPointF(*place)) for place in self.trajectory.places]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setOpacity(1.0 if self.phase is not None else OTHER_TIME_OPACITY)
        ticks = _ticks(points, ratio)
        for colour, width in ((OUTLINE, 4.0), (INK, 1.6)):
            painter.setPen(QPen(colour, width * ratio, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPolyline(QPolygonF(points))
            painter.drawLines(ticks)
        self._paint_frames(painter, points, ratio)
        if (now := self.place_now()) is not None:
            middle, radius = pane.physical.map(QPointF(*now)), RING_PX * ratio
            for colour, width in ((OUTLINE, 4.0), (NOW, 2.0)):
                painter.setPen(QPen(colour, width * ratio))
                painter.drawEllipse(middle, radius, radius)
        painter.setOpacity(1.0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_frames(self, painter: QPainter, points: list[QPointF], ratio: float) -> None:
        """Write the numbers of both frames at the ends, on the far side of each."""
        assert self.trajectory is not None
        font = painter.font()
        font.setPixelSize(round(from_system(12) * ratio))
        painter.setFont(font)
        between = self.trajectory.between
        for end, other, number in ((points[0], points[-1], between.first), (points[-1], points[0], between.second)):
            away = end - other
            length = math.hypot(away.x(), away.y())
            way = QPointF(away.x() / length, away.y() / length) if length > 1 else QPointF(0, -1)
            side = 18 * ratio
            middle = end + way * (14 * ratio)
            box = QRectF(middle.x() - side, middle.y() - side / 2, 2 * side, side)
            for shift in (QPointF(ratio, ratio), QPointF(-ratio, -ratio)):
                painter.setPen(OUTLINE)
                painter.drawText(box.translated(shift), Qt.AlignmentFlag.AlignCenter, str(number))
            painter.setPen(INK)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))


def _ticks(points: list[QPointF], ratio: float) -> list[QLineF]:
    """Return a line across the way at each of its points; longer ones at each quarter."""
    lines, last = [], len(points) - 1
    for index, point in enumerate(points):
        ahead = points[min(index + 1, last)] - points[max(index - 1, 0)]
        length = math.hypot(ahead.x(), ahead.y())
        across = QPointF(-ahead.y() / length, ahead.x() / length) if length > 1e-6 else QPointF(0, 1)
        half = across * ((LONG_TICK_PX if index % 4 == 0 else TICK_PX) * ratio)
        lines.append(QLineF(point - half, point + half))
    return lines
