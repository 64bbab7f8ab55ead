"""The legend over the picture: what its colours and arrows mean, with their scale."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from videoinr_viewer.inspection.blend_overlay import blend_colours
from videoinr_viewer.inspection.doubt_overlay import MOST_LEVELS, doubt_colours
from videoinr_viewer.inspection.flow_picture import wheel
from videoinr_viewer.picture.qimages import qimage_from_premultiplied
from videoinr_viewer.picture.readout import MARGIN_PX
from videoinr_viewer.style.painting import painting

WHEEL_PX, BAR_PX, GAP_PX = 56, QSize(56, 12), 9
BELOW_READOUT_PX = 40
"""The readout of pixel values may move to the top right corner: the legend lies below it."""
GROUND, INK = QColor(12, 13, 15, 190), QColor("#f2f3f5")


class Key(Enum):
    """The picture beside a part of the legend."""

    NOTHING = "nothing"
    WHEEL = "wheel"
    BAR = "bar"
    SHARES = "shares"


@dataclass(frozen=True)
class Part:
    """One part of the legend: its picture and its lines of text."""

    key: Key
    lines: tuple[str, ...]


class Legend(QWidget):
    """Lies in the top right corner of ``parent``."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._parts: tuple[Part, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is shown."""
        return self._parts

    def show_parts(self, parts: tuple[Part, ...]) -> None:
        """Show ``parts``, one below the other; none hides the legend."""
        if parts != self._parts:
            self._parts = parts
            self.setAccessibleName(". ".join(line for part in parts for line in part.lines))
            self.resize(self._wanted_size())
            self.update()
        self.setVisible(bool(parts))
        self.place()

    def place(self) -> None:
        """Move to the corner of the parent."""
        room = self._parent.rect().adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        left, top = (
            room.right() + 1 - self.width(),
            min(room.top() + BELOW_READOUT_PX, room.bottom() + 1 - self.height()),
        )
        self.move(max(left, 0), max(top, 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the parts."""
        with painting(QPainter(self)) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(GROUND)
            painter.drawRoundedRect(self.rect(), 5, 5)
            top = GAP_PX
            for part in self._parts:
                height = self._height(part)
                self._paint_part(painter, part, QRect(GAP_PX, top, self.width() - 2 * GAP_PX, height))
                top += height + GAP_PX

    def _paint_part(self, painter: QPainter, part: Part, box: QRect) -> None:
        picture = _PICTURES[part.key]
        if picture is not None:
            size = self._key_size(part)
            at = QPointF(box.x(), box.y() + (box.height() - size.height()) / 2)
            painter.drawImage(QRectF(at, size), picture())
        painter.setPen(INK)
        text = box.adjusted(self._text_left(part), 0, 0, 0)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, "\n".join(part.lines))

    def _wanted_size(self) -> QSize:
        widths = [
            self._text_left(part) + max(self.fontMetrics().horizontalAdvance(line) for line in part.lines)
            for part in self._parts
        ]
        height = sum(self._height(part) + GAP_PX for part in self._parts)
        return QSize(max(widths, default=0) + 2 * GAP_PX, height + GAP_PX)

    def _height(self, part: Part) -> int:
        return max(self._key_size(part).height(), self.fontMetrics().lineSpacing() * len(part.lines))

    def _text_left(self, part: Part) -> int:
        width = self._key_size(part).width()
        return width + GAP_PX if width else 0

    @staticmethod
    def _key_size(part: Part) -> QSize:
        return {Key.NOTHING: QSize(0, 0), Key.WHEEL: QSize(WHEEL_PX, WHEEL_PX), Key.BAR: BAR_PX,
                Key.SHARES: BAR_PX}[part.key]  # fmt: skip


def _wheel() -> QImage:
    return qimage_from_premultiplied(wheel(2 * WHEEL_PX))


def _bar() -> QImage:
    levels = np.linspace(0, MOST_LEVELS, BAR_PX.width(), dtype=np.float32)
    return qimage_from_premultiplied(
        np.ascontiguousarray(np.tile(doubt_colours(levels[None]), (BAR_PX.height(), 1, 1)))
    )


def _shares() -> QImage:
    shares = np.tile(np.linspace(1, 0, BAR_PX.width(), dtype=np.float32), (BAR_PX.height(), 1))
    return qimage_from_premultiplied(blend_colours(shares))


_PICTURES = {Key.NOTHING: None, Key.WHEEL: _wheel, Key.BAR: _bar, Key.SHARES: _shares}
