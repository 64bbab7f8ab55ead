"""Retiming: the times, the count and the rate of an export's frames, and its segment."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr.errors import UsageError
from videoinr.exporting.retime import MAX_FPS, ConstantRate, checked_fps, rate_from_scale, segment_from_marks
from videoinr.types import Segment

seconds = st.fractions(min_value=0, max_value=60, max_denominator=90_000)
lengths = st.fractions(min_value=Fraction(1, 1000), max_value=2, max_denominator=90_000)
rates = st.fractions(min_value=1, max_value=240, max_denominator=1001)
speeds = st.fractions(min_value=Fraction(1, 8), max_value=8, max_denominator=100)


@st.composite
def retimings(draw: st.DrawFn) -> ConstantRate:
    start = draw(seconds)
    return ConstantRate(Segment(start, start + draw(lengths)), draw(rates), draw(speeds))


@given(retimings())
def test_times_are_exact_and_stay_in_the_half_open_segment(retiming: ConstantRate) -> None:
    times = list(retiming.times)
    assert times[0] == retiming.segment.start_secs
    assert all(retiming.segment.start_secs <= time < retiming.segment.end_secs for time in times)
    assert all(later - earlier == retiming.speed / retiming.fps for earlier, later in pairwise(times))


@given(retimings())
def test_the_frame_count_is_the_duration_in_frames_rounded(retiming: ConstantRate) -> None:
    exact = retiming.segment.duration_secs / retiming.speed * retiming.fps
    assert len(list(retiming.times)) == retiming.frame_count
    assert (
        retiming.frame_count == 1
        or -Fraction(1, 2) < exact - retiming.frame_count < Fraction(1, 2)
        or (retiming.frame_count - exact == Fraction(1, 2))
    )
    assert retiming.duration_secs * retiming.fps == retiming.frame_count


@given(seconds, lengths, lengths, rates)
def test_adjoining_segments_share_no_instant(start: Fraction, first: Fraction, second: Fraction, fps: Fraction) -> None:
    cut = start + first
    before = set(ConstantRate(Segment(start, cut), fps).times)
    after = set(ConstantRate(Segment(cut, cut + second), fps).times)
    assert not before & after


@pytest.mark.parametrize(
    ("start", "end", "fps", "speed", "count"),
    [
        ("1/2", "3/2", "120", "1", 120),
        ("0", "1", "24000/1001", "1", 24),
        ("0", "1", "24", "1/4", 96),
        ("0", "1", "24", "2", 12),
        ("0", "1/1000", "24", "1", 1),
        ("0", "5/48", "24", "1", 3),  # 2.5 frames: half goes up
    ],
)
def test_frame_counts(start: str, end: str, fps: str, speed: str, count: int) -> None:
    segment = Segment(Fraction(start), Fraction(end))
    assert ConstantRate(segment, Fraction(fps), Fraction(speed)).frame_count == count


def test_a_time_scale_multiplies_the_mean_rate() -> None:
    assert rate_from_scale(Fraction(24000, 1001), Fraction(4)) == Fraction(96000, 1001)


@given(st.fractions(min_value=1, max_value=120), st.fractions(min_value=Fraction(1, 4), max_value=8))
def test_any_time_scale_gives_a_rate_that_can_be_written(mean_fps: Fraction, time_scale: Fraction) -> None:
    rate = rate_from_scale(mean_fps, time_scale)
    assert checked_fps(rate) == rate
    assert abs(rate - mean_fps * time_scale) < Fraction(1, 10**5)


@pytest.mark.parametrize("fps", ["0", "-24", "1001", "2997002997/125000001"])
def test_rates_that_no_file_can_hold_are_refused(fps: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_fps(Fraction(fps))
    assert caught.value.hint


def test_the_fastest_rate_is_allowed() -> None:
    assert checked_fps(Fraction(MAX_FPS)) == MAX_FPS


def test_missing_marks_stand_for_the_clips_start_and_end() -> None:
    assert segment_from_marks(Fraction(2), None, None) == Segment(Fraction(0), Fraction(2))
    assert segment_from_marks(Fraction(2), Fraction(1), None) == Segment(Fraction(1), Fraction(2))


@pytest.mark.parametrize(("start", "end"), [("1", "1"), ("3/2", "1"), ("-1", "1"), ("0", "3"), ("2", "2"), ("5", "6")])
def test_segments_outside_the_clip_or_empty_are_refused(start: str, end: str) -> None:
    with pytest.raises(UsageError):
        segment_from_marks(Fraction(2), Fraction(start), Fraction(end))


@pytest.mark.parametrize(("fps", "speed"), [("0", "1"), ("24", "0"), ("24", "-1")])
def test_a_rate_and_a_speed_are_positive(fps: str, speed: str) -> None:
    with pytest.raises(ValueError, match="above 0"):
        ConstantRate(Segment(Fraction(0), Fraction(1)), Fraction(fps), Fraction(speed))


def test_large_numbers_are_told_as_they_were_given() -> None:
    with pytest.raises(UsageError, match=r"^9999999 frames per second"):
        checked_fps(Fraction(9_999_999))
    with pytest.raises(UsageError) as caught:
        segment_from_marks(Fraction(36_000), Fraction("35999.5"), Fraction("36000.04"))
    assert str(caught.value) == "35999.5 s to 36000.04 s is outside the clip, which lasts 36000 s."
    with pytest.raises(UsageError, match=r"^3 s is outside the clip, which lasts 2 s"):
        segment_from_marks(Fraction(2), Fraction(3), None)
