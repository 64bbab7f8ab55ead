"""The gestures of the bench, as generators. Each resumes after its ``yield`` at the next heartbeat."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from PySide6.QtCore import QPointF

from videoinr.types import Instant
from videoinr_viewer.bench.meter import PaintMeter
from videoinr_viewer.bench.mouse import Mouse
from videoinr_viewer.timeline.tick_slider import TickSlider
from videoinr_viewer.viewer import Viewer

Script = Iterator[None]
EVENTS_PER_SEC = 60
STROKE_SECS = 1.0
PATIENCE_SECS = 180.0
"""The bench fails if a picture takes longer."""
AFTERMATH_SECS = 0.2
"""How long to wait for answers to the last inputs of a stroke after the full picture."""
PAIRS_PER_STROKE = 8
WHEEL_EIGHTHS = 24
"""A fifth of a notch per event, like a high-resolution wheel or a touchpad."""
PAN_RADIUS_PX = 120


def until(condition: Callable[[], bool], what: str) -> Script:
    """Wait for ``condition``; TimeoutError after PATIENCE_SECS."""
    end = time.perf_counter() + PATIENCE_SECS
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError(f"{what} did not come within {PATIENCE_SECS:.0f} s")
        yield


def pause(secs: float) -> Script:
    """Wait for ``secs``."""
    end = time.perf_counter() + secs
    while time.perf_counter() < end:
        yield


class Gestures:
    """The gestures for one viewer. The wait for an answer starts when an event was due, even if it was sent late."""

    def __init__(self, viewer: Viewer, meter: PaintMeter) -> None:
        self._viewer, self._meter = viewer, meter
        self._session = viewer.session

    def rest(self) -> Script:
        """Wait until the full picture is on the screen."""
        yield from until(lambda: self._meter.is_complete, "the full picture")
        end = time.perf_counter() + AFTERMATH_SECS
        yield from until(lambda: not self._meter.waits or time.perf_counter() > end, "the last paint")

    def drag_within_pair(self, strokes: int) -> Script:
        """Drag the pair slider back and forth, over a pair that is already encoded."""
        self._go_to_pair(self._clip_pairs() // 2)
        yield from self.rest()
        self._meter.take()
        for stroke in range(strokes):
            yield from self._drag_slider(self._viewer.window.timeline.pair_slider, 0.1, 0.9, reverse=stroke % 2 == 1)

    def drag_across_pairs(self, strokes: int) -> Script:
        """Drag the overview over eight pairs a second, with each stroke further into the clip."""
        pairs = self._clip_pairs()
        reach = min(PAIRS_PER_STROKE, pairs)
        for stroke in range(strokes):
            first = (stroke * reach // 2) % max(1, pairs - reach + 1)
            start, end = ((first + part) / (pairs + 1) for part in (0.2, reach))
            yield from self._drag_slider(self._viewer.window.timeline.overview, start, end, reverse=stroke % 2 == 1)

    def zoom(self, strokes: int) -> Script:
        """Zoom in with the wheel, then out again."""
        view = self._viewer.window.frame_view
        mouse, at = Mouse(view.viewport()), QPointF(view.width() * 0.4, view.height() * 0.4)
        for stroke in range(strokes):
            way = WHEEL_EIGHTHS if stroke % 2 == 0 else -WHEEL_EIGHTHS
            yield from self._events(partial(_turn_wheel, mouse, at, way))
            yield from self.rest()

    def pan(self, strokes: int) -> Script:
        """Zoom in and pan along three quarters of a circle."""
        self._session.zoom_by(2.0)
        yield from self.rest()
        self._meter.take()
        view = self._viewer.window.frame_view
        mouse, middle = Mouse(view.viewport()), QPointF(view.width() / 2, view.height() / 2)
        for _ in range(strokes):
            yield from self._drag(mouse, lambda share: middle + _on_circle(share))
        self._session.fit()
        yield from self.rest()

    def play(self, secs: float, speed: Fraction) -> Script:
        """Play from the start at ``speed``."""
        self._session.go_to_start()
        yield from self.rest()
        self._meter.take()
        player = self._viewer.player
        player.set_speed(speed)
        player.toggle()
        yield from pause(secs)
        player.pause()
        player.set_speed(Fraction(1))

    # ---- strokes ----

    def _drag_slider(self, slider: TickSlider, start: float, end: float, *, reverse: bool) -> Script:
        if reverse:
            start, end = end, start
        span = slider.maximum() - slider.minimum()

        def point(share: float) -> QPointF:
            tick = slider.minimum() + span * (start + (end - start) * share)
            return QPointF(slider.x_from_tick(tick), slider.groove_y_px)

        yield from self._drag(Mouse(slider), point)

    def _drag(self, mouse: Mouse, point: Callable[[float], QPointF]) -> Script:
        mouse.press(point(0.0))
        yield from self._events(lambda share: mouse.move(point(share)))
        mouse.release(point(1.0))
        yield from self.rest()

    def _events(self, send: Callable[[float], None]) -> Script:
        """Make one stroke: call ``send`` with the share of the way, 0..1, whenever an event is due."""
        start, count = time.perf_counter(), round(EVENTS_PER_SEC * STROKE_SECS)
        with self._meter.moving():
            for index in range(1, count + 1):
                due = start + index / EVENTS_PER_SEC
                while time.perf_counter() < due:
                    yield
                send(index / count)
                self._meter.note_input(due)

    def _clip_pairs(self) -> int:
        assert self._session.clip is not None
        return self._session.clip.timeline.pair_count

    def _go_to_pair(self, pair: int) -> None:
        assert self._session.clip is not None
        timeline = self._session.clip.timeline
        self._session.seek(timeline.time_from_instant(Instant(min(pair, timeline.pair_count - 1), Fraction(1, 2))))


def _turn_wheel(mouse: Mouse, at: QPointF, way: int, _share: float) -> None:
    mouse.wheel(at, way)


def _on_circle(share: float) -> QPointF:
    angle = 1.5 * math.pi * share
    return QPointF(PAN_RADIUS_PX * math.sin(angle), PAN_RADIUS_PX * (1 - math.cos(angle)))
