"""Estimates of an export: what is measured, how it is summed up, and how it is told."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from helpers.command_line import run_here
from helpers.job_queues import write_job
from helpers.slow_cli import engine_module
from helpers.slow_renderer import SlowRenderer
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, UsageError
from videoinr.exporting import estimate, part_coder
from videoinr.exporting.estimate import MARGIN, estimate_job
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.parts import Share
from videoinr.journey.arguments import as_curve
from videoinr.render.messages import Opened
from videoinr.types import Quality, RegionQuery, RenderedRegion

PAIR_SECS, FRAME_SECS, FIRST_SECS = 1.0, 0.25, 15.0


class Clocked(SlowRenderer):
    """A renderer with a clock of its own: a new pair takes PAIR_SECS, each frame FRAME_SECS, the first one longer."""

    now_secs = 0.0
    last_pair = -2

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        rendered = super().render(query, quality, token)
        self.now_secs += FRAME_SECS + (FIRST_SECS if self.last_pair == -2 else 0.0)
        if query.instant.pair != self.last_pair:
            self.now_secs += PAIR_SECS
        self.last_pair = query.instant.pair
        return rendered

    def time(self) -> float:
        return self.now_secs


def job_of(engine: SlowRenderer, **options: object) -> ExportJob:
    return job_for(engine.opened.info, Path("out.mkv"), scale=Fraction(1), codec="ffv1", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "frames", "pairs"),
    [({"speed": Fraction(1, 4)}, 200, 50), ({}, 50, 50), ({"fps": Fraction(5)}, 10, 10),
     ({"end": Fraction(1, 5), "speed": Fraction(1, 4)}, 20, 5),
     ({"curve": as_curve("0=0 2=1 4=1")}, 100, 26)],
)  # fmt: skip
def test_the_time_is_that_of_pairs_and_frames(options: dict[str, object], frames: int, pairs: int) -> None:
    engine = Clocked()
    found = estimate_job(job_of(engine, **options), engine, opening_secs=3, clock=engine.time)
    expected = 3 + pairs * PAIR_SECS + frames * FRAME_SECS
    assert found.frames == frames
    assert found.secs.likely == pytest.approx(expected, rel=0.03)
    assert found.secs.least == pytest.approx(expected / MARGIN, rel=0.03)
    assert found.secs.most == pytest.approx(expected * MARGIN, rel=0.03)
    assert found.sampled == min(frames, 18)


@pytest.mark.parametrize(("cores", "coding_secs"), [(2, 800), (8, 400), (16, 200), (64, 200)])
def test_beside_a_gpu_decoding_hides_behind_coding_which_uses_all_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, coding_secs: float
) -> None:
    class OnGpu(Clocked):
        @property
        def opened(self) -> Opened:
            return replace(super().opened, device_name="NVIDIA H200")

    for module in (estimate, part_coder):
        monkeypatch.setattr(module, "usable_cores", lambda: cores)
    monkeypatch.setattr(part_coder, "memory_bytes", lambda: 64 << 30)
    monkeypatch.setattr(estimate._Sampler, "_coded", lambda _, pictures: (4.0 * len(pictures), 100.0))
    engine = OnGpu()
    job = job_of(engine, speed=Fraction(1, 4))
    assert job.plan.count == 4, "of 50 frames each"
    assert estimate_job(job, engine, clock=engine.time).secs.likely == pytest.approx(coding_secs)
    costs, video = estimate._Costs(None, 0.0), replace(job, out=Path("out.mp4"), codec="libx264")
    frame_bytes = job.grid.width * job.grid.height * 3 / 2
    held = estimate._Whole(video, engine, costs).coder_bytes / frame_bytes
    assert held == (0 if cores < 8 else 120 * 3), "as many as there are parts, beside the sample's own"
    assert estimate._Whole(video, Clocked(), costs).coder_bytes == 0


def test_no_further_run_begins_when_the_first_took_long() -> None:
    engine = Clocked()
    job = job_of(engine, speed=Fraction(1, 4))
    assert estimate_job(job, engine, clock=lambda: engine.time() * 9).sampled == 6


def test_shares_are_not_estimated_and_a_sample_can_be_cancelled() -> None:
    engine, token = SlowRenderer(), CancelToken()
    with pytest.raises(UsageError, match="not estimated"):
        estimate_job(replace(job_of(engine), share=Share(1, 2)), engine)
    token.cancel()
    with pytest.raises(Cancelled):
        estimate_job(job_of(engine), engine, token=token)


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", engine_module())
    path = tmp_path / "clip.mkv"
    path.write_bytes(b"a clip")
    return path


@pytest.mark.parametrize(
    ("name", "codec"), [("out.mkv", ("--codec", "ffv1")), ("out.mp4", ("--crf", "1")), ("out", ())]
)
def test_the_size_lies_between_the_limits(clip: Path, name: str, codec: tuple[str, ...]) -> None:
    line = ("export", clip, clip.with_name(name), "--scale", "1", "--sound", "none")
    outcome = run_here(*line, *codec, "--estimate", "--json-progress")
    assert outcome.exit_code == 0, outcome
    assert not clip.with_name(name).exists()
    found = json.loads(outcome.stdout)
    assert run_here(*line, *codec).exit_code == 0
    out = clip.with_name(name)
    size = out.stat().st_size if out.is_file() else sum(path.stat().st_size for path in out.iterdir())
    assert found["least_size_bytes"] <= size <= found["most_size_bytes"], (found, size)
    assert found["memory_bytes"] is None or found["memory_bytes"] > 10**7
    assert (found["event"], found["frames"], found["sampled"]) == ("estimated", 50, 18)


def test_an_estimate_is_printed_and_writes_nothing(clip: Path) -> None:
    before = sorted(clip.parent.iterdir())
    outcome = run_here("export", clip, clip.with_name("out.mp4"), "--estimate", "--speed", "1/2")
    assert outcome.exit_code == 0, outcome
    assert all(words in outcome.stdout for words in ("frames", "time", "size", "about", "measured on", "18 frames"))
    assert sorted(clip.parent.iterdir()) == before
    job = write_job(clip.with_name("job.json"), clip="clip.mkv", out="b.mkv", codec="ffv1")
    assert run_here("export", "--job", job, "--estimate").exit_code == 0
    for wrong in (("--sample", "1"), ("--part", "1/2"), ("--crf", "999")):
        assert run_here("export", clip, clip.with_name("x.mp4"), "--estimate", *wrong).exit_code == 2, wrong
