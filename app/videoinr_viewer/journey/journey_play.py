"""JourneyPlay: lets playback go along the retime curve and follow the camera path, as an export does."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from PySide6.QtCore import QObject, Signal, Slot

from videoinr.geometry import Grid, Rect
from videoinr.journey.camera import CameraPath
from videoinr.render.view import region_in_view
from videoinr.types import ClipInfo, ViewState
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.picture import navigation
from videoinr_viewer.player import Player
from videoinr_viewer.playing.cached_play import CachedPlay
from videoinr_viewer.session import Session


@dataclass(frozen=True)
class CameraFlight:
    """What the window shows along ``camera``: a :class:`videoinr.playing.plan.Flight`. Zoom 1 is a fitted view."""

    camera: CameraPath
    info: ClipInfo
    screen_px: navigation.ScreenPx
    margin_px: float

    def place(self, time_secs: Fraction) -> tuple[navigation.Point, float]:
        """Return the centre of the view at ``time_secs``, clip pixels, and its zoom."""
        view = self._view(time_secs)
        return view.centre, view.zoom

    def region(self, time_secs: Fraction) -> tuple[Grid, Rect]:
        """Return the virtual full frame and its visible pixels at ``time_secs``."""
        drawn = navigation.drawn(self._view(time_secs), self.screen_px)
        return region_in_view(drawn, self.info, self.screen_px) or (self.info.grid, self.info.grid.rect)

    def _view(self, time_secs: Fraction) -> ViewState:
        at = self.camera.at(time_secs)
        still = ViewState(time_secs, (float(at.x), float(at.y)), 1.0)
        whole = navigation.fitted(still, self.info, self.screen_px, margin_px=self.margin_px)
        zoom = min(max(whole.zoom * float(at.zoom), navigation.MIN_ZOOM), navigation.MAX_ZOOM)
        return navigation.inside(ViewState(time_secs, still.centre, zoom), self.info)


class JourneyPlay(QObject):
    """Turned off, playback takes the clip as it is. Lives on the GUI thread."""

    changed = Signal()
    """It was turned on or off."""

    def __init__(
        self, planner: JourneyPlanner, session: Session, player: Player, play: CachedPlay, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._planner, self._session, self._player, self._play = planner, session, player, play
        self.is_on = False
        play.flight_of = self.flight
        planner.changed.connect(self._follow)
        # Where the camera flies to depends on the window's size.
        session.view_changed.connect(self._follow_screen)
        self._screen: tuple[navigation.ScreenPx, float] | None = None

    def toggle(self) -> None:
        """Play the journey, or the clip as it is."""
        self.is_on = not self.is_on
        self._follow()
        self.changed.emit()

    def flight(self) -> CameraFlight | None:
        """Return how the camera flies through the open clip now; None where the user chooses the view."""
        clip, camera = self._session.clip, self._planner.journey.camera
        if not self.is_on or clip is None or camera is None or min(self._session.screen_px) < 2:
            return None
        return CameraFlight(camera, clip.info, self._session.screen_px, self._session.fit_margin_px)

    @Slot()
    def _follow(self) -> None:
        self._player.set_curve(self._planner.journey.curve if self.is_on else None)
        self._play.replan()

    @Slot()
    def _follow_screen(self) -> None:
        screen = (self._session.screen_px, self._session.fit_margin_px)
        if screen != self._screen:
            self._screen = screen
            self._play.replan()
