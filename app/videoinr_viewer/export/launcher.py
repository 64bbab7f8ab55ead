"""Opens the export dialog for what the window shows, and asks before quitting stops an export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from videoinr.render.view import visible_units
from videoinr_viewer.export.bridge import ExportBridge
from videoinr_viewer.session import Session

if TYPE_CHECKING:
    from videoinr_viewer.export.dialog import ExportDialog


class ExportLauncher(QObject):
    """The export dialog of ``window``, made when it is first needed.

    ``model`` and ``device`` are those of the command line, so that an export uses the same ones. ``asks`` is False
    for a run without a user, who could answer a question.
    """

    def __init__(
        self,
        session: Session,
        bridge: ExportBridge,
        window: QWidget,
        *,
        model: str | None,
        device: str | None,
        asks: bool,
    ) -> None:
        super().__init__(window)
        self._session, self._bridge, self._window = session, bridge, window
        self._model, self._device = model, device
        self.asks = asks
        self.dialog: ExportDialog | None = None

    def show(self) -> None:
        """Show the dialog for the marked segment and the visible region. Without a clip: no-op."""
        if (clip := self._session.clip) is None or (segment := self._session.segment) is None:
            return
        # Imported here: the start of the program does without the dialog and the codecs.
        from videoinr_viewer.export.dialog import ExportDialog
        from videoinr_viewer.export.form import ExportSource

        if self.dialog is None:
            self.dialog = ExportDialog(self._bridge, self._window)
        visible = visible_units(self._session.view, clip.info, self._session.screen_px)
        self.dialog.offer(ExportSource(clip, segment, visible, self._model, self._device))

    def hide(self) -> None:
        """Hide the dialog."""
        if self.dialog is not None:
            self.dialog.hide()

    def may_quit(self) -> bool:
        """Return True if no export runs, or if the user agrees to stop it."""
        if not (self.asks and self._bridge.is_running):
            return True
        question = "An export is still running. Stop it and quit?"
        return QMessageBox.question(self._window, "Quit", question) == QMessageBox.StandardButton.Yes
