"""Takes thousands of steps through time and zoom and watches the memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction

from videoinr.types import Instant
from videoinr_viewer.bench.figures import SoakFigures
from videoinr_viewer.bench.gestures import Script, until
from videoinr_viewer.bench.heartbeat import Heartbeat
from videoinr_viewer.bench.machine import memory_bytes
from videoinr_viewer.bench.meter import PaintMeter
from videoinr_viewer.session import Session

STEPS_PER_PAIR = 16
MOST_PAIRS = 8
ZOOM_FACTORS = (1.5, 1 / 1.5)


class Soak:
    """Repeats one round; each step follows as soon as a picture answers the previous one.

    A round visits up to eight pairs across the clip in sixteen steps each, at two zooms. After a quarter of the rounds
    the caches are full, so any later growth has another cause.
    """

    def __init__(self, session: Session, meter: PaintMeter, heartbeat: Heartbeat) -> None:
        self._session, self._meter, self._heartbeat = session, meter, heartbeat
        self.figures: SoakFigures | None = None

    def run(self, steps: int) -> Script:
        """Take at least ``steps`` steps, in whole rounds, and at least two rounds."""
        start, done, memory = time.perf_counter(), 0, list[int]()
        self._heartbeat.take_longest_msecs()
        while done < steps or len(memory) < 2:
            for _ in self._round():
                done += 1
                yield from until(lambda: self._meter.is_answered, "the picture of a step")
            self._session.settle()
            yield from until(lambda: self._meter.is_complete, "the full picture")
            memory.append(memory_bytes() or 0)
        self.figures = SoakFigures(
            steps=done, secs=round(time.perf_counter() - start, 1), round_bytes=tuple(memory),
            growth_bytes=memory[-1] - memory[len(memory) // 4],
            longest_gap_msecs=self._heartbeat.take_longest_msecs(),
        )  # fmt: skip

    def _round(self) -> Iterator[None]:
        clip = self._session.clip
        assert clip is not None
        places = min(MOST_PAIRS, clip.timeline.pair_count)
        for factor in ZOOM_FACTORS:
            self._session.zoom_by(factor)
            for place in range(places):
                pair = place * clip.timeline.pair_count // places
                for step in range(STEPS_PER_PAIR):
                    instant = Instant(pair, Fraction(2 * step + 1, 2 * STEPS_PER_PAIR))
                    self._session.seek(clip.timeline.time_from_instant(instant), moving=True)
                    yield
