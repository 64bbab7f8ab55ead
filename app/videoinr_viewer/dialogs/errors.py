"""Errors in a window of their own, for what no part of the program could handle."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMessageBox, QWidget


class CrashReport(QObject):
    """Says that something unforeseen went wrong and where the details are: one window at a time, no traceback."""

    def __init__(self, parent: QWidget, log_path: Path) -> None:
        super().__init__(parent)
        self._log_path = log_path
        self.box = QMessageBox(parent)
        self.box.setIcon(QMessageBox.Icon.Warning)
        self.box.setWindowTitle("VideoINR Viewer")
        self.box.setText("Something unforeseen went wrong.")

    @Slot(str)
    def show(self, words: str) -> None:
        """``words``: the error in one line."""
        if self.box.isVisible():
            return
        self.box.setInformativeText(
            "The program goes on, but it may behave oddly until it is started again.\n\n"
            f"{words}\n\nThe details are in {self._log_path}."
        )
        self.box.open()
