"""Measures the longest gap of an event loop with a timer of 5 ms, and records the stack during the gap.

By the clock, a gap grows with the load of the machine: while the thread, Python's lock or the X server wait for a
processor, it lasts. The processor time of the GUI thread between two ticks does not.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback

from PySide6.QtCore import QObject, Qt, QTimer, Slot

TICK_MSECS = 5
SAMPLE_SECS = 0.004
SUSPICIOUS_SECS, SUSPICIOUS_CPU_SECS = 0.03, 0.01
REMEMBERED, STACK_LINES = 6, 5
"""Gaps with much processor time that are told."""


class LoopWatch(QObject):
    """Measures between :meth:`start` and :meth:`stop`. ``where``: the stack of the GUI thread in the longest gap.

    ``longest_secs``: the longest gap by the clock; ``longest_cpu_secs``: the one with most processor time.
    ``busiest``: the gaps with most processor time, seconds, each with the stacks that were seen in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest_secs = self.longest_cpu_secs = 0.0
        self.where = ""
        self.busiest: list[tuple[float, tuple[str, ...]]] = []
        self._last = self._last_cpu = 0.0
        self._suspect = ""
        self._busy: list[str] = []
        self._ended = threading.Event()
        self._gui_thread = threading.get_ident()
        self._gui_clock = time.pthread_getcpuclockid(self._gui_thread)
        self._timer = QTimer(self, interval=TICK_MSECS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._sampler = threading.Thread(target=self._sample, name="loop-watch", daemon=True)

    def start(self) -> None:
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        self._timer.start()
        self._sampler.start()

    def stop(self) -> None:
        self._timer.stop()
        self._ended.set()
        self._sampler.join()

    @Slot()
    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        gap = now - self._last
        if gap > self.longest_secs:
            self.longest_secs, self.where = gap, self._suspect
        busy = cpu - self._last_cpu
        self.longest_cpu_secs = max(self.longest_cpu_secs, busy)
        if busy > SUSPICIOUS_CPU_SECS:
            self.busiest = sorted([*self.busiest, (busy, tuple(self._busy))], reverse=True)[:REMEMBERED]
        self._last, self._last_cpu, self._suspect, self._busy = now, cpu, "", []

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECS):
            if time.clock_gettime(self._gui_clock) - self._last_cpu > SUSPICIOUS_CPU_SECS:
                self._busy.append(self._stack())
            if time.perf_counter() - self._last > SUSPICIOUS_SECS:
                self._suspect = self._stack()

    def _stack(self) -> str:
        # Keep no reference to the frame: it would keep the painters of the GUI thread alive.
        frame = sys._current_frames().get(self._gui_thread)
        return "".join(traceback.format_stack(frame)[-STACK_LINES:]) if frame is not None else ""
