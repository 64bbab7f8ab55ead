"""Moves the keyboard focus from control to control by keys of its own, because Tab shows the source frame."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget


class FocusWalk(QObject):
    """Walks along the focus chain of ``window``."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window

    def move(self, step: int) -> None:
        """Give the focus to the next (``step`` 1) or the previous (-1) control that takes it."""
        focused: QWidget = self._window.focusWidget() or self._window
        widget = _neighbour(focused, step)
        while widget not in (None, focused) and not _takes_focus(widget):
            widget = _neighbour(widget, step)
        if widget is not None:
            widget.setFocus(Qt.FocusReason.TabFocusReason)


def _neighbour(widget: QWidget | None, step: int) -> QWidget | None:
    if widget is None:
        return None
    return widget.nextInFocusChain() if step > 0 else widget.previousInFocusChain()


def _takes_focus(widget: QWidget | None) -> bool:
    return (
        widget is not None
        and widget.isVisible()
        and widget.isEnabled()
        and widget.focusProxy() is None
        and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    )
