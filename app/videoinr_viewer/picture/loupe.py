"""The loupe: the screen's pixels around the mouse, eight times as large, while a key is held."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from videoinr_viewer.picture.pixel_values import PixelValues
from videoinr_viewer.style.language import decimal, tr
from videoinr_viewer.style.painting import painting

MAGNIFIED = 8
SIDE = 25
"""Pixels of the screen along a side of what is magnified, at density 1; as many more as the screen is denser."""
TEXT_PX = 40
"""Height of the readout below, logical pixels."""
MARGIN_PX = 8
GROUND, INK = QColor(12, 13, 15, 235), QColor("#f2f3f5")


class Loupe(QWidget):
    """Lies over ``view`` around the mouse, inside the view. ``painted`` is the widget that paints the picture."""

    def __init__(self, view: QWidget, painted: QWidget) -> None:
        super().__init__(view)
        self._view, self._painted = view, painted
        self._image, self._count = QImage(), SIDE
        self._lines: tuple[str, str] = ("", "")
        self.setAccessibleName(tr("Loupe"))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def image(self) -> QImage:
        """What is magnified: the physical pixels of a square, fewer where the view is low."""
        return self._image

    @property
    def lines(self) -> tuple[str, str]:
        """The readout."""
        return self._lines

    def show_at(self, mouse: QPoint, values: PixelValues | None) -> None:
        """Magnify what is around ``mouse`` (logical pixels of the view); ``values``: of the pixel under it."""
        ratio = self._view.devicePixelRatioF()
        room = self._view.rect()
        most = int(min(room.width(), room.height() - TEXT_PX) * ratio) // MAGNIFIED
        self._count = _odd(min(round(SIDE * ratio), most))
        self._image = self._grabbed(mouse, ratio)
        self._lines = _readout(values)
        side = round(self._count * MAGNIFIED / ratio)
        # Where the view is low, the readout may be wider than all squares.
        words = max(map(self.fontMetrics().horizontalAdvance, self._lines))
        self.resize(QSize(max(side, words + 2 * MARGIN_PX), side + TEXT_PX))
        box = QRect(mouse - QPoint(self.width() // 2, side // 2), self.size())
        box.moveLeft(min(max(box.left(), 0), max(room.width() - box.width(), 0)))
        box.moveTop(min(max(box.top(), 0), max(room.height() - box.height(), 0)))
        self.move(box.topLeft())
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pixels as squares, a frame around the one under the mouse, and the readout."""
        ratio = self.devicePixelRatioF()
        with painting(QPainter(self)) as painter:
            painter.fillRect(self.rect(), GROUND)
            side = self._count * MAGNIFIED / ratio
            left = (self.width() - side) // 2
            painter.drawImage(QRectF(left, 0, side, side), self._image)
            cell = MAGNIFIED / ratio
            middle = QRectF(left + self._count // 2 * cell, self._count // 2 * cell, cell, cell)
            for grow, colour in ((1.0, QColor(0, 0, 0)), (0.0, QColor(255, 255, 255))):
                painter.setPen(QPen(colour, 1))
                painter.drawRect(middle.adjusted(-grow, -grow, grow, grow))
            painter.setPen(INK)
            text = QRectF(MARGIN_PX, side, self.width() - 2 * MARGIN_PX, TEXT_PX)
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, "\n".join(self._lines))
            painter.setPen(QPen(QColor(255, 255, 255, 120), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _grabbed(self, mouse: QPoint, ratio: float) -> QImage:
        """Return the physical pixels around ``mouse``; those outside of the widget are dark."""
        count = self._count
        out = QImage(count, count, QImage.Format.Format_RGB32)
        out.fill(GROUND)
        reach = int(count / ratio) // 2 + 2
        wanted = QRect(mouse - QPoint(reach, reach), QSize(2 * reach + 1, 2 * reach + 1)) & self._painted.rect()
        if wanted.isEmpty():
            return out
        grabbed = self._painted.grab(wanted).toImage()
        grabbed.setDevicePixelRatio(1.0)
        middle = QPointF(mouse - wanted.topLeft()) * ratio
        with painting(QPainter(out)) as painter:
            painter.drawImage(QPoint(count // 2 - int(middle.x()), count // 2 - int(middle.y())), grabbed)
        return out


def _odd(count: int) -> int:
    """Return ``count`` or the number before it, so that one pixel is in the middle; at least 5."""
    return max(5, count - 1 + count % 2)


def _readout(values: PixelValues | None) -> tuple[str, str]:
    if values is None:
        return tr("beside the picture"), ""
    place = tr("x {x}   y {y}", x=decimal(f"{values.x:.2f}"), y=decimal(f"{values.y:.2f}"))
    shown = "–" if values.shown is None else "{:3} {:3} {:3}".format(*values.shown)
    return place, tr("RGB {shown}", shown=shown)
