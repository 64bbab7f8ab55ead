"""Paints the motion of a field over the picture: colours of a wheel, or arrows."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from videoinr.render.inspected import FlowField
from videoinr_viewer.inspection.colour_layer import STALE_OPACITY
from videoinr_viewer.inspection.flow_picture import arrow_spacing, arrows, magnification, scale_of, wheel_colours
from videoinr_viewer.picture.picture_item import Pane, PictureItem
from videoinr_viewer.picture.pictures import unit_box
from videoinr_viewer.picture.qimages import qimage_from_premultiplied

ARROW_DISTANCE_PX, MOST_ARROWS = 28, 900
"""The least distance between arrows, logical pixels, and about the most that are drawn: each takes some 10 us."""
OUTLINE_STEPS = ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))
"""Where the outline is drawn, logical pixels: Qt draws thin lines ten times as fast as thick ones."""
DOT_PX = 1.5
"""Arrows that are shorter than this are drawn as dots, logical pixels."""
OUTLINE, INK = QColor(0, 0, 0, 170), QColor(255, 236, 130)


class FlowView(Enum):
    """The ways to show motion."""

    OFF = "off"
    COLOURS = "colours"
    ARROWS = "arrows"


class FlowOverlay:
    """A layer of ``item``. ``is_fresh``: whether the field is that of the instant in view."""

    def __init__(self, item: PictureItem) -> None:
        self._item = item
        self.view, self.to_later, self.is_fresh = FlowView.OFF, True, False
        self._field: FlowField | None = None
        self._image: tuple[bool, QImage] | None = None
        self.scale_px = 1.0

    @property
    def field(self) -> FlowField | None:
        """The motion that is shown."""
        return self._field

    def set_field(self, field: FlowField | None) -> None:
        """Show another field, or none."""
        self._field, self._image = field, None
        if field is not None:
            self.scale_px = scale_of(field)

    def magnified_at(self, zoom: float, ratio: float) -> float:
        """Return how many times longer than the motion arrows are drawn; ``zoom``: physical pixels a clip pixel."""
        return magnification(self.scale_px, zoom, zoom * arrow_spacing(zoom, self._least_px(ratio)))

    def _least_px(self, ratio: float) -> float:
        """Return the least distance between arrows, physical pixels."""
        width, height = self._item.pane_px
        return max(ARROW_DISTANCE_PX * ratio, math.sqrt(width * height / MOST_ARROWS))

    def paint(self, painter: QPainter, pane: Pane, ratio: float) -> None:
        """Paint the field in ``pane``; ``ratio``: physical pixels for each logical one."""
        if self.view is FlowView.OFF or self._field is None:
            return
        painter.setOpacity(1.0 if self.is_fresh else STALE_OPACITY)
        if self.view is FlowView.COLOURS:
            self._paint_colours(painter, pane, self._field)
        else:
            self._paint_arrows(painter, pane, self._field, ratio)
        painter.setOpacity(1.0)

    def _paint_colours(self, painter: QPainter, pane: Pane, field: FlowField) -> None:
        if self._image is None or self._image[0] is not self.to_later:
            colours = wheel_colours(field.flow[int(self.to_later)], self.scale_px)
            self._image = (self.to_later, qimage_from_premultiplied(colours))
        left, top, right, bottom = unit_box(field.query)
        width, height = self._item.size
        box = QRectF(left * width, top * height, (right - left) * width, (bottom - top) * height)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(pane.physical.mapRect(box), self._image[1])

    def _paint_arrows(self, painter: QPainter, pane: Pane, field: FlowField, ratio: float) -> None:
        inverted, _ = pane.physical.inverted()
        seen = inverted.mapRect(self._item.frame_box(pane))
        made = arrows(
            field, to_later=self.to_later, clip=self._item.size, zoom=pane.physical.m11(),
            seen=(seen.left(), seen.top(), seen.right(), seen.bottom()),
            corner=(pane.physical.dx(), pane.physical.dy()), scale_px=self.scale_px,
            least_px=self._least_px(ratio),
        )  # fmt: skip
        is_long = np.hypot(*(made.tips - made.tails).T) >= DOT_PX * ratio
        lines, dots = [], [QLineF(x - 0.5, y, x + 0.5, y) for x, y in made.tails[~is_long].tolist()]
        shafts = (part[is_long].tolist() for part in (made.tails, made.tips, made.heads))
        for tail, tip, head in zip(*shafts, strict=True):
            lines.append(QLineF(*tail, *tip))
            lines += [QLineF(*tip, *end) for end in head]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for colour, steps in ((OUTLINE, OUTLINE_STEPS), (INK, ((0.0, 0.0),))):
            pen = QPen(colour, 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            for x, y in steps:
                painter.translate(x * ratio, y * ratio)
                painter.drawLines(lines + dots)
                painter.translate(-x * ratio, -y * ratio)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
