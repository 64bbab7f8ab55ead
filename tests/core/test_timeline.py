"""Conversions between seconds and (pair, phase): exact, half-open, and inverse to each other."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from videoinr.timeline import Timeline
from videoinr.types import Instant

RATES = [Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)]

tick_secs = st.sampled_from(
    [Fraction(1, 1000), Fraction(1, 90000), Fraction(1001, 30000), Fraction(1, 12800), Fraction(3)]
)
shares = st.fractions(0, 1, max_denominator=10**6)


@st.composite
def timelines(draw: st.DrawFn, min_frames: int = 1) -> Timeline:
    gaps = draw(st.lists(st.integers(1, 10**6), min_size=min_frames - 1, max_size=30))
    ticks = np.cumsum([0, *gaps])
    return Timeline(ticks, draw(tick_secs), int(ticks[-1]) + draw(st.integers(1, 10**6)))


@given(timelines())
def test_a_clip_starts_at_zero_and_lasts_until_its_last_frame_ends(timeline: Timeline) -> None:
    assert timeline.frame_time(0) == 0
    times = [timeline.frame_time(index) for index in range(timeline.frame_count)]
    assert sorted(set(times)) == times
    assert timeline.duration_secs > times[-1]
    assert timeline.mean_fps * timeline.duration_secs == timeline.frame_count


@given(timelines(min_frames=2), st.data())
def test_a_source_frame_is_phase_zero_of_the_pair_that_starts_there(timeline: Timeline, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, timeline.frame_count - 2))
    assert timeline.instant_from_time(timeline.frame_time(index)) == Instant(index, Fraction(0))
    assert timeline.frame_at(timeline.frame_time(index)) == index


@given(timelines(min_frames=2))
def test_the_phase_is_one_only_from_the_last_frame_on(timeline: Timeline) -> None:
    last = Instant(timeline.frame_count - 2, Fraction(1))
    assert timeline.instant_from_time(timeline.frame_time(timeline.frame_count - 1)) == last
    assert timeline.instant_from_time(timeline.duration_secs) == last
    assert timeline.instant_from_time(timeline.duration_secs + 5) == last


@given(timelines(min_frames=2), shares)
def test_times_and_instants_are_inverse(timeline: Timeline, share: Fraction) -> None:
    time = share * timeline.frame_time(timeline.frame_count - 1)
    instant = timeline.instant_from_time(time)
    assert timeline.time_from_instant(instant) == time
    assert 0 <= instant.phase <= 1


@given(timelines(min_frames=2), st.data(), st.fractions(0, Fraction(999, 1000)))
def test_instants_and_times_are_inverse(timeline: Timeline, data: st.DataObject, phase: Fraction) -> None:
    instant = Instant(data.draw(st.integers(0, timeline.pair_count - 1)), phase)
    assert timeline.instant_from_time(timeline.time_from_instant(instant)) == instant


@given(timelines(), shares, shares)
def test_instants_increase_with_time(timeline: Timeline, one: Fraction, other: Fraction) -> None:
    assume(one <= other)
    first, second = (timeline.instant_from_time(share * timeline.duration_secs) for share in (one, other))
    assert (first.pair, first.phase) <= (second.pair, second.phase)


@given(timelines(), shares)
def test_the_frame_shown_is_the_last_one_that_started(timeline: Timeline, share: Fraction) -> None:
    time = share * timeline.duration_secs
    frame = timeline.frame_at(time)
    assert timeline.frame_time(frame) <= time
    assert frame == timeline.frame_count - 1 or time < timeline.frame_time(frame + 1)


def test_times_outside_the_clip_are_clamped() -> None:
    timeline = Timeline.constant(4, Fraction(2))
    assert timeline.frame_at(Fraction(-3)) == 0
    assert timeline.frame_at(Fraction(99)) == 3
    assert timeline.instant_from_time(Fraction(-3)) == Instant(0, Fraction(0))


@pytest.mark.parametrize("fps", RATES)
def test_a_constant_rate_is_exact_however_long_the_clip(fps: Fraction) -> None:
    timeline = Timeline.constant(1_000_000, fps)
    assert timeline.mean_fps == fps
    assert timeline.duration_secs == 1_000_000 / fps
    assert timeline.frame_time(999_999) == 999_999 / fps
    assert timeline.frame_at(Fraction(999_999) / fps - Fraction(1, 10**12)) == 999_998
    assert timeline.pair_count == 999_999


def test_one_frame_makes_one_pair() -> None:
    timeline = Timeline.constant(1, Fraction(25))
    assert (timeline.frame_count, timeline.pair_count) == (1, 1)
    for time in (Fraction(0), Fraction(1, 50), Fraction(9)):
        assert timeline.instant_from_time(time) == Instant(0, Fraction(0))
    assert timeline.time_from_instant(Instant(0, Fraction(0))) == 0


@pytest.mark.parametrize(("ticks", "end"), [([], 1), ([1, 2], 3), ([0, 5, 5], 9), ([0, 5, 3], 9), ([0, 5], 5)])
def test_invalid_timelines_are_refused(ticks: list[int], end: int) -> None:
    with pytest.raises(ValueError, match="timeline"):
        Timeline(np.array(ticks, np.int64), Fraction(1), end)


@pytest.mark.parametrize("index", [-1, 4])
def test_the_time_of_a_missing_frame_is_an_error(index: int) -> None:
    with pytest.raises(IndexError):
        Timeline.constant(4, Fraction(2)).frame_time(index)


@given(timelines(), st.fractions(-3, 40, max_denominator=1000))
def test_a_position_in_frames_is_clamped_to_the_clip(timeline: Timeline, position: Fraction) -> None:
    instant = timeline.instant_from_position(position)
    assert instant.position == min(max(position, 0), timeline.last_frame)
    assert 0 <= instant.pair < timeline.pair_count
    assert instant == timeline.instant_from_time(timeline.time_from_instant(instant))


@pytest.mark.parametrize(
    ("instant", "frame", "is_source"),
    [
        (Instant(3, Fraction(0)), 3, True),
        (Instant(3, Fraction(1)), 4, True),
        (Instant(3, Fraction(1, 4)), 3, False),
        (Instant(3, Fraction(99, 100)), 3, False),
    ],
)
def test_the_source_frame_of_an_instant(instant: Instant, frame: int, is_source: bool) -> None:
    assert (instant.source_frame, instant.is_source) == (frame, is_source)
    assert instant.position == 3 + instant.phase
