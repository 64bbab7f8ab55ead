"""Times as timecode (HH:MM:SS:FF): which frame it is, where there is none, and the commands that take it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.slow_renderer import SlowRenderer
from videoinr.cli import app
from videoinr.clip.open_options import DEFAULT_OPTIONS
from videoinr.errors import UsageError
from videoinr.exporting.arguments import JobArguments, job_from_arguments
from videoinr.text.clip_time import clip_seconds, clip_time, length
from videoinr.text.timecode import Timecode, frame_names, length_of, timecode, timecode_of
from videoinr.timeline import Timeline
from videoinr.types import StartTimecode

NTSC, NTSC_30, NTSC_60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
INFO = replace(SlowRenderer(Path("in.mp4")).opened.info, duration_secs=Fraction(8))


@pytest.mark.parametrize(
    ("text", "fps", "secs"),
    [
        ("00:00:01:06", Fraction(25), Fraction(31, 25)),
        ("0:0:0:0", Fraction(25), Fraction(0)),
        (" 01:00:00:00 ", Fraction(25), Fraction(3600)),
        ("01:00:00:00", NTSC, Fraction(86400) / NTSC),
        ("00:00:00:23", NTSC, Fraction(23) / NTSC),
        ("00:00:01:00", Fraction(1, 2), Fraction(2)),
        ("00:00:01:06 + 0.25", Fraction(25), Fraction(125, 100)),
        ("00:00:01:06+,25", Fraction(25), Fraction(125, 100)),
        ("00;01;00;02", NTSC_30, Fraction(1800) / NTSC_30),
        ("1.25", Fraction(25), Fraction(5, 4)),
        ("5/4", Fraction(25), Fraction(5, 4)),
        ("1:02.5", Fraction(25), Fraction(125, 2)),
        ("1:02:03", Fraction(25), Fraction(3723)),
        ("0:00", Fraction(25), Fraction(0)),
        ("1,5 s", Fraction(25), Fraction(3, 2)),
        ("f31", Fraction(25), Fraction(31, 25)),
        ("Frame 30,5", Fraction(25), Fraction(61, 50)),
        ("bild 30 + 0.5", Fraction(25), Fraction(61, 50)),
        ("# 25000", Fraction(25), Fraction(1000)),
        ("30 + ,5", Fraction(25), Fraction(61, 50)),
        ("50%", Fraction(25), Fraction(4)),
        ("12,5 %", Fraction(25), Fraction(1)),
    ],
)
def test_a_time_as_it_is_typed(text: str, fps: Fraction, secs: Fraction) -> None:
    assert clip_time(text).time_on(Timeline.constant(int(8 * fps), fps), replace(INFO, fps=fps)) == secs


@pytest.mark.parametrize("end_tick", [31, 90], ids=["short", "held"])
def test_places_within_the_last_frame_rise_with_the_time(end_tick: int) -> None:
    timeline = Timeline(np.array([0, 10, 20, 30]), Fraction(1, 10), end_tick)
    info = replace(INFO, frames=4, fps=timeline.mean_fps, vfr=True)
    times = [clip_time(text).time_on(timeline, info) for text in ("f2.9", "f3", "f3.1", "f3.5", "f4", "f5")]
    assert times == sorted(times)
    assert (times[1], times[3], times[4]) == (Fraction(3), Fraction(30 + end_tick, 20), timeline.duration_secs)


def test_seconds_are_told_from_times_that_depend_on_the_clip() -> None:
    assert clip_time("1:02.5").secs == Fraction(125, 2)
    assert [clip_time(text).secs for text in ("f31", "50%", "0:0:0:1")] == [None] * 3
    assert clip_seconds("5/4") == Fraction(5, 4)
    with pytest.raises(UsageError, match="not a time in seconds"):
        clip_seconds("50%")


def test_lengths_of_time_are_written_as_clocks_do() -> None:
    assert [length(text) for text in ("90", "1:30", "8:00:00", "1/2")] == [90, 90, 28_800, Fraction(1, 2)]
    for wrong in ("0", "-1", "50%", "f3", "soon"):
        with pytest.raises(UsageError, match=r"is not (above 0|a time)"):
            length(wrong)


def test_a_frame_starts_when_the_file_says() -> None:
    rounded = Timeline(np.array([0, 42, 83, 125], np.int64), Fraction(1, 1000), 167)
    for text, secs in (
        ("0:0:0:1", Fraction(42, 1000)),
        ("0:0:0:1 + 0.5", Fraction(125, 2000)),
        ("f2", Fraction(83, 1000)),
        ("1.5", Fraction(3, 2)),
        ("100%", Fraction(167, 1000)),
    ):
        assert clip_time(text).time_on(rounded, replace(INFO, fps=Fraction(24))) == secs
    # After the end it goes on at the clip's rate.
    assert clip_time("0:0:0:4").time_on(rounded, replace(INFO, fps=Fraction(24))) == Fraction(167, 1000)
    assert clip_time("f28").time_on(rounded, replace(INFO, fps=Fraction(24))) == Fraction(1167, 1000)


@pytest.mark.parametrize("fps", [Fraction(1, 2), NTSC, Fraction(25), Fraction(60000, 1001), Fraction(240)])
def test_the_timecode_of_a_frame_is_read_as_that_frame(fps: Fraction) -> None:
    info = replace(INFO, fps=fps)
    for frame in (0, 1, 23, 24, 99, 1000, 123456):
        read = timecode(timecode_of(frame, info))
        assert read is not None
        assert read.frame(info) == frame
    assert timecode_of(86400, replace(INFO, fps=NTSC)) == "01:00:00:00"
    assert timecode_of(239, replace(INFO, fps=Fraction(240))) == "00:00:00:239"


@pytest.mark.parametrize(
    "text", ["1:2:", "00:60:00:00", "00:00:60:00", "00:00:00:-1", "a:b:c:d", "00:00:00:00:00", "0:0:0:1 + x"]
)
def test_other_texts_are_no_timecode(text: str) -> None:
    assert timecode(text) is None
    with pytest.raises(UsageError, match="is not a time"):
        clip_time(text)


def test_what_a_clip_does_not_have() -> None:
    with pytest.raises(UsageError, match="no frame 25"):
        Timecode(0, 25).frame(INFO)
    with pytest.raises(UsageError, match="variable frame rate"):
        Timecode(0, 1).frame(replace(INFO, vfr=True))
    with pytest.raises(UsageError, match="Drop-frame timecode is for"):
        Timecode(1, 6, drops=True).frame(INFO)


@pytest.mark.parametrize(
    ("fps", "frame", "text"),
    [
        (NTSC_30, 0, "00:00:00;00"),
        (NTSC_30, 1799, "00:00:59;29"),
        (NTSC_30, 1800, "00:01:00;02"),
        (NTSC_30, 17981, "00:09:59;29"),
        (NTSC_30, 17982, "00:10:00;00"),
        (NTSC_30, 107892, "01:00:00;00"),
        (NTSC_60, 3599, "00:00:59;59"),
        (NTSC_60, 3600, "00:01:00;04"),
        (NTSC_60, 35964, "00:10:00;00"),
    ],
)
def test_drop_frame_timecode_leaves_names_out(fps: Fraction, frame: int, text: str) -> None:
    info = replace(INFO, fps=fps, frames=200_000, timecode=StartTimecode(0, drops=True))
    assert timecode_of(frame, info) == text
    for written in (text, text.replace(";", ":")):
        read = timecode(written)
        assert read is not None
        assert read.frame(info) == frame


@pytest.mark.parametrize("fps", [NTSC_30, NTSC_60])
def test_each_drop_frame_name_is_that_of_one_frame(fps: Fraction) -> None:
    names = frame_names(replace(INFO, fps=fps, timecode=StartTimecode(0, drops=True)))
    numbers = [names.number(frame) for frame in range(0, names.day, 211)]
    assert [names.frame(number) for number in numbers] == list(range(0, names.day, 211))
    assert not any(map(names.is_dropped, numbers))
    assert (names.is_dropped(names.base * 60), names.is_dropped(names.base * 600)) == (True, False)
    assert names.frame(names.base * 60) == names.frame(names.base * 60 + names.base // 15) == names.base * 60
    with pytest.raises(UsageError, match=r"leaves out 00:01:00;00.\nThe next frame is 00:01:00;0"):
        Timecode(60, 0).frame(replace(INFO, fps=fps, timecode=StartTimecode(0, drops=True)))


def test_a_clip_counts_from_its_own_timecode() -> None:
    info = replace(INFO, frames=100, timecode=StartTimecode(90_000 + 5))
    assert (timecode_of(0, info), timecode_of(30, info)) == ("01:00:00:05", "01:00:01:10")
    assert length_of(100, info) == "00:00:04:00"
    assert [clip_time(text).time_on(Timeline.constant(100, Fraction(25)), info) for text in (
        "01:00:01:10", "01:00:04:05", "f30", "1.2",
    )] == [Fraction(6, 5), 4, Fraction(6, 5), Fraction(6, 5)]  # fmt: skip
    with pytest.raises(UsageError, match=r"00:00:01:00 is outside the clip.* 01:00:00:05 to 01:00:04:05"):
        Timecode(1, 0).frame(info)
    with pytest.raises(UsageError, match=r"01:00:04:06 is outside the clip"):
        Timecode(3604, 6).frame(info)
    with pytest.raises(UsageError, match="own timecode is not drop-frame"):
        Timecode(3600, 6, drops=True).frame(info)


def test_names_start_anew_at_midnight() -> None:
    info = replace(INFO, frames=100, timecode=StartTimecode(86400 * 25 - 10))
    assert [timecode_of(frame, info) for frame in (9, 10)] == ["23:59:59:24", "00:00:00:00"]
    assert [Timecode(secs, 24).frame(info) for secs in (86399, 0)] == [9, 34]


def test_an_export_takes_timecode() -> None:
    timeline = Timeline.constant(200, Fraction(25))

    def job(info: Any, start: str = "00:00:00:05", end: str = "00:00:01:00", sample_at: str = "") -> Any:
        given: JobArguments = {"start": clip_time(start), "end": clip_time(end)}
        if sample_at:
            given |= {"sample": 1, "sample_at": clip_time(sample_at)}
        return job_from_arguments(
            info, Path("out.mp4"), given,
            timeline=timeline, model=None, device=None, options=DEFAULT_OPTIONS, across_cuts="hold",
        )  # fmt: skip

    def ends(job: Any) -> Any:
        return job.segment.start_secs, job.segment.end_secs

    assert ends(job(INFO)) == (Fraction(1, 5), 1)
    assert ends(job(INFO, "f5", "50%")) == (Fraction(1, 5), 4)
    own = replace(INFO, timecode=StartTimecode(250))
    assert ends(job(own, "00:00:10:05", "00:00:11:00")) == (Fraction(1, 5), 1)
    assert ends(job(INFO, "0", "8", "f50")) == (2, 3)
    uneven = Timeline(np.array([0, 10, 90, 99], np.int64), Fraction(1, 100), 100)
    assert clip_time("f1").time_on(uneven, replace(INFO, vfr=True)) == Fraction(1, 10)
    with pytest.raises(UsageError, match="variable"):
        job(replace(INFO, vfr=True))


@pytest.mark.parametrize(
    "option", ["decode a.mp4 -o a.png --time", "export a b.mp4 --sample 1 --sample-at", "export a b.mp4 --end"]
)
def test_the_command_line_takes_any_time(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no time is refused before the clip is looked for, and what is one is not."""
    for time, word in (("30 p", "is not a time"), ("50%", "no file"), ("00:00:01;06", "no file"), ("f3", "no file")):
        with pytest.raises(SystemExit):
            app([*option.split(), time], prog_name="videoinr")
        assert word in " ".join(capsys.readouterr().err.lower().split())


def test_with_a_curve_the_time_of_a_picture_is_one_of_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app(["decode", "a.mp4", "-o", "a.png", "--time", "f3", "--retime", "0=0 1=1"], prog_name="videoinr")
    assert end.value.code == 2
    assert "is one of the output" in capsys.readouterr().err
