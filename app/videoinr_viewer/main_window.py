"""The main window: lays out its parts and connects them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QMoveEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from videoinr.render.messages import Opened
from videoinr_viewer.action_row import Targets
from videoinr_viewer.actions import TABLE, build_actions, enable_actions
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.clip_access.side_reader import SideReader
from videoinr_viewer.clip_access.survey import Found, Survey
from videoinr_viewer.dialogs.command_palette import Command, CommandPalette, commands_in
from videoinr_viewer.dialogs.files import FileDialogs
from videoinr_viewer.dialogs.help import Help
from videoinr_viewer.dialogs.settings_page import SettingsPage
from videoinr_viewer.dialogs.side_windows import SideWindows
from videoinr_viewer.export.bridge import ExportBridge
from videoinr_viewer.export.launcher import ExportLauncher
from videoinr_viewer.export.queue_bridge import QueueBridge
from videoinr_viewer.inspection.inspections import Inspections
from videoinr_viewer.inspection.slicing import Slicing
from videoinr_viewer.journey.journey_play import JourneyPlay
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.journey.shutter_outline import ShutterOutline
from videoinr_viewer.key_bindings import KeyBindings
from videoinr_viewer.late_imports import LATE_LIBRARIES, LATE_MODULES, LATE_NAMESPACES
from videoinr_viewer.panels.check_marks import CheckMarks
from videoinr_viewer.panels.crash_bar import CrashBar
from videoinr_viewer.panels.empty_state import EmptyState
from videoinr_viewer.panels.focus_walk import FocusWalk
from videoinr_viewer.panels.menus import Menus
from videoinr_viewer.panels.message_bar import MessageBar
from videoinr_viewer.panels.restore_bar import RestoreBar
from videoinr_viewer.panels.status import StatusLine
from videoinr_viewer.picture.drop import FileDrop
from videoinr_viewer.picture.frame_view import FrameView
from videoinr_viewer.picture.hold_key import HoldKey
from videoinr_viewer.picture.picture_taker import PictureTaker
from videoinr_viewer.picture.smooth_zoom import SmoothZoom
from videoinr_viewer.picture.view_history import ViewHistory
from videoinr_viewer.picture.view_modes import ViewModes
from videoinr_viewer.player import Player
from videoinr_viewer.playing.cached_play import CachedPlay
from videoinr_viewer.playing.sound import Sound
from videoinr_viewer.project.autosave import Autosave, Offer
from videoinr_viewer.project.history import History
from videoinr_viewer.project.keeper import ProjectKeeper
from videoinr_viewer.render_bridge import RenderBridge
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.threads.late_modules import LateModules
from videoinr_viewer.timeline.annotations import Annotations
from videoinr_viewer.timeline.cut_editor import CutEditor
from videoinr_viewer.timeline.panel import TimelinePanel
from videoinr_viewer.timeline.thumbnails import Thumbnails
from videoinr_viewer.timeline.time_field import TimeField

TITLE = "VideoINR Viewer"


@dataclass(frozen=True)
class WindowOptions:
    """Options from the command line. ``reading``: how clips are read and rendered, also by exports.

    ``log_folder``: None where no log is written. ``unsaved_folder``: None where no state is saved by itself.
    ``queue_folder``: the export queue; None: an empty one that is removed at the end. ``asks``: False where nobody is
    there to answer questions. ``ended_unexpectedly``: whether an earlier run did.
    """

    reading: ReadingChoice = field(default_factory=lambda: ReadingChoice(Reading()))
    log_folder: Path | None = None
    unsaved_folder: Path | None = None
    queue_folder: Path | None = None
    asks: bool = True
    ended_unexpectedly: bool = False


class MainWindow(QMainWindow):
    """The parts act on ``session`` and ``player``, and show the signals of these, ``bridge`` and ``export``."""

    closing = Signal()
    """The user closed the window, and no running export prevents it."""
    geometry_changed = Signal()
    """The window has another size or place."""

    def __init__(
        self,
        session: Session,
        player: Player,
        bridge: RenderBridge,
        export: ExportBridge,
        queue: QueueBridge,
        reader: SideReader,
        play: CachedPlay,
        sound: Sound,
        *,
        theme: Theme,
        options: WindowOptions,
    ) -> None:
        super().__init__()
        self._options = options
        self.setWindowTitle(TITLE)
        self.setMinimumSize(640, 400)
        self.session, self.player, self.play, self.sound = session, player, play, sound
        self.frame_view, self.pages = FrameView(reader), QStackedWidget()
        self.messages, self.status, self.time_field = MessageBar(), StatusLine(), TimeField()
        self.taker = PictureTaker(session, player, self.frame_view, self)
        self.modes = ViewModes(self, self.frame_view)
        self.annotations, self.thumbnails = Annotations(session, self), Thumbnails(reader, self)
        self.planner = JourneyPlanner(session, self)
        self.journey_play = JourneyPlay(self.planner, session, player, play, self)
        self.history = History(session, self.annotations, options.reading, self.planner, self)
        self.views = ViewHistory(session, player, self)
        self.smooth_zoom = SmoothZoom(session, self)
        self.projects = ProjectKeeper(
            session, self.history, self.frame_view, options.reading, self, asks=options.asks
        )  # fmt: skip
        self.cut_editor = CutEditor(session, options.reading, lambda: self.timeline.overview.cuts, self)
        self.autosave = Autosave(self.projects, self.history, session, options.unsaved_folder, self)
        self.restore_bar, self.crash_bar = RestoreBar(), CrashBar()
        self.late_modules = LateModules(
            LATE_MODULES, self, namespaces=LATE_NAMESPACES, libraries=LATE_LIBRARIES, plays=lambda: player.is_playing
        )
        self.exports = ExportLauncher(
            session, export, queue, self, reading=options.reading, annotations=self.annotations,
            planner=self.planner, asks=options.asks, modules=self.late_modules,
        )  # fmt: skip
        self.survey = Survey(reader, self)
        self.side_windows = SideWindows(self, session, self.annotations, options.reading, self.planner)
        self.frame_view.add_layer(ShutterOutline(self.planner))
        self.inspections = Inspections(session, self.frame_view, self)
        self.slicing = Slicing(session, self.frame_view, self, self.late_modules, waits=options.asks)
        titles = [(row.id, tr(row.menu.value)) for row in TABLE]
        self.help = Help(self, options.log_folder, options.reading, lambda: self.bindings, titles)
        self.settings_page = SettingsPage(
            self, session, sound, options.reading, lambda: self.actions_by_id["change-shortcuts"],
            self.smooth_zoom,
        )  # fmt: skip
        self.commands = CommandPalette(self, self._commands)
        files, focus = FileDialogs(session, player, self.taker, self.projects.open_file, self), FocusWalk(self)
        targets = Targets(
            self,
            session,
            player,
            files,
            self.exports,
            self.taker,
            self.time_field,
            self.modes,
            focus,
            self.help,
            self.annotations,
            self.side_windows,
            self.inspections,
            self.slicing,
            self.commands,
            self.planner,
            self.history,
            self.views,
            self.projects,
            self.cut_editor,
            lambda: self.timeline,
            play,
            sound,
            self.settings_page,
            self.journey_play,
        )
        self.actions_by_id = build_actions(targets, self)
        self.bindings = KeyBindings(self.actions_by_id, {row.id: row.keys for row in TABLE}, self)
        self.history.show_on(self.actions_by_id["undo"], self.actions_by_id["redo"])
        self.views.show_on(self.actions_by_id["view-back"], self.actions_by_id["view-forward"])
        self.empty = EmptyState(self.actions_by_id)
        self.timeline = TimelinePanel(
            session, player, self.time_field, self.actions_by_id, self.thumbnails, self.annotations
        )
        self.menus = Menus(self.menuBar(), self.actions_by_id, theme, options.reading)
        self.drop = FileDrop(self)
        self.source_key, self.loupe_key = (
            HoldKey(key, self, lambda: session.clip is not None) for key in (Qt.Key.Key_Tab, Qt.Key.Key_Z)
        )
        self.check_marks = CheckMarks(
            self.actions_by_id, player, sound, self.timeline.transport, self.frame_view, self.inspections,
            self.slicing, self.planner, self.journey_play, self,
        )  # fmt: skip
        self._lay_out()
        self._connect(session, player, bridge, export)

    def _lay_out(self) -> None:
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.frame_view)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.messages)
        column.addWidget(self.crash_bar)
        self.crash_bar.setVisible(self._options.ended_unexpectedly)
        column.addWidget(self.restore_bar)
        column.addWidget(self.pages, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.status)
        central = QWidget()
        central.setLayout(column)
        self.setCentralWidget(central)
        self.timeline.hide()
        self.empty.setFocus()

    def _connect(self, session: Session, player: Player, bridge: RenderBridge, export: ExportBridge) -> None:
        view, status, messages, modes = self.frame_view, self.status, self.messages, self.modes
        bridge.opened.connect(session.clip_opened)
        bridge.failure.connect(messages.show_failure)
        bridge.warning.connect(messages.show_notice)
        bridge.failure.connect(session.failed)
        session.start_refused.connect(messages.show_failure)
        bridge.region_ready.connect(view.show_region)
        bridge.region_ready.connect(status.show_region)
        bridge.region_ready.connect(self.timeline.overview.note_region)
        bridge.region_ready.connect(self.play.note_shown)
        self.play.covered.connect(self.timeline.overview.show_covered)
        self.play.note_changed.connect(status.show_play)
        self.play.needs_source = lambda: view.needs_source
        bridge.busy_changed.connect(status.set_busy)
        bridge.answered.connect(self.inspections.take)
        bridge.answered.connect(self.slicing.take)
        bridge.progress.connect(status.show_progress)
        session.opened.connect(messages.open)
        session.opened.connect(status.open)
        session.opened.connect(view.open)
        session.opened.connect(self._show_clip)
        session.opened.connect(self.menus.models.open)
        session.closed.connect(self.menus.models.close_clip)
        session.opened.connect(self.side_windows.open)
        bridge.warning.connect(self.side_windows.add_warning)
        session.closed.connect(status.close_clip)
        session.closed.connect(self.empty.show_invitation)
        session.closed.connect(self._show_empty)
        session.open_failed.connect(status.stop_opening)
        session.open_wanted.connect(self.empty.show_opening)
        session.open_wanted.connect(status.show_opening)
        session.view_changed.connect(view.look)
        session.view_changed.connect(status.look)
        session.shutter_changed.connect(status.show_shutter)
        session.shutter_changed.connect(view.overlays.show_shutter)
        self.planner.region_shown.connect(view.repaint_layers)
        self.planner.keyframes_changed.connect(self.timeline.overview.set_keyframes)
        session.requested.connect(view.expect)
        view.screen_changed.connect(session.set_screen)
        view.zoom_wanted.connect(self.smooth_zoom.zoom)
        view.pan_wanted.connect(session.pan)
        view.pan_ended.connect(session.settle)
        view.centre_wanted.connect(session.centre_on)
        view.comparison.scored.connect(status.show_score)
        view.comparison.failed.connect(messages.show_error)
        view.scrub_wanted.connect(session.scrub)
        self.survey.found.connect(self._show_found)
        bridge.busy_changed.connect(self.survey.set_paused)
        bridge.busy_changed.connect(self._import_the_rest)
        self.time_field.left.connect(view.setFocus)
        for bar in (self.menuBar(), status):
            modes.full_screen_changed.connect(bar.setHidden)
        modes.full_screen_changed.connect(self._show_timeline)
        modes.full_screen_changed.connect(self.slicing.set_full_screen)
        modes.full_screen_changed.connect(view.set_full_screen)
        modes.escaped.connect(messages.hide)
        for part in (self.inspections, self.slicing):
            modes.escaped.connect(part.leave)
        self.source_key.held.connect(view.set_source_only)
        self.loupe_key.held.connect(view.overlays.hold_loupe)
        for wanted in (self.drop.dropped, self.empty.recent_wanted, self.menus.recent_wanted):
            wanted.connect(self.projects.open_file)
        self._connect_projects()
        self.taker.saved.connect(messages.show_saved)
        self.taker.failed.connect(messages.show_error)
        self.crash_bar.report_wanted.connect(self.help.report.start)
        self.help.report.told.connect(messages.show_notice)
        self.help.report.failed.connect(messages.show_error)
        self.help.failed.connect(messages.show_error)
        export.progressed.connect(status.show_export)
        export.ended.connect(status.clear_export)
        for exports in (self.exports, self.exports.queue):
            exports.told.connect(messages.show_notice)
            exports.failed.connect(messages.show_error)
        self.exports.queue.noted.connect(status.show_queue)
        self.exports.queue.note_left()

    def _connect_projects(self) -> None:
        projects, offers = self.projects, self.restore_bar
        projects.named.connect(self._show_title)
        projects.saved.connect(self.messages.show_project_saved)
        projects.failed.connect(self.messages.show_error)
        self.autosave.offered.connect(offers.show_offers)
        offers.restore_wanted.connect(self._restore)
        offers.discard_wanted.connect(self.autosave.discard)

    def _commands(self) -> list[Command]:
        """Return what the palette lists: the table, but for the palette itself."""
        rows = ((row.id, tr(row.menu.value)) for row in TABLE if row.id != "palette")
        return commands_in(rows, self.actions_by_id)

    # ---- what the whole window shows ----

    @Slot(object)
    def _show_found(self, found: Found) -> None:
        clip = self.session.clip
        if clip is not None and clip.info.path == found.path:
            self.timeline.overview.show_found(found)

    @Slot(object)
    def _show_clip(self, opened: Opened) -> None:
        self.pages.setCurrentWidget(self.frame_view)
        self._show_timeline(self.isFullScreen())
        enable_actions(self.actions_by_id, has_clip=True)
        self._show_title()
        self.frame_view.setFocus()
        # Panels are filled in this turn of the event loop and drawn in the next one: each takes 10 ms.
        self._let_draw(False)
        QTimer.singleShot(0, self, self._draw_clip)

    @Slot()
    def _draw_clip(self) -> None:
        self._let_draw(True)

    def _let_draw(self, may_draw: bool) -> None:
        if (centre := self.centralWidget()) is not None:
            centre.setUpdatesEnabled(may_draw)

    @Slot()
    def _show_empty(self) -> None:
        self.pages.setCurrentWidget(self.empty)
        self.timeline.hide()
        enable_actions(self.actions_by_id, has_clip=False)
        self._show_title()

    @Slot()
    def _show_title(self) -> None:
        """Name the project, or else the clip. A star says that the project is modified."""
        clip, project = self.session.clip, self.projects.path
        name = project or (clip.info.path if clip is not None else None)
        self.setWindowTitle(TITLE if name is None else f"{name.name}[*] — {TITLE}")
        self.setWindowModified(project is not None and self.projects.is_modified)

    @Slot(object)
    def _restore(self, offer: Offer) -> None:
        self.projects.restore(offer.left)

    @Slot(bool)
    def _import_the_rest(self, is_busy: bool) -> None:
        """Import what dialogs need once the first full picture is there, and go on whenever nothing is drawn."""
        self.late_modules.set_busy(is_busy)
        if not is_busy:
            self.late_modules.start()

    @Slot(bool)
    def _show_timeline(self, is_full: bool) -> None:
        self.timeline.setHidden(is_full or self.session.clip is None)

    # ---- events of the window ----

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Leave the focus where it is while a clip is open: Tab shows the source, and F6 moves the focus."""
        return self.session.clip is None and super().focusNextPrevChild(forward)

    def showEvent(self, event: QShowEvent) -> None:
        """Watch the system's window for the held keys; it exists from now on."""
        super().showEvent(event)
        if (handle := self.windowHandle()) is not None:
            for key in (self.source_key, self.loupe_key):
                handle.installEventFilter(key)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell that the window has another size."""
        super().resizeEvent(event)
        self.geometry_changed.emit()

    def moveEvent(self, event: QMoveEvent) -> None:
        """Tell that the window has another place."""
        super().moveEvent(event)
        self.geometry_changed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close, unless the user prefers to let an export finish."""
        if not self.exports.may_quit():
            event.ignore()
            return
        self.exports.hide()
        self.help.hide()
        self.commands.hide()
        self.side_windows.hide()
        self.settings_page.hide()
        self.closing.emit()
        event.accept()
