"""The symbols of the buttons, drawn as vector paths in the colours of the palette."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QIcon,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPaintEvent,
    QPalette,
    QPolygonF,
    QTransform,
)
from PySide6.QtWidgets import QStyle, QStyleOptionToolButton, QStylePainter, QToolButton, QWidget

from videoinr_viewer.style.painting import painting

SIDE = 24.0
"""Side of the square that the paths are drawn in."""


def _triangle(*points: tuple[float, float]) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    path.closeSubpath()
    return path


def _bars(*boxes: tuple[float, float, float, float]) -> QPainterPath:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    for x, y, width, height in boxes:
        path.addRoundedRect(QRectF(x, y, width, height), 0.8, 0.8)
    return path


def _play() -> QPainterPath:
    return _triangle((7.5, 4.5), (19.5, 12), (7.5, 19.5))


def _pause() -> QPainterPath:
    return _bars((6.5, 5, 3.8, 14), (13.7, 5, 3.8, 14))


def _next_frame() -> QPainterPath:
    return _triangle((6.5, 6.5), (15, 12), (6.5, 17.5)) | _bars((16, 6.5, 2, 11))


def _to_end() -> QPainterPath:
    return _triangle((4.5, 7), (10.5, 12), (4.5, 17)) | _triangle((11, 7), (17, 12), (11, 17)) | _bars((18, 7, 2, 10))


def _mark_in() -> QPainterPath:
    return _bars((7, 5, 2.2, 14), (7, 5, 7, 2.2), (7, 16.8, 7, 2.2))


def _loop() -> QPainterPath:
    ring = QPainterPath()
    ring.arcMoveTo(QRectF(5, 5, 14, 14), 60)
    ring.arcTo(QRectF(5, 5, 14, 14), 60, 300)
    return _stroked(ring) | _triangle((14.2, 1.8), (19.6, 6.6), (12.8, 8.6))


def _speaker() -> QPainterPath:
    cone = QPainterPath(QPointF(11.5, 5))
    for point in ((11.5, 19), (7.5, 15), (4, 15), (4, 9), (7.5, 9)):
        cone.lineTo(*point)
    cone.closeSubpath()
    return cone


def _sound() -> QPainterPath:
    path = _speaker()
    for side in (6.0, 12.0):
        wave = QPainterPath()
        box = QRectF(11.5 - side / 2, 12 - side / 2, side, side)
        wave.arcMoveTo(box, -45)
        wave.arcTo(box, -45, 90)
        path |= _stroked(wave.translated(2.5, 0), 1.7)
    return path


def _muted() -> QPainterPath:
    cross = QPainterPath(QPointF(14.5, 9.5))
    cross.lineTo(19.5, 14.5)
    cross.moveTo(19.5, 9.5)
    cross.lineTo(14.5, 14.5)
    return _speaker() | _stroked(cross, 1.7)


def _close() -> QPainterPath:
    cross = QPainterPath(QPointF(7.5, 7.5))
    cross.lineTo(16.5, 16.5)
    cross.moveTo(16.5, 7.5)
    cross.lineTo(7.5, 16.5)
    return _stroked(cross)


def _clear_marks() -> QPainterPath:
    cross = QPainterPath(QPointF(9.7, 9.7))
    cross.lineTo(14.3, 14.3)
    cross.moveTo(14.3, 9.7)
    cross.lineTo(9.7, 14.3)
    return _stroked(cross, 1.6) | _mark_in().translated(-3.5, 0) | _mirrored(_mark_in().translated(-3.5, 0))


def _stroked(path: QPainterPath, width: float = 2.0) -> QPainterPath:
    stroker = QPainterPathStroker()
    stroker.setWidth(width)
    stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
    return stroker.createStroke(path)


def _mirrored(path: QPainterPath) -> QPainterPath:
    return QTransform(-1, 0, 0, 1, SIDE, 0).map(path)


class Glyph(Enum):
    """The symbols, each with the function that draws its path."""

    PLAY = (_play,)
    PAUSE = (_pause,)
    NEXT_FRAME = (_next_frame,)
    PREVIOUS_FRAME = (lambda: _mirrored(_next_frame()),)
    TO_END = (_to_end,)
    TO_START = (lambda: _mirrored(_to_end()),)
    MARK_IN = (_mark_in,)
    MARK_OUT = (lambda: _mirrored(_mark_in()),)
    CLEAR_MARKS = (_clear_marks,)
    LOOP = (_loop,)
    SOUND = (_sound,)
    MUTED = (_muted,)
    CLOSE = (_close,)

    @property
    def path(self) -> QPainterPath:
        """The path of the symbol in a square of :data:`SIDE`."""
        draw: Callable[[], QPainterPath] = self.value[0]
        return draw()


class GlyphButton(QToolButton):
    """A flat button with a :class:`Glyph`, in the accent colour while checked."""

    def __init__(self, glyph: Glyph, parent: QWidget | None = None, *, side_px: int = 32) -> None:
        super().__init__(parent)
        self._path = glyph.path
        self._side_px = side_px
        # The space bar plays whatever has the focus, so it could not press a button.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedSize(self.sizeHint())

    def set_glyph(self, glyph: Glyph) -> None:
        """Show another symbol."""
        self._path = glyph.path
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the square button."""
        return QSize(self._side_px, self._side_px)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame of the style, and the symbol in the middle."""
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text, option.icon = "", QIcon()
        factor = min(self.width(), self.height()) * 0.62 / SIDE
        with painting(QStylePainter(self)) as painter:
            painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(QRectF(self.rect()).center())
            painter.scale(factor, factor)
            painter.translate(-SIDE / 2, -SIDE / 2)
            painter.fillPath(self._path, self._colour())

    def _colour(self) -> QColor:
        if not self.isEnabled():
            return self.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
        role = QPalette.ColorRole.Highlight if self.isChecked() else QPalette.ColorRole.ButtonText
        return self.palette().color(role)
