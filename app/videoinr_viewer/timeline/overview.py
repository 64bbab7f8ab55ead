"""The slider over the whole clip: ruler, source frames, in and out marks, playhead."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from videoinr.timeline import Timeline
from videoinr.types import PairKind, RenderedRegion
from videoinr_viewer.session import Marks
from videoinr_viewer.style.painting import painting
from videoinr_viewer.style.theme import ACCENT_WARM
from videoinr_viewer.timeline.ruler import format_label, label_step_secs, multiples
from videoinr_viewer.timeline.tick_slider import TickSlider

TICKS_PER_FRAME = 1920
"""Divisible by 16 and by 10, so that sixteenths and tenths of a frame are whole ticks."""
MAX_TICKS = 2**30
FRAME_SPACING_PX = 5
"""The ruler shows source frames that are at least this far apart."""
MOST_FRAMES_SHOWN = 4000
LABEL_SPACING_PX = 78
GROOVE_Y_PX = 27


def ticks_of(timeline: Timeline) -> int:
    """Return the ticks of a slider over the whole clip: 1920 per frame, fewer for a clip of many hours."""
    return timeline.frame_count * max(1, min(TICKS_PER_FRAME, MAX_TICKS // timeline.frame_count))


class Overview(TickSlider):
    """A slider over the time of the whole clip, linear in seconds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Time", parent, height_px=40, groove_y_px=GROOVE_Y_PX)
        self._timeline: Timeline | None = None
        self._frame_ticks: list[float] = []
        self._marks = Marks()
        self._cuts: set[int] = set()

    def set_timeline(self, timeline: Timeline | None) -> None:
        """Span the clip of ``timeline``; None: no clip."""
        self._timeline = timeline
        self._cuts = set()
        self.setEnabled(timeline is not None)
        if timeline is not None:
            ticks = ticks_of(timeline)
            self.show_tick(0)
            self.setRange(0, ticks)
            self.setSingleStep(max(1, ticks // timeline.frame_count // 16))
            # A page is one second. The header of a damaged clip may say that it lasts a nanosecond.
            self.setPageStep(max(1, round(ticks / max(timeline.duration_secs, Fraction(1)))))
            self._frame_ticks = self._ticks_of_frames(timeline)
        self.forget_backdrop()

    @Slot(object)
    def set_marks(self, marks: Marks) -> None:
        """Draw ``marks`` from now on."""
        self._marks = marks
        self.forget_backdrop()

    @Slot(object)
    def note_region(self, region: RenderedRegion) -> None:
        """Mark a cut from now on where ``region`` was found to lie across one."""
        pair = region.query.instant.pair
        if region.pair_kind is PairKind.CUT and pair not in self._cuts:
            self._cuts.add(pair)
            self.forget_backdrop()

    @property
    def cuts(self) -> tuple[int, ...]:
        """The pairs with a cut that are marked, in order."""
        return tuple(sorted(self._cuts))

    @property
    def time_secs(self) -> Fraction:
        """The time at the handle."""
        return Fraction(0) if self._timeline is None else self._timeline.duration_secs * self.value() / self.maximum()

    def show_time(self, time_secs: Fraction) -> None:
        """Move the handle to ``time_secs`` without a signal."""
        if self._timeline is not None:
            self.show_tick(round(self._tick_from_time(time_secs)))

    def _ticks_of_frames(self, timeline: Timeline) -> list[float]:
        """Return the ticks of the source frames, once per clip: exact times are slow. Empty if there are too many."""
        if timeline.frame_count > MOST_FRAMES_SHOWN:
            return []
        times = (timeline.frame_time(frame) for frame in range(timeline.frame_count))
        return [float(self._tick_from_time(time)) for time in times]

    def _tick_from_time(self, time_secs: Fraction) -> Fraction:
        assert self._timeline is not None
        return time_secs * self.maximum() / self._timeline.duration_secs

    # ---- painting ----

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the backdrop, and the playhead over it."""
        with painting(QPainter(self)) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.draw_backdrop(painter)
            if self._timeline is not None:
                self._paint_playhead(painter)

    def paint_backdrop(self, painter: QPainter) -> None:
        """Paint the ruler, the groove and the marks."""
        self.paint_groove(painter, self.minimum(), self.maximum(), self.colour(QPalette.ColorRole.Mid, 0.8))
        if self._timeline is not None:
            self._paint_ruler(painter, self._timeline)
            self._paint_cuts(painter, self._timeline)
            self._paint_marks(painter, self._timeline)

    def _paint_playhead(self, painter: QPainter) -> None:
        x = self.x_from_tick(self.sliderPosition())
        painter.setPen(QPen(self.colour(QPalette.ColorRole.Highlight), 1.5))
        painter.drawLine(QPointF(x, 13), QPointF(x, GROOVE_Y_PX))
        self.paint_handle(painter)

    def _paint_ruler(self, painter: QPainter, timeline: Timeline) -> None:
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        if timeline.frame_count * FRAME_SPACING_PX <= self.groove_px:
            for tick in self._frame_ticks:
                self.paint_tick(painter, tick, 15, 19, 0.28)
        step = label_step_secs(timeline.duration_secs, self.groove_px, least_px=LABEL_SPACING_PX)
        for time in multiples(step, timeline.duration_secs):
            tick = float(self._tick_from_time(time))
            self.paint_tick(painter, tick, 13, 20, 0.5)
            self._paint_label(painter, tick, format_label(time, step))

    def _paint_label(self, painter: QPainter, tick: float, text: str) -> None:
        width = painter.fontMetrics().horizontalAdvance(text) + 2
        left = min(max(self.x_from_tick(tick) - width / 2, 0.0), self.width() - width)
        painter.setPen(self.colour(QPalette.ColorRole.PlaceholderText))
        painter.drawText(QRectF(left, 0, width, 12), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_cuts(self, painter: QPainter, timeline: Timeline) -> None:
        """Paint a stroke across the groove at the first frame of each scene that a cut begins."""
        painter.setPen(QPen(ACCENT_WARM, 1.5))
        for pair in self._cuts:
            x = self.x_from_tick(float(self._tick_from_time(timeline.frame_time(pair + 1))))
            painter.drawLine(QPointF(x, GROOVE_Y_PX - 5), QPointF(x, GROOVE_Y_PX + 5))

    def _paint_marks(self, painter: QPainter, timeline: Timeline) -> None:
        start, end = self._marks.in_secs, self._marks.out_secs
        if start is None and end is None:
            return
        first = float(self._tick_from_time(start or Fraction(0)))
        last = float(self._tick_from_time(end or timeline.duration_secs))
        self.paint_groove(painter, first, last, self.colour(QPalette.ColorRole.Highlight, 0.55))
        if start is not None:
            self._paint_bracket(painter, self.x_from_tick(first), 1)
        if end is not None:
            self._paint_bracket(painter, self.x_from_tick(last), -1)

    def _paint_bracket(self, painter: QPainter, x: float, towards: int) -> None:
        top, bottom, foot = GROOVE_Y_PX - 8, GROOVE_Y_PX + 10, 5 * towards
        painter.setPen(QPen(self.colour(QPalette.ColorRole.Highlight), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(
            QPolygonF([QPointF(x + foot, top), QPointF(x, top), QPointF(x, bottom), QPointF(x + foot, bottom)])
        )
