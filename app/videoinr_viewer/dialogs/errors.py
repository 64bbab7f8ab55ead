"""The dialog for errors that no part of the program handled."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from videoinr_viewer.style.language import tr


class CrashReport(QObject):
    """Tells the user about the first unexpected error of a run and names the log; later ones are only in the log."""

    def __init__(self, parent: QWidget, log_path: Path) -> None:
        super().__init__(parent)
        self._log_path = log_path
        self._has_told = False
        self.box = QMessageBox(parent)
        self.box.setIcon(QMessageBox.Icon.Warning)
        self.box.setWindowTitle("VideoINR Viewer")
        self.box.setText(tr("An unexpected error occurred."))

    @Slot(str)
    def show(self, error: str) -> None:
        """Show the dialog, unless it was shown before. ``error``: the error in one line."""
        if self._has_told:
            return
        self._has_told = True
        self.box.setInformativeText(
            tr("The program keeps running, but it may misbehave until you restart it.")
            + f"\n\n{error}\n\n"
            + tr("Details are in {path}.", path=self._log_path)
        )
        self.box.open()
