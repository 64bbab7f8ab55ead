"""What a row of the table of actions consists of, and the objects that its intent acts on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from PySide6.QtWidgets import QWidget

from videoinr_viewer.dialogs.command_palette import CommandPalette
from videoinr_viewer.dialogs.files import FileDialogs
from videoinr_viewer.dialogs.help import Help
from videoinr_viewer.dialogs.settings_page import SettingsPage
from videoinr_viewer.dialogs.side_windows import SideWindows
from videoinr_viewer.export.launcher import ExportLauncher
from videoinr_viewer.inspection.inspections import Inspections
from videoinr_viewer.inspection.slicing import Slicing
from videoinr_viewer.journey.journey_play import JourneyPlay
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.panels.focus_walk import FocusWalk
from videoinr_viewer.picture.picture_taker import PictureTaker
from videoinr_viewer.picture.view_history import ViewHistory
from videoinr_viewer.picture.view_modes import ViewModes
from videoinr_viewer.player import Player
from videoinr_viewer.playing.cached_play import CachedPlay
from videoinr_viewer.playing.sound import Sound
from videoinr_viewer.project.history import History
from videoinr_viewer.project.keeper import ProjectKeeper
from videoinr_viewer.session import Session
from videoinr_viewer.timeline.annotations import Annotations
from videoinr_viewer.timeline.cut_editor import CutEditor
from videoinr_viewer.timeline.panel import TimelinePanel
from videoinr_viewer.timeline.time_field import TimeField


@dataclass(frozen=True)
class Targets:
    """The objects that intents act on."""

    window: QWidget
    session: Session
    player: Player
    files: FileDialogs
    exports: ExportLauncher
    taker: PictureTaker
    time_field: TimeField
    modes: ViewModes
    focus: FocusWalk
    help: Help
    annotations: Annotations
    side_windows: SideWindows
    inspections: Inspections
    slicing: Slicing
    commands: CommandPalette
    planner: JourneyPlanner
    history: History
    views: ViewHistory
    projects: ProjectKeeper
    cut_editor: CutEditor
    timeline_of: Callable[[], TimelinePanel]
    play: CachedPlay
    sound: Sound
    settings_page: SettingsPage
    journey_play: JourneyPlay

    @property
    def timeline(self) -> TimelinePanel:
        """The timeline, whose buttons are made of the actions."""
        return self.timeline_of()


class Menu(Enum):
    """The menus in the order of the menu bar. The value is the title."""

    FILE = "&File"
    EDIT = "&Edit"
    PLAYBACK = "&Playback"
    GO = "&Go"
    MARKS = "&Marks"
    VIEW = "&View"
    COMPARE = "&Compare"
    INSPECT = "&Inspect"
    JOURNEY = "&Time and camera"
    HELP = "&Help"


@dataclass(frozen=True)
class Row:
    """One action.

    ``keys``: alternative shortcuts. ``needs_clip``: the action is disabled while no clip is open. ``group_ends``: a
    separator follows in the menu. ``checked``: whether a checkable action is on at the start. ``choice``: the name of a
    group of checkable actions, of which one is on. ``tip``: what the tool tip says below the text. ``by_history``: the
    history says when it is enabled.
    """

    id: str
    menu: Menu
    text: str
    keys: tuple[str, ...]
    intent: Callable[[Targets], object]
    needs_clip: bool = True
    checkable: bool = False
    group_ends: bool = False
    checked: bool = False
    choice: str = ""
    tip: str = ""
    by_history: bool = False
