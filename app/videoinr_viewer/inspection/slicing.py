"""Turns the x-t slice on and off: the tool that draws its line, its panel, and its questions to the render thread."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QMainWindow

from videoinr.render.inspected import Place
from videoinr.render.messages import Opened
from videoinr.render.slicing import SliceColumn, SliceInquiry, line_pixels, plan_slice
from videoinr.render.view import scale_from_zoom
from videoinr.types import ViewState
from videoinr_viewer.inspection.slice_overlay import SliceOverlay
from videoinr_viewer.picture.frame_view import FrameView
from videoinr_viewer.session import Session
from videoinr_viewer.threads.late_modules import LateModules

if TYPE_CHECKING:
    from videoinr_viewer.inspection.slice_dock import SliceDock

DOCK_MODULE = "videoinr_viewer.inspection.slice_dock"
"""It brings pyqtgraph, which the start of the program does without."""
REACH_PAIRS = 6
"""Pairs on either side of the one in view that a slice shows, where no stretch is marked."""
MOST_PAIRS = 256
"""The most pairs of a marked stretch that are shown: those nearest to the time in view."""
LEAST_LINE_PX = 3.0
"""A line that is shorter was a click: logical pixels of the screen."""


class Slicing(QObject):
    """The x-t slice of the clip that ``session`` has open; a MouseTool of ``frame_view``."""

    asked = Signal(object)
    """Inquiry: a question to the render thread."""
    withdrawn = Signal(object)
    """type[Inquiry]: nobody waits for answers of this kind any more."""
    changed = Signal()
    """The slice was turned on or off."""

    def __init__(
        self, session: Session, frame_view: FrameView, window: QMainWindow, modules: LateModules, *, waits: bool = True
    ) -> None:
        """``modules`` has the panel's; with ``waits``, the window goes on while they are imported."""
        super().__init__(window)
        self._session, self._frame_view, self._window = session, frame_view, window
        self._modules, self._waits = modules, waits
        self.overlay = SliceOverlay()
        self.is_on = False
        self.dock: SliceDock | None = None
        self._start: Place = (0.0, 0.0)
        self._left = 0
        frame_view.add_layer(self.overlay)
        session.open_wanted.connect(self.leave)
        session.view_changed.connect(self._look)

    def toggle(self) -> None:
        """Slice along the middle of the view, until the user draws another line; or leave the slice."""
        if self.is_on:
            self.leave()
            return
        clip = self._session.clip
        if clip is None or self._session.last_query is None:
            return
        self.is_on, self._left = True, 1
        self._frame_view.set_tool(self)
        self.changed.emit()
        if self._waits:
            self._modules.when_ready(self._slice_middle)
        else:
            self._slice_middle()

    def _slice_middle(self) -> None:
        clip = self._session.clip
        if clip is None or not self.is_on:
            return
        if self.dock is None and self._waits:
            # The panel is made in one turn of the event loop and shown in the next: each takes a while.
            self._made_dock()
            QTimer.singleShot(0, self, self._slice_middle)
            return
        half = min(self._session.screen_px[0] / self._session.view.zoom, clip.info.width) / 2
        x, y = self._session.view.centre
        self._slice(((max(x - half, 0.0), y), (min(x + half, float(clip.info.width)), y)))

    @Slot()
    def leave(self) -> None:
        """Remove the line and the panel."""
        if self.is_on:
            self._frame_view.set_tool(None)
            self.lose()

    @Slot(bool)
    def set_full_screen(self, is_full: bool) -> None:
        """Hide the panel while the picture has the whole screen."""
        if self.dock is not None:
            self.dock.setVisible(self.is_on and not is_full)

    @property
    def is_complete(self) -> bool:
        """Whether no column is missing."""
        return not self.is_on or self._left == 0

    # ---- the mouse, as a MouseTool ----

    def press(self, place: Place) -> None:
        """Begin a line."""
        self._start = place

    def drag(self, place: Place) -> None:
        """Show the line so far."""
        self._show_line((self._start, place))

    def release(self, place: Place) -> None:
        """Slice along the line; a click without a line changes nothing."""
        length = max(abs(end - start) for end, start in zip(place, self._start, strict=True))
        if length * self._session.view.zoom > LEAST_LINE_PX * self._frame_view.devicePixelRatioF():
            self._modules.when_ready(partial(self._slice, (self._start, place)))

    def lose(self) -> None:
        """End the slice: another tool has the mouse."""
        self.is_on, self._left = False, 0
        self._show_line(None)
        if self.dock is not None:
            self.dock.hide()
        self.withdrawn.emit(SliceInquiry)
        self.changed.emit()

    # ---- questions and answers ----

    @Slot(object)
    def take(self, answer: object) -> None:
        """Show an answer of the render thread."""
        if isinstance(answer, SliceColumn) and self.is_on and self.dock is not None:
            self._left = answer.left
            self.dock.add(answer)

    @Slot(object)
    def _look(self, view: ViewState) -> None:
        if self.is_on and self.dock is not None and (clip := self._session.clip) is not None:
            self.dock.show_position(clip.timeline.instant_from_time(view.time_secs).position)

    def _slice(self, line: tuple[Place, Place]) -> None:
        clip = self._session.clip
        if clip is None or self._session.last_query is None or not self.is_on:
            return  # While a clip is being opened, the new one would answer.
        view = self._session.view
        plan = plan_slice(
            line, clip.info.grid, scale=scale_from_zoom(view.zoom), pairs=self._pairs(clip),
            pair_count=clip.timeline.pair_count,
        )  # fmt: skip
        self._show_line(plan.line)
        position = clip.timeline.instant_from_time(view.time_secs).position
        dock = self._made_dock()
        dock.show()
        dock.show_plan(plan, len(line_pixels(plan.line, clip.info.grid, plan.grid)))
        dock.show_position(position)
        self._left = plan.columns
        self.asked.emit(SliceInquiry(plan, plan.nearest_first(position)))

    def _pairs(self, clip: Opened) -> tuple[int, int]:
        """Return the first and the last pair of the marked stretch, or of what is around the time in view."""
        timeline, marks = clip.timeline, self._session.marks
        here = timeline.instant_from_time(self._session.view.time_secs).pair
        if marks.in_secs is None and marks.out_secs is None:
            return here - REACH_PAIRS, here + REACH_PAIRS
        segment = marks.segment(timeline.duration_secs)
        first, last = (timeline.instant_from_time(time) for time in (segment.start_secs, segment.end_secs))
        end = max(last.pair if last.phase > 0 else last.pair - 1, first.pair)
        start = min(max(here - MOST_PAIRS // 2, first.pair), max(end - MOST_PAIRS + 1, first.pair))
        return start, min(end, start + MOST_PAIRS - 1)

    def _made_dock(self) -> SliceDock:
        if self.dock is None:
            from videoinr_viewer.inspection.slice_dock import SliceDock

            self.dock = SliceDock(self._window)
            self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.dock)
            self.dock.position_wanted.connect(self._go)
            self.dock.closed.connect(self.leave)
            self.dock.show_shutter(self._session.shutter)
            self._session.shutter_changed.connect(self.dock.show_shutter)
        return self.dock

    @Slot(object)
    def _go(self, position: Fraction) -> None:
        if (clip := self._session.clip) is not None:
            timeline = clip.timeline
            self._session.seek(timeline.time_from_instant(timeline.instant_from_position(position)))

    def _show_line(self, line: tuple[Place, Place] | None) -> None:
        self.overlay.line = line
        self._frame_view.item.update()
