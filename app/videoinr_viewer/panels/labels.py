"""Labels that shorten their text, or show a shorter one, where the window is too narrow."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

SLACK_PX = 4
"""Room beside a text, logical pixels."""
LEAST_TEXT = "mm…"
"""An elided text never has less room than this."""


class ShrinkingLabel(QLabel):
    """A label that elides its text if the window is too narrow; its tool tip has the whole text."""

    def __init__(self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole, self._mode = "", mode

    def text(self) -> str:
        """Return the whole text."""
        return self._whole

    def setText(self, text: str) -> None:
        """Show ``text``."""
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            self.updateGeometry()
            self._elide()

    def sizeHint(self) -> QSize:
        """Return the size of the whole text: that of the elided one would never grow back."""
        return QSize(self._width_of(self._whole), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the size of an elided text, or of the whole one if that is smaller."""
        return QSize(min(self._width_of(self._whole), self._width_of(LEAST_TEXT)), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide the text for the new width."""
        super().resizeEvent(event)
        self._elide()

    def _width_of(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text) + SLACK_PX

    def _elide(self) -> None:
        room = self.contentsRect().width()
        super().setText(self.fontMetrics().elidedText(self._whole, self._mode, room))


class ShortenedLabel(QLabel):
    """A label with a long and a short text; it shows the long one where that fits, and never elides the short one."""

    def __init__(self) -> None:
        super().__init__()
        self._long = self._short = ""

    def set_texts(self, long: str, short: str) -> None:
        """Show ``long``, or ``short`` where the window is too narrow; the tool tip has the long one."""
        if (long, short) != (self._long, self._short):
            self._long, self._short = long, short
            self.setToolTip(long)
            self.updateGeometry()
            self._choose()

    def sizeHint(self) -> QSize:
        """Return the size of the long text."""
        return self._size_of(self._long)

    def minimumSizeHint(self) -> QSize:
        """Return the size of the short text."""
        return self._size_of(self._short)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the text for the new width."""
        super().resizeEvent(event)
        self._choose()

    def _size_of(self, text: str) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(text) + 1, super().minimumSizeHint().height())

    def _choose(self) -> None:
        self.setText(self._long if self.width() >= self.sizeHint().width() else self._short)
