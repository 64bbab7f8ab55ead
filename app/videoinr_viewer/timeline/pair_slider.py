"""The slider between two source frames, for precise steps in time."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from videoinr.types import Instant
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.painting import painting
from videoinr_viewer.timeline.overview import TICKS_PER_FRAME
from videoinr_viewer.timeline.tick_slider import TickSlider

SIXTEENTH = TICKS_PER_FRAME // 16
GROOVE_Y_PX = 11


class PairSlider(TickSlider):
    """A slider over the phase within one pair. Its last tick is just before the next source frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Time within this pair of source frames"), parent, height_px=26, groove_y_px=GROOVE_Y_PX)
        self.setRange(0, TICKS_PER_FRAME - 1)
        self.setSingleStep(1)
        self.setPageStep(SIXTEENTH)
        self.pair = 0

    def show_instant(self, instant: Instant) -> None:
        """Move the handle to ``instant`` without a signal, unless the user holds it."""
        if not self.isSliderDown():
            self.pair = instant.pair
            self.show_tick(min(round(instant.phase * TICKS_PER_FRAME), self.maximum()))

    @property
    def instant(self) -> Instant:
        """The instant at the handle."""
        return Instant(self.pair, Fraction(self.value(), TICKS_PER_FRAME))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the backdrop, and the handle over it."""
        with painting(QPainter(self)) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.draw_backdrop(painter)
            self.paint_handle(painter)

    def paint_backdrop(self, painter: QPainter) -> None:
        """Paint the groove and the sixteenths of the pair."""
        self.paint_groove(painter, self.minimum(), self.maximum(), self.colour(QPalette.ColorRole.Mid, 0.8))
        if self.isEnabled():
            self._paint_ticks(painter)

    def _paint_ticks(self, painter: QPainter) -> None:
        for sixteenth in range(17):
            is_quarter = sixteenth % 4 == 0
            tick = min(sixteenth * SIXTEENTH, self.maximum())
            self.paint_tick(painter, tick, 18, 24 if is_quarter else 21, 0.5 if is_quarter else 0.28)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour(QPalette.ColorRole.PlaceholderText))
        for end in (self.minimum(), self.maximum()):
            painter.drawEllipse(QPointF(self.x_from_tick(end), GROOVE_Y_PX), 4, 4)
