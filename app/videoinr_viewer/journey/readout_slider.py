"""The slider of the rolling shutter: its groove is filled from 0, which lies in the middle, to the handle."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from videoinr_viewer.style.painting import painting
from videoinr_viewer.timeline.tick_slider import TickSlider

HEIGHT_PX, GROOVE_Y_PX, TICK_PX = 28, 11, (18, 24)
"""``TICK_PX``: the upper and the lower end of the mark at 0."""


class ReadoutSlider(TickSlider):
    """A slider with negative values on the left half; 0 has a mark, and fills nothing."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent, height_px=HEIGHT_PX, groove_y_px=GROOVE_Y_PX)
        self.setEnabled(True)

    @property
    def filled(self) -> tuple[int, int]:
        """The ticks between which the groove is filled."""
        position = self.sliderPosition()
        return min(position, 0), max(position, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the groove, what is filled of it, and the handle."""
        with painting(QPainter(self)) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.draw_backdrop(painter)
            if self.sliderPosition():
                self.paint_groove(painter, *self.filled, self.colour(QPalette.ColorRole.Highlight))
            self.paint_handle(painter)

    def paint_backdrop(self, painter: QPainter) -> None:
        """Paint the empty groove and the mark at 0."""
        self.paint_groove(painter, self.minimum(), self.maximum(), self.colour(QPalette.ColorRole.Mid, 0.8))
        self.paint_tick(painter, 0, *TICK_PX, 0.5)
