"""Builds the program from session, render thread, export process and window, and shuts it down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QSize, QTimer, Slot
from PySide6.QtWidgets import QApplication

from videoinr.playing.cache import PlayCache
from videoinr.render.messages import Failure, Opened
from videoinr.render.render_loop import RenderLoop
from videoinr.render.renderer import Renderer
from videoinr_viewer.clip_access.clip_frames import open_clip_frames
from videoinr_viewer.clip_access.reading import Reading
from videoinr_viewer.clip_access.second_model import OpenModel
from videoinr_viewer.clip_access.side_reader import FrameSource, SideReader
from videoinr_viewer.export.bridge import COMMAND, ExportBridge
from videoinr_viewer.export.queue_bridge import QueueBridge
from videoinr_viewer.main_window import MainWindow, WindowOptions
from videoinr_viewer.player import Player
from videoinr_viewer.playing.cached_play import CachedPlay
from videoinr_viewer.playing.sound import MakeOutput, Sound, default_output
from videoinr_viewer.project.keeper import Wanted
from videoinr_viewer.render_bridge import RenderBridge
from videoinr_viewer.session import Session
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.start.strange_settings import words_for_strange
from videoinr_viewer.style.screen_room import room_on_screen
from videoinr_viewer.style.theme import ThemeSwitch
from videoinr_viewer.style.theme_choice import Theme

DEFAULT_SIZE = (1280, 800)
PLAY_BYTES = 64 * 2**20
"""What decoded pictures for playback may take in memory, if the caller brings no cache for them."""
GEOMETRY_REST_MSECS = 1000
"""The window's size and place are saved when they have not changed for this long."""


class Viewer(QObject):
    """One window and the objects behind it. ``open_renderer`` runs on the render thread.

    ``open_frames`` opens a clip beside the render thread, on any thread. ``save_settings``
    is called after each change of the settings, so that a crash or a kill loses none. ``play`` keeps decoded pictures
    for playback, and is closed with the window; ``make_output`` opens the output of sound. ``open_model`` opens a
    clip with another model, on any thread, to compare with.
    """

    def __init__(
        self,
        app: QApplication,
        open_renderer: Callable[[Path], Renderer],
        *,
        settings: Settings,
        theme: Theme | None = None,
        export_command: Sequence[str] = COMMAND,
        options: WindowOptions | None = None,
        save_settings: Callable[[], None] | None = None,
        open_frames: Callable[[Path], FrameSource] = open_clip_frames,
        play: PlayCache | None = None,
        make_output: MakeOutput = default_output,
        open_model: OpenModel | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        options = options or WindowOptions()
        self.reading = options.reading
        self._save_settings = save_settings or (lambda: None)
        self._geometry_rests = QTimer(self, singleShot=True)
        self._geometry_rests.setInterval(GEOMETRY_REST_MSECS)
        self._geometry_rests.timeout.connect(self._remember_geometry)
        self.themes = ThemeSwitch(app, theme or settings.theme)
        self.session, self.bridge = Session(self), RenderBridge(self)
        self.reader = SideReader(open_frames)
        # First of the receivers: the others read the new clip through it.
        self.session.opened.connect(self._read_clip)
        self.player = Player(self.session, parent=self)
        self.play_cache = play or PlayCache(PLAY_BYTES)
        self.play = CachedPlay(self.session, self.player, self.play_cache, parent=self)
        self.sound = Sound(self.session, self.player, make_output, parent=self)
        self.export = ExportBridge(export_command, self)
        self.queue = QueueBridge(options.queue_folder, export_command, self)
        self.window = MainWindow(
            self.session, self.player, self.bridge, self.export, self.queue, self.reader, self.play, self.sound,
            theme=self.themes.chosen, options=options,
        )  # fmt: skip
        self.themes.dress(self.window)
        self.window.frame_view.comparison.open_model = open_model
        self.reading.tell = self.bridge.encoding
        self.loop = RenderLoop(open_renderer, self.bridge, self.play_cache)
        self.window.frame_view.comparison.hold_ahead = self.loop.hold_ahead
        self.is_shut_down = False
        self._opening: Path | None = None
        self._connect()
        self._offer_recent()
        self.window.messages.show_at_start(words_for_strange(settings))

    def _connect(self) -> None:
        self.session.open_wanted.connect(self._note_opening)
        self.session.open_wanted.connect(self.loop.open)
        self.play.requested.connect(self.loop.submit)
        self.play.look_again.connect(self.loop.look_again)
        self.play.picture.connect(self.bridge.region_ready)
        self.bridge.is_late = self.play.is_late
        for asking in (self.window.inspections, self.window.slicing):
            asking.asked.connect(self.loop.inquire)
            asking.withdrawn.connect(self.loop.withdraw)
        self.session.opened.connect(self._remember_clip)
        self.bridge.failure.connect(self._forget_clip)
        self.session.opened.connect(self.reading.prove)
        self.session.open_failed.connect(self._revert_reading)
        self.session.closed.connect(self._revert_reading)
        self._connect_projects()
        window = self.window
        for part in (window.menus.models, window.side_windows, window.history, window.cut_editor, window.settings_page):
            part.reading_wanted.connect(self._read_so)
        self.window.commands.recent = self.settings.recent_actions
        self.window.bindings.load(self.settings.shortcuts)
        self.window.bindings.changed.connect(self._remember_shortcuts)
        self.window.commands.used.connect(self._remember_actions)
        self.window.menus.theme_wanted.connect(self._choose_theme)
        window.settings_page.times_changed.connect(self.session.show_times_as)
        window.time_field.form_wanted.connect(window.settings_page.choose_times)
        window.settings_page.use(self.settings)
        window.settings_page.theme_wanted.connect(self._choose_theme)
        window.settings_page.theme_wanted.connect(window.menus.show_theme)
        window.settings_page.changed.connect(self._save_settings)
        self.window.closing.connect(self.shut_down)
        self.window.geometry_changed.connect(self._geometry_rests.start)

    def _connect_projects(self) -> None:
        projects = self.window.projects
        projects.recent_folders = lambda: [path.parent for path in self.settings.recent]
        projects.saved.connect(self._add_recent)
        projects.opened.connect(self._remember_opened)
        projects.vanished.connect(self._remove_recent)

    def show(self, size: tuple[int, int] | None = None) -> None:
        """Show the window with ``size`` (logical pixels), or as in the last run. At first it fits the screen."""
        geometry = self.settings.geometry
        if size is not None:
            self.window.resize(*size)
        elif geometry is None or not self.window.restoreGeometry(geometry):
            self.window.resize(QSize(*DEFAULT_SIZE).boundedTo(room_on_screen(self.window)))
        self.window.show()

    @Slot()
    def shut_down(self) -> None:
        """End playback, exports, the writer and the render thread, and wait for them. A second call does nothing."""
        if self.is_shut_down:
            return
        self.is_shut_down = True
        self._geometry_rests.stop()
        self._remember_geometry()
        self.window.hide()
        self.player.pause()
        self.sound.close()
        self.export.stop()
        self.queue.close()
        self.window.help.report.stop()
        self.window.autosave.close()
        self.window.projects.close()
        self.window.late_modules.close()
        self.window.exports.close()
        self.window.taker.close()
        self.window.frame_view.comparison.close()
        self.window.survey.close()
        self.window.thumbnails.close()
        self.reader.close()
        self.loop.close()
        self.play_cache.close()

    @Slot()
    def _remember_geometry(self) -> None:
        self.settings.geometry = self.window.saveGeometry()
        self._save_settings()

    def _offer_recent(self) -> None:
        self.window.menus.set_recent(self.settings.recent)
        self.window.empty.set_recent(self.settings.recent)

    @Slot(object)
    def _note_opening(self, path: Path) -> None:
        self._opening = path
        if not (self.session.keeps_notes or self.window.projects.opens_project):
            # What the user said about the cuts of one clip says nothing about another.
            self.reading.choose(replace(self.reading.current, cuts=""), is_remembered=self.reading.is_remembered)

    @Slot(object)
    def _read_so(self, reading: Reading) -> None:
        """Read the open clip as the user wishes; it stays as it is if that is impossible."""
        self.reading.choose(reading)
        self.session.reopen()

    @Slot()
    def _revert_reading(self) -> None:
        self.reading.revert()
        if self.window.side_windows.clip is not None:
            self.window.side_windows.clip.show_choice()

    @Slot(object)
    def _read_clip(self, opened: Opened) -> None:
        self.reader.set_clip(opened.info.path)

    @Slot(object)
    def _remember_clip(self, opened: Opened) -> None:
        self.window.survey.start(opened.info.path, opened.timeline.last_frame)
        if not self.window.projects.opens_project:
            self._add_recent(opened.info.path)

    @Slot(object)
    def _add_recent(self, path: Path) -> None:
        self.settings.add_recent(path)
        self._save_settings()
        self._offer_recent()

    @Slot(object)
    def _remember_opened(self, wanted: Wanted) -> None:
        if wanted.name is not None:
            self._add_recent(wanted.name)

    @Slot(object)
    def _remove_recent(self, path: Path) -> None:
        self.settings.remove_recent(path)
        self._save_settings()
        self._offer_recent()

    @Slot(object)
    def _forget_clip(self, failure: Failure) -> None:
        if failure.opening and self._opening is not None:
            self._remove_recent(self._opening)

    @Slot(list)
    def _remember_actions(self, names: list[str]) -> None:
        self.settings.recent_actions = names
        self._save_settings()

    @Slot(dict)
    def _remember_shortcuts(self, shortcuts: dict[str, list[str]]) -> None:
        self.settings.shortcuts = shortcuts
        self._save_settings()

    @Slot(object)
    def _choose_theme(self, theme: Theme) -> None:
        self.settings.theme = theme
        self._save_settings()
        self.themes.choose(theme)
