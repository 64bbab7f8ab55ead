"""The viewer's command line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from videoinr.text.clip_time import ClipTime
from videoinr_viewer.start.arguments import Arguments, BenchPlan, parse
from videoinr_viewer.style.theme_choice import Theme


def test_all_options_are_parsed() -> None:
    line = (
        "clip.mp4 --at 5/4 --zoom 250% --centre 100,50.5 --screenshot o.png --model lite --device cpu --theme dark"
        " --size 1280x720"
    )
    assert parse(line.split()) == Arguments(
        file=Path("clip.mp4"),
        at=ClipTime(Fraction(5, 4)),
        zoom=2.5,
        centre=(100.0, 50.5),
        screenshot=Path("o.png"),
        model="lite",
        device="cpu",
        theme=Theme.DARK,
        size=(1280, 720),
    )


def test_the_options_of_the_bench_are_parsed() -> None:
    line = "--bench clip.mp4 --seconds 2.5 --steps 100 --json"
    assert parse(line.split()).bench == BenchPlan(secs=2.5, steps=100, as_json=True)
    assert parse(["--bench", "clip.mp4"]).bench == BenchPlan()
    assert parse(["--bench", "clip.mp4"]).is_unattended
    assert not parse(["clip.mp4"]).is_unattended


def test_all_arguments_are_optional() -> None:
    assert parse([]) == Arguments()


@pytest.mark.parametrize(
    "line",
    ["--at soon", "--at -1", "--at 1/0", "--at 1e9999", "--zoom 0", "--zoom nan", "--centre 5", "--theme pink",
     "--size 0x9", "--size 5", "--nonsense", "--json", "--steps 5", "--bench --seconds 0", "--bench --steps -1",
     "--bench --screenshot o.png"],
)  # fmt: skip
def test_invalid_arguments_end_with_exit_code_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["clip.mp4", *line.split()])
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--at soon", "'soon' is not a time. Write seconds as 1.25"),
        ("--at -1", "-1 is before the clip's start"),
        ("--zoom big", "'big' is not a zoom between 0.03125 and 32"),
        ("--centre 5", "'5' is not a point X,Y"),
        ("--theme pink", "'pink' is not light, dark or system"),
        ("--size 0x9", "'0x9' is not a size WIDTHxHEIGHT of 1 to 16384 pixels a side"),
        ("--bench --seconds 0", "'0' is not a positive number"),
    ],
)
def test_the_message_names_what_was_expected(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["clip.mp4", *line.split()])
    assert message in capsys.readouterr().err


def test_version_ends_with_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("videoinr-viewer ")
