"""The message bar above the picture: errors and notices."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from videoinr.render.messages import Failure, Opened
from videoinr_viewer.style.glyphs import Glyph, GlyphButton
from videoinr_viewer.style.language import tr, tr_engine
from videoinr_viewer.style.theme import ACCENT_BAD, ACCENT_WARM


class MessageBar(QFrame):
    """Shows the last message; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self.hide()
        self._from_start = ""
        self._stripe = QFrame(self)
        self._stripe.setFixedWidth(4)
        self.text = QLabel(self, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = GlyphButton(Glyph.CLOSE, self, side_px=24)
        close.setAccessibleName(tr("Close the message"))
        close.setToolTip(tr("Close (Esc)"))
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(10)
        row.addWidget(self._stripe)
        row.addWidget(self.text, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)

    @Slot(object)
    def show_failure(self, failure: Failure) -> None:
        """Show a failure of the render thread."""
        self.show_error(failure.message, failure.hint)

    @Slot(str, str)
    def show_error(self, message: str, hint: str = "") -> None:
        """Show an error. ``message`` says what happened, ``hint`` what the user can do."""
        self._show_text(f"{tr_engine(message)} {tr_engine(hint)}".strip(), ACCENT_BAD)

    @Slot(str)
    def show_notice(self, message: str) -> None:
        """Show a message that is no error."""
        self._show_text(message, ACCENT_WARM)

    @Slot(object)
    def show_saved(self, path: Path) -> None:
        """Tell the user that the picture was saved to ``path``."""
        self.show_notice(tr("Saved the picture to {path}", path=path))

    @Slot(object)
    def show_project_saved(self, path: Path) -> None:
        """Tell the user that the project was saved to ``path``."""
        self.show_notice(tr("Saved the project to {path}", path=path))

    @Slot(object)
    def open(self, opened: Opened) -> None:
        """Replace older messages by the warnings of a newly opened clip."""
        self.hide()
        from_start, self._from_start = self._from_start, ""
        if words := " ".join((*filter(None, [from_start]), *map(tr_engine, opened.info.warnings))):
            self.show_notice(words)

    def show_at_start(self, message: str) -> None:
        """Show a notice about the start, if it has words, until the first clip is open and again with its warnings."""
        self._from_start = message
        if message:
            self.show_notice(message)

    def _show_text(self, text: str, colour: QColor) -> None:
        self._stripe.setStyleSheet(f"background: {colour.name()}; border-radius: 2px;")
        self.text.setText(text)
        self.show()
