"""A window that shows the log of an export."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontDatabase, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from videoinr_viewer.dialogs.side_dialog import SideDialog
from videoinr_viewer.style.language import tr

_MOST_BYTES = 1 << 18
"""The end of a long log is shown."""


class LogWindow(SideDialog):
    """A window beside ``parent``; it shows one log at a time, as it is when it is opened."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName(tr("Log of the export"))
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setTabChangesFocus(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(self.close_box())
        self.wanted_px = QSize(600, 320)

    def offer(self, name: str, path: Path) -> None:
        """Show the log ``path`` of the export to ``name``."""
        self.setWindowTitle(tr("Log: {name}", name=name))
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _MOST_BYTES))
                words = file.read(_MOST_BYTES).decode(errors="replace")
        except OSError as error:
            words = str(error.strerror)
        self.text.setPlainText(words)
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        self.show()
        self.raise_()
        self.activateWindow()
