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
from videoinr.exporting.arguments import job_from_arguments
from videoinr.text.timecode import Timecode, clip_time, timecode, timecode_of
from videoinr.timeline import Timeline

NTSC = Fraction(24000, 1001)
INFO = SlowRenderer(Path("in.mp4")).opened.info


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
        ("1.25", Fraction(25), Fraction(5, 4)),
        ("5/4", Fraction(25), Fraction(5, 4)),
        ("1:02.5", Fraction(25), Fraction(125, 2)),
        ("1:02:03", Fraction(25), Fraction(3723)),
        ("0:00", Fraction(25), Fraction(0)),
        ("1,5 s", Fraction(25), Fraction(3, 2)),
    ],
)
def test_a_time_as_it_is_typed(text: str, fps: Fraction, secs: Fraction) -> None:
    assert clip_time(text).time_secs(replace(INFO, fps=fps)) == secs


def test_a_frame_starts_when_the_file_says() -> None:
    rounded = Timeline(np.array([0, 42, 83, 125], np.int64), Fraction(1, 1000), 167)
    for text, secs in (
        ("0:0:0:1", Fraction(42, 1000)),
        ("0:0:0:1 + 0.5", Fraction(125, 2000)),
        ("0:0:9:0", Fraction(9)),
        ("1.5", Fraction(3, 2)),
    ):
        assert clip_time(text).time_on(rounded, replace(INFO, fps=Fraction(24))) == secs


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
    with pytest.raises(UsageError, match="drop-frame"):
        timecode("00:00:01;06")


def test_an_export_takes_timecode() -> None:
    def job(info: Any) -> Any:
        return job_from_arguments(
            info, Path("out.mp4"), {"start": timecode("00:00:00:05"), "end": timecode("00:00:01:00")},
            model=None, device=None, options=DEFAULT_OPTIONS, across_cuts="hold",
        )  # fmt: skip

    assert (job(INFO).segment.start_secs, job(INFO).segment.end_secs) == (Fraction(1, 5), 1)
    with pytest.raises(UsageError, match="variable"):
        job(replace(INFO, vfr=True))


@pytest.mark.parametrize("option", ["decode a.mp4 -o a.png --time", "export a.mp4 b.mp4 --start", "export a b --end"])
def test_the_command_line_refuses_drop_frame(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app([*option.split(), "00:00:01;06"], prog_name="videoinr")
    assert end.value.code == 2
    assert "drop-frame" in capsys.readouterr().err
