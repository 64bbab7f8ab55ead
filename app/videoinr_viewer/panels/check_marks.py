"""Keeps the check marks of the actions, and the tool tip of the mute action, in step with the window's parts."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from videoinr.journey.camera import Easing
from videoinr_viewer.inspection.flow_overlay import FlowView
from videoinr_viewer.inspection.inspections import Inspections
from videoinr_viewer.inspection.slicing import Slicing
from videoinr_viewer.journey.journey_play import JourneyPlay
from videoinr_viewer.journey.planner import ANGLES, JourneyPlanner
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.picture.frame_view import FrameView
from videoinr_viewer.player import Player
from videoinr_viewer.playing.sound import Sound
from videoinr_viewer.style.language import tr
from videoinr_viewer.timeline.transport import Transport

_MODES = {Compare.SIDE_BY_SIDE: "compare-side-by-side", Compare.WIPE_FOLLOWS: "wipe-follows"}
_REFERENCES = {
    Reference.NEAREST: "against-pixels",
    Reference.BICUBIC: "against-bicubic",
    Reference.BLEND: "against-blend",
    Reference.FILE: "against-file",
    Reference.MODEL: "against-model",
}
_FLOWS = {FlowView.OFF: "flow-off", FlowView.COLOURS: "flow-colours", FlowView.ARROWS: "flow-arrows"}


class CheckMarks(QObject):
    """Follows the parts whose state ``actions``, by their ids, turn on and off."""

    def __init__(
        self,
        actions: Mapping[str, QAction],
        player: Player,
        sound: Sound,
        transport: Transport,
        frame_view: FrameView,
        inspections: Inspections,
        slicing: Slicing,
        planner: JourneyPlanner,
        journey_play: JourneyPlay,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._actions, self._player, self._sound, self._transport = actions, player, sound, transport
        self._frame_view, self._inspections, self._slicing = frame_view, inspections, slicing
        self._planner, self._journey_play = planner, journey_play
        journey_play.changed.connect(self._show_journey_play)
        planner.changed.connect(self._show_shutter)
        planner.easing_changed.connect(self._show_easing)
        player.changed.connect(self._show_player)
        sound.changed.connect(self._show_sound)
        frame_view.comparison.changed.connect(self._show_comparison)
        for part in (inspections, slicing):
            part.changed.connect(self._show_inspections)
        self._show_player()
        self._show_sound()

    @Slot()
    def _show_player(self) -> None:
        self._actions["loop"].setChecked(self._player.loops)

    @Slot()
    def _show_sound(self) -> None:
        action, sound = self._actions["mute"], self._sound
        action.setChecked(sound.is_muted)
        # The tool tip says why.
        action.setEnabled(not sound.why_silent)
        volume = tr("volume {percent}%", percent=sound.volume)
        # The first line names the action and its key, which the user may change.
        first, *_ = action.toolTip().splitlines()
        action.setToolTip(f"{first}\n{sound.why_silent or volume}")
        self._transport.show_muted(sound.is_muted or bool(sound.why_silent))

    @Slot()
    def _show_shutter(self) -> None:
        chosen = self._actions.get(f"shutter-{self._planner.journey.shutter}")
        for angle in ANGLES:
            action = self._actions[f"shutter-{angle}"]
            action.setChecked(action is chosen)

    @Slot()
    def _show_journey_play(self) -> None:
        self._actions["journey-play"].setChecked(self._journey_play.is_on)

    @Slot()
    def _show_easing(self) -> None:
        for easing in Easing:
            self._actions[f"camera-{easing.value}"].setChecked(easing is self._planner.easing)

    @Slot()
    def _show_comparison(self) -> None:
        mode, kind = self._frame_view.compare, self._frame_view.comparison.kind
        self._actions[_MODES.get(mode, f"compare-{mode.value}")].setChecked(True)
        self._actions[_REFERENCES[kind]].setChecked(True)

    @Slot()
    def _show_inspections(self) -> None:
        shown = self._inspections
        self._actions[_FLOWS[shown.flow.view]].setChecked(True)
        self._actions["flow-later"].setChecked(shown.flow.to_later)
        self._actions["trajectory"].setChecked(shown.follows_point)
        self._actions["unsure"].setChecked(shown.doubt.is_on)
        self._actions["blend-mask"].setChecked(shown.blend.is_on)
        self._actions["slice"].setChecked(self._slicing.is_on)
