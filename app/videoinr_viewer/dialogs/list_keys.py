"""Lists that the keyboard uses as the mouse does: keys press buttons, and what has the focus is selected."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QItemSelectionModel, QObject, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QPushButton

_Flag = QItemSelectionModel.SelectionFlag


def use_by_keyboard(view: QAbstractItemView, keys: Mapping[str, QPushButton]) -> None:
    """Let ``keys`` in ``view`` press buttons, whose tool tips name the key, and select a row when the focus comes.

    Qt makes a row current then, which looks like a selection but is none: the buttons beside the list stay disabled.
    """
    for key, button in keys.items():
        if not button.toolTip():
            button.setToolTip(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText))
    view.installEventFilter(_ListKeys(view, keys))


class _ListKeys(QObject):
    """Watches ``view``. No shortcuts: they would take Return from the editor of a name, too."""

    def __init__(self, view: QAbstractItemView, keys: Mapping[str, QPushButton]) -> None:
        super().__init__(view)
        self._view, self._buttons = view, {QKeySequence(key): button for key, button in keys.items()}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Press the button of a key. Select a row if the focus comes, but for the mouse, and none is selected."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            pressed = event.keyCombination().toCombined() & ~Qt.KeyboardModifier.KeypadModifier.value
            if (button := self._buttons.get(QKeySequence(pressed))) is not None:
                button.click()
                return True
        if isinstance(event, QFocusEvent) and event.gotFocus():
            self._select(event.reason())
        return super().eventFilter(watched, event)

    def _select(self, reason: Qt.FocusReason) -> None:
        current, chosen = self._view.currentIndex(), self._view.selectionModel()
        row = current if current.isValid() else self._view.model().index(0, 0)
        if reason is not Qt.FocusReason.MouseFocusReason and row.isValid() and not chosen.hasSelection():
            chosen.setCurrentIndex(row, _Flag.ClearAndSelect | _Flag.Rows)
