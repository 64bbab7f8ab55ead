"""The parsers of what users type, and the phrases that messages share."""

import contextlib
from collections.abc import Callable
from fractions import Fraction

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from videoinr.commands.options import option_parser
from videoinr.errors import UsageError
from videoinr.geometry import Grid, Rect
from videoinr.text import parsing
from videoinr.text.clip_time import clip_time, length
from videoinr.text.phrases import format_bytes, format_count, format_saved, format_secs

PARSERS: list[Callable[[str], object]] = [
    parsing.number,
    parsing.factor,
    parsing.rate,
    parsing.rate_or_factor,
    parsing.size,
    parsing.size_or_factor,
    parsing.region,
    clip_time,
    length,
]


@given(st.fractions(min_value=-100, max_value=100, max_denominator=10**6))
def test_fractions_are_parsed_exactly(value: Fraction) -> None:
    assert parsing.number(str(value)) == value


@given(st.integers(0, 10**9), st.integers(0, 9), st.sampled_from(".,"))
def test_decimals_are_parsed_exactly(digits: int, places: int, point: str) -> None:
    whole, rest = divmod(digits, 10**places)
    text = f"{whole}{point}{rest:0{places}d}" if places else str(whole)
    assert parsing.number(text) == Fraction(digits, 10**places)


@given(st.text(max_size=30) | st.text("0123456789x×,./+% fps", max_size=12))
def test_a_parser_raises_nothing_but_usage_errors(text: str) -> None:
    for parse in PARSERS:
        with contextlib.suppress(UsageError):
            assert parse(text) is not None


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("×4", "4"),
        ("x2.5", "5/2"),
        ("4x", "4"),
        ("x 1,5", "3/2"),
        ("4", "4"),
        ("1/4", "1/4"),
        ("X3/2", "3/2"),
        ("25%", "1/4"),
        ("12,5 %", "1/8"),
    ],
)
def test_factors(text: str, factor: str) -> None:
    assert parsing.factor(text) == Fraction(factor)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("60", "60"), ("24000/1001", "24000/1001"), ("24000 / 1001 fps", "24000/1001"), ("23.976 FPS", "23.976")],
)
def test_rates(text: str, rate: str) -> None:
    assert parsing.rate(text) == Fraction(rate)
    assert parsing.rate_or_factor(text) == (Fraction(rate), None)


def test_a_rate_may_be_a_factor() -> None:
    assert parsing.rate_or_factor("×4") == (None, Fraction(4))
    assert parsing.rate_or_factor("400%") == (None, Fraction(4))


@pytest.mark.parametrize("text", ["", "fast", "0", "60/0", "-5", "1e9", "×0", "x", "4x4", "fps"])
def test_texts_that_are_not_a_rate(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsing.rate_or_factor(text)
    assert caught.value.hint


def test_sizes() -> None:
    assert parsing.size("1280x720") == parsing.size(" 1280 × 720 ") == Grid(1280, 720)
    assert parsing.size_or_factor("1280X720") == (Grid(1280, 720), None)
    assert parsing.size_or_factor("×2.5") == (None, Fraction(5, 2))
    assert parsing.size_or_factor("250 %") == (None, Fraction(5, 2))


@pytest.mark.parametrize("text", ["", "big", "0x9", "×0", "9x9x9", "9", "-3x3"])
def test_texts_that_are_not_a_size(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsing.size_or_factor(text)
    assert caught.value.hint


def test_regions() -> None:
    assert parsing.region("1,2,30,40") == parsing.region("30x40+1+2") == Rect(1, 2, 30, 40)
    for text in ("0,0,10", "0,0,10,0", "-1,0,10,10", "10x10", "10x10+1", ""):
        with pytest.raises(UsageError):
            parsing.region(text)


def test_sizes_of_memory() -> None:
    texts = {"0": 0, "100": 100, "512M": 2**29, "1.5 GiB": 3 * 2**29, "2gb": 2**31, "0,5k": 512}
    assert {text: parsing.byte_count(text) for text in texts} == texts
    for text in ("", "-1", "lots", "1e9", "1GG", "M", "9" * 20):
        with pytest.raises(UsageError, match="size of memory"):
            parsing.byte_count(text)


def test_an_options_error_is_the_parsers_message_and_hint() -> None:
    with pytest.raises(UsageError) as expected:
        parsing.size("big")
    with pytest.raises(typer.BadParameter) as caught:
        option_parser(parsing.size)("big")
    assert caught.value.message == expected.value.in_words()


def test_counts_have_the_right_plural() -> None:
    assert [format_count(count, "frame") for count in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
    assert format_count(2, "copy", "copies") == "2 copies"
    assert format_saved(1, "out.mp4") == "Saved 1 frame to out.mp4"


def test_durations_are_in_words() -> None:
    assert [format_secs(secs) for secs in (0.44, 12.4, 61, 3661)] == ["0.4 s", "12 s", "1 min 01 s", "1 h 01 min"]
    assert [format_bytes(count) for count in (900, 35e6, 1.56e9)] == ["1 kB", "35 MB", "1.6 GB"]
