"""A key that acts while it is held."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit


class HoldKey(QObject):
    """Watches a QWindow for ``key`` before its widgets receive it. A text field with the focus keeps the key.

    ``acts``: whether the key has its meaning now; otherwise it is left to the widgets.
    """

    held = Signal(bool)
    """Whether the key is down."""

    def __init__(self, key: Qt.Key, parent: QObject, acts: Callable[[], bool] = lambda: True) -> None:
        super().__init__(parent)
        self._key, self._acts = key, acts
        self._is_down = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle presses and releases of the key. A window that loses the focus releases it."""
        if event.type() == QEvent.Type.FocusOut:
            self._set(False)
        elif isinstance(event, QKeyEvent) and event.key() == self._key and not event.modifiers():
            if event.type() == QEvent.Type.KeyPress and not self._is_down and (_types_text() or not self._acts()):
                return False
            if not event.isAutoRepeat():
                self._set(event.type() == QEvent.Type.KeyPress)
            return True
        return super().eventFilter(watched, event)

    def _set(self, is_down: bool) -> None:
        if is_down != self._is_down:
            self._is_down = is_down
            self.held.emit(is_down)


def _types_text() -> bool:
    return isinstance(QApplication.focusWidget(), QLineEdit | QAbstractSpinBox)
