"""JourneyPlanner: takes the user's retime curve, shutter, readout and camera path; the view shows the shutter."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from PySide6.QtCore import QObject, Signal, Slot

from videoinr.colour import HDR_TRANSFERS
from videoinr.geometry import Readout, longest_readout_secs, rect_from_units, shown_readout
from videoinr.journey.camera import MOST_DENOMINATOR, MOST_KEYFRAMES, MOST_ZOOM, CameraPath, Easing, Keyframe
from videoinr.journey.curve import RetimeCurve
from videoinr.journey.shutter_region import ShutterRegion
from videoinr.playing.plan import InnerShutter, Shutter
from videoinr.render.messages import Opened
from videoinr.render.view import visible_units
from videoinr_viewer.journey.journey import Journey
from videoinr_viewer.session import Session

ANGLES = (0, 90, 180, 270, 360)
"""Degrees of the shutter that the menu offers."""
_FULL_TURN = 360


class JourneyPlanner(QObject):
    """The journey through the open clip. Lives on the GUI thread."""

    changed = Signal()
    keyframes_changed = Signal(object)
    """A tuple of the times of all keyframes, seconds."""
    easing_changed = Signal()
    """:attr:`easing` may be another one."""
    region_shown = Signal()
    """:attr:`shows_region` may be another one."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.journey = Journey()
        self._easing: Easing | None = None
        self.shows_region = False
        self.changed.connect(self._look)
        session.view_changed.connect(self._look)
        session.opened.connect(self._open)
        session.closed.connect(self._forget)

    def restore(self, journey: Journey) -> None:
        """Have this journey."""
        if journey != self.journey:
            self.journey = journey
            self._show_shutter()
            self.keyframes_changed.emit(tuple(one.time_secs for one in self.keyframes))
            self.changed.emit()

    def set_curve(self, curve: RetimeCurve | None) -> None:
        """Set the retime curve, which lies in the clip; None plays the clip as it is."""
        self.restore(replace(self.journey, curve=curve))

    def set_shutter(self, degrees: int) -> None:
        """Set the exposure, 0 to 360 degrees."""
        self.restore(replace(self.journey, shutter=Fraction(degrees)))

    def set_readout(self, secs: Fraction) -> None:
        """Set the seconds in which the camera read a frame; negative: from the last row; 0 corrects nothing."""
        self.restore(replace(self.journey, readout=secs))

    def try_readout(self, secs: Fraction) -> None:
        """Let the view correct this readout until another one is set."""
        if (clip := self._session.clip) is not None:
            self._session.set_shutter(replace(self._session.shutter, readout=self._readout(secs, clip)))

    # ---- the region with a shutter of its own ----

    def set_shutter_region(self, region: ShutterRegion | None) -> None:
        """Set the region that has a shutter of its own; None: none has."""
        self.restore(replace(self.journey, shutter_region=region))

    def take_region(self) -> None:
        """Give the visible part of the picture the shutter of the region, or half a turn."""
        clip, before = self._session.clip, self.journey.shutter_region
        if clip is None:
            return
        units = visible_units(self._session.drawn_view, clip.info, self._session.screen_px)
        if (rect := rect_from_units(*units, clip.info.grid)) is not None:
            degrees = Fraction(_FULL_TURN, 2) if before is None else before.degrees
            self.set_shutter_region(ShutterRegion(rect, degrees))

    def show_region(self, *, shown: bool) -> None:
        """Let the picture show the outline of the region, or not."""
        self.shows_region = shown
        self.region_shown.emit()

    # ---- the camera ----

    @property
    def keyframes(self) -> tuple[Keyframe, ...]:
        """The keyframes of the camera, in the order of their times."""
        return self.journey.camera.keyframes if self.journey.camera is not None else ()

    def toggle_keyframe(self) -> None:
        """Set a keyframe of the present view at the present time, or remove the one that is there."""
        if (here := self._here()) is None:
            return
        others = tuple(one for one in self.keyframes if one.time_secs != here.time_secs)
        if len(others) == len(self.keyframes) < MOST_KEYFRAMES:
            others = tuple(sorted((*others, here), key=lambda one: one.time_secs))
        self._set_keyframes(others)

    @property
    def easing(self) -> Easing | None:
        """How the camera goes on from the last keyframe before the present time, or at it; None if there is none."""
        index = self._last_index()
        return None if index is None else self.keyframes[index].easing

    def set_easing(self, easing: Easing, index: int | None = None) -> None:
        """Let the camera go on so from the keyframe ``index``; None: from the last one up to the present time."""
        index = self._last_index() if index is None else index
        if index is not None:
            here = replace(self.keyframes[index], easing=easing)
            self._set_keyframes((*self.keyframes[:index], here, *self.keyframes[index + 1 :]))
        # The action that was triggered has checked itself.
        self.easing_changed.emit()

    def _last_index(self) -> int | None:
        now = self._session.view.time_secs.limit_denominator(MOST_DENOMINATOR)
        return max((index for index, one in enumerate(self.keyframes) if one.time_secs <= now), default=None)

    @Slot()
    def _look(self) -> None:
        if self.easing != self._easing:
            self._easing = self.easing
            self.easing_changed.emit()

    def delete_keyframe(self, index: int) -> None:
        """Remove the keyframe ``index``."""
        self._set_keyframes((*self.keyframes[:index], *self.keyframes[index + 1 :]))

    def clear_camera(self) -> None:
        """Remove all keyframes."""
        self._set_keyframes(())

    def _set_keyframes(self, keyframes: tuple[Keyframe, ...]) -> None:
        self.restore(replace(self.journey, camera=CameraPath(keyframes) if keyframes else None))

    def _here(self) -> Keyframe | None:
        """Return the present view as a keyframe: as near as an output of the clip's shape can show all that is seen."""
        session = self._session
        if session.clip is None:
            return None
        info, view = session.clip.info, session.drawn_view
        width, height = session.screen_px
        nearness = min(info.width * view.zoom / width, info.height * view.zoom / height)
        zoom = min(max(Fraction(nearness).limit_denominator(1000), Fraction(1)), MOST_ZOOM)
        x, y = (Fraction(side).limit_denominator(1000) for side in view.centre)
        return Keyframe(view.time_secs.limit_denominator(MOST_DENOMINATOR), x, y, zoom)

    # ---- the clip ----

    @Slot(object)
    def _open(self, opened: Opened) -> None:
        """Keep what lies in the same clip, read anew; forget all about another one."""
        if self._session.keeps_notes:
            self.restore(self.journey.within(opened.timeline.duration_secs))
        else:
            self._forget()
        self._show_shutter()

    @Slot()
    def _forget(self) -> None:
        self.restore(Journey())

    def _show_shutter(self) -> None:
        """Let the view expose its pictures as long as an export at the clip's own rate would."""
        clip, journey = self._session.clip, self.journey
        if clip is None:
            self._session.set_shutter(Shutter())
            return
        is_light = clip.info.colour.transfer not in HDR_TRANSFERS
        turn_secs = 1 / (_FULL_TURN * clip.info.fps) if is_light else Fraction(0)
        region, inside = journey.shutter_region, None
        if region is not None and is_light and clip.info.grid.rect.contains(region.rect):
            inside = InnerShutter(region.rect, clip.info.grid, region.degrees * turn_secs)
        readout = self._readout(journey.readout, clip)
        self._session.set_shutter(Shutter(journey.shutter * turn_secs, readout, inside))

    @staticmethod
    def _readout(secs: Fraction, clip: Opened) -> Readout | None:
        """Return the readout that is corrected; None for one that no export of the clip would take."""
        return shown_readout(secs, clip.info.rotation) if abs(secs) <= longest_readout_secs(clip.info.fps) else None
