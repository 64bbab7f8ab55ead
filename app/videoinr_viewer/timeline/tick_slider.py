"""The base class of the time sliders: a horizontal slider in whole ticks that follows the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QMouseEvent, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QSlider, QWidget

from videoinr_viewer.style.painting import painting

MARGIN_PX = 9
"""Room for half the handle at both ends."""
HANDLE_RADIUS_PX = 6.5
GROOVE_PX = 5


class TickSlider(QSlider):
    """A slider whose ``valueChanged`` means that the user moved it: :meth:`show_tick` emits nothing.

    Left and Right belong to the window (source frames). Up, Down, Page Up, Page Down and the wheel move the slider.
    """

    def __init__(self, name: str, parent: QWidget | None = None, *, height_px: int, groove_y_px: int) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._height_px = height_px
        self._backdrop: QPixmap | None = None
        self.groove_y_px = groove_y_px
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setEnabled(False)

    def show_tick(self, tick: int) -> None:
        """Move the handle without a signal, unless the user holds it."""
        if not self.isSliderDown():
            with QSignalBlocker(self):
                self.setValue(tick)

    def sizeHint(self) -> QSize:
        """Return the preferred size."""
        return QSize(400, self._height_px)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest usable size."""
        return QSize(120, self._height_px)

    # ---- ticks and pixels ----

    @property
    def groove_px(self) -> int:
        """Length of the groove, logical pixels."""
        return max(1, self.width() - 2 * MARGIN_PX)

    @property
    def span(self) -> tuple[float, float]:
        """The ticks at the ends of the groove: here the whole range."""
        return self.minimum(), self.maximum()

    def x_from_tick(self, tick: float) -> float:
        """Return the x of ``tick``, logical pixels."""
        first, last = self.span
        return MARGIN_PX + self.groove_px * (tick - first) / max(1, last - first)

    def tick_from_x(self, x: float) -> int:
        """Return the tick nearest to ``x``, logical pixels."""
        share = min(max((x - MARGIN_PX) / self.groove_px, 0.0), 1.0)
        first, last = self.span
        return min(max(round(first + share * (last - first)), self.minimum()), self.maximum())

    # ---- the mouse ----

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move the handle to the mouse and let it follow."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setSliderPosition(self.tick_from_x(event.position().x()))
            self.update()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Let the handle follow the mouse while the button is down."""
        if self.isSliderDown():
            self.setSliderPosition(self.tick_from_x(event.position().x()))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Release the handle."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)
            self.update()
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show the handle with the mouse over it."""
        super().enterEvent(event)
        self.update()

    # ---- painting ----

    def changeEvent(self, event: QEvent) -> None:
        """Repaint the backdrop when the theme or the font changes."""
        super().changeEvent(event)
        self.forget_backdrop()

    def forget_backdrop(self) -> None:
        """Repaint the backdrop at the next paint event."""
        self._backdrop = None
        self.update()

    def paint_backdrop(self, painter: QPainter) -> None:
        """Paint everything behind the handle that does not move with it."""
        raise NotImplementedError

    def draw_backdrop(self, painter: QPainter) -> None:
        """Draw the backdrop from a pixmap: dragging redraws the slider 60 times a second."""
        ratio = self.devicePixelRatioF()
        size = self.size() * ratio
        if self._backdrop is None or self._backdrop.size() != size or self._backdrop.devicePixelRatio() != ratio:
            self._backdrop = QPixmap(size)
            self._backdrop.setDevicePixelRatio(ratio)
            self._backdrop.fill(Qt.GlobalColor.transparent)
            with painting(QPainter(self._backdrop)) as behind:
                behind.setRenderHint(QPainter.RenderHint.Antialiasing)
                behind.setFont(self.font())
                self.paint_backdrop(behind)
        painter.drawPixmap(0, 0, self._backdrop)

    def colour(self, role: QPalette.ColorRole, alpha: float = 1.0) -> QColor:
        """Return a colour of the current theme."""
        colour = self.palette().color(role)
        colour.setAlphaF(alpha)
        return colour

    def paint_groove(self, painter: QPainter, first: float, last: float, colour: QColor) -> None:
        """Paint the groove from tick ``first`` to ``last``."""
        left, right = self.x_from_tick(first), self.x_from_tick(last)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(
            QRectF(left - GROOVE_PX / 2, self.groove_y_px - GROOVE_PX / 2, right - left + GROOVE_PX, GROOVE_PX),
            2.5,
            2.5,
        )

    def paint_tick(self, painter: QPainter, tick: float, top: float, bottom: float, alpha: float) -> None:
        """Paint a thin vertical line at ``tick``."""
        x = round(self.x_from_tick(tick)) + 0.5
        painter.setPen(QPen(self.colour(QPalette.ColorRole.Text, alpha), 1))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))

    def paint_handle(self, painter: QPainter) -> None:
        """Paint the handle, with a ring if it has the focus or the mouse is over it."""
        if not self.isEnabled():
            return
        middle = QPointF(self.x_from_tick(self.sliderPosition()), self.groove_y_px)
        accent = self.colour(QPalette.ColorRole.Highlight)
        if self.hasFocus() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour(QPalette.ColorRole.Highlight, 0.28))
            painter.drawEllipse(middle, HANDLE_RADIUS_PX + 2.5, HANDLE_RADIUS_PX + 2.5)
        painter.setPen(QPen(self.colour(QPalette.ColorRole.Window), 1.5))
        painter.setBrush(accent.lighter(112) if self.isSliderDown() else accent)
        painter.drawEllipse(middle, HANDLE_RADIUS_PX, HANDLE_RADIUS_PX)
