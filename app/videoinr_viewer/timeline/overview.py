"""The slider over the whole clip: thumbnails, ruler, source frames, cuts, all that the user marked, playhead."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from videoinr.playing.cache import Coverage
from videoinr.playing.plan import PlayPlan
from videoinr.timeline import Timeline
from videoinr.types import PairKind, RenderedRegion
from videoinr_viewer.clip_access.survey import Found
from videoinr_viewer.session import Marks
from videoinr_viewer.style.fonts import from_system
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.painting import painting
from videoinr_viewer.style.text import format_instant, format_time
from videoinr_viewer.timeline.annotations import Annotations
from videoinr_viewer.timeline.clock import Clock, second_labels
from videoinr_viewer.timeline.overview_painter import FONT_PX, STRIP_PX, Frames, OverviewPainter, Rows
from videoinr_viewer.timeline.span import Span
from videoinr_viewer.timeline.thumbnails import Thumbnails
from videoinr_viewer.timeline.tick_slider import TickSlider

TICKS_PER_FRAME = 1920
"""Divisible by 16 and by 10, so that sixteenths and tenths of a frame are whole ticks."""
MAX_TICKS = 2**30
NEAR_PX = 5
"""A tool tip names the bookmarks and keyframes that are at most this far from the mouse."""
LEAST_FRAMES = 4
"""The timeline is not magnified further than this many frames."""
NOTCH = 120
NOTCHES_TO_DOUBLE = 3
GATHERING_MSECS = 40
"""Thumbnails are loaded every few milliseconds: those of so long are painted together."""
SCROLL_SHARE = 0.1
"""How far a notch scrolls, as a share of what is visible."""


def ticks_of(timeline: Timeline) -> int:
    """Return the ticks of a slider over the whole clip: 1920 per frame, fewer for a clip of many hours."""
    return timeline.frame_count * max(1, min(TICKS_PER_FRAME, MAX_TICKS // timeline.frame_count))


class Overview(TickSlider):
    """A slider over the time of the whole clip, linear in seconds. The wheel magnifies it, Shift+wheel scrolls it."""

    span_changed = Signal()
    """Another part of the clip is visible."""

    def __init__(self, thumbnails: Thumbnails, annotations: Annotations, parent: QWidget | None = None) -> None:
        self._span: Span | None = None
        self._rows = Rows(from_system(FONT_PX))
        super().__init__(tr("Time"), parent, height_px=self._rows.height_px, groove_y_px=self._rows.groove_y_px)
        self._timeline: Timeline | None = None
        self._marks = Marks()
        self._keyframes_secs: tuple[Fraction, ...] = ()
        self._cuts: set[int] = set()
        self._repeats: frozenset[int] = frozenset()
        self._frames_by_kind: tuple[Frames, Frames] | None = None
        self._scrolls_from: float | None = None
        self._covered: tuple[Coverage, PlayPlan | None] = (Coverage(), None)
        self._thumbnails, self._annotations = thumbnails, annotations
        self._thumbnail_px = QSize(1, 1)
        self._labels: list[QRectF] = []
        self._clock: Clock | None = None
        # An opened clip lays out and paints the window in one turn of the event loop. The strip comes in the next.
        self._unfolding = QTimer(self, singleShot=True)
        self._unfolding.timeout.connect(self.forget_backdrop)
        self._gathering = QTimer(self, singleShot=True)
        self._gathering.setInterval(GATHERING_MSECS)
        self._gathering.timeout.connect(self.forget_backdrop)
        thumbnails.loaded.connect(self._gather)
        annotations.changed.connect(self.forget_backdrop)

    def set_clock(self, clock: Clock | None) -> None:
        """Write times as ``clock`` says from now on; None: in seconds."""
        self._clock = clock
        self.forget_backdrop()

    def set_timeline(self, timeline: Timeline | None, shape: float = 16 / 9) -> None:
        """Span the clip of ``timeline`` (None: no clip), whose frames are ``shape`` times as wide as high."""
        self._timeline, span = timeline, None
        self._cuts, self._repeats, self._frames_by_kind = set(), frozenset(), None
        self.setEnabled(timeline is not None)
        if timeline is not None:
            ticks = ticks_of(timeline)
            self.show_tick(0)
            self.setRange(0, ticks)
            span = Span(0, ticks, ticks, ticks * LEAST_FRAMES / timeline.frame_count)
            self.setSingleStep(max(1, ticks // timeline.frame_count // 16))
            # A page is one second. The header of a damaged clip may say that it lasts a nanosecond.
            self.setPageStep(max(1, round(ticks / max(timeline.duration_secs, Fraction(1)))))
            self._thumbnail_px = QSize(round(min(max(STRIP_PX * shape, 16), 160)), STRIP_PX)
            self._thumbnails.start(self._thumbnail_px * self.devicePixelRatioF())
            self._unfolding.start()
        self._change_span(span)

    @Slot()
    def _gather(self) -> None:
        if not self._gathering.isActive():
            self._gathering.start()

    @Slot(object)
    def set_marks(self, marks: Marks) -> None:
        """Draw ``marks`` from now on."""
        self._marks = marks
        self.forget_backdrop()

    @Slot(object)
    def set_keyframes(self, times_secs: tuple[Fraction, ...]) -> None:
        """Draw keyframes of the camera at these times from now on."""
        if times_secs != self._keyframes_secs:
            self._keyframes_secs = times_secs
            self.forget_backdrop()

    @Slot(object)
    def note_region(self, region: RenderedRegion) -> None:
        """Mark a cut from now on where ``region`` was found to lie across one."""
        pair = region.query.instant.pair
        if region.pair_kind is PairKind.CUT and pair not in self._cuts:
            self._cuts.add(pair)
            self._frames_by_kind = None
            self.forget_backdrop()

    def show_found(self, found: Found) -> None:
        """Mark the cuts and repeated frames that a survey of the clip has found so far."""
        if not found.cuts <= self._cuts or found.repeats != self._repeats:
            self._cuts |= found.cuts
            self._repeats, self._frames_by_kind = found.repeats, None
            self.forget_backdrop()

    @Slot(object, object)
    def show_covered(self, coverage: Coverage, plan: PlayPlan | None) -> None:
        """Draw which pictures of ``plan`` are decoded for playback, over the backdrop: it changes often."""
        if (coverage, plan) != self._covered:
            self._covered = (coverage, plan)
            self.update()

    @property
    def cuts(self) -> tuple[int, ...]:
        """The pairs with a cut that are marked, in order."""
        return tuple(sorted(self._cuts))

    @property
    def repeats(self) -> tuple[int, ...]:
        """The pairs whose second frame repeats the first, that are marked, in order."""
        return tuple(sorted(self._repeats))

    @property
    def time_secs(self) -> Fraction:
        """The time at the handle."""
        return Fraction(0) if self._timeline is None else self._timeline.duration_secs * self.value() / self.maximum()

    def show_time(self, time_secs: Fraction) -> None:
        """Move the handle to ``time_secs`` without a signal; scroll to it where it is out of sight."""
        if self._timeline is None or self._span is None:
            return
        tick = round(time_secs * self.maximum() / self._timeline.duration_secs)
        self.show_tick(tick)
        if not self.isSliderDown():
            self._change_span(self._span.with_tick(tick))

    # ---- zoom and scroll ----

    @property
    def span(self) -> tuple[float, float]:
        """The ticks at the ends of the groove: those of the visible part."""
        return (self.minimum(), self.maximum()) if self._span is None else (self._span.first, self._span.last)

    @property
    def is_whole(self) -> bool:
        """Whether the whole clip is visible."""
        return self._span is None or self._span.is_whole

    def zoom(self, factor: float) -> None:
        """Magnify the timeline by ``factor`` around the playhead."""
        if self._span is not None:
            self._change_span(self._span.with_tick(self.value()).zoomed(factor, self.value()))

    def show_whole(self) -> None:
        """Show the whole clip."""
        if self._span is not None:
            self._change_span(self._span.zoomed(1e-9, self._span.first))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Magnify the timeline at the mouse; with Shift, or sideways, scroll it."""
        event.accept()
        if self._span is None:
            return
        across, along = event.angleDelta().x(), event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(across) > abs(along):
            notches = (across or along) / NOTCH
            self._change_span(self._span.moved(-notches * SCROLL_SHARE * self._span.length))
        else:
            at = self._tick_at(event.position().x())
            self._change_span(self._span.zoomed(2 ** (along / NOTCH / NOTCHES_TO_DOUBLE), at))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Seek with the left button, scroll with the middle one."""
        if event.button() == Qt.MouseButton.MiddleButton:
            self._scrolls_from = self._tick_at(event.position().x())
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse."""
        if self._scrolls_from is None or self._span is None:
            super().mouseMoveEvent(event)
        else:
            self._change_span(self._span.moved(self._scrolls_from - self._tick_at(event.position().x())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._scrolls_from = None
        super().mouseReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        """Say in a tool tip what lies under the mouse."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._timeline is not None:
            QToolTip.showText(event.globalPos(), self.describe(event.pos().x()), self)
            return True
        return bool(super().event(event))

    def describe(self, x: float) -> str:
        """Return what lies at ``x``, logical pixels: the time, the frame, and what is marked there."""
        if self._timeline is None:
            return ""
        time = self._timeline.duration_secs * self.tick_from_x(x) / self.maximum()
        instant = self._timeline.instant_from_time(time)
        told = self._clock.brief(time) if self._clock is not None else ""
        lines = [f"{told or format_time(time)}   {format_instant(instant)}"]
        if instant.pair in self._cuts:
            lines.append(tr("cut before frame {frame}", frame=instant.pair + 1))
        if instant.pair in self._repeats:
            lines.append(tr("frame {frame} repeats frame {first}", frame=instant.pair + 1, first=instant.pair))
        if self._is_decoded(time):
            lines.append(tr("decoded for playback"))
        lines += [one.name for one in self._annotations.segments
                  if one.segment.start_secs <= time < one.segment.end_secs]  # fmt: skip
        lines += [one.name for one in self._annotations.bookmarks if self._is_near(one.time_secs, x)]
        if any(self._is_near(time, x) for time in self._keyframes_secs):
            lines.append(tr("camera keyframe"))
        return "\n".join(lines)

    def _is_near(self, time_secs: Fraction, x: float) -> bool:
        return abs(self._x_from_time(time_secs) - x) <= NEAR_PX

    def _is_decoded(self, time_secs: Fraction) -> bool:
        coverage, plan = self._covered
        if plan is None or not plan.times.start_secs <= time_secs < plan.times.end_secs:
            return False
        index = plan.times.index_at(time_secs)
        return any(one.first <= index <= one.last for one in coverage.stretches)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Load the thumbnails of the new width."""
        super().resizeEvent(event)
        self.forget_backdrop()

    def _change_span(self, span: Span | None) -> None:
        if span is None or span != self._span:
            self._span = span
            self.span_changed.emit()
            self.forget_backdrop()

    def _tick_at(self, x: float) -> float:
        first, last = self.span
        return first + (x - self.x_from_tick(first)) * (last - first) / self.groove_px

    def _x_from_time(self, time_secs: Fraction) -> float:
        assert self._timeline is not None
        return self.x_from_tick(float(time_secs / self._timeline.duration_secs) * self.maximum())

    # ---- painting ----

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the backdrop, and the playhead over it."""
        with painting(QPainter(self)) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.draw_backdrop(painter)
            first, last = self.span
            if self._timeline is not None and self._covered[1] is not None:
                self._painter(painter).covered(*self._covered)
            if self._timeline is not None and first <= self.sliderPosition() <= last:
                x = self.x_from_tick(self.sliderPosition())
                self._painter(painter).playhead(x, self._playhead_text(), self._labels)
                self.paint_handle(painter)

    def paint_backdrop(self, painter: QPainter) -> None:
        """Paint everything but the playhead."""
        first, last = self.span
        self._labels = []
        self.paint_groove(painter, first, last, self.colour(QPalette.ColorRole.Mid, 0.8))
        if self._timeline is None or self._span is None or self._unfolding.isActive():
            return
        paint = self._painter(painter)
        self._thumbnails.want(paint.thumbnails(self._thumbnails, self._thumbnail_px, self.x_from_tick(self.value())))
        self._labels = paint.ruler()
        cuts, repeats = self._frames_of_kinds()
        paint.repeats(repeats)
        paint.cuts(cuts)
        paint.segments(self._annotations.segments)
        paint.marks(self._marks)
        paint.keyframes(self._keyframes_secs)
        paint.bookmarks(self._annotations.bookmarks)
        if not self._span.is_whole:
            paint.scroll_bar(self._span.first / self._span.whole, self._span.last / self._span.whole)

    def _frames_of_kinds(self) -> tuple[Frames, Frames]:
        """Return the first frames of scenes and the repeated frames, as arrays: a long clip has 100,000 of them."""
        if self._frames_by_kind is None:
            cuts, repeats = (np.fromiter(pairs, np.int64, len(pairs)) + 1 for pairs in (self._cuts, self._repeats))
            self._frames_by_kind = (cuts, repeats)
        return self._frames_by_kind

    def _painter(self, painter: QPainter) -> OverviewPainter:
        assert self._timeline is not None
        first, last = self.span
        duration = self._timeline.duration_secs
        shown = (duration * Fraction(first) / self.maximum(), duration * Fraction(last) / self.maximum())
        labels = second_labels if self._clock is None else self._clock.labels
        groove = QRectF(QPointF(self.x_from_tick(first), 0), QPointF(self.x_from_tick(last), self.height()))
        return OverviewPainter(painter, self.palette(), self._timeline, groove, shown, self._rows, labels)

    def _playhead_text(self) -> str:
        assert self._timeline is not None
        time = self._timeline.duration_secs * self.sliderPosition() / self.maximum()
        instant = self._timeline.instant_from_time(time)
        told = format_time(time) if self._clock is None else self._clock.brief(time)
        return f"{told} · {int(instant.position * 1000) / 1000:.3f}".removeprefix(" · ")
