"""A strip above the picture for what went wrong, or should be known: what happened, and what to do."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from videoinr.render.messages import Failure, Opened
from videoinr_viewer.style.glyphs import Glyph, GlyphButton
from videoinr_viewer.style.theme import ACCENT_BAD, ACCENT_WARM


class MessageBar(QFrame):
    """Hidden until there is something to say; the last message wins."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self.hide()
        self._stripe = QFrame(self)
        self._stripe.setFixedWidth(4)
        self.text = QLabel(self, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = GlyphButton(Glyph.CLOSE, self, side_px=24)
        close.setAccessibleName("Dismiss the message")
        close.setToolTip("Dismiss (Esc)")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(10)
        row.addWidget(self._stripe)
        row.addWidget(self.text, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)

    @Slot(object)
    def show_failure(self, failure: Failure) -> None:
        """What failed on the render thread."""
        self.show_error(failure.message, failure.hint)

    @Slot(str, str)
    def show_error(self, message: str, hint: str = "") -> None:
        """``message`` says what happened, ``hint`` what to do."""
        self._say(f"{message} {hint}".strip(), ACCENT_BAD)

    @Slot(str)
    def show_notice(self, message: str) -> None:
        """Something worth knowing that is no failure."""
        self._say(message, ACCENT_WARM)

    @Slot(object)
    def show_saved(self, path: Path) -> None:
        """Tell that a picture was saved as ``path``."""
        self.show_notice(f"Saved {path}")

    @Slot(object)
    def open(self, opened: Opened) -> None:
        """Another clip: old messages go, its own warnings come."""
        self.hide()
        if opened.info.warnings:
            self.show_notice(" ".join(opened.info.warnings))

    def _say(self, words: str, colour: QColor) -> None:
        self._stripe.setStyleSheet(f"background: {colour.name()}; border-radius: 2px;")
        self.text.setText(words)
        self.show()
