"""The pyqtgraph parts of the picture: the item that paints it, and the box that turns the mouse into intents."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from videoinr.types import RenderedRegion
from videoinr_viewer.picture.pictures import PictureStack, unit_box
from videoinr_viewer.picture.qimages import qimage_from_rgbx

WHEEL_STEPS_TO_DOUBLE = 4
"""Notches of a wheel that double the zoom."""
NOTCH = 120
"""The wheel's angle, in eighths of a degree, for one notch."""


class CanvasBox(pg.ViewBox):  # type: ignore[misc]
    """A ViewBox that emits a signal for each mouse gesture, and moves only when its range is set.

    Its coordinates are clip pixels on the edge axis, y down. The points in its signals are logical pixels of the view.
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


class PictureItem(pg.GraphicsObject):  # type: ignore[misc]
    """Paints a :class:`PictureStack` in clip coordinates.

    ``source_only`` hides the decoded regions. ``wipe`` (0..1, or None) is the share of the view, from its left edge,
    that shows the source. ``drawn`` holds the regions of the last paint, bottom to top.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stack = PictureStack()
        self.source_only = False
        self.wipe: float | None = None
        self.drawn: tuple[RenderedRegion, ...] = ()
        self._size = (1, 1)

    def reset(self, width: int, height: int) -> None:
        """Remove all regions: a clip of ``width`` x ``height`` pixels was opened."""
        self.prepareGeometryChange()
        self.stack, self._size, self.drawn = PictureStack(), (width, height), ()
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the rectangle of the clip's frame, on the edge axis."""
        return QRectF(0, 0, *self._size)

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the stack in physical pixels, so that a picture decoded for the screen is copied, not resampled."""
        ratio = painter.device().devicePixelRatio()
        physical = painter.worldTransform() * QTransform.fromScale(ratio, ratio)
        view = QRectF(widget.rect() if widget is not None else painter.window())
        view = QTransform.fromScale(ratio, ratio).mapRect(view)
        painter.save()
        painter.resetTransform()
        painter.scale(1 / ratio, 1 / ratio)
        self.drawn = tuple(self._layers(physical, view))
        for region in self.drawn:
            self._draw(painter, region, physical)
        if self.wipe is not None and not self.source_only:
            self._draw_wipe(painter, physical, view & physical.mapRect(self.boundingRect()))
        painter.restore()

    def _layers(self, physical: QTransform, view: QRectF) -> list[RenderedRegion]:
        if self.source_only and self.stack.source is not None:
            return [self.stack.source]
        inverted, _ = physical.inverted()
        box = inverted.mapRect(view) & self.boundingRect()
        width, height = self._size
        return self.stack.to_draw((box.left() / width, box.top() / height, box.right() / width, box.bottom() / height))

    def _draw(self, painter: QPainter, region: RenderedRegion, physical: QTransform) -> None:
        left, top, right, bottom = unit_box(region.query)
        width, height = self._size
        target = physical.mapRect(QRectF(left * width, top * height, (right - left) * width, (bottom - top) * height))
        image = qimage_from_rgbx(region.rgbx)
        if abs(target.width() - image.width()) < 1 and abs(target.height() - image.height()) < 1:
            painter.drawImage(round(target.x()), round(target.y()), image)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, image)

    def _draw_wipe(self, painter: QPainter, physical: QTransform, seen: QRectF) -> None:
        """Draw the source and the line of the wipe inside ``seen``: Qt does not redraw what lies outside this item."""
        assert self.wipe is not None
        x = round(seen.left() + seen.width() * self.wipe)
        painter.setClipRect(seen)
        if self.stack.source is not None:
            painter.setClipRect(QRectF(seen.left(), seen.top(), x - seen.left(), seen.height()))
            self._draw(painter, self.stack.source, physical)
            painter.setClipRect(seen)
        for offset, colour in ((-1, QColor(0, 0, 0, 140)), (0, QColor(255, 255, 255, 230)), (1, QColor(0, 0, 0, 140))):
            painter.setPen(QPen(colour, 1))
            painter.drawLine(QPointF(x + offset + 0.5, seen.top()), QPointF(x + offset + 0.5, seen.bottom()))
