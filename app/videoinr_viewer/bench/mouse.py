"""Sends mouse events to one widget, like those of the system."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
_NO_KEY = Qt.KeyboardModifier.NoModifier


class Mouse:
    """A scripted mouse. Positions are logical pixels of ``widget``."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget

    def press(self, at: QPointF) -> None:
        """Press the left button."""
        self._send_mouse(QMouseEvent.Type.MouseButtonPress, at, _LEFT, _LEFT)

    def move(self, at: QPointF) -> None:
        """Move the mouse with the button down."""
        self._send_mouse(QMouseEvent.Type.MouseMove, at, _NONE, _LEFT)

    def release(self, at: QPointF) -> None:
        """Release the left button."""
        self._send_mouse(QMouseEvent.Type.MouseButtonRelease, at, _LEFT, _NONE)

    def wheel(self, at: QPointF, eighths_of_degree: int) -> None:
        """Turn the wheel; 120 is one notch."""
        event = QWheelEvent(
            at, self._global(at), QPoint(), QPoint(0, eighths_of_degree), _NONE, _NO_KEY,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(self._widget, event)

    def _send_mouse(self, kind: QMouseEvent.Type, at: QPointF, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
        QApplication.sendEvent(self._widget, QMouseEvent(kind, at, self._global(at), button, buttons, _NO_KEY))

    def _global(self, at: QPointF) -> QPointF:
        return QPointF(self._widget.mapToGlobal(at.toPoint()))
