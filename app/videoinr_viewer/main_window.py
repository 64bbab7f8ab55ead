"""The window: its parts, where they lie, and how they are connected."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from videoinr.render.messages import Opened
from videoinr_viewer.actions import TABLE, Targets, build_actions
from videoinr_viewer.export.bridge import ExportBridge
from videoinr_viewer.panels.empty_state import EmptyState
from videoinr_viewer.panels.menus import Menus
from videoinr_viewer.panels.message_bar import MessageBar
from videoinr_viewer.panels.status import StatusLine
from videoinr_viewer.picture.drop import FileDrop
from videoinr_viewer.picture.frame_view import FrameView
from videoinr_viewer.picture.hold_key import HoldKey
from videoinr_viewer.picture.picture_taker import PictureTaker
from videoinr_viewer.player import Player
from videoinr_viewer.render_bridge import RenderBridge
from videoinr_viewer.session import Session
from videoinr_viewer.shell import WindowShell
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.timeline.panel import TimelinePanel

TITLE = "VideoINR Viewer"
_EMPTY_PAGE, _PICTURE_PAGE = 0, 1


class MainWindow(QMainWindow):
    """Everything in it acts on ``session`` and ``player``, and shows what they and ``bridge`` tell."""

    closing = Signal()
    """The person closed the window and nothing speaks against it."""

    def __init__(
        self, session: Session, player: Player, bridge: RenderBridge, export: ExportBridge, *, theme: Theme
    ) -> None:
        super().__init__()
        self.setWindowTitle(TITLE)
        self.setMinimumSize(640, 400)
        self.frame_view, self.empty = FrameView(), EmptyState()
        self.messages, self.status = MessageBar(), StatusLine()
        self.taker = PictureTaker(session, self.frame_view, self)
        self.shell = WindowShell(self, session, player, export)
        self.actions_by_id = build_actions(Targets(session, player, self.shell), self)
        self.timeline = TimelinePanel(session, player, self.actions_by_id)
        self.menus = Menus(self.menuBar(), self.actions_by_id, theme)
        self.drop = FileDrop(self)
        self.source_key = HoldKey(Qt.Key.Key_Tab, self)
        self.pages = QStackedWidget()
        self._lay_out()
        self._connect(session, player, bridge, export)

    def _lay_out(self) -> None:
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.frame_view)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.messages)
        column.addWidget(self.pages, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.status)
        central = QWidget()
        central.setLayout(column)
        self.setCentralWidget(central)
        self.empty.setFocus()

    def _connect(self, session: Session, player: Player, bridge: RenderBridge, export: ExportBridge) -> None:
        view, status, messages, shell = self.frame_view, self.status, self.messages, self.shell
        bridge.opened.connect(session.clip_opened)
        bridge.failure.connect(messages.show_failure)
        bridge.failure.connect(session.failed)
        bridge.region_ready.connect(view.show_region)
        bridge.region_ready.connect(status.show_region)
        bridge.busy_changed.connect(status.set_busy)
        session.opened.connect(messages.open)
        session.opened.connect(status.open)
        session.opened.connect(view.open)
        session.opened.connect(self._show_clip)
        session.closed.connect(status.close_clip)
        session.closed.connect(self.empty.show_invitation)
        session.closed.connect(self._show_empty)
        session.open_wanted.connect(self.empty.show_opening)
        session.open_wanted.connect(status.show_opening)
        session.view_changed.connect(view.look)
        session.view_changed.connect(status.look)
        view.screen_changed.connect(session.set_screen)
        view.zoom_wanted.connect(session.zoom_at)
        view.pan_wanted.connect(session.pan)
        view.pan_ended.connect(session.settle)
        view.scrub_wanted.connect(session.scrub)
        self.timeline.transport.time_field.left.connect(view.setFocus)
        player.changed.connect(self._show_player)
        self.source_key.held.connect(view.set_source_only)
        self.drop.dropped.connect(session.open)
        self.empty.recent_wanted.connect(session.open)
        self.menus.recent_wanted.connect(session.open)
        self.taker.saved.connect(shell.tell_saved)
        self.taker.failed.connect(messages.show_error)
        export.progressed.connect(status.show_export)
        export.ended.connect(status.clear_export)
        self._show_player()

    # ---- what the whole window shows ----

    def _set_open(self, is_open: bool) -> None:
        self.pages.setCurrentIndex(_PICTURE_PAGE if is_open else _EMPTY_PAGE)
        for row in TABLE:
            if row.needs_clip:
                self.actions_by_id[row.id].setEnabled(is_open)

    @Slot(object)
    def _show_clip(self, opened: Opened) -> None:
        self._set_open(True)
        self.setWindowTitle(f"{opened.info.path.name} — {TITLE}")
        self.frame_view.setFocus()

    @Slot()
    def _show_empty(self) -> None:
        self._set_open(False)
        self.setWindowTitle(TITLE)

    @Slot()
    def _show_player(self) -> None:
        self.actions_by_id["loop"].setChecked(self.shell.player.loops)

    # ---- its life ----

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab shows the source and moves no focus; F6 moves it."""
        return False

    def showEvent(self, event: QShowEvent) -> None:
        """From now on there is a window of the system to watch for the held key."""
        super().showEvent(event)
        if (handle := self.windowHandle()) is not None:
            handle.installEventFilter(self.source_key)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close, unless the person would rather let an export finish."""
        if not self.shell.may_close():
            event.ignore()
            return
        self.shell.hide_dialogs()
        self.closing.emit()
        event.accept()
