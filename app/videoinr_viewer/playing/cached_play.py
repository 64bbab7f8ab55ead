"""Plays the pictures of the play cache, and motion drafts where there are none yet. Plans what the cache shall hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from videoinr.geometry import Grid, Rect
from videoinr.playing.cache import Coverage, PlayCache
from videoinr.playing.plan import Flight, PlayPlan, play_times, times_along
from videoinr.playing.times import CurveTimes, display_rate
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest
from videoinr_viewer.player import TICK_MSECS, Player
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr

AHEAD_SECS = 10
"""Without marks, pictures for so many seconds of playback are rendered ahead of the playhead."""
REPORT_MSECS = 200
"""How often the window is told of new pictures."""
LEAD_SECS = Fraction(TICK_MSECS, 2000)
"""So much before its time a picture is shown: on average it is then neither early nor late, since a tick of the player
comes up to TICK_MSECS after it."""
DRAFT_SECS = 0.5
"""A motion draft counts as what is playing for so long."""
_REMEMBERED = 8


class CachedPlay(QObject):
    """Stands between the session and the render thread: kept pictures are shown at once, other requests go on.

    Lives on the GUI thread, and never waits.
    """

    requested = Signal(object)
    """RenderRequest that the render thread shall answer."""
    look_again = Signal()
    """The plan or the playhead has changed: the render thread may have to render other pictures."""
    picture = Signal(object)
    """RenderedRegion: a kept picture, to be shown now."""
    covered = Signal(object, object)
    """Coverage, and the PlayPlan that it is of, or None."""
    note_changed = Signal(str)
    """What is playing, in words; empty while nothing is."""
    _arrived = Signal()

    def __init__(
        self,
        session: Session,
        player: Player,
        cache: PlayCache,
        *,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._player, self._cache, self._clock = session, player, cache, clock
        self.rate: Fraction | None = None
        self.renders_ahead = True
        self.needs_source: Callable[[], bool] = lambda: False
        self.flight_of: Callable[[], Flight | None] = lambda: None
        self.decoded = self.drafts = 0
        self._view: tuple[Grid, Rect] | None = None
        self._plan: PlayPlan | None = None
        self._index = -1
        self._wanted: list[RegionQuery] = []
        self._newest_shown: Instant | None = None
        self._draft_at_secs = float("-inf")
        self._coverage = Coverage()
        self._was_playing = False
        self._report, self._replan = (QTimer(self, singleShot=True) for _ in range(2))
        self._report.setInterval(REPORT_MSECS)
        self._replan.setInterval(0)
        self._connect()

    def _connect(self) -> None:
        # The render thread tells of pictures: the signal brings that to the GUI thread.
        self._cache.on_change = self._arrived.emit
        self._arrived.connect(self._report_soon)
        self._report.timeout.connect(self._tell)
        self._replan.timeout.connect(self._plan_anew)
        self._session.requested.connect(self._take)
        for signal in (self._session.opened, self._session.closed, self._session.marks_changed,
                       self._session.shutter_changed):  # fmt: skip
            signal.connect(self._replan_soon)
        self._player.changed.connect(self._follow_player)

    # ---- the user's choices ----

    def set_rate(self, rate: Fraction | None) -> None:
        """Show ``rate`` pictures a second; None: as many as the clip has, at least 24."""
        self.rate = rate
        self._replan.start()

    def set_renders_ahead(self, renders: bool) -> None:
        """Render the pictures of playback in the background, or not."""
        self.renders_ahead = renders
        self._replan.start()

    # ---- requests ----

    @Slot(object)
    def _take(self, request: RenderRequest) -> None:
        view = (request.query.grid, request.query.rect)
        if view != self._view and not self._flies:
            self._view = view
            self._replan.start()
        if not self._player.is_running:
            self._move()
            self.requested.emit(request)
            return
        if self._plan is None or not (self._flies or (self._plan.grid, self._plan.rect) == view):
            self._plan_anew()
        if self._plan is not None:
            self._show(self._plan, request)

    def _show(self, plan: PlayPlan, request: RenderRequest) -> None:
        """Show the picture at the playhead, or ask for a motion draft of it; nothing if it is shown."""
        index = self._index_now(plan, LEAD_SECS * self._player.speed * self._player.direction)
        query = plan.query(index)
        if self._wanted and self._wanted[-1] == query:
            return
        self._index = index
        if plan.flight is not None:
            # The picture is drawn where the camera was at its own time, not at that of the clock.
            self._session.aim(*plan.flight.place(plan.times.time(index)))
        self._wanted = [*self._wanted[1 - _REMEMBERED :], query]
        self._cache.move(index, self._player.direction, plays=True)
        kept = self._cache.get(query)
        if kept is not None:
            self.picture.emit(kept)
        if kept is None or self.needs_source():
            on_screen = request.on_screen and replace(request.on_screen, instant=query.instant)
            if self._flies:
                # The view of the request is that of now, the query that of the picture's own time.
                on_screen = None
            # A draft shows its time alone: with an exposure it would take as many times as long.
            plain = replace(query, exposure=None, part=None)
            self.requested.emit(replace(request, query=plain, moving=True, on_screen=on_screen, is_playing=True))
        else:
            self.look_again.emit()

    def is_late(self, region: RenderedRegion) -> bool:
        """Return whether ``region`` came from the render thread after playback has shown a later picture."""
        if not self._player.is_running or region.quality is Quality.SOURCE or not self._wanted:
            return False
        instants = [query.instant for query in self._wanted]
        if region.query.instant not in instants:
            return True
        if (shown := self._newest_shown) not in instants:
            return False
        # The last ones: along a curve, an instant may come again.
        instants.reverse()
        return instants.index(region.query.instant) > instants.index(shown)

    @Slot(object)
    def note_shown(self, region: RenderedRegion) -> None:
        """Count a picture that playback shows."""
        if not self._player.is_running or region.quality is Quality.SOURCE:
            return
        self._newest_shown = region.query.instant
        if region.quality is Quality.FULL:
            self.decoded += 1
        else:
            self.drafts += 1
            self._draft_at_secs = self._clock()
        if not self._report.isActive():
            self._report.start()

    # ---- the plan ----

    def _plan_of(self) -> PlayPlan | None:
        clip, segment, view = self._session.clip, self._session.segment, self._view
        if clip is None or segment is None or view is None:
            return None
        rate = display_rate(clip.info.fps, self.rate)
        marks = self._session.marks
        is_marked = marks.in_secs is not None or marks.out_secs is not None
        curve, step = self._player.curve, self._player.speed / rate
        most = None if is_marked or curve is not None else ceil(AHEAD_SECS * rate)
        times = play_times(clip.timeline, segment, step) if curve is None else times_along(clip.timeline, curve, step)
        most = most if self.renders_ahead else 0
        shutter, flight = self._session.shutter, self.flight_of()
        if flight is not None:
            screen = Grid(*self._session.screen_px)
            view = (screen, screen.rect)
        return PlayPlan(clip.source_id, clip.timeline, times, *view, most, shutter, flight)

    @property
    def _flies(self) -> bool:
        """Whether the view follows the camera now: it is not the user's choice."""
        return self._plan is not None and self._plan.flight is not None and self._player.is_running

    def _index_now(self, plan: PlayPlan, lead_secs: Fraction = Fraction(0)) -> int:
        """Return the picture at the playhead, or ``lead_secs`` of playback after it."""
        times, player = plan.times, self._player
        if player.curve is None:
            return times.index_at(self._session.view.time_secs + lead_secs)
        if isinstance(times, CurveTimes):
            return times.index_of(player.position_secs + lead_secs)
        return times.index_at(player.curve.time(player.position_secs + lead_secs))

    @Slot()
    def replan(self) -> None:
        """Plan anew: the camera may fly otherwise."""
        self._replan.start()

    @Slot()
    def _replan_soon(self) -> None:
        self._replan.start()

    @Slot()
    def _plan_anew(self) -> None:
        plan = self._plan_of()
        if plan != self._plan:
            self._plan, self._index, self._wanted = plan, -1, []
        index = 0 if plan is None else self._index_now(plan)
        self._cache.set_plan(plan, index, self._player.direction)
        self.look_again.emit()

    def _move(self) -> None:
        """Tell the cache where the playhead is, which another request has moved."""
        if self._plan is not None and (index := self._plan.times.index_at(self._session.view.time_secs)) != self._index:
            self._index = index
            self._cache.move(index, self._player.direction)
            self.look_again.emit()

    @Slot()
    def _follow_player(self) -> None:
        is_playing = self._player.is_playing
        if is_playing and not self._was_playing:
            self._wanted, self._newest_shown, self._draft_at_secs = [], None, float("-inf")
            self.decoded = self.drafts = 0
        elif self._was_playing and not is_playing:
            self._rest_on_picture()
        self._was_playing = is_playing
        self._replan.start()
        self._tell()

    def _rest_on_picture(self) -> None:
        """Go to the time of the picture that is shown: the full picture at rest is then that one."""
        clip, plan, now = self._session.clip, self._plan, self._session.view.time_secs
        if clip is None or plan is None or not self._wanted:
            return
        shown_secs = clip.timeline.time_from_instant(self._wanted[-1].instant)
        if isinstance(plan.times, CurveTimes):
            is_near = abs(self._index_now(plan) - self._index) <= 1
        else:
            is_near = now < plan.times.end_secs and abs(shown_secs - now) <= plan.times.step_secs
        if is_near and isinstance(plan.times, CurveTimes):
            self._player.position_secs = self._index * plan.times.step_secs
        if is_near:
            self._session.seek(shown_secs, moving=True)

    # ---- what is told ----

    @Slot()
    def _report_soon(self) -> None:
        if not self._report.isActive():
            self._report.start()

    @Slot()
    def _tell(self) -> None:
        self._coverage = self._cache.coverage()
        self.covered.emit(self._coverage, self._cache.plan)
        self.note_changed.emit(self._note())

    def _note(self) -> str:
        if not self._player.is_playing:
            return ""
        if self._clock() - self._draft_at_secs > DRAFT_SECS:
            return tr("playing decoded pictures")
        if self._coverage.wanted == 0:
            return tr("playing motion drafts")
        percent = 100 * self._coverage.done // self._coverage.wanted
        return tr("playing motion drafts, {percent}% decoded", percent=percent)
