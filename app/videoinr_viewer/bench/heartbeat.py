"""A heartbeat of the event loop: measures the gaps of the loop, and drives the script."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

BEAT_MSECS = 2


class Heartbeat(QObject):
    """Emits ``beat`` every 2 ms from a precise timer, if the loop is free.

    A gap is the time between two beats, at least 2 ms. The time before the first beat is not a gap.
    """

    beat = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._longest_secs = 0.0
        self.longest_ever_secs = 0.0
        self._last: float | None = None
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MSECS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def stop(self) -> None:
        """Stop the timer."""
        self._timer.stop()

    def take_longest_msecs(self) -> float:
        """Return the longest gap since the last call, milliseconds."""
        longest, self._longest_secs = self._longest_secs, 0.0
        self.longest_ever_secs = max(self.longest_ever_secs, longest)
        return round(longest * 1000, 1)

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        if self._last is not None:
            self._longest_secs = max(self._longest_secs, now - self._last)
        self._last = now
        self.beat.emit()
