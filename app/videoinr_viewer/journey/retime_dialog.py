"""The window of the retime curve: points to drag in a plot, and their numbers in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from PySide6.QtCore import QSignalBlocker, QSize, Slot
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from videoinr.errors import UsageError
from videoinr.journey.curve import MOST_DENOMINATOR, CurvePoint, RetimeCurve, identity
from videoinr.text.clip_time import clip_seconds, clip_time
from videoinr_viewer.dialogs.side_dialog import SideDialog
from videoinr_viewer.journey.curve_plot import CurvePlot
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.session import Marks, Session
from videoinr_viewer.style.language import decimal, tr, tr_error
from videoinr_viewer.style.theme import Tone, set_tone

_FIELDS = ("out_secs", "clip_secs", "ramp_secs")
_MOST_DECIMALS = 10**6


class RetimeDialog(SideDialog):
    """A window beside the main one. Each change is a step of undo; without a curve, the marked segment is proposed."""

    def __init__(self, planner: JourneyPlanner, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._planner, self._session = planner, session
        self.setWindowTitle(tr("Retime curve"))
        self.plot = CurvePlot()
        self.table = QTableWidget(0, 3)
        self.table.setAccessibleName(tr("Points of the curve"))
        self.table.setHorizontalHeaderLabels([tr("Output, seconds"), tr("Clip, seconds"), tr("Ramp, seconds")])
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.words = QLabel(wordWrap=True)
        self.add, self.remove, self.reset = (
            QPushButton(text, autoDefault=False) for text in (tr("&Add a point"), tr("&Remove"), tr("Re&set"))
        )
        self.reset.setToolTip(tr("Without a curve, the marked segment plays at one speed"))
        layout = QVBoxLayout(self)
        layout.addWidget(self.plot, 3)
        layout.addWidget(self.table, 2)
        layout.addWidget(self.words)
        layout.addWidget(self.close_box(self.add, self.remove, self.reset))
        self.words.setMinimumHeight(self.words.fontMetrics().height() * 2)
        self.wanted_px = QSize(620, 620)
        self.plot.dragged.connect(self._drag)
        self.table.itemChanged.connect(self._take_number)
        self.table.itemSelectionChanged.connect(self._enable)
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(self._remove)
        self.reset.clicked.connect(self._reset)
        planner.changed.connect(self.fill)
        session.marks_changed.connect(self.fill)
        self.fill()

    @property
    def curve(self) -> RetimeCurve | None:
        """The curve, or the proposal: the marked segment at its own speed. None without a clip."""
        segment = self._session.segment
        return self._planner.journey.curve or (None if segment is None else identity(segment))

    @Slot()
    def fill(self) -> None:
        """Show the present curve."""
        curve, row = self.curve, self.table.currentRow()
        if curve is None:
            return
        with QSignalBlocker(self.table):
            self.table.setRowCount(len(curve.points))
            for number, point in enumerate(curve.points):
                for column, name in enumerate(_FIELDS):
                    self.table.setItem(number, column, QTableWidgetItem(_shown(getattr(point, name))))
            if 0 <= row < len(curve.points):
                self.table.selectRow(row)
        self.plot.show_points(curve)
        self._tell(curve)
        self._enable()

    def set_points(self, points: Sequence[CurvePoint], *, is_final: bool = True) -> None:
        """Draw the curve through ``points``, and with ``is_final`` have it; if there is none, say why."""
        clip = self._session.clip
        assert clip is not None
        try:
            curve = RetimeCurve(tuple(points))
            if curve.extent.end_secs > clip.timeline.duration_secs:
                raise UsageError(tr("The clip ends at {secs} s.", secs=_shown(clip.timeline.duration_secs)))
        except UsageError as error:
            if is_final:
                self.fill()
            set_tone(self.words, Tone.BAD)
            self.words.setText(tr_error(error))
            return
        if is_final:
            self._planner.set_curve(curve)
            self.fill()
        else:
            self.plot.draw(curve)
            self._tell(curve)

    def _tell(self, curve: RetimeCurve) -> None:
        slow, fast = curve.speeds
        speeds = _shown(slow) if slow == fast else tr("{slow} to {fast}", slow=_shown(slow), fast=_shown(fast))
        words = tr("{secs} s long, speed {speed}.", secs=_shown(curve.duration_secs), speed=speeds)
        if self._planner.journey.curve is None:
            is_whole = self._session.marks == Marks()
            whole, marked = (
                tr("No curve is set: this is the whole clip."),
                tr("No curve is set: this is the marked segment."),
            )
            words = f"{words} {whole if is_whole else marked}"
        set_tone(self.words, Tone.PLAIN)
        self.words.setText(words)

    @Slot()
    def _enable(self) -> None:
        rows = self.table.rowCount()
        self.remove.setEnabled(0 < self.table.currentRow() < rows - 1 and bool(self.table.selectedItems()))
        self.reset.setEnabled(self._planner.journey.curve is not None)

    @Slot(int, object, object, bool)
    def _drag(self, number: int, out_secs: Fraction, clip_secs: Fraction, has_ended: bool) -> None:
        points = list(self.curve.points) if self.curve is not None else []
        clip = self._session.clip
        if number >= len(points) or clip is None:
            return
        out = out_secs if number else Fraction(0)
        at = min(clip_secs, clip.timeline.duration_secs)
        points[number] = replace(points[number], out_secs=out, clip_secs=at)
        self.set_points(points, is_final=has_ended)

    @Slot(QTableWidgetItem)
    def _take_number(self, item: QTableWidgetItem) -> None:
        if (curve := self.curve) is None:
            return
        points, row = list(curve.points), item.row()
        try:
            number = self._secs(item).limit_denominator(MOST_DENOMINATOR)
        except UsageError as error:
            self.fill()
            set_tone(self.words, Tone.BAD)
            self.words.setText(tr_error(error))
            return
        if getattr(points[row], _FIELDS[item.column()]) != number:
            points[row] = replace(points[row], **{_FIELDS[item.column()]: number})
            self.set_points(points)

    def _secs(self, item: QTableWidgetItem) -> Fraction:
        """Return the seconds that were typed: of the clip in any form, of the output as seconds. Raises UsageError."""
        clip = self._session.clip
        if _FIELDS[item.column()] == "clip_secs" and clip is not None:
            return clip_time(item.text()).time_on(clip.timeline, clip.info)
        return clip_seconds(item.text())

    @Slot()
    def _add(self) -> None:
        """Add a point in the middle of the longest line, where the curve passes."""
        if (curve := self.curve) is None:
            return
        points = list(curve.points)
        gaps = [after.out_secs - before.out_secs for before, after in pairwise(points)]
        number = gaps.index(max(gaps))
        before, after = points[number], points[number + 1]
        middle = ((one + other) / 2 for one, other in
                  ((before.out_secs, after.out_secs), (before.clip_secs, after.clip_secs)))  # fmt: skip
        points.insert(number + 1, CurvePoint(*(value.limit_denominator(MOST_DENOMINATOR) for value in middle)))
        self.set_points(points)
        self.table.selectRow(number + 1)

    @Slot()
    def _remove(self) -> None:
        row, curve = self.table.currentRow(), self.curve
        if curve is not None and 0 < row < len(curve.points) - 1:
            self.set_points([*curve.points[:row], *curve.points[row + 1 :]])

    @Slot()
    def _reset(self) -> None:
        self._planner.set_curve(None)
        self.fill()


def _shown(number: Fraction) -> str:
    """Return ``number`` as it is typed: a decimal where that is exact, or a fraction."""
    if (number * _MOST_DECIMALS).denominator == 1:
        return decimal(f"{float(number):.6f}".rstrip("0").rstrip("."))
    return str(number)
