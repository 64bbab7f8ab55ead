"""What the window does beyond session and player: dialogs, files, the clipboard, modes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from videoinr.render.view import scale_from_zoom, visible_units
from videoinr.types import ViewState
from videoinr_viewer.dialogs.key_sheet import KeySheet
from videoinr_viewer.export.bridge import ExportBridge
from videoinr_viewer.export.dialog import ExportDialog
from videoinr_viewer.export.form import ExportSource
from videoinr_viewer.picture.frame_view import Compare
from videoinr_viewer.player import Player
from videoinr_viewer.session import Session

if TYPE_CHECKING:
    from videoinr_viewer.main_window import MainWindow

OPEN_FILTER = (
    "Videos and animations (*.mp4 *.m4v *.mkv *.mov *.webm *.avi *.ts *.m2ts *.mpg *.mpeg *.gif *.y4m *.mxf *.ogv);;"
    "All files (*)"
)


class WindowShell(QObject):
    """The :class:`videoinr_viewer.actions.Shell` of one window.

    ``model`` and ``device`` are what the command line chose, so that an export uses the same; ``asks`` is off where
    nobody is there to answer a question.
    """

    def __init__(self, window: MainWindow, session: Session, player: Player, export: ExportBridge) -> None:
        super().__init__(window)
        self.player = player
        self.model: str | None = None
        self.device: str | None = None
        self.asks = True
        self.log_folder: Path | None = None
        self._window, self._session, self._export = window, session, export
        self._export_dialog: ExportDialog | None = None
        self._key_sheet: KeySheet | None = None

    # ---- files ----

    def ask_open(self) -> None:
        """Choose a clip and open it."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a clip", self._folder(), OPEN_FILTER)
        if name:
            self._session.open(Path(name))

    def show_export(self) -> None:
        """The export dialog, for the marked stretch and what the window shows now."""
        if (clip := self._session.clip) is None or (segment := self._session.segment) is None:
            return
        if self._export_dialog is None:
            self._export_dialog = ExportDialog(self._export, self._window)
        visible = visible_units(self._session.view, clip.info, self._session.screen_px)
        self._export_dialog.offer(ExportSource(clip, segment, visible, self.model, self.device))

    def save_picture(self) -> None:
        """Choose a file for what is in view, at full quality."""
        if (clip := self._session.clip) is None:
            return
        self.player.pause()
        proposal = Path(self._folder()) / f"{clip.info.path.stem}{_view_suffix(self._session.view)}.png"
        name, _ = QFileDialog.getSaveFileName(self._window, "Save the picture", str(proposal), "Pictures (*.png *.jpg)")
        if name:
            path = Path(name)
            self._window.taker.save(path if path.suffix else path.with_suffix(".png"))

    @Slot(object)
    def tell_saved(self, path: Path) -> None:
        """The picture is in its file."""
        self._window.messages.show_notice(f"Saved {path}")

    def copy_picture(self) -> None:
        """What is in view, at full quality, onto the clipboard."""
        self.player.pause()
        self._window.taker.copy()

    def show_log(self) -> None:
        """Open the folder of the log."""
        if self.log_folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.log_folder)))

    def _folder(self) -> str:
        clip = self._session.clip
        return str(clip.info.path.absolute().parent if clip is not None else Path.home())

    # ---- modes ----

    def edit_time(self) -> None:
        """Into the time field."""
        self._window.timeline.transport.time_field.begin()

    def cycle_compare(self) -> None:
        """A wipe in the middle, or no comparison."""
        view = self._window.frame_view
        view.set_compare(Compare.WIPE if view.compare is Compare.OFF else Compare.OFF)

    def toggle_wipe_follow(self) -> None:
        """A wipe that follows the mouse, or one that stays."""
        view = self._window.frame_view
        view.set_compare(Compare.WIPE if view.compare is Compare.WIPE_FOLLOWS else Compare.WIPE_FOLLOWS)

    def toggle_full_screen(self) -> None:
        """Only the picture, on the whole screen, or everything in a window."""
        self._set_full_screen(not self._window.isFullScreen())

    def leave(self) -> None:
        """Out of the full screen, or else out of a comparison, or else away with a message."""
        if self._window.isFullScreen():
            self._set_full_screen(False)
        elif self._window.frame_view.compare is not Compare.OFF:
            self._window.frame_view.set_compare(Compare.OFF)
        else:
            self._window.messages.hide()

    def _set_full_screen(self, is_full: bool) -> None:
        for part in (self._window.menuBar(), self._window.timeline, self._window.status):
            part.setVisible(not is_full)
        if is_full:
            self._window.showFullScreen()
        else:
            self._window.showNormal()

    def next_control(self, step: int) -> None:
        """Move the keyboard's focus; Tab is taken."""
        focused: QWidget = self._window.focusWidget() or self._window
        widget = _neighbour(focused, step)
        while widget not in (None, focused) and not _takes_focus(widget):
            widget = _neighbour(widget, step)
        if widget is not None:
            widget.setFocus(Qt.FocusReason.TabFocusReason)

    # ---- dialogs ----

    def show_keys(self) -> None:
        """The key sheet."""
        if self._key_sheet is None:
            self._key_sheet = KeySheet(self._window)
        self._key_sheet.show()
        self._key_sheet.raise_()

    def hide_dialogs(self) -> None:
        """Put away whatever floats above the window."""
        for dialog in (self._export_dialog, self._key_sheet):
            if dialog is not None:
                dialog.hide()

    def close(self) -> bool:
        """Quit."""
        return self._window.close()

    def may_close(self) -> bool:
        """Whether the person agrees to lose what still runs."""
        if not (self.asks and self._export.is_running):
            return True
        question = "An export is still running. Stop it and quit?"
        answer = QMessageBox.question(self._window, "Quit", question)
        return answer == QMessageBox.StandardButton.Yes


def _view_suffix(view: ViewState) -> str:
    return f"-{float(view.time_secs):.3f}s-x{scale_from_zoom(view.zoom):.3g}"


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
        and widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
    )
