"""The minimap: a small copy of the frame with the visible region, while that is not the whole frame."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from videoinr.types import RenderedRegion
from videoinr_viewer.picture.small_copies import small_copy
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.painting import painting

MOST_PX = QSize(176, 132)
"""The largest minimap, logical pixels."""
MOST_SHARE = 0.25
"""The same as a share of the parent's width and height."""
MARGIN_PX = 12
LEAST_BOX_PX = 4.0
"""The visible region is drawn at least this large, so that it can be seen at any zoom."""


class Minimap(QWidget):
    """Lies in the bottom right corner of ``parent``. A press or a drag moves the view."""

    centre_wanted = Signal(tuple)
    """(x, y), clip pixels on the edge axis: what the middle of the view shall show."""
    released = Signal()
    """The user has stopped moving the view."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._clip = QSize(1, 1)
        self._seen = QRectF()
        self._thumbnail: QImage | None = None
        self._source: RenderedRegion | None = None
        self.wanted = True
        self.setAccessibleName(tr("Minimap"))
        self.setToolTip(tr("The part of the picture that is visible; drag to move it"))
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.hide()

    def open(self, width: int, height: int) -> None:
        """Take the size of a newly opened clip."""
        self._clip, self._thumbnail, self._source = QSize(width, height), None, None
        self.place()

    def show_source(self, region: RenderedRegion) -> None:
        """Show a copy of the source frame ``region``, made when it is first painted."""
        self._source, self._thumbnail = region, None
        self.update()

    def look(self, seen: QRectF) -> None:
        """Mark the visible region ``seen`` (clip pixels); hide where it holds the whole frame."""
        self._seen = seen
        whole = QRectF(0, 0, self._clip.width(), self._clip.height())
        self.setVisible(self.wanted and not seen.adjusted(-0.5, -0.5, 0.5, 0.5).contains(whole))
        self.place()
        self.update()

    def place(self) -> None:
        """Move to the corner of the parent, not larger than a share of it."""
        most = MOST_PX.boundedTo(self._parent.size() * MOST_SHARE)
        size = self._clip.scaled(most, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(24, 24))
        if size != self.size():
            self.resize(size)
            self._thumbnail = None
        room = self._parent.rect().adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        box = QRect(self.rect())
        box.moveBottomRight(room.bottomRight())
        self.move(box.topLeft())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move the view to the mouse."""
        self._go(event.position())
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Let the view follow the mouse."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell that the view rests."""
        self.released.emit()
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the copy, darker outside the visible region."""
        with painting(QPainter(self)) as painter:
            painter.fillRect(self.rect(), QColor(12, 13, 15))
            if (image := self._image()) is not None:
                painter.drawImage(self.rect(), image)
            box = self._box()
            shade = QColor(0, 0, 0, 120)
            around = QRectF(self.rect())
            for part in (
                QRectF(around.topLeft(), QPointF(around.right(), box.top())),
                QRectF(QPointF(around.left(), box.bottom()), around.bottomRight()),
                QRectF(QPointF(around.left(), box.top()), box.bottomLeft()),
                QRectF(box.topRight(), QPointF(around.right(), box.bottom())),
            ):
                painter.fillRect(part, shade)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1.5))
            painter.drawRect(box)
            painter.setPen(QPen(QColor(255, 255, 255, 120), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    @property
    def _px_per_clip(self) -> float:
        return self.width() / self._clip.width()

    def _box(self) -> QRectF:
        scale = self._px_per_clip
        box = QRectF(self._seen.x() * scale, self._seen.y() * scale, self._seen.width() * scale,
                     self._seen.height() * scale)  # fmt: skip
        grow = [max(0.0, LEAST_BOX_PX - side) / 2 for side in (box.width(), box.height())]
        return box.adjusted(-grow[0], -grow[1], *grow) & QRectF(self.rect())

    def _go(self, at: QPointF) -> None:
        self.centre_wanted.emit((at.x() / self._px_per_clip, at.y() / self._px_per_clip))

    def _image(self) -> QImage | None:
        if self._thumbnail is None and self._source is not None:
            size = self.size() * self.devicePixelRatioF()
            self._thumbnail = small_copy(self._source.rgbx, size)
        return self._thumbnail
