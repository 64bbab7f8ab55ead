"""The actions of the Help menu: the key sheet and the folder of the log."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMainWindow

from videoinr_viewer.dialogs.key_sheet import KeySheet


class Help(QObject):
    """Help for ``window``. ``log_folder`` is None where no log is written."""

    def __init__(self, window: QMainWindow, log_folder: Path | None) -> None:
        super().__init__(window)
        self._window, self._log_folder = window, log_folder
        self.key_sheet: KeySheet | None = None

    def show_keys(self) -> None:
        """Show the key sheet."""
        if self.key_sheet is None:
            self.key_sheet = KeySheet(self._window.menuBar(), self._window)
        self.key_sheet.show()
        self.key_sheet.raise_()

    def show_log(self) -> None:
        """Open the folder of the log in the system's file manager."""
        if self._log_folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log_folder)))

    def hide(self) -> None:
        """Hide the key sheet."""
        if self.key_sheet is not None:
            self.key_sheet.hide()
