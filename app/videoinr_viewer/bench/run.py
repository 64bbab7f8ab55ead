"""``--bench``: runs the script, prints the figures and quits."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from dataclasses import asdict
from fractions import Fraction

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication

from videoinr.render.messages import Failure
from videoinr.types import Quality
from videoinr_viewer.bench.figures import (
    BenchFigures,
    GestureFigures,
    Latency,
    PlayFigures,
    Setting,
    StartUp,
)
from videoinr_viewer.bench.gestures import STROKE_SECS, Gestures, Script, until
from videoinr_viewer.bench.heartbeat import Heartbeat
from videoinr_viewer.bench.machine import peak_memory_bytes, process_age_secs, this_machine
from videoinr_viewer.bench.meter import PaintMeter
from videoinr_viewer.bench.soak import Soak
from videoinr_viewer.bench.table import print_table
from videoinr_viewer.start.arguments import BenchPlan
from videoinr_viewer.viewer import Viewer

SIZE = (1280, 720)
"""Size of the window without --size, logical pixels."""
SLOW_MOTION = Fraction(1, 16)


class BenchRun(QObject):
    """Ends the application with exit code 0 when the figures are printed, or with 1 and a message on stderr."""

    def __init__(self, viewer: Viewer, plan: BenchPlan) -> None:
        super().__init__(viewer)
        self._viewer, self._plan = viewer, plan
        self._meter, self._heartbeat = PaintMeter(viewer), Heartbeat(self)
        self._scripts = Gestures(viewer, self._meter)
        self._soak = Soak(viewer.session, self._meter, self._heartbeat)
        self._gestures: list[GestureFigures] = []
        self._play: list[PlayFigures] = []
        self._steps = self._script()
        self._heartbeat.beat.connect(self._go_on)
        viewer.bridge.failure.connect(self._fail)
        viewer.session.start_refused.connect(self._fail)
        viewer.window.projects.failed.connect(self.fail_with)

    @Slot()
    def _go_on(self) -> None:
        try:
            next(self._steps)
        except StopIteration:
            self._end(0)
        except TimeoutError as error:
            self.fail_with(str(error))

    @Slot(object)
    def _fail(self, failure: Failure) -> None:
        self.fail_with(f"{failure.message} {failure.hint}".strip())

    @Slot(str)
    def fail_with(self, message: str) -> None:
        """End the application with an unexpected error."""
        print(f"videoinr-viewer: {message}", file=sys.stderr)
        self._end(1)

    def _end(self, code: int) -> None:
        self._heartbeat.stop()
        QApplication.exit(code)

    # ---- the script ----

    def _script(self) -> Script:
        start_up = yield from self._start_up()
        self._heartbeat.longest_ever_secs = 0.0
        if self._plan.steps:
            yield from self._soak.run(self._plan.steps)
        else:
            yield from self._all_gestures()
        figures = BenchFigures(
            machine=this_machine(), setting=self._setting(), start_up=start_up, gestures=tuple(self._gestures),
            play=tuple(self._play), soak=self._soak.figures,
            longest_gap_msecs=round(self._heartbeat.longest_ever_secs * 1000, 1),
            peak_memory_bytes=peak_memory_bytes(),
        )  # fmt: skip
        if self._plan.as_json:
            print(json.dumps(asdict(figures), indent=2))
        else:
            print_table(figures)

    def _start_up(self) -> Generator[None, None, StartUp]:
        meter = self._meter
        window_secs = yield from _age_when(self._is_exposed, "the window")
        source_secs = yield from _age_when(lambda: meter.is_shown(*Quality), "the source frame")
        motion = (Quality.MOTION, Quality.DRAFT, Quality.FULL)
        motion_secs = yield from _age_when(lambda: meter.is_shown(*motion), "the motion draft")
        first_secs = yield from _age_when(lambda: meter.is_shown(Quality.DRAFT, Quality.FULL), "the first picture")
        full_secs = yield from _age_when(lambda: meter.is_complete, "the full picture")
        gap_msecs = self._heartbeat.take_longest_msecs()
        return StartUp(window_secs, source_secs, first_secs, full_secs, gap_msecs, motion_secs)

    def _is_exposed(self) -> bool:
        handle = self._viewer.window.windowHandle()
        return handle is not None and handle.isExposed()

    def _all_gestures(self) -> Script:
        strokes, scripts = max(1, round(self._plan.secs / STROKE_SECS)), self._scripts
        yield from self._gesture("drag within a pair", scripts.drag_within_pair(strokes))
        yield from self._gesture("drag across pairs", scripts.drag_across_pairs(strokes))
        yield from self._gesture("zoom", scripts.zoom(strokes + strokes % 2))
        yield from self._gesture("pan", scripts.pan(strokes))
        for speed in (Fraction(1), SLOW_MOTION):
            yield from self._playback(speed)

    def _gesture(self, name: str, script: Script) -> Script:
        self._meter.take()
        self._heartbeat.take_longest_msecs()
        yield from script
        counts = self._meter.take()
        self._gestures.append(
            GestureFigures(
                name, counts.inputs, Latency.of(counts.first_secs), Latency.of(counts.full_secs),
                Latency.of(counts.decode_secs), counts.shown[Quality.DRAFT], counts.shown[Quality.FULL],
                counts.shown[Quality.SOURCE], round(counts.fulls_while_moving / counts.moving_secs, 1),
                self._heartbeat.take_longest_msecs(), counts.shown[Quality.MOTION],
            )
        )  # fmt: skip

    def _playback(self, speed: Fraction) -> Script:
        secs = self._plan.secs
        self._heartbeat.take_longest_msecs()
        yield from self._scripts.play(secs, speed)
        counts = self._meter.take()
        decoded = counts.shown[Quality.DRAFT] + counts.shown[Quality.FULL]
        self._play.append(
            PlayFigures(
                speed=str(speed), secs=secs, shown_per_sec=round(sum(counts.shown.values()) / secs, 1),
                decoded_per_sec=round(decoded / secs, 1),
                full_per_sec=round(counts.shown[Quality.FULL] / secs, 1),
                behind=Latency.of(counts.age_secs),
                longest_gap_msecs=self._heartbeat.take_longest_msecs(),
            )
        )  # fmt: skip

    def _setting(self) -> Setting:
        clip, window = self._viewer.session.clip, self._viewer.window
        assert clip is not None
        info, ratio = clip.info, window.devicePixelRatioF()
        size = (round(side * ratio) for side in (window.width(), window.height()))
        return Setting(
            clip=info.path.name, clip_size=f"{info.width}x{info.height}", frames=info.frames,
            fps=round(float(info.fps), 3), window="x".join(map(str, size)),
            picture="x".join(map(str, window.frame_view.screen_px)), model=clip.model_name, device=clip.device_name,
        )  # fmt: skip


def _age_when(condition: Callable[[], bool], what: str) -> Generator[None, None, float]:
    """Wait for ``condition``; return the age of the process then, seconds."""
    yield from until(condition, what)
    return round(process_age_secs(), 2)
