"""The surface around the picture: plain, or a checkerboard, which nobody takes for a dark picture."""

from __future__ import annotations

from PySide6.QtGui import QBrush, QColor, QPainter, QPixmap

from videoinr_viewer.style.painting import painting

SQUARE_PX = 8


def surround_brush(colour: QColor, has_checkerboard: bool) -> QBrush:
    """Return a brush of ``colour``, or of squares of it and of a slightly different one."""
    if not has_checkerboard:
        return QBrush(colour)
    other = colour.lighter(190) if colour.lightness() < 128 else colour.darker(112)
    tile = QPixmap(2 * SQUARE_PX, 2 * SQUARE_PX)
    tile.fill(colour)
    with painting(QPainter(tile)) as painter:
        painter.fillRect(0, 0, SQUARE_PX, SQUARE_PX, other)
        painter.fillRect(SQUARE_PX, SQUARE_PX, SQUARE_PX, SQUARE_PX, other)
    return QBrush(tile)
