"""Playback: a clock that moves the session's time at any speed, in both directions. It never waits for pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from videoinr.journey.curve import RetimeCurve
from videoinr_viewer.session import Session

SPEEDS = tuple(Fraction(2) ** power for power in range(-4, 3))
"""Clip seconds per second of the clock: 1/16 ... 4."""
TICK_MSECS = 15
_LEAST_PART = 10**6
"""Positions along a curve are fractions of a second with at most this denominator where playback begins."""


class Player(QObject):
    """Plays the segment between the marks. Each tick adds the elapsed time, so the user can seek during playback.

    With a ``curve``, playback goes along it instead: ``position_secs`` is where it is, in seconds of the output.

    ``heard`` returns the clip's second that is heard now, or None: then it is the time.
    """

    changed = Signal()
    """Playback started or stopped, or its speed, direction or looping changed."""
    relocated = Signal()
    """Playback goes on from another time, or stands still or goes on because the user holds a slider."""

    def __init__(
        self, session: Session, *, clock_ns: Callable[[], int] = time.perf_counter_ns, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._clock_ns = clock_ns
        self._last_ns = 0
        self._own_secs: Fraction | None = None
        self.heard: Callable[[], Fraction | None] = lambda: None
        self._is_held = False
        self.curve: RetimeCurve | None = None
        self.position_secs = Fraction(0)
        self.speed = Fraction(1)
        self.direction = 1
        self.loops = True
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MSECS)
        self._timer.timeout.connect(self.tick)
        session.closed.connect(self.pause)
        session.open_wanted.connect(self.pause)
        session.opened.connect(self._start_over)

    @property
    def is_playing(self) -> bool:
        """Whether the clock runs (also while the user holds a slider)."""
        return self._timer.isActive()

    @property
    def is_running(self) -> bool:
        """Whether the clock moves the time: no slider is held."""
        return self.is_playing and not self._is_held

    @Slot()
    def toggle(self) -> None:
        """Play forward, or pause."""
        if self.is_playing:
            self.pause()
        else:
            self._play(1)

    @Slot()
    def pause(self) -> None:
        """Stop the clock and ask for the full picture."""
        if self.is_playing:
            self._timer.stop()
            self.changed.emit()
            self._session.settle()

    def shuttle(self, direction: int) -> None:
        """Play in ``direction`` (1 or -1). A repeated call with the same direction doubles the speed."""
        if self.is_playing and self.direction == direction:
            self.set_speed(min(self.speed * 2, SPEEDS[-1]))
        else:
            self._play(direction)

    def set_speed(self, speed: Fraction) -> None:
        """Set the speed, clip seconds per second, positive."""
        self.speed = speed
        self.changed.emit()

    def change_speed(self, steps: int) -> None:
        """Go ``steps`` entries up (or down) in :data:`SPEEDS`."""
        index = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self.speed))
        self.set_speed(SPEEDS[min(max(index + steps, 0), len(SPEEDS) - 1)])

    def set_curve(self, curve: RetimeCurve | None) -> None:
        """Play along ``curve``, which lies in the clip; None: play the clip as it is."""
        if curve != self.curve:
            self.curve = curve
            self.position_secs = self._position_at(self._session.view.time_secs)
            self.changed.emit()

    def set_loops(self, loops: bool) -> None:
        """Set whether playback starts over at the end or stops there."""
        self.loops = loops
        self.changed.emit()

    def hold(self, is_held: bool) -> None:
        """Suspend the clock while the user holds a slider, which moves the time instead."""
        self._is_held = is_held
        if self.is_playing:
            self.relocated.emit()

    @Slot()
    def _start_over(self) -> None:
        """Return to normal speed: the speed of one clip says nothing about the next."""
        if not self._session.keeps_notes:
            self.direction = 1
            self.set_speed(Fraction(1))

    def _play(self, direction: int) -> None:
        if (segment := self._session.segment) is None:
            return
        now = self._session.view.time_secs
        if self.curve is not None:
            self._begin_curve(self.curve, direction)
        elif direction > 0 and not segment.start_secs <= now < min(segment.end_secs, self._last_secs()):
            self._session.seek(segment.start_secs, moving=True)
        self.direction = direction
        self._last_ns, self._own_secs = self._clock_ns(), self._session.view.time_secs
        self._timer.start()
        self.changed.emit()

    def _begin_curve(self, curve: RetimeCurve, direction: int) -> None:
        position = self._position_at(self._session.view.time_secs)
        self.position_secs = Fraction(0) if direction > 0 and position >= curve.duration_secs else position
        self._session.seek(curve.time(self.position_secs), moving=True)

    def _position_at(self, time_secs: Fraction) -> Fraction:
        """Return where the curve shows ``time_secs``: here, or else where it does so first, or its start."""
        if self.curve is not None and self.curve.time(self.position_secs) == time_secs:
            return self.position_secs
        shown = None if self.curve is None else self.curve.first_shown(time_secs)
        return Fraction(0) if shown is None else shown.limit_denominator(_LEAST_PART)

    def _last_secs(self) -> Fraction:
        """Return the end of playback: the out mark, or the last frame's time."""
        clip, marks = self._session.clip, self._session.marks
        if clip is None:
            return Fraction(0)
        return marks.out_secs or clip.timeline.frame_time(clip.timeline.last_frame)

    @Slot()
    def tick(self) -> None:
        """Move the time by the clock's time since the last tick; while sound is heard, to what is heard."""
        # Whole microseconds keep the denominators of the exact times small.
        elapsed_usecs = (self._clock_ns() - self._last_ns) // 1000
        self._last_ns += elapsed_usecs * 1000
        elapsed = Fraction(elapsed_usecs, 1_000_000)
        if self._is_held or (segment := self._session.segment) is None:
            return
        now = self._session.view.time_secs
        if now != self._own_secs:
            self.relocated.emit()  # The user went elsewhere: what is heard is of another time.
            self.position_secs = self._position_at(now)
        if self.curve is not None:
            self._move_along(self.curve, elapsed * self.speed * self.direction)
            return
        heard = self.heard() if now == self._own_secs else None
        time_secs = now + elapsed * self.speed * self.direction if heard is None else heard
        if segment.start_secs <= time_secs < segment.end_secs:
            self._session.seek(time_secs, moving=True)
        else:
            self._reach_end(segment.start_secs, segment.end_secs)
        self._own_secs = self._session.view.time_secs

    def _move_along(self, curve: RetimeCurve, by_secs: Fraction) -> None:
        position = self.position_secs + by_secs
        if 0 <= position < curve.duration_secs:
            self.position_secs = position
        else:
            over = self.direction > 0
            self.position_secs = Fraction(0) if over is self.loops else curve.duration_secs
        self._session.seek(curve.time(self.position_secs), moving=True)
        self._own_secs = self._session.view.time_secs
        if self.position_secs != position:
            if self.loops:
                self.relocated.emit()
            else:
                self.pause()

    def _reach_end(self, start_secs: Fraction, end_secs: Fraction) -> None:
        if self.loops:
            self._session.seek(start_secs if self.direction > 0 else self._last_secs(), moving=True)
            self.relocated.emit()
            return
        self._session.seek(min(self._last_secs(), end_secs) if self.direction > 0 else start_secs, moving=True)
        self.pause()
