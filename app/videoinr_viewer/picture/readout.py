"""The overlay with the values of the pixel under the mouse."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLabel, QWidget

from videoinr.timeline import Timeline
from videoinr_viewer.picture.pixel_values import PixelValues, Rgb
from videoinr_viewer.style.language import decimal, tr
from videoinr_viewer.style.text import format_time

MARGIN_PX = 12


class Readout(QLabel):
    """Lies in the bottom left corner of ``parent``, or in the top right one while the mouse is near the other."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setObjectName("badge")
        self.setAccessibleName(tr("Pixel values"))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        font = self.font()
        font.setFeature(QFont.Tag("tnum"), 1)
        self.setFont(font)
        self.hide()

    def show_values(self, values: PixelValues | None, timeline: Timeline | None, mouse: QPoint) -> None:
        """Show ``values`` of the picture at ``mouse`` (logical pixels of the parent); None hides the overlay."""
        if values is None or timeline is None:
            self.hide()
            return
        self.setText(describe_pixel(values, timeline))
        self.adjustSize()
        self._keep_away_from(mouse)
        self.show()

    def _keep_away_from(self, mouse: QPoint) -> None:
        room = self._parent.rect().adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        box = QRect(QPoint(0, 0), self.size())
        box.moveBottomLeft(room.bottomLeft())
        if box.adjusted(-40, -40, 40, 40).contains(mouse):
            box.moveTopRight(room.topRight())
        self.move(box.topLeft())


def describe_pixel(values: PixelValues, timeline: Timeline) -> str:
    """Return one line: the place, the time, the value that is shown and the value of the source."""
    time = "–" if values.instant is None else format_time(timeline.time_from_instant(values.instant))
    return tr(
        "x {x}   y {y}   t {time}   RGB {shown}   source {source}",
        x=decimal(f"{values.x:.2f}"),
        y=decimal(f"{values.y:.2f}"),
        time=time,
        shown=_format(values.shown),
        source=_format(values.source),
    )


def _format(rgb: Rgb | None) -> str:
    return "–" if rgb is None else "{:3} {:3} {:3}".format(*rgb)
