"""The timeline panel: overview, pair slider and transport, one below the other."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from videoinr.render.messages import Opened
from videoinr.types import ViewState
from videoinr_viewer.player import Player
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.text import format_frames, format_instant, format_time
from videoinr_viewer.timeline.annotations import Annotations
from videoinr_viewer.timeline.overview import Overview
from videoinr_viewer.timeline.pair_slider import PairSlider
from videoinr_viewer.timeline.thumbnails import Thumbnails
from videoinr_viewer.timeline.time_field import TimeField
from videoinr_viewer.timeline.transport import Transport


class TimelinePanel(QFrame):
    """Shows the session's time and passes the user's input to session and player."""

    def __init__(
        self,
        session: Session,
        player: Player,
        time_field: TimeField,
        actions: Mapping[str, QAction],
        thumbnails: Thumbnails,
        annotations: Annotations,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        # Time runs from left to right in every language, and the signs of players are not mirrored.
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self._session, self._player = session, player
        self.overview, self.pair_slider = Overview(thumbnails, annotations), PairSlider()
        self.transport = Transport(time_field, actions)
        self._start, self._end, self._first, self._second = (self._label() for _ in range(4))
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 6, 12, 6)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        for row, (left, slider, right) in enumerate(
            ((self._start, self.overview, self._end), (self._first, self.pair_slider, self._second))
        ):
            left.setContentsMargins(0, slider.groove_y_px * 2 - slider.sizeHint().height(), 0, 0)
            right.setContentsMargins(left.contentsMargins())
            grid.addWidget(left, row, 0)
            grid.addWidget(slider, row, 1)
            grid.addWidget(right, row, 2)
            right.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.transport, 2, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    def _connect(self) -> None:
        session = self._session
        session.opened.connect(self._open)
        session.closed.connect(self._close)
        session.view_changed.connect(self._show)
        session.marks_changed.connect(self.overview.set_marks)
        session.times_changed.connect(self._show_clock)
        self.overview.valueChanged.connect(self._seek_over_clip)
        self.pair_slider.valueChanged.connect(self._seek_within_pair)
        for slider in (self.overview, self.pair_slider):
            slider.sliderPressed.connect(self._hold)
            slider.sliderReleased.connect(self._let_go)
        self.transport.time_field.entered.connect(session.seek)
        self.transport.speed_box.chosen.connect(self._player.set_speed)
        self._player.changed.connect(self._show_player)
        self.overview.span_changed.connect(self._show_span)

    def _label(self) -> QLabel:
        label = QLabel(self)
        label.setProperty("class", "quiet")
        # Wide enough for any frame number, so that the sliders keep their place while the time changes.
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(tr("frame {number}", number="00000")))
        return label

    @Slot(object)
    def _open(self, opened: Opened) -> None:
        self.overview.set_timeline(opened.timeline, opened.info.width / opened.info.height)
        self.pair_slider.setEnabled(opened.timeline.frame_count > 1)
        self._start.setText(tr("whole clip"))
        self._end.setText(format_frames(opened.timeline.frame_count))
        self._show_clock()
        self._show(self._session.view)

    @Slot()
    def _show_clock(self) -> None:
        clock = self._session.clock
        self.overview.set_clock(clock)
        self.transport.time_field.set_clock(clock)
        self.transport.duration.setText("" if clock is None else f"/ {clock.duration}")

    def go_to_cut(self, direction: int) -> None:
        """Go to the first frame after the next cut (``direction`` 1) or the previous one (-1), of those found."""
        if (clip := self._session.clip) is None:
            return
        now = self._session.view.time_secs
        times = (clip.timeline.frame_time(pair + 1) for pair in self.overview.cuts)
        beyond = [time for time in times if (time - now) * direction > 0]
        if beyond:
            self._session.seek(min(beyond) if direction > 0 else max(beyond))

    @Slot()
    def _show_span(self) -> None:
        self._start.setText(tr("whole clip") if self.overview.is_whole else tr("a part"))

    @Slot()
    def _close(self) -> None:
        self.overview.set_timeline(None)
        self.pair_slider.setEnabled(False)
        self._show_clock()
        for label in (self._start, self._end, self._first, self._second):
            label.clear()

    @Slot(object)
    def _show(self, view: ViewState) -> None:
        if (clip := self._session.clip) is None:
            return
        instant = clip.timeline.instant_from_time(view.time_secs)
        self.overview.show_time(view.time_secs)
        self.pair_slider.show_instant(instant)
        self.transport.time_field.show_time(view.time_secs)
        self._first.setText(tr("frame {number}", number=self.pair_slider.pair))
        second = tr("frame {number}", number=self.pair_slider.pair + 1)
        self._second.setText(second if clip.timeline.frame_count > 1 else "")
        description = f"{format_time(view.time_secs)}, {format_instant(instant)}"
        for slider in (self.overview, self.pair_slider):
            slider.setAccessibleDescription(description)

    @Slot()
    def _show_player(self) -> None:
        self.transport.show_playing(self._player.is_playing)
        self.transport.speed_box.show_speed(self._player.speed)

    @Slot(int)
    def _seek_over_clip(self, _tick: int) -> None:
        self._session.seek(self.overview.time_secs, moving=self.overview.isSliderDown())

    @Slot(int)
    def _seek_within_pair(self, _tick: int) -> None:
        if (clip := self._session.clip) is not None:
            time_secs = clip.timeline.time_from_instant(self.pair_slider.instant)
            self._session.seek(time_secs, moving=self.pair_slider.isSliderDown())

    @Slot()
    def _hold(self) -> None:
        self._player.hold(True)

    @Slot()
    def _let_go(self) -> None:
        self._player.hold(False)
        self._session.settle()
