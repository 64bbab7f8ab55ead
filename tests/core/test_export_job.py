"""ExportJob and the loop that writes its frames."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers.job_strategies import INFO, jobs, parsed
from helpers.slow_renderer import SlowRenderer, gradient
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, ExportError, UsageError
from videoinr.exporting.codecs import Effort
from videoinr.exporting.export import frame_instants, write_frames
from videoinr.exporting.job import ExportJob, ExportOptions, job_for
from videoinr.exporting.target import PartialKeptError
from videoinr.geometry import Grid, Rect
from videoinr.render.output_area import grid_of
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
        clip=Path("in.mp4"),
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


# ---- the job ----


@given(jobs())
def test_the_command_line_of_a_job_is_parsed_to_the_same_job(job: ExportJob) -> None:
    assert parsed(job.arguments()) == job


def test_the_command_line_of_a_job() -> None:
    job = ExportJob(
        clip=Path("in.mp4"), out=Path("-out.mp4"), segment=Segment(Fraction(1, 2), Fraction(3, 2)),
        fps=Fraction(24000, 1001), speed=Fraction(1, 4), grid=Grid(640, 360), crop=Rect(10, 20, 300, 200),
        codec="libx264", crf=18, effort=Effort.SLOW, model="lite", device="cpu", overwrite=True,
    )  # fmt: skip
    assert job.arguments() == [
        "export", "--start", "1/2", "--end", "3/2", "--fps", "24000/1001", "--speed", "1/4",
        "--size", "640x360", "--crop", "300x200+10+20", "--codec", "libx264", "--crf", "18", "--effort", "slow",
        "--model", "lite", "--device", "cpu", "--overwrite", "--", "in.mp4", "-out.mp4",
    ]  # fmt: skip
    assert job.size_px == (300, 200)
    assert job.retiming.frame_count == 96


def test_options_that_are_left_out_come_from_the_clip() -> None:
    job = job_for(INFO, Path("out.mp4"))
    assert job == ExportJob(
        INFO.path, Path("out.mp4"), Segment(Fraction(0), Fraction(2)), Fraction(25), Fraction(1), Grid(320, 180),
        Rect(0, 0, 320, 180),
    )  # fmt: skip
    assert job_for(INFO, Path("out.mp4"), start=Fraction(1), time_scale=Fraction(4)).fps == 100


@pytest.mark.parametrize(
    "options",
    [
        {"fps": Fraction(0)}, {"fps": Fraction(30), "time_scale": Fraction(2)}, {"time_scale": Fraction(0)},
        {"speed": Fraction(0)}, {"speed": Fraction(-1)}, {"scale": Fraction(0)}, {"scale": Fraction(99)},
        {"size": Grid(1, 1)}, {"scale": Fraction(2), "size": Grid(320, 180)}, {"crop": Rect(315, 0, 10, 10)},
        {"start": Fraction(1), "end": Fraction(1)}, {"end": Fraction(3)},
    ],
)  # fmt: skip
def test_options_that_do_not_fit_the_clip_are_refused(options: ExportOptions) -> None:
    with pytest.raises(UsageError) as caught:
        job_for(INFO, Path("out.mp4"), **options)
    assert caught.value.hint


@given(st.integers(1, 400), st.integers(1, 400), st.fractions(min_value=Fraction(1, 4), max_value=32))
def test_the_size_of_every_allowed_scale_is_allowed(width: int, height: int, scale: Fraction) -> None:
    info = replace(INFO, width=width, height=height)
    grid = grid_of(info, scale=scale, size=None, default_scale=1)
    assert grid_of(info, scale=None, size=grid, default_scale=1) == grid


@pytest.mark.parametrize(
    ("out", "codec", "crf"),
    [("", None, None), ("out.pdf", None, None), ("out.mp4", "ffv1", None), ("out.mkv", "ffv1", 3),
     ("out", "libx264", None), ("out", None, 3), ("out%d%d.png", None, None), ("-", None, None),
     (".mp4", None, None)],
)  # fmt: skip
def test_a_name_a_codec_and_a_quality_that_do_not_fit_are_refused(out: str, codec: str | None, crf: int | None) -> None:
    with pytest.raises(UsageError) as caught:
        job_for(INFO, Path(out), codec=codec, crf=crf).check()
    assert caught.value.hint


# ---- its frames ----


@pytest.fixture
def engine() -> SlowRenderer:
    return SlowRenderer(frames=25)


def test_instants_follow_the_segment_on_the_clips_own_times() -> None:
    timeline = Timeline(np.array([0, 40, 100, 120, 200]), Fraction(1, 1000), 240)
    instants = list(frame_instants(job(fps=100, speed=Fraction(1, 2)), timeline))
    assert instants[0] == Instant(3, Fraction(1))  # 0.2 s is the start of the last frame
    assert [timeline.instant_from_time(Fraction(1, 5) + Fraction(i, 200)) for i in range(40)] == instants


def test_each_frame_is_the_engines_render_of_its_instant(engine: SlowRenderer) -> None:
    sink, task = MemorySink(), job()
    assert write_frames(task, engine, sink, quiet) == Path("out.mp4")
    assert len(sink.frames) == 10
    for instant, frame in zip(frame_instants(task, engine.timeline), sink.frames, strict=True):
        position = (instant.pair + instant.phase) / engine.frames
        np.testing.assert_array_equal(frame, gradient(RegionQuery(instant, task.grid, task.crop), position))
    assert sink.calls == ["open", "finish"]


def test_pairs_are_visited_in_order_so_each_is_encoded_once(engine: SlowRenderer) -> None:
    write_frames(job(fps=500), engine, MemorySink(), quiet)
    pairs = [query.instant.pair for query in engine.asked("full") if isinstance(query, RegionQuery)]
    assert pairs == sorted(pairs)
    assert pairs[0] == 5
    assert pairs[-1] == 9


def test_progress_is_reported_before_the_first_and_after_each_frame(engine: SlowRenderer) -> None:
    seen: list[ExportProgress] = []
    write_frames(job(), engine, MemorySink(), seen.append)
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
        write_frames(job(), engine, sink, progress, token)
    assert sink.calls == ["open", "abort"]


def test_a_cancelled_export_keeps_its_frames_with_keep_partial(engine: SlowRenderer) -> None:
    token, sink = CancelToken(), MemorySink()

    def progress(now: ExportProgress) -> None:
        if now.done == 3:
            token.cancel()

    with pytest.raises(PartialKeptError) as caught:
        write_frames(job(keep_partial=True), engine, sink, progress, token)
    assert caught.value.path == Path("out.partial.mp4")
    assert caught.value.frames == len(sink.frames) == 3
    assert "3 frames" in str(caught.value)
    assert sink.calls == ["open", "partial", "abort"]


def test_nothing_is_kept_of_an_export_without_a_frame(engine: SlowRenderer) -> None:
    sink = MemorySink(fails_at=0)
    with pytest.raises(ExportError, match="disk is full"):
        write_frames(job(keep_partial=True), engine, sink, quiet)
    assert sink.calls == ["open", "abort"]


@pytest.mark.parametrize("error", [ExportError("The disk is full."), KeyboardInterrupt(), RuntimeError("a bug")])
def test_any_error_aborts_the_sink(engine: SlowRenderer, error: BaseException) -> None:
    sink = MemorySink(fails_at=4, error=error)
    with pytest.raises(type(error)):
        write_frames(job(), engine, sink, quiet)
    assert sink.calls == ["open", "abort"]


def test_the_error_with_kept_frames_names_the_cause(engine: SlowRenderer) -> None:
    with pytest.raises(PartialKeptError, match="disk is full") as caught:
        write_frames(job(keep_partial=True), engine, MemorySink(fails_at=4), quiet)
    assert caught.value.frames == 4
