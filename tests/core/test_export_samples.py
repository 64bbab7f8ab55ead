"""Samples of exports, whose frames are frames of the whole, and presets."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.command_line import run_here
from helpers.export_jobs import job
from helpers.job_queues import frame_count
from helpers.job_strategies import parsed
from helpers.slow_cli import engine_module
from videoinr.errors import UsageError
from videoinr.exporting.excerpt import sample_name, sample_of
from videoinr.exporting.job import ExportJob
from videoinr.exporting.parts import Share
from videoinr.exporting.picture_names import counted_out
from videoinr.exporting.presets import PRESETS, preset_named
from videoinr.exporting.sound.choice import SoundChoice
from videoinr.journey.arguments import as_curve
from videoinr.types import Segment

CURVES = ("0=0 10=5", "0=0 2=1~1 4=5~3/2 6=5 8=0", "0=1 1=1 3=1 4=2", "0=3 1=2~1 2=3~1 5=9")


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", engine_module())


def long_job(out: str = "out.mp4", *, curve: str = "", fps: Fraction = Fraction(25)) -> ExportJob:
    made = replace(job(Path(out), fps=fps), segment=Segment(Fraction(1, 3), Fraction(21, 2)), speed=Fraction(1, 4))
    return replace(made, curve=as_curve(curve), speed=Fraction(1)) if curve else made


@settings(max_examples=60)
@given(
    st.sampled_from(("", *CURVES)), st.fractions(0, 12), st.fractions(Fraction(1, 50), 5),
    st.sampled_from([Fraction(25), Fraction(24000, 1001), Fraction(7, 3)]),
)  # fmt: skip
def test_the_frames_of_a_sample_are_frames_of_the_export(
    curve: str, at: Fraction, secs: Fraction, fps: Fraction
) -> None:
    whole = long_job(curve=curve, fps=fps)
    sample = sample_of(whole, secs, at_secs=at)
    times, part = list(whole.retiming.times), list(sample.retiming.times)
    wanted = min(len(times), max(1, round(secs * fps)))
    assert len(part) >= wanted
    assert curve or len(part) == wanted
    starts = [start for start in range(len(times)) if times[start : start + len(part) - 1] == part[:-1]]
    assert starts, (times, part)
    # Past the last frame, a curve shows its end.
    assert any(times[start + len(part) - 1 : start + len(part)] in ([part[-1]], []) for start in starts)


def test_a_sample_starts_where_one_looks() -> None:
    whole = long_job()
    assert sample_of(whole, Fraction(2), at_secs=Fraction(5)).segment.start_secs <= 5
    assert sample_of(whole, Fraction(2), at_secs=Fraction(5)).segment.start_secs > Fraction(5) - whole.speed / whole.fps
    assert sample_of(whole, Fraction(2), at_secs=Fraction(0)).segment.start_secs == whole.segment.start_secs
    assert sample_of(whole, Fraction(2), at_secs=Fraction(99)).segment.end_secs == whole.segment.end_secs
    middle = sample_of(whole, Fraction(2)).segment
    assert abs(middle.start_secs - whole.segment.start_secs - (whole.segment.end_secs - middle.end_secs)) <= Fraction(
        1, 50
    )
    assert sample_of(whole, Fraction(99)).retiming.frame_count == whole.retiming.frame_count


@pytest.mark.parametrize(
    ("out", "name"),
    [("a/b.mp4", "a/b.sample.mp4"), ("a/b", "a/b-sample"), ("a/b/%05d.png", "a/b-sample/%05d.png"),
     ("x.y.mov", "x.y.sample.mov")],
)  # fmt: skip
def test_a_sample_has_a_name_of_its_own(out: str, name: str) -> None:
    assert sample_name(Path(out)) == Path(name)


def test_impossible_samples_are_refused() -> None:
    with pytest.raises(UsageError, match="shows nothing"):
        sample_of(long_job(), Fraction(0))
    with pytest.raises(UsageError, match="has no sample"):
        sample_of(replace(long_job(), share=Share(1, 2)), Fraction(1))


def test_samples_on_the_command_line(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.mkv", tmp_path / "out.mkv"
    clip.write_bytes(b"a clip")
    assert run_here("export", clip, out, "--scale", "1", "--codec", "ffv1", "--sample", "1/2").exit_code == 0
    assert not out.exists()
    sample = tmp_path / "out.sample.mkv"
    assert frame_count(sample) == 12
    assert run_here("export", clip, out, "--scale", "1", "--codec", "ffv1").exit_code == 0
    assert pictures(sample) == pictures(out)[19:31]
    at = parsed(["export", str(clip), str(out), "--sample", "1", "--sample-at", "1/2"])
    assert at.segment == Segment(Fraction(12, 25), Fraction(37, 25)), "the frame before it is the first"
    for wrong in (("--sample-at", "1"), ("--sample", "0"), ("--sample", "x"), ("--sample", "1", "--part", "1/2")):
        assert run_here("export", clip, tmp_path / "x.mkv", *wrong).exit_code == 2, wrong


def pictures(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]


# ---- presets ----


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_preset_makes_its_output(tmp_path: Path, preset: object) -> None:
    assert preset in PRESETS
    chosen = preset_named(getattr(preset, "name", ""))
    clip = tmp_path / "clip.mkv"
    clip.write_bytes(b"a clip")
    outcome = run_here("export", clip, tmp_path / "out", "--preset", chosen.name, "--scale", "1", "--end", "0.2")
    assert outcome.exit_code == 0, outcome
    out = tmp_path / f"out{chosen.ending}"
    assert len(list(out.iterdir())) == 5 if not chosen.ending else frame_count(out) == 5


def test_options_go_before_a_preset(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    clip.write_bytes(b"a clip")
    line = ["export", str(clip), str(tmp_path / "out.mp4"), "--preset", "share"]
    plain, chosen = parsed(line), parsed([*line, "--crf", "30", "--sound", "none"])
    assert (plain.codec, plain.crf, plain.sound) == ("libx264", 21, SoundChoice.ENCODE)
    assert (chosen.codec, chosen.crf, chosen.sound) == ("libx264", 30, SoundChoice.NONE)
    other = parsed([*line, "--codec", "libx265"])
    assert (other.codec, other.crf) == ("libx265", None)
    assert run_here(*line[:-1], "nobody").exit_code == 2
    assert run_here("export", clip, tmp_path / "out.mov", "--preset", "archive").exit_code == 2


def test_pictures_may_be_counted_by_hashes(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.mkv", tmp_path / "shot" / "a.####.png"
    clip.write_bytes(b"a clip")
    done = run_here("export", clip, out, "--scale", "1", "--sample", "1/2")
    assert done.exit_code == 0, done.stderr
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert {"a.0000.png", "a.0001.png"} <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["a.##.webp", "a.##.apng", "a.##.gif", "a.##.jpg"])
def test_hashes_in_the_name_of_one_file_stay(name: str) -> None:
    assert counted_out(Path(name)) == Path(name)
    assert counted_out(Path("a.##.TIFF")) == Path("a.%02d.TIFF")
