"""Values as text, and the parsing of typed times."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.slow_renderer import SlowRenderer
from videoinr.errors import UsageError
from videoinr.text.encoding_progress import EncodingProgress
from videoinr.timeline import Timeline
from videoinr.types import Instant
from videoinr_viewer.style.language import translations
from videoinr_viewer.style.text import (
    describe_scale,
    describe_scale_briefly,
    format_device,
    format_elapsed,
    format_instant,
    format_progress,
    format_rate,
    format_remaining,
    format_time,
    format_zoom,
    parse_time,
)

TIMELINE = Timeline.constant(250, Fraction(25))
INFO = SlowRenderer(Path("clip.mp4")).opened.info


@pytest.mark.parametrize(
    ("secs", "text"),
    [
        (Fraction(0), "0:00.000"),
        (Fraction(1234, 1000), "0:01.234"),
        (Fraction(2, 3), "0:00.666"),
        (Fraction(3723004, 1000), "1:02:03.004"),
    ],
)
def test_format_time(secs: Fraction, text: str) -> None:
    assert format_time(secs) == text


@given(st.integers(0, 9_999))
def test_parse_time_reads_what_format_time_shows(millis: int) -> None:
    secs = Fraction(millis, 1000)
    assert parse_time(format_time(secs), TIMELINE, INFO) == secs


@pytest.mark.parametrize(
    ("text", "secs"),
    [
        ("1.5", Fraction(3, 2)),
        (" 1,5 ", Fraction(3, 2)),
        (".25", Fraction(1, 4)),
        ("7 s", Fraction(7)),
        ("0:02.5", Fraction(5, 2)),
        ("f 29.5", Fraction(59, 50)),
        ("#0", Fraction(0)),
        ("F249", Fraction(249, 25)),
        ("frame 9", Fraction(9, 25)),
        ("Frame 12 + 0.250", Fraction(49, 100)),
        ("frame 12 + ,25", Fraction(49, 100)),
        ("12 + 0.250", Fraction(49, 100)),
        ("f 99999", Fraction(249, 25)),
        ("99:00", Fraction(10)),
    ],
)
def test_parse_time(text: str, secs: Fraction) -> None:
    assert parse_time(text, TIMELINE, INFO) == secs


@pytest.mark.parametrize("text", ["", "abc", "1:", "f", "-1", "1e3", ".", "1:2:3:4:5", "nan"])
def test_parse_time_returns_none_for_other_text(text: str) -> None:
    assert parse_time(text, TIMELINE, INFO) is None


@given(st.text(max_size=12))
def test_a_parsed_time_lies_in_the_clip(text: str) -> None:
    secs = parse_time(text, TIMELINE, INFO)
    assert secs is None or 0 <= secs <= TIMELINE.duration_secs


@given(st.integers(0, 248), st.integers(0, 999))
def test_parse_time_reads_the_frame_that_the_status_line_shows(pair: int, thousandths: int) -> None:
    instant = Instant(pair, Fraction(thousandths, 1000))
    assert parse_time(format_instant(instant), TIMELINE, INFO) == TIMELINE.time_from_instant(instant)


def test_parse_time_in_a_clip_of_one_frame() -> None:
    assert parse_time("f 3", Timeline.constant(1, Fraction(25)), INFO) == 0


def test_format_instant() -> None:
    assert format_instant(Instant(12, Fraction(0))) == "frame 12"
    assert format_instant(Instant(12, Fraction(1, 4))) == "frame 12 + 0.250"
    assert format_instant(Instant(12, Fraction(1))) == "frame 13"
    assert format_instant(Instant(12, Fraction(9999, 10000))) == "frame 12 + 0.999"


def test_describe_scale_names_the_trained_scales() -> None:
    assert describe_scale(4.0, (1, 4)) == ("×4 (trained for ×1–×4)", False)
    assert describe_scale(8.0, (1, 4)) == ("×8 (enlarged from ×4)", True)
    assert describe_scale(0.5, (1, 4)) == ("×0.5 (trained for ×1–×4)", False)
    assert describe_scale(1.0, (1, 4), zoom=0.66) == ("decoded at ×1 (trained for ×1–×4)", False)
    assert describe_scale(4.0, (1, 4), zoom=4.0) == ("×4 (trained for ×1–×4)", False)


def test_a_brief_description_of_the_scale_says_where_the_model_extrapolates_too() -> None:
    assert describe_scale_briefly(4.444, (1, 4)) == "×4.44 (beyond ×4)"
    assert describe_scale_briefly(2.0, (1, 4)) == "×2"
    assert describe_scale_briefly(1.0, (1, 4), zoom=0.92) == "decoded at ×1"
    assert describe_scale_briefly(32.0, (1, 4), zoom=40) == "decoded at ×32 (beyond ×4)"


def test_other_formats() -> None:
    assert format_zoom(4.123) == "412%"
    assert format_zoom(0.055) == "5.5%"
    assert format_elapsed(0.0384) == "38 ms"
    assert format_elapsed(2.13) == "2.1 s"
    assert format_rate(Fraction(24000, 1001)) == "23.976 fps"
    assert format_rate(Fraction(50)) == "50 fps"
    assert format_remaining(None) == "estimating…"
    assert format_remaining(0.1) == "about 1 s left"
    assert format_remaining(100) == "about 2 min left"
    assert format_remaining(9000) == "about 2.5 h left"


def test_the_words_about_an_encoding_are_those_of_the_engine_and_translated() -> None:
    told: list[str] = []
    clock = iter((0.0, 5.0, 9.0, 20.0, 23.0))
    progress = EncodingProgress(told.append, lambda: next(clock))
    for done, total in ((0, 100), (20, 100)):
        progress.report(done, total)
    progress.clear()
    for _ in range(2):
        progress.report(0, 0)
    assert told == ["encoding 20 %, 20 s", "", "encoding for 11 s"]
    assert [format_progress(words) for words in told] == told, "in English they stay"
    assert format_progress("something else") == "something else"
    german = translations("de")
    for pattern, text in ((told[0], "encoding {percent} %, {secs} s"), (told[2], "encoding for {secs} s")):
        assert re.fullmatch(re.sub(r"\{[a-z]+\}", "[0-9]+", text), pattern)
        assert german[text] != text


def test_the_device_is_named_in_the_language_of_the_window() -> None:
    assert format_device("CPU, 16 threads") == "CPU, 16 threads"
    assert translations("de")["CPU, {count} threads"] == "CPU, {count} Threads"
    assert format_device("NVIDIA H200 (cuda:0)") == "NVIDIA H200 (cuda:0)"


def test_parse_time_reads_timecode() -> None:
    assert parse_time("00:00:01:05", TIMELINE, INFO) == TIMELINE.frame_time(round(TIMELINE.mean_fps) + 5)
    assert parse_time("00:00:01:05 + ,5", TIMELINE, INFO) == Fraction(61, 50)
    assert parse_time("00:00:01:05 + x", TIMELINE, INFO) is None
    assert parse_time("09:00:00:00", TIMELINE, INFO) == TIMELINE.frame_time(TIMELINE.last_frame)
    uneven = replace(INFO, vfr=True)
    for text, info in (("00:00:00:01", uneven), ("00:00:01;05", INFO), ("00:00:00:99", INFO)):
        with pytest.raises(UsageError):
            parse_time(text, TIMELINE, info)
    rounded = Timeline(np.array([0, 42, 83, 125, 167, 208], np.int64), Fraction(1, 1000), 250)
    assert parse_time("00:00:00:02", rounded, INFO) == Fraction(83, 1000)
