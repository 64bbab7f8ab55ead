"""Paints the parts of the overview: thumbnails, ruler, cuts, repeated frames, all that the user marked, playhead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPalette, QPen, QPolygonF

from videoinr.playing.cache import Coverage, Stretch
from videoinr.playing.plan import PlayPlan
from videoinr.playing.times import CurveTimes, PlayTimes
from videoinr.timeline import Timeline
from videoinr_viewer.session import Marks
from videoinr_viewer.style.language import decimal
from videoinr_viewer.style.theme import ACCENT_WARM
from videoinr_viewer.timeline.annotations import Bookmark, NamedSegment
from videoinr_viewer.timeline.clock import second_labels
from videoinr_viewer.timeline.thumbnails import Thumbnails

RULER_PX = 20
"""Height of the ruler at the top, where its texts are FONT_PX high."""
FONT_PX = 10
"""Height of the ruler's texts beside the system's usual font."""
STRIP_PX = 32
"""Height of the thumbnails below it."""
COVER_PX = 4
"""Height of the bar of decoded pictures."""
KEYFRAME_PX = 5
"""From the middle of a keyframe's diamond to its corners."""
FRAME_SPACING_PX = 5
"""The ruler shows source frames that are at least this far apart."""
LABEL_SPACING_PX = 78
"""The least distance of texts of FONT_PX."""
DENSE = 400
"""So many marks of one kind are not drawn one by one."""
EXTENT_PARTS = 32
"""A stretch of a curve is looked at in so many places, to see how far it reaches."""
Frames = NDArray[np.int64]
_PATTERNS = (Qt.BrushStyle.SolidPattern, Qt.BrushStyle.BDiagPattern, Qt.BrushStyle.Dense4Pattern)
"""Neighbouring segments differ in pattern, not in colour alone."""


class Labels(Protocol):
    """Computes the labels of a ruler: :meth:`videoinr_viewer.timeline.clock.Clock.labels`."""

    def __call__(
        self, start_secs: Fraction, end_secs: Fraction, width_px: int, *, least_px: int
    ) -> Iterable[tuple[Fraction, str]]:
        """Return times and texts."""


@dataclass(frozen=True)
class Rows:
    """Where the parts lie, logical pixels from the top, with a ruler whose texts are ``font_px`` high."""

    font_px: int

    @property
    def ruler_px(self) -> int:
        """Height of the ruler, below which the thumbnails begin."""
        return RULER_PX + self.font_px - FONT_PX

    @property
    def cover_top_px(self) -> int:
        """Top of the bar of decoded pictures."""
        return self.ruler_px + STRIP_PX + 2

    @property
    def groove_y_px(self) -> int:
        """Middle of the groove."""
        return self.ruler_px + STRIP_PX + 14

    @property
    def height_px(self) -> int:
        """Height of all."""
        return self.groove_y_px + 21


class OverviewPainter:
    """Paints with ``painter`` on ``groove``, the rectangle of the groove's length and the widget's height.

    ``shown``: the times at the ends of the groove, seconds. ``labels``: those of the ruler.
    """

    def __init__(
        self, painter: QPainter, palette: QPalette, timeline: Timeline, groove: QRectF,
        shown: tuple[Fraction, Fraction], rows: Rows = Rows(FONT_PX), labels: Labels = second_labels,
    ) -> None:  # fmt: skip
        self._painter, self._palette, self._timeline = painter, palette, timeline
        self._groove, self._shown, self._rows, self._labels_of = groove, shown, rows, labels
        self._top_px, self._groove_y_px = rows.ruler_px, rows.groove_y_px
        self._first_secs, self._per_sec = float(shown[0]), groove.width() / max(float(shown[1] - shown[0]), 1e-12)

    def thumbnails(self, images: Thumbnails, size: QSize, from_x: float) -> Sequence[int]:
        """Paint the thumbnails that are loaded. Return the frames of all, those next to ``from_x`` first.

        They stand side by side over the groove; each shows the frame at its middle.
        """
        count = max(1, int(self._groove.width() // size.width()))
        width = self._groove.width() / count
        middles = self._groove.left() + (np.arange(count) + 0.5) * width
        frames = self._frames_at(middles)
        for middle, frame in zip(middles.tolist(), frames, strict=True):
            box = QRectF(middle - width / 2, self._top_px, width, STRIP_PX).adjusted(0.5, 0, -0.5, 0)
            if (image := images.get(frame)) is None:
                self._painter.fillRect(box, self._colour(QPalette.ColorRole.Mid, 0.35))
            else:
                inner = QRectF(middle - size.width() / 2, box.top(), size.width(), size.height())
                self._painter.drawImage(inner & box, image)
        return [frames[index] for index in np.argsort(abs(middles - from_x), kind="stable").tolist()]

    def ruler(self) -> list[QRectF]:
        """Paint the times and, where there is room, the source frames. Return where the times stand."""
        first, last = (self._timeline.frame_at(time) for time in self._shown)
        if (last - first + 1) * FRAME_SPACING_PX <= self._groove.width():
            for frame in range(first, last + 1):
                self._line(self._x(self._timeline.frame_time(frame)), self._top_px - 5, self._top_px - 1, 0.28)
        labels = list(self._labels())
        for x, box, text in labels:
            self._line(x, self._top_px - 7, self._top_px, 0.5)
            self._painter.setPen(self._colour(QPalette.ColorRole.PlaceholderText))
            self._painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        return [box for _, box, _ in labels]

    def cuts(self, frames: Frames) -> None:
        """Paint a stroke across thumbnails and groove at ``frames``, each the first of a scene."""
        self._painter.setPen(QPen(ACCENT_WARM, 1.5))
        for x in self._places(frames):
            self._painter.drawLine(QPointF(x, self._top_px), QPointF(x, self._groove_y_px + 5))

    def repeats(self, frames: Frames) -> None:
        """Paint a small hollow square below the groove at each of ``frames``, which repeat the one before."""
        self._painter.setPen(QPen(self._colour(QPalette.ColorRole.Text, 0.7), 1))
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        for x in self._places(frames):
            self._painter.drawRect(QRectF(x - 1.5, self._groove_y_px + 5, 3, 3))

    def segments(self, segments: Sequence[NamedSegment]) -> None:
        """Paint a bar below the groove for each segment, with its name where there is room."""
        for index, one in enumerate(segments):
            left, right = self._x(one.segment.start_secs), self._x(one.segment.end_secs)
            box = QRectF(QPointF(left, self._groove_y_px + 9), QPointF(right, self._groove_y_px + 16)) & self._groove
            if box.width() <= 0:
                continue
            colour = self._colour(QPalette.ColorRole.Highlight, 0.6)
            self._painter.fillRect(box, QBrush(colour, _PATTERNS[index % len(_PATTERNS)]))
            self._painter.setPen(QPen(self._colour(QPalette.ColorRole.Highlight), 1))
            self._painter.setBrush(Qt.BrushStyle.NoBrush)
            self._painter.drawRect(box)

    def covered(self, coverage: Coverage, plan: PlayPlan | None) -> None:
        """Paint between thumbnails and groove which pictures of ``plan`` are decoded: solid, or hatched on the disk.

        A dotted line shows the stretch that is decoded ahead.
        """
        if plan is None or coverage.wanted == 0:
            return
        colour, times = self._colour(QPalette.ColorRole.Text, 0.75), plan.times
        whole = self._box_of(times.start_secs, times.end_secs)
        if whole.width() > 0:
            pen = QPen(self._colour(QPalette.ColorRole.Text, 0.5), 1, Qt.PenStyle.CustomDashLine)
            pen.setDashPattern([1, 3])
            self._painter.setPen(pen)
            y = whole.bottom() - 0.5
            self._painter.drawLine(QPointF(whole.left(), y), QPointF(whole.right(), y))
        self._painter.setPen(Qt.PenStyle.NoPen)
        for one in coverage.stretches:
            box = self._box_of(*_extent(times, one))
            if box.width() > 0:
                pattern = Qt.BrushStyle.BDiagPattern if one.on_disk else Qt.BrushStyle.SolidPattern
                self._painter.fillRect(box, QBrush(colour, pattern))

    def marks(self, marks: Marks) -> None:
        """Paint the marked stretch of the groove, with a bracket at each mark."""
        start, end = marks.in_secs, marks.out_secs
        if start is None and end is None:
            return
        left = max(self._x(start or Fraction(0)), self._groove.left())
        right = min(self._x(end or self._timeline.duration_secs), self._groove.right())
        if right > left:
            self._painter.setPen(Qt.PenStyle.NoPen)
            self._painter.setBrush(self._colour(QPalette.ColorRole.Highlight, 0.55))
            self._painter.drawRoundedRect(QRectF(left, self._groove_y_px - 2.5, right - left, 5), 2.5, 2.5)
        for time, towards in ((start, 1), (end, -1)):
            if time is not None and self._is_shown(self._x(time)):
                self._bracket(self._x(time), towards)

    def bookmarks(self, bookmarks: Sequence[Bookmark]) -> None:
        """Paint a flag at the lower edge of the ruler for each bookmark."""
        accent = self._colour(QPalette.ColorRole.Highlight)
        for one in bookmarks:
            x = self._x(one.time_secs)
            if self._is_shown(x):
                self._painter.setPen(QPen(accent, 1.5))
                self._painter.drawLine(QPointF(x, self._top_px), QPointF(x, self._groove_y_px - 3))
                self._painter.setBrush(accent)
                flag = [QPointF(x, self._top_px), QPointF(x + 9, self._top_px + 4), QPointF(x, self._top_px + 8)]
                self._painter.drawPolygon(QPolygonF(flag))

    def keyframes(self, times_secs: Sequence[Fraction]) -> None:
        """Paint a diamond on the lower edge of the thumbnails for each keyframe of the camera."""
        self._painter.setPen(QPen(self._colour(QPalette.ColorRole.Base), 1))
        self._painter.setBrush(self._colour(QPalette.ColorRole.Highlight))
        y, side = self._top_px + STRIP_PX - KEYFRAME_PX, KEYFRAME_PX
        for x in (x for x in map(self._x, times_secs) if self._is_shown(x)):
            corners = [QPointF(x - side, y), QPointF(x, y - side), QPointF(x + side, y), QPointF(x, y + side)]
            self._painter.drawPolygon(QPolygonF(corners))

    def scroll_bar(self, first: float, last: float) -> None:
        """Paint which part of the clip is visible: the shares ``first`` ... ``last``."""
        y = self._groove.bottom() - 1.5
        self._painter.setPen(QPen(self._colour(QPalette.ColorRole.Mid, 0.6), 2))
        self._painter.drawLine(QPointF(self._groove.left(), y), QPointF(self._groove.right(), y))
        left, right = (self._groove.left() + share * self._groove.width() for share in (first, last))
        self._painter.setPen(QPen(self._colour(QPalette.ColorRole.PlaceholderText), 2))
        self._painter.drawLine(QPointF(left, y), QPointF(max(right, left + 3), y))

    def playhead(self, x: float, text: str, labels: Sequence[QRectF]) -> None:
        """Paint the playhead, with its time and its position in source frames, in place of the ruler's ``labels``."""
        accent = self._colour(QPalette.ColorRole.Highlight)
        self._painter.setPen(QPen(accent, 1.5))
        self._painter.drawLine(QPointF(x, self._top_px - 7), QPointF(x, self._groove_y_px))
        self._set_font()
        box = self._text_box(x, text, self._rows.font_px + 3, 10)
        for label in labels:
            if label.intersects(box):
                self._painter.fillRect(label, self._colour(QPalette.ColorRole.Window))
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(accent)
        self._painter.drawRoundedRect(box, 3, 3)
        self._painter.setPen(self._colour(QPalette.ColorRole.HighlightedText))
        self._painter.drawText(box, Qt.AlignmentFlag.AlignCenter, decimal(text))

    # ---- inside ----

    def _box_of(self, start_secs: Fraction, end_secs: Fraction) -> QRectF:
        left, right = self._x(start_secs), self._x(end_secs)
        return (
            QRectF(QPointF(left, self._rows.cover_top_px), QPointF(right, self._rows.cover_top_px + COVER_PX))
            & self._groove
        )

    def _x(self, time_secs: Fraction) -> float:
        return self._groove.left() + (float(time_secs) - self._first_secs) * self._per_sec

    def _is_shown(self, x: float) -> bool:
        return self._groove.left() - 1 <= x <= self._groove.right() + 1

    def _frames_at(self, x: NDArray[np.floating[Any]]) -> list[int]:
        """Return the frame at each of ``x``. All at once: exact fractions for each took most of the strip's time."""
        ticks = (self._first_secs + (x - self._groove.left()) / self._per_sec) / float(self._timeline.tick_secs)
        found = np.searchsorted(self._timeline.ticks, ticks, side="right") - 1
        frames: list[int] = np.clip(found, 0, self._timeline.last_frame).tolist()
        return frames

    def _places(self, frames: Frames) -> Iterable[float]:
        """Return the x of the visible ones of ``frames``; where they are dense, one for each few pixels."""
        ticks = self._timeline.ticks[frames]
        x = self._groove.left() + (ticks * float(self._timeline.tick_secs) - self._first_secs) * self._per_sec
        inside = x[(x >= self._groove.left() - 1) & (x <= self._groove.right() + 1)]
        step = 0.5 if len(inside) < DENSE else 3.0
        # np.unique would import numpy.ma here, in the first paint.
        return [place * step for place in sorted(set(np.round(inside / step).tolist()))]

    def _line(self, x: float, top: float, bottom: float, alpha: float) -> None:
        self._painter.setPen(QPen(self._colour(QPalette.ColorRole.Text, alpha), 1))
        x = round(x) + 0.5
        self._painter.drawLine(QPointF(x, top), QPointF(x, bottom))

    def _labels(self) -> Iterable[tuple[float, QRectF, str]]:
        """Yield x, the box and the text of each label of the ruler."""
        self._set_font()
        start, end = self._shown
        least_px = LABEL_SPACING_PX * self._rows.font_px // FONT_PX
        for time, text in self._labels_of(start, end, int(self._groove.width()), least_px=least_px):
            yield self._x(time), self._text_box(self._x(time), text, self._rows.font_px + 2, 2), text

    def _set_font(self) -> None:
        font = self._painter.font()
        font.setPixelSize(self._rows.font_px)
        self._painter.setFont(font)

    def _text_box(self, x: float, text: str, height: float, more_px: float) -> QRectF:
        """Return the box of a text around ``x`` at the top, inside the widget and ``more_px`` wider than the text."""
        width = self._painter.fontMetrics().horizontalAdvance(text) + more_px
        left = min(max(x - width / 2, 0.0), self._groove.right() + self._groove.left() - width)
        return QRectF(left, 0, ceil(width), height)

    def _bracket(self, x: float, towards: int) -> None:
        top, bottom, foot = self._groove_y_px - 8, self._groove_y_px + 8, 5 * towards
        self._painter.setPen(QPen(self._colour(QPalette.ColorRole.Highlight), 2))
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        corners = [QPointF(x + foot, top), QPointF(x, top), QPointF(x, bottom), QPointF(x + foot, bottom)]
        self._painter.drawPolyline(QPolygonF(corners))

    def _colour(self, role: QPalette.ColorRole, alpha: float = 1.0) -> QColor:
        colour = self._palette.color(role)
        colour.setAlphaF(alpha)
        return colour


def _extent(times: PlayTimes | CurveTimes, stretch: Stretch) -> tuple[Fraction, Fraction]:
    """Return the times of the clip between which the pictures of ``stretch`` lie."""
    after = min(stretch.last + 1, times.count - 1)
    if isinstance(times, PlayTimes):
        return times.time(stretch.first), times.time(after) if after > stretch.last else times.end_secs
    places = {stretch.first + (after - stretch.first) * part // EXTENT_PARTS for part in range(EXTENT_PARTS + 1)}
    found = [times.time(place) for place in places]
    return min(found), max(found)
