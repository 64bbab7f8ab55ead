"""The item that paints the picture: the decoded regions, a comparison with the reference, and the grid of pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QPainter, QPen, QTransform

from videoinr.types import RenderedRegion, ViewState
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.picture.pictures import PictureStack, UnitBox, unit_box
from videoinr_viewer.picture.qimages import qimage_from_rgbx

GRID_LEAST_ZOOM = 8.0
"""The grid of source pixels is drawn from this zoom on; below, it would hide the picture."""
_GRID_COLOUR = QColor(128, 128, 128, 130)


class Pane(NamedTuple):
    """A part of the widget that shows the view: its rectangle, and the transform from clip to physical pixels."""

    box: QRectF
    physical: QTransform


class Layer(Protocol):
    """Something that is painted over the picture."""

    def paint(self, painter: QPainter, pane: Pane, ratio: float) -> None:
        """Paint over the picture in ``pane``, in physical pixels; ``ratio``: so many make a logical one."""


class PictureItem:
    """Paints a :class:`PictureStack` as the view says, in physical pixels.

    ``source_only`` hides the decoded regions. ``drawn`` holds the decoded regions of the last paint, bottom to top.
    ``wipe_x`` is the place of the wipe, clip pixels. ``reference`` and ``difference`` are those of the newest decoded
    region, where they have been computed. ``layers`` are painted over all of that, the first one lowest. ``update``
    lets the widget paint the item again.
    """

    def __init__(self, update: Callable[[], None]) -> None:
        self.update = update
        self.stack = PictureStack()
        self.view: ViewState | None = None
        self.pane_px = (1, 1)
        self.compare, self.kind = Compare.OFF, Reference.NEAREST
        self.source_only = self.blinks = self.shows_grid = False
        self.wipe_x = 0.0
        self.reference: RenderedRegion | None = None
        self.difference: RenderedRegion | None = None
        self.drawn: tuple[RenderedRegion, ...] = ()
        self.layers: list[Layer] = []
        self._size = (1, 1)

    def reset(self, width: int, height: int) -> None:
        """Remove all regions: a clip of ``width`` x ``height`` pixels was opened."""
        self.stack, self._size, self.drawn = PictureStack(), (width, height), ()
        self.reference = self.difference = None
        self.wipe_x = width / 2
        self.update()

    # ---- places ----

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the clip."""
        return self._size

    def panes(self) -> list[Pane]:
        """Return the one pane of the widget, or those of the reference and of the decoded picture side by side."""
        if self.view is None:
            return []
        width, height = self.pane_px
        lefts = (0, width) if self.compare is Compare.SIDE_BY_SIDE else (0,)
        zoom, (x, y) = self.view.zoom, self.view.centre
        # The corner is a whole number, but for a rounding error: the view is the drawn one.
        corner = (round(width / 2 - x * zoom), round(height / 2 - y * zoom))
        return [
            Pane(QRectF(left, 0, width, height), QTransform(zoom, 0, 0, zoom, left + corner[0], corner[1]))
            for left in lefts
        ]

    def frame_box(self, pane: Pane) -> QRectF:
        """Return the visible part of the clip's frame in ``pane``, physical pixels."""
        return pane.physical.mapRect(QRectF(QPointF(0, 0), QSizeF(*self._size))) & pane.box

    def wipe_px(self) -> float | None:
        """Return the physical x of the wipe, or None where there is none."""
        panes = self.panes()
        return panes[0].physical.map(QPointF(self.wipe_x, 0)).x() if panes and self.compare.is_wipe else None

    def newest(self) -> RenderedRegion | None:
        """Return the decoded region on top."""
        return self.stack.regions[-1] if self.stack.regions else None

    # ---- painting ----

    def paint(self, painter: QPainter) -> None:
        """Draw in physical pixels, so that a picture decoded for the screen is copied, not resampled."""
        ratio = painter.device().devicePixelRatio()
        painter.save()
        painter.resetTransform()
        painter.scale(1 / ratio, 1 / ratio)
        for index, pane in enumerate(self.panes()):
            painter.setClipRect(pane.box)
            self._paint_pane(painter, pane, index)
            if self.shows_grid and self.view is not None and self.view.zoom >= GRID_LEAST_ZOOM:
                self._paint_grid(painter, pane)
            for layer in self.layers:
                layer.paint(painter, pane, ratio)
        painter.restore()

    def _paint_pane(self, painter: QPainter, pane: Pane, index: int) -> None:
        if self.source_only and self.stack.source is not None:
            self._draw(painter, self.stack.source, pane, smooth=True)
            return
        # Regions that a comparison covers are not shown, but they are what the pictures on the screen come from.
        self.drawn = tuple(self.stack.to_draw(self._visible(pane)))
        first_of_two = self.compare is Compare.SIDE_BY_SIDE and index == 0
        if first_of_two or (self.compare is Compare.BLINK and self.blinks):
            self._paint_reference(painter, pane)
            return
        for region in self.drawn:
            self._draw(painter, region, pane, smooth=True)
        if self.compare is Compare.DIFFERENCE and self.difference is not None:
            self._draw(painter, self.difference, pane, smooth=False)
        elif self.compare.is_wipe:
            self._paint_wipe(painter, pane)

    def _visible(self, pane: Pane) -> UnitBox:
        inverted, _ = pane.physical.inverted()
        box = inverted.mapRect(self.frame_box(pane))
        width, height = self._size
        return box.left() / width, box.top() / height, box.right() / width, box.bottom() / height

    def _paint_reference(self, painter: QPainter, pane: Pane) -> None:
        """Draw the reference; where it is not computed yet, the source frame as Qt enlarges it."""
        smooth = self.kind is not Reference.NEAREST
        if self.stack.source is not None:
            self._draw(painter, self.stack.source, pane, smooth=smooth)
        reference, newest = self.reference, self.newest()
        if reference is not None and newest is not None and reference.query.instant == newest.query.instant:
            self._draw(painter, reference, pane, smooth=smooth)

    def _paint_wipe(self, painter: QPainter, pane: Pane) -> None:
        frame, x = self.frame_box(pane), round(pane.physical.map(QPointF(self.wipe_x, 0)).x())
        left = QRectF(frame.left(), frame.top(), x - frame.left(), frame.height())
        if left.width() > 0:
            painter.setClipRect(left & frame)
            self._paint_reference(painter, pane)
        painter.setClipRect(frame)
        for offset, colour in ((-1, QColor(0, 0, 0, 140)), (0, QColor(255, 255, 255, 230)), (1, QColor(0, 0, 0, 140))):
            painter.fillRect(QRectF(x + offset, frame.top(), 1, frame.height()), colour)

    def _paint_grid(self, painter: QPainter, pane: Pane) -> None:
        """Draw lines between the source pixels."""
        painter.setClipRect(self.frame_box(pane))
        painter.setPen(QPen(_GRID_COLOUR, 1))
        inverted, _ = pane.physical.inverted()
        box, frame = inverted.mapRect(self.frame_box(pane)), self.frame_box(pane)
        columns = (pane.physical.map(QPointF(x, 0)).x() for x in range(int(box.left()) + 1, int(box.right()) + 1))
        rows = (pane.physical.map(QPointF(0, y)).y() for y in range(int(box.top()) + 1, int(box.bottom()) + 1))
        lines = [QLineF(round(x) + 0.5, frame.top(), round(x) + 0.5, frame.bottom()) for x in columns]
        lines += [QLineF(frame.left(), round(y) + 0.5, frame.right(), round(y) + 0.5) for y in rows]
        painter.drawLines(lines)

    def _draw(self, painter: QPainter, region: RenderedRegion, pane: Pane, *, smooth: bool) -> None:
        left, top, right, bottom = unit_box(region.query)
        width, height = self._size
        target = pane.physical.mapRect(
            QRectF(left * width, top * height, (right - left) * width, (bottom - top) * height)
        )
        image = qimage_from_rgbx(region.rgbx)
        if abs(target.width() - image.width()) < 1 and abs(target.height() - image.height()) < 1:
            painter.drawImage(round(target.x()), round(target.y()), image)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(target, image)
