"""The timecode that a file gives its first frame: read, and carried into exports where it still holds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import videoinr
from helpers.clips import write_clip
from helpers.held_exports import frames_as_they_are, saved_model
from helpers.slow_renderer import SlowRenderer
from videoinr.clip import open_clip
from videoinr.clip.start_timecode import start_timecode
from videoinr.exporting import parts
from videoinr.exporting.job import job_for
from videoinr.exporting.joining import join_shares
from videoinr.exporting.outputs import companions_for
from videoinr.exporting.start_timecode import OutputTimecode, output_timecode
from videoinr.text.timecode import timecode_of
from videoinr.types import ClipInfo, ExportReport, StartTimecode

NTSC, NTSC_30, NTSC_60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
INFO = SlowRenderer(Path("in.mp4")).opened.info

_held = pytest.fixture(scope="module", autouse=True)(frames_as_they_are)
model = pytest.fixture(scope="module")(saved_model)


def info_of(path: Path) -> ClipInfo:
    with open_clip(path) as clip:
        return clip.info


def first_of(path: Path) -> str:
    """What the file calls its first frame."""
    info = info_of(path)
    return timecode_of(0, info) if info.timecode else ""


@pytest.mark.parametrize(
    ("name", "codec", "fps", "timecode"),
    [
        ("a.mov", "mpeg4", Fraction(25), "10:20:30:24"),
        ("a.mp4", "mpeg4", NTSC, "01:00:00:23"),
        ("a.mp4", "mpeg4", NTSC_30, "00:59:59;29"),
        ("a.mp4", "mpeg4", NTSC_60, "01:00:00;59"),
        ("a.mxf", "mpeg2video", Fraction(25), "23:59:59:24"),
        ("a.mxf", "mpeg2video", NTSC_30, "00:01:00;02"),
        ("a.mkv", "mpeg4", Fraction(25), "01:00:00:05"),
        ("a.avi", "mpeg4", Fraction(25), "01:00:00:05"),
        ("a.mp4", "mpeg4", Fraction(25), ""),
    ],
)
def test_a_file_names_its_first_frame(tmp_path: Path, name: str, codec: str, fps: Fraction, timecode: str) -> None:
    tags = {"timecode": timecode} if timecode else {}
    assert first_of(write_clip(tmp_path / name, 3, codec=codec, fps=fps, tags=tags)) == timecode


@pytest.mark.parametrize(
    ("tag", "fps"),
    [
        ("", 25), ("a", 25), ("1", 25), ("00:00:00:25", 25), ("00:00:00:00 + 0.5", 25), ("-1:00:00:00", 25),
        ("00:00:00;00", 25), ("00:01:00;00", NTSC_30), ("00:60:00:00", 25), ("9" * 99, 25),
    ],
)  # fmt: skip
def test_a_tag_that_names_no_frame_says_nothing(tag: str, fps: Fraction) -> None:
    assert start_timecode(tag, Fraction(fps)) is None


def test_frames_that_cannot_be_decoded_are_counted() -> None:
    assert start_timecode("00:00:01:00", Fraction(25), skipped=3) == StartTimecode(28)
    assert start_timecode("23:59:59:24", Fraction(25), skipped=1) == StartTimecode(0)


@pytest.mark.parametrize("name", ["out.mov", "out.mp4", "out.m4v", "out.mkv", "out.webm"])
def test_an_export_of_a_part_begins_with_the_timecode_of_its_start(tmp_path: Path, model: Path, name: str) -> None:
    clip = write_clip(tmp_path / "in.mxf", 6, codec="mpeg2video", fps=NTSC_30, tags={"timecode": "00:00:59;28"})
    reports: list[ExportReport] = []
    out = videoinr.export(
        clip, tmp_path / name, start=Fraction(3) / NTSC_30, scale=1, model=model, device="cpu", report=reports.append,
    )  # fmt: skip
    assert (first_of(out), info_of(out).frames) == ("00:01:00;03", 3)
    assert reports[0].dropped == ()


def test_shares_are_joined_to_a_file_with_the_timecode(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_SHORT", 2)
    clip = write_clip(tmp_path / "in.mov", 6, codec="mpeg4", tags={"timecode": "01:00:00:05"})
    out = tmp_path / "out.mov"
    for share in ("1/2", "2/2"):
        videoinr.export(clip, out, start=Fraction(1, 25), scale=1, part=share, model=model, device="cpu")
    join_shares(out)
    assert first_of(out) == "01:00:00:06"


@pytest.mark.parametrize(
    ("own", "options", "expected"),
    [
        ((25, 90_000, False), {}, "01:00:00:00"),
        ((25, 90_000, False), {"start": Fraction(1, 2)}, "01:00:00:12"),
        ((25, 90_000, False), {"start": Fraction(1, 2), "fps": Fraction(50)}, "01:00:00:25"),
        ((25, 2_159_999, False), {"start": Fraction(1, 25)}, "00:00:00:00"),
        ((NTSC, 24, False), {"start": Fraction(42, 1000)}, "00:00:01:01"),  # Milliseconds, as Matroska rounds.
        ((NTSC, 24, False), {"start": Fraction(41, 1000)}, "00:00:01:00"),
        ((NTSC_30, 1799, True), {"start": 1 / NTSC_30}, "00:01:00;02"),
        ((NTSC_30, 1799, True), {"start": 1 / NTSC_30, "fps": NTSC_60}, "00:01:00;04"),
        ((25, 90_000, False), {"speed": Fraction(1, 2)}, "which holds at the clip's own speed only"),
        ((NTSC, 0, False), {"fps": Fraction(24)}, "which does not hold at 24 frames per second"),
        ((NTSC_30, 0, True), {"fps": NTSC_30 / 2}, "which does not hold at 14.985 frames per second"),
        ((25, 0, False), {"fps": Fraction(500)}, "which does not hold at 500 frames per second"),
    ],
)
def test_the_timecode_of_an_output(own: tuple[Any, int, bool], options: dict[str, Any], expected: str) -> None:
    info = replace(INFO, fps=Fraction(own[0]), timecode=StartTimecode(own[1], own[2]))
    found = output_timecode(job_for(info, Path("out.mov"), **options), info)
    assert found == (OutputTimecode(lost=expected) if "which" in expected else OutputTimecode(expected))
    assert output_timecode(job_for(INFO, Path("out.mov"), **options), INFO) == OutputTimecode()


@pytest.mark.parametrize(
    ("out", "options", "words"),
    [
        ("out.mov", {"speed": Fraction(1, 2)}, "the timecode, which holds at the clip's own speed only"),
        ("out/%05d.png", {}, "the timecode, which PNG files do not hold"),
        ("out.gif", {}, "the timecode, which GIF files do not hold"),
    ],
)
def test_a_timecode_that_is_left_out_is_told(tmp_path: Path, out: str, options: dict[str, Any], words: str) -> None:
    info = info_of(write_clip(tmp_path / "in.mov", 3, codec="mpeg4", tags={"timecode": "01:00:00:05"}))
    kept = companions_for(job_for(info, tmp_path / out, **options), info)
    assert kept is not None
    assert (kept.dropped, kept.timecode) == ((words,), "")
