"""The manual, the key sheet, the page of the shortcuts, the folder of the log, and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMainWindow

from videoinr_resources import path as resource_path
from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.dialogs.key_sheet import KeySheet
from videoinr_viewer.dialogs.report import ReportCopier
from videoinr_viewer.key_bindings import KeyBindings
from videoinr_viewer.style.language import tr

if TYPE_CHECKING:
    from videoinr_viewer.dialogs.shortcuts_dialog import ShortcutsDialog

MANUAL = "manual/index.html"
"""The manual's first page among the resources; an editable installation has it once it was built."""


class Help(QObject):
    """Help for ``window``. ``log_folder`` is None where no log is written.

    ``reading``: how clips are read, for the report.
    ``bindings_of`` and ``rows`` are what the page of the shortcuts shows: see :class:`ShortcutsDialog`.
    """

    failed = Signal(str, str)
    """What went wrong, and what to do."""

    def __init__(
        self,
        window: QMainWindow,
        log_folder: Path | None,
        reading: ReadingChoice,
        bindings_of: Callable[[], KeyBindings],
        rows: Sequence[tuple[str, str]],
    ) -> None:
        super().__init__(window)
        self._window, self._log_folder = window, log_folder
        self.report = ReportCopier(reading, self)
        self._bindings_of, self._rows = bindings_of, rows
        self.key_sheet: KeySheet | None = None
        self.shortcuts: ShortcutsDialog | None = None

    def show_manual(self) -> None:
        """Open the manual, which lies on the disk, in the system's browser."""
        try:
            page = resource_path(MANUAL)
        except FileNotFoundError:
            self.failed.emit(tr("The manual was not built."), tr("“make manual” in the source code builds it."))
            return
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(page))):
            self.failed.emit(tr("No browser could be started."), tr("The manual is {path}.", path=page))

    def show_keys(self) -> None:
        """Show the key sheet."""
        if self.key_sheet is None:
            self.key_sheet = KeySheet(self._window.menuBar(), self._window)
        self.key_sheet.show()
        self.key_sheet.raise_()

    def show_shortcuts(self) -> None:
        """Show the page of the shortcuts."""
        if self.shortcuts is None:
            # Imported here: few need it.
            from videoinr_viewer.dialogs.shortcuts_dialog import ShortcutsDialog

            bindings = self._bindings_of()
            self.shortcuts = ShortcutsDialog(bindings, self._rows, self._window)
            bindings.changed.connect(self._forget_sheet)
        self.shortcuts.show()
        self.shortcuts.raise_()

    @Slot()
    def _forget_sheet(self) -> None:
        """The key sheet is made anew when it is shown next: the shortcuts are others."""
        if self.key_sheet is not None:
            self.key_sheet.hide()
            self.key_sheet.deleteLater()
            self.key_sheet = None

    def show_log(self) -> None:
        """Open the folder of the log in the system's file manager."""
        if self._log_folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log_folder)))

    def hide(self) -> None:
        """Hide the key sheet and the page, and give up a report that is being made."""
        self.report.stop()
        for window in (self.key_sheet, self.shortcuts):
            if window is not None:
                window.hide()
