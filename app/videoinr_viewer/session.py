"""The open clip and the user's view of it: takes intents, emits render requests. No widgets, no threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from videoinr.errors import UsageError
from videoinr.playing.plan import Shutter
from videoinr.render.messages import Failure, Opened
from videoinr.render.view import resolve
from videoinr.text.clip_time import ClipTime
from videoinr.text.hidden_names import hidden_names
from videoinr.types import RegionQuery, RenderRequest, Segment, ViewState
from videoinr_viewer.picture import navigation
from videoinr_viewer.picture.navigation import Point, ScreenPx
from videoinr_viewer.picture.start_view import StartView
from videoinr_viewer.style.time_form import TimeForm
from videoinr_viewer.timeline.clock import Clock


@dataclass(frozen=True)
class Marks:
    """The in and out marks, exact seconds. The segment between them is half-open, [in, out)."""

    in_secs: Fraction | None = None
    out_secs: Fraction | None = None

    def within(self, duration_secs: Fraction) -> Marks:
        """Return the marks that lie in a clip of ``duration_secs``."""
        start, end = self.in_secs, self.out_secs
        return Marks(
            start if start is not None and start < duration_secs else None,
            end if end is not None and end <= duration_secs else None,
        )

    def segment(self, duration_secs: Fraction) -> Segment:
        """Return the marked segment. A missing mark stands for the clip's start or end."""
        return Segment(self.in_secs or Fraction(0), self.out_secs or duration_secs)


@dataclass(frozen=True)
class _ZoomAnchor:
    """The last zoom at a point: the screen point, the clip's point that it holds there, and the view that it made."""

    at: Point
    fixed: Point
    centre: Point
    zoom: float


class Session(QObject):
    """The open clip, the ViewState and the marks. Lives on the GUI thread.

    The window calls its methods (intents). The render thread receives ``open_wanted`` and ``requested`` and answers
    through :meth:`clip_opened` and :meth:`failed`. ``moving`` announces further changes: drafts are enough meanwhile.
    """

    open_wanted = Signal(object)
    """Path of the clip to open."""
    requested = Signal(object)
    """RenderRequest to render; it replaces the previous one."""
    opened = Signal(object)
    """Opened: the clip that is open from now on."""
    taken = Signal(object)
    """Opened: all receivers of ``opened`` know the clip, and its view is the present one."""
    open_failed = Signal()
    """A clip could not be opened; the clip before it stays open."""
    start_refused = Signal(object)
    """Failure: the clip does not have the time at which it was to be opened."""
    closed = Signal()
    """No clip is open: none was, and one could not be opened."""
    view_changed = Signal(object)
    """ViewState."""
    marks_changed = Signal(object)
    """Marks."""
    shutter_changed = Signal(object)
    """Shutter: :attr:`shutter` is another one."""
    times_changed = Signal()
    """Times are to be shown in another form: that of :attr:`clock`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.clip: Opened | None = None
        self.view = ViewState(Fraction(0), (0.0, 0.0), 1.0)
        self.marks = Marks()
        self.is_fitted = True
        self.keeps_notes = self.is_taking_clip = False
        self.last_query: RegionQuery | None = None
        self._start = StartView()
        self._screen_px: ScreenPx = (1, 1)
        self._fit_margin_px = 0.0
        self._zoom_anchor: _ZoomAnchor | None = None
        self._is_opening = False
        self.shutter = Shutter()
        self._times = TimeForm.SECONDS

    @property
    def clock(self) -> Clock | None:
        """How times of the open clip are shown and read."""
        return None if self.clip is None else Clock(self.clip.timeline, self.clip.info, self._times)

    @Slot(object)
    def show_times_as(self, form: TimeForm) -> None:
        """Show times so from now on, in clips that have such times."""
        self._times = form
        self.times_changed.emit()

    # ---- opening ----

    @Slot(object)
    def open(self, path: Path, start: StartView | None = None, *, keeps_notes: bool = False) -> None:
        """Open ``path`` in place of the current clip, which stays open until the new one is.

        ``keeps_notes``: it is the same clip, read in another way; marks, segments, bookmarks and speed stay.
        """
        hidden_names.remember(path)
        self._start, self.keeps_notes = start or StartView(), keeps_notes
        self._is_opening, self.last_query = True, None
        self.open_wanted.emit(path)

    def reopen(self) -> None:
        """Open the current clip again, with the same view."""
        if self.clip is not None:
            zoom, centre = (None, None) if self.is_fitted else (self.view.zoom, self.view.centre)
            self.open(self.clip.info.path, StartView(ClipTime(self.view.time_secs), zoom, centre), keeps_notes=True)

    @Slot(object)
    def clip_opened(self, opened: Opened) -> None:
        """Take the clip that :meth:`open` asked for. ``is_taking_clip`` until all have been told of it."""
        self.is_taking_clip = True
        kept = self._kept_place(opened)
        self.clip, self._is_opening = opened, False
        self.marks = self.marks.within(opened.timeline.duration_secs) if self.keeps_notes else Marks()
        self.is_fitted = kept is None and self._start.zoom is None and self._start.centre is None
        self.view = kept or ViewState(Fraction(0), (opened.info.width / 2, opened.info.height / 2), 1.0)
        self.opened.emit(opened)
        self.marks_changed.emit(self.marks)
        self.is_taking_clip = False
        self._apply_start(opened, self._start)
        self.taken.emit(opened)

    @Slot(object)
    def failed(self, failure: Failure) -> None:
        """Handle a failure of the render thread. If a clip cannot be opened, the one before stays, if there is one."""
        if not failure.opening:
            return
        self._is_opening = False
        if self.clip is None:
            self.closed.emit()
        else:
            self.open_failed.emit()
            self._request(moving=False)

    def _kept_place(self, opened: Opened) -> ViewState | None:
        """Return the present view at second 0, if the user chose its place and the new clip has the same size."""
        if self.clip is None or self.is_fitted or self.clip.info.grid != opened.info.grid:
            return None
        return replace(self.view, time_secs=Fraction(0))

    def _apply_start(self, opened: Opened, start: StartView) -> None:
        time_secs = Fraction(0)
        try:
            time_secs = start.secs(opened)
        except UsageError as error:
            self.start_refused.emit(Failure(str(error), error.hint, opening=False))
        fitted = navigation.fitted(self.view, opened.info, self._screen_px, margin_px=self._fit_margin_px)
        view = fitted if self.is_fitted or start.zoom or start.centre else self.view
        centre, zoom = start.centre or view.centre, start.zoom or view.zoom
        view = replace(view, time_secs=self._clamped(time_secs), centre=centre, zoom=zoom)
        self._look(navigation.inside(view, opened.info), moving=False)

    # ---- the screen ----

    @Slot(tuple, float)
    def set_screen(self, screen_px: ScreenPx, fit_margin_px: float) -> None:
        """Take the new size of the picture's widget, (width, height) in physical pixels."""
        if (screen_px, fit_margin_px) == (self._screen_px, self._fit_margin_px):
            return
        self._screen_px, self._fit_margin_px = screen_px, fit_margin_px
        if self.is_taking_clip:
            # The picture's widget takes its place; the view follows when it has it.
            return
        if self.is_fitted:
            self.fit()
        else:
            self._navigate(self.view, moving=False, keeps_fit=False)

    @property
    def screen_px(self) -> ScreenPx:
        """(width, height) of the picture's widget, physical pixels."""
        return self._screen_px

    @property
    def drawn_view(self) -> ViewState:
        """The view as it is drawn: the picture's corner on a whole screen pixel."""
        return navigation.drawn(self.view, self._screen_px)

    # ---- zoom and pan ----

    def fit(self) -> None:
        """Show the whole picture, also after the window's size changes."""
        if self.clip is not None:
            view = navigation.fitted(self.view, self.clip.info, self._screen_px, margin_px=self._fit_margin_px)
            self._navigate(view, moving=False, keeps_fit=True)

    @Slot(float, tuple)
    def zoom_at(self, factor: float, at: Point, *, moving: bool = True) -> None:
        """Magnify by ``factor``. The clip's point under the screen point ``at`` (physical pixels) stays there."""
        if self.clip is not None:
            fixed = self._fixed_point(at)
            view = navigation.zoomed(self.view, self.clip.info, self._screen_px, factor=factor, at=at, fixed=fixed)
            self._navigate(view, moving=moving, keeps_fit=False)
            self._zoom_anchor = _ZoomAnchor(at, fixed, view.centre, view.zoom)

    def zoom_by(self, factor: float) -> None:
        """Magnify by ``factor`` around the middle of the window."""
        self.zoom_at(factor, (self._screen_px[0] / 2, self._screen_px[1] / 2), moving=False)

    def zoom_to(self, zoom: float) -> None:
        """Set the zoom, physical screen pixels per clip pixel, around the middle of the window."""
        self.zoom_by(zoom / self.view.zoom)

    @Slot(tuple)
    def pan(self, by_px: tuple[int, int]) -> None:
        """Move the picture by whole physical pixels."""
        if self.clip is not None:
            view = navigation.panned(self.view, self.clip.info, by_px=by_px)
            self._navigate(view, moving=True, keeps_fit=False)

    @Slot(tuple)
    def centre_on(self, point: Point) -> None:
        """Show ``point`` (clip pixels on the edge axis) in the middle of the view."""
        self._navigate(replace(self.view, centre=point), moving=True, keeps_fit=False)

    def return_to(self, view: ViewState, *, fits: bool) -> None:
        """Show a view of this clip that was shown before; ``fits``: the whole picture, as large as it can be now."""
        if self.clip is not None:
            if fits:
                view = navigation.fitted(view, self.clip.info, self._screen_px, margin_px=self._fit_margin_px)
            self._navigate(view, moving=False, keeps_fit=fits)

    def aim(self, centre: Point, zoom: float) -> None:
        """Show another part of the picture, which playback has asked for: no request follows."""
        view = replace(self.view, centre=centre, zoom=zoom)
        if self.clip is not None and view != self.view:
            self.is_fitted, self.view = False, view
            self.view_changed.emit(view)

    @property
    def fit_margin_px(self) -> float:
        """The margin of a fitted picture, physical pixels."""
        return self._fit_margin_px

    # ---- time ----

    @Slot(object)
    def seek(self, time_secs: Fraction, *, moving: bool = False) -> None:
        """Go to ``time_secs``, clamped to the clip."""
        if self.clip is not None:
            self._look(replace(self.view, time_secs=self._clamped(time_secs)), moving=moving)

    def step_secs(self, secs: Fraction, *, moving: bool = False) -> None:
        """Go ``secs`` seconds forward, or back if negative."""
        self.seek(self.view.time_secs + secs, moving=moving)

    def step_source_frame(self, count: int) -> None:
        """Go to the ``count``-th source frame after (negative: before) the current time.

        Between two source frames, the nearest one in that direction counts as the first.
        """
        if self.clip is None:
            return
        timeline = self.clip.timeline
        frame = timeline.frame_at(self.view.time_secs)
        is_between = self.view.time_secs > timeline.frame_time(frame)
        target = frame + count + (1 if count < 0 and is_between else 0)
        self.seek(timeline.frame_time(min(max(target, 0), timeline.last_frame)))

    def step_phase(self, frames: Fraction, *, moving: bool = False) -> None:
        """Go a fractional number of source frames forward, or back. A whole number keeps the phase."""
        if self.clip is None or self.clip.timeline.frame_count == 1:
            return
        timeline = self.clip.timeline
        position = timeline.instant_from_time(self.view.time_secs).position + frames
        self.seek(timeline.time_from_instant(timeline.instant_from_position(position)), moving=moving)

    @Slot(int)
    def scrub(self, sixteenths: int) -> None:
        """Go forward by sixteenths of a frame, as part of a longer movement."""
        self.step_phase(Fraction(sixteenths, 16), moving=True)

    def go_to_start(self) -> None:
        """Go to the first frame."""
        self.seek(Fraction(0))

    def go_to_end(self) -> None:
        """Go to the last frame."""
        if self.clip is not None:
            self.seek(self.clip.timeline.frame_time(self.clip.timeline.last_frame))

    # ---- marks ----

    def mark_in(self) -> None:
        """Set the in mark at the current time, and remove an out mark that is not after it."""
        if self.clip is not None and (time := self.view.time_secs) < self.clip.timeline.duration_secs:
            out = self.marks.out_secs
            self.set_marks(Marks(time, out if out is not None and out > time else None))

    def mark_out(self) -> None:
        """Set the out mark at the current time, and remove an in mark that is not before it."""
        if self.clip is not None and (time := self.view.time_secs) > 0:
            start = self.marks.in_secs
            self.set_marks(Marks(start if start is not None and start < time else None, time))

    def clear_marks(self) -> None:
        """Remove both marks."""
        self.set_marks(Marks())

    def set_marks(self, marks: Marks) -> None:
        """Set both marks, which lie in the clip."""
        self.marks = marks
        self.marks_changed.emit(marks)

    def go_to_in(self) -> None:
        """Go to the in mark, or to the clip's start."""
        self.seek(self.marks.in_secs or Fraction(0))

    def go_to_out(self) -> None:
        """Go to the out mark, or to the last frame."""
        if self.marks.out_secs is None:
            self.go_to_end()
        else:
            self.seek(self.marks.out_secs)

    @property
    def segment(self) -> Segment | None:
        """The segment between the marks, or the whole clip; None while no clip is open."""
        return None if self.clip is None else self.marks.segment(self.clip.timeline.duration_secs)

    # ---- at rest ----

    @Slot()
    def settle(self) -> None:
        """Request the full picture: the user has stopped moving the view."""
        self._request(moving=False)

    def set_shutter(self, shutter: Shutter) -> None:
        """Let pictures correct the rolling shutter, and those at rest be exposed, as ``shutter`` says."""
        if shutter != self.shutter:
            self.shutter = shutter
            self.shutter_changed.emit(shutter)
            self._request(moving=False)

    def _clamped(self, time_secs: Fraction) -> Fraction:
        duration = self.clip.timeline.duration_secs if self.clip is not None else Fraction(0)
        return min(max(time_secs, Fraction(0)), duration)

    def _navigate(self, view: ViewState, *, moving: bool, keeps_fit: bool) -> None:
        self.is_fitted = keeps_fit
        if self.clip is not None:
            self._look(navigation.inside(view, self.clip.info), moving=moving)

    def _fixed_point(self, at: Point) -> Point:
        """Return the clip's point that zooming at ``at`` holds there: the same one for all notches at one point.

        The picture is drawn on whole screen pixels, up to half a pixel away from the exact view. Taking the point anew
        at each notch would add these errors up.
        """
        anchor = self._zoom_anchor
        if anchor is not None and (anchor.at, anchor.centre, anchor.zoom) == (at, self.view.centre, self.view.zoom):
            return anchor.fixed
        return navigation.drawn_point(self.view, self._screen_px, at)

    def _look(self, view: ViewState, *, moving: bool) -> None:
        if view != self.view:
            self.view = view
            self.view_changed.emit(view)
        self._request(moving=moving)

    def _request(self, *, moving: bool) -> None:
        if self.clip is None or self._is_opening or min(self._screen_px) < 2:
            return
        request = resolve(self.drawn_view, self.clip.info, self.clip.timeline, self._screen_px, moving=moving)
        if request is not None:
            request = self._shuttered(request)
            self.last_query = request.query
            self.requested.emit(request)

    def _shuttered(self, request: RenderRequest) -> RenderRequest:
        """Return ``request`` with the shutter; a moving view is not exposed, which would take many times as long."""
        shutter = Shutter(readout=self.shutter.readout) if request.moving else self.shutter
        on_screen = request.on_screen and replace(request.on_screen, readout=shutter.readout)
        return replace(request, query=shutter.on(request.query, self.view.time_secs), on_screen=on_screen)
