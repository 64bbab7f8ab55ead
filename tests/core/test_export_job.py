from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.slow_renderer import SlowRenderer, gradient
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, ExportError
from videoinr.exporting.job import ExportJob, frame_instants, run
from videoinr.exporting.target import PartialKeptError
from videoinr.geometry import Grid, Rect
from videoinr.timeline import Timeline
from videoinr.types import ExportProgress, Instant, RegionQuery, Segment


class MemorySink:
    """Keeps the frames; raises ``error`` when asked to write frame ``fails_at``."""

    def __init__(self, *, fails_at: int | None = None, error: BaseException | None = None) -> None:
        self.frames: list[NDArray[np.uint8]] = []
        self.calls: list[str] = []
        self._fails_at, self._error = fails_at, error or ExportError("The disk is full.", hint="Free some space.")

    def open(self) -> None:
        self.calls.append("open")

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        if len(self.frames) == self._fails_at:
            raise self._error
        self.frames.append(rgbx)

    def finish(self, *, partial: bool = False) -> Path:
        self.calls.append("partial" if partial else "finish")
        return Path("out.partial.mp4" if partial else "out.mp4")

    def abort(self) -> None:
        self.calls.append("abort")


def job(*, keep_partial: bool = False, fps: int = 50, speed: Fraction = Fraction(1)) -> ExportJob:
    return ExportJob(
        path=Path("in.mp4"),
        out=Path("out.mp4"),
        segment=Segment(Fraction(1, 5), Fraction(2, 5)),
        fps=Fraction(fps),
        speed=speed,
        grid=Grid(400, 225),
        crop=Rect(10, 20, 30, 40),
        keep_partial=keep_partial,
    )


def quiet(_: ExportProgress) -> None:
    pass


@pytest.fixture
def engine() -> SlowRenderer:
    return SlowRenderer(frames=25)


def test_instants_follow_the_segment_on_the_clips_own_times() -> None:
    timeline = Timeline.of_ticks([0, 40, 100, 120, 200], Fraction(1, 1000), 240)
    instants = list(frame_instants(job(fps=100, speed=Fraction(1, 2)), timeline))
    assert instants[0] == Instant(3, Fraction(1))  # 0.2 s is the start of the last frame
    assert [timeline.instant_from_time(Fraction(1, 5) + Fraction(i, 200)) for i in range(40)] == instants


def test_every_frame_is_the_same_render_as_the_windows(engine: SlowRenderer) -> None:
    sink, task = MemorySink(), job()
    assert run(task, engine, sink, quiet) == Path("out.mp4")
    assert len(sink.frames) == 10
    for instant, frame in zip(frame_instants(task, engine.timeline), sink.frames, strict=True):
        position = (instant.pair + instant.phase) / engine.frames
        np.testing.assert_array_equal(frame, gradient(RegionQuery(instant, task.grid, task.crop), position))
    assert sink.calls == ["open", "finish"]


def test_pairs_are_visited_in_order_so_each_is_encoded_once(engine: SlowRenderer) -> None:
    run(job(fps=500), engine, MemorySink(), quiet)
    pairs = [query.instant.pair for query in engine.asked("full") if isinstance(query, RegionQuery)]
    assert pairs == sorted(pairs)
    assert pairs[0] == 5
    assert pairs[-1] == 9


def test_progress_counts_from_none_to_all(engine: SlowRenderer) -> None:
    seen: list[ExportProgress] = []
    run(job(), engine, MemorySink(), seen.append)
    assert [(progress.done, progress.total) for progress in seen] == [(done, 10) for done in range(11)]
    assert seen[0].remaining_secs is None
    assert seen[-1].remaining_secs == 0


@pytest.mark.parametrize("done", [0, 3, 10])
def test_a_cancelled_export_is_aborted(engine: SlowRenderer, done: int) -> None:
    token, sink = CancelToken(), MemorySink()

    def progress(now: ExportProgress) -> None:
        if now.done == done:
            token.cancel()

    with pytest.raises(Cancelled):
        run(job(), engine, sink, progress, token)
    assert sink.calls == ["open", "abort"]


def test_a_cancelled_export_keeps_its_part_when_asked(engine: SlowRenderer) -> None:
    token, sink = CancelToken(), MemorySink()

    def progress(now: ExportProgress) -> None:
        if now.done == 3:
            token.cancel()

    with pytest.raises(PartialKeptError) as caught:
        run(job(keep_partial=True), engine, sink, progress, token)
    assert caught.value.path == Path("out.partial.mp4")
    assert caught.value.frames == len(sink.frames) == 3
    assert "3 frames" in str(caught.value)
    assert sink.calls == ["open", "partial", "abort"]


def test_nothing_is_kept_of_an_export_without_a_frame(engine: SlowRenderer) -> None:
    sink = MemorySink(fails_at=0)
    with pytest.raises(ExportError, match="disk is full"):
        run(job(keep_partial=True), engine, sink, quiet)
    assert sink.calls == ["open", "abort"]


@pytest.mark.parametrize("error", [ExportError("The disk is full."), KeyboardInterrupt(), RuntimeError("unforeseen")])
def test_whatever_goes_wrong_the_sink_is_aborted(engine: SlowRenderer, error: BaseException) -> None:
    sink = MemorySink(fails_at=4, error=error)
    with pytest.raises(type(error)):
        run(job(), engine, sink, quiet)
    assert sink.calls == ["open", "abort"]


def test_a_failure_is_named_when_its_part_is_kept(engine: SlowRenderer) -> None:
    with pytest.raises(PartialKeptError, match="disk is full") as caught:
        run(job(keep_partial=True), engine, MemorySink(fails_at=4), quiet)
    assert caught.value.frames == 4
