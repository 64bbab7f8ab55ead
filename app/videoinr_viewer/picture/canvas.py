"""The surface of the picture: paints it over a background, and turns the mouse into intents."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QBrush, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from videoinr_viewer.picture.picture_item import PictureItem
from videoinr_viewer.style.painting import painting

WHEEL_STEPS_TO_DOUBLE = 4
"""Notches of a wheel that double the zoom."""
NOTCH = 120
"""The wheel's angle, in eighths of a degree, for one notch."""
DRAG_LEAST_PX = 5
"""A button that is released within this distance was clicked, not dragged: logical pixels."""
_PANNING = (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton)


class Canvas(QAbstractScrollArea):
    """Paints a :class:`PictureItem` and emits a signal for each mouse gesture. It never moves by itself.

    The points in its signals are logical pixels of the widget. pyqtgraph's view would take a quarter of a second of
    the start to import, and each paint of it more than the picture's.
    """

    zoomed = Signal(float, QPointF)
    """Factor, and the point that stays fixed."""
    panned = Signal(QPointF, bool)
    """Distance of the mouse from the start of the drag, and whether the drag starts now."""
    pan_ended = Signal()
    scrub_wanted = Signal(int)
    """Sixteenths of a frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # A viewport of our own: Python's wrapper of the one that Qt makes is not sure to last.
        self._surface = QWidget()
        self.setViewport(self._surface)
        self.item = PictureItem(self._repaint)
        self._background = QBrush()
        self._pressed: tuple[Qt.MouseButton, QPointF] | None = None
        self._pans = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        # The background is painted with the picture.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def _repaint(self) -> None:
        self._surface.update()

    def set_background(self, brush: QBrush) -> None:
        """Paint the surface around the picture with ``brush``."""
        self._background = brush
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the background and the picture, where they are to be painted anew."""
        with painting(QPainter(self.viewport())) as painter:
            painter.fillRect(event.rect(), self._background)
            self.item.paint(painter)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the mouse; with Shift, move in time."""
        across, along = event.angleDelta().x(), event.angleDelta().y()
        notches = (across if abs(across) > abs(along) else along) / NOTCH
        event.accept()
        if not notches:  # A touchpad's last event: nothing was turned.
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.scrub_wanted.emit(round(notches) or (1 if notches > 0 else -1))
        else:
            self.zoomed.emit(2 ** (notches / WHEEL_STEPS_TO_DOUBLE), event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag with the left or the middle button."""
        # The release of an earlier button may have gone to a dialog.
        is_alone = event.buttons() == event.button()
        if event.button() in _PANNING and (self._pressed is None or is_alone):
            self._pressed, self._pans = (event.button(), event.position()), False
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second press of a double click like any other."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan while the button is held."""
        event.accept()
        if self._pressed is not None and not event.buttons() & self._pressed[0]:
            self._end_drag()  # The release went to a dialog.
        if self._pressed is None:
            return
        moved = event.position() - self._pressed[1]
        if self._pans or moved.manhattanLength() >= DRAG_LEAST_PX:
            begins, self._pans = not self._pans, True
            self.panned.emit(moved, begins)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        event.accept()
        if self._pressed is not None and event.button() is self._pressed[0]:
            self._end_drag()

    def _end_drag(self) -> None:
        self._pressed, panned, self._pans = None, self._pans, False
        if panned:
            self.pan_ended.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave all keys to the window: a scroll area would take the arrows."""
        event.ignore()
