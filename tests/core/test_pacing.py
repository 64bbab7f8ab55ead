"""The policy table of pacing: which picture comes first, at a measured speed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr.geometry import Grid
from videoinr.render.pacing import (
    AHEAD_SECS,
    COLD_SECS,
    DRAFT_DIVISORS,
    DRAFT_SECS,
    DWELL_SECS,
    HALF,
    MOVING_SECS,
    SMOOTH_SECS,
    Pacer,
    SpeedMeter,
)
from videoinr.render.view import coarser
from videoinr.types import Instant, RegionQuery, RenderRequest

speeds = st.floats(1e-10, 1e-3)
sides = st.integers(64, 5000)


def whole(grid: Grid, *, pair: int = 0, phase: Fraction = Fraction(1, 2)) -> RegionQuery:
    return RegionQuery(Instant(pair, phase), grid, grid.rect)


def pacer_at(secs_per_pixel: float, *, warm_secs_per_pixel: float | None = None) -> Pacer:
    """A pacer that knows the speed of cold pictures, and that of warm ones if it is another."""
    pacer = Pacer()
    some = whole(Grid(1000, 1000))
    for pair in range(1, 20):
        pacer.note_picture(whole(Grid(1000, 1000), pair=pair), 1e6 * secs_per_pixel)
    pacer.note_picture(some, 1e6 * secs_per_pixel)
    for _ in range(20 if warm_secs_per_pixel is not None else 0):
        pacer.note_picture(some, 1e6 * (warm_secs_per_pixel or 0))
    return pacer


@given(sides, sides, speeds)
def test_the_first_picture_is_the_finest_expected_in_time(width: int, height: int, secs_per_pixel: float) -> None:
    query = whole(Grid(width, height))
    divisor = pacer_at(secs_per_pixel).divisor_for(RenderRequest(query, moving=False))

    def expected_secs(divisor: int) -> float:
        return coarser(query, divisor).rect.area * secs_per_pixel

    assert divisor in DRAFT_DIVISORS
    slack = 1.01  # the meter approaches a speed and never quite reaches it
    if divisor != DRAFT_DIVISORS[-1]:
        assert expected_secs(divisor) <= DRAFT_SECS * slack
    if divisor > 1:
        finer = DRAFT_DIVISORS[DRAFT_DIVISORS.index(divisor) - 1]
        assert expected_secs(finer) * slack > DRAFT_SECS


@given(sides, sides, speeds)
def test_a_moving_view_gets_60_hz_where_half_density_allows_it(width: int, height: int, speed: float) -> None:
    query = whole(Grid(width, height))
    divisor = pacer_at(speed).divisor_for(RenderRequest(query, moving=True))
    half_secs = coarser(query, HALF).rect.area * speed
    if half_secs < SMOOTH_SECS * 0.99:
        assert divisor <= HALF
    if query.rect.area * speed < SMOOTH_SECS * 0.99:
        assert divisor == 1
    if divisor == 1:
        assert query.rect.area * speed <= DRAFT_SECS * 1.3


def test_a_view_that_stays_is_warm_and_a_view_that_changes_is_cold() -> None:
    pacer = pacer_at(1e-6, warm_secs_per_pixel=1e-7)
    grid = Grid(640, 360)

    def ask(grid: Grid, pair: int) -> int:
        return pacer.divisor_for(RenderRequest(whole(grid, pair=pair), moving=True))

    assert ask(grid, 3) > 1, "not seen before: cold"
    assert ask(grid, 3) <= HALF, "only time moves"
    assert ask(grid, 4) > HALF, "another pair: cold"
    assert ask(Grid(650, 366), 4) > HALF, "another zoom: cold"


def test_a_moving_view_waits_for_a_slow_first_picture_only_where_that_is_short() -> None:
    query = RenderRequest(whole(Grid(1000, 1000), pair=50), moving=True)
    for cold_secs, divisor in ((0.9 * COLD_SECS, 1), (1.5 * COLD_SECS, HALF)):
        pacer = pacer_at(cold_secs / 1e6, warm_secs_per_pixel=0.1 * SMOOTH_SECS / 1e6)
        pacer.divisor_for(query)
        assert pacer.divisor_for(query) == divisor
        pacer.note_picture(query.query, SMOOTH_SECS / 10)
        assert pacer.divisor_for(query) == 1, "it is there"


def test_inputs_that_come_slowly_get_drafts_that_take_as_long() -> None:
    request = RenderRequest(whole(Grid(1000, 1000)), moving=True)
    speed = (MOVING_SECS + DRAFT_SECS) / 2 / 1e6 * HALF**2
    for interval_secs, divisor in ((0.0, 3), (MOVING_SECS, 3), (DRAFT_SECS, HALF), (1.0, HALF)):
        assert pacer_at(speed).divisor_for(request, interval_secs) == divisor
    assert pacer_at(2 * speed).divisor_for(request, 1.0) > HALF, "never longer than at rest"


def test_small_changes_of_speed_do_not_change_the_density() -> None:
    query = RenderRequest(whole(Grid(1000, 1000)), moving=True)
    pacer = pacer_at(MOVING_SECS / 1e6 * HALF**2 * 0.95)
    assert pacer.divisor_for(query) == HALF
    pacer.note_picture(whole(Grid(1000, 1000), pair=77), MOVING_SECS * HALF**2 * 1.2)
    assert pacer.divisor_for(query) == HALF
    for pair in range(100, 120):
        pacer.note_picture(whole(Grid(1000, 1000), pair=pair), MOVING_SECS * HALF**2 * 1.5)
    assert pacer.divisor_for(query) > HALF
    for pair in range(200, 220):
        pacer.note_picture(whole(Grid(1000, 1000), pair=pair), MOVING_SECS * HALF**2 * 0.95)
    assert pacer.divisor_for(query) > HALF, "too little faster"
    for pair in range(300, 320):
        pacer.note_picture(whole(Grid(1000, 1000), pair=pair), MOVING_SECS * HALF**2 * 0.7)
    assert pacer.divisor_for(query) == HALF


def test_a_quick_full_picture_needs_no_draft() -> None:
    query = whole(Grid(1280, 720))
    for moving in (False, True):
        assert pacer_at(1e-9).divisor_for(RenderRequest(query, moving)) == 1
        assert pacer_at(1e-5).divisor_for(RenderRequest(query, moving)) == DRAFT_DIVISORS[-1]


def test_only_a_slow_encoding_waits_for_the_view_to_dwell() -> None:
    pacer = Pacer()
    assert pacer.dwell_secs == DWELL_SECS
    pacer.note_encoding(0.004)
    assert pacer.dwell_secs == 0
    pacer.note_encoding(0.4)
    assert pacer.dwell_secs == DWELL_SECS


def test_another_clip_forgets_encoding_times_and_keeps_the_decoding_speed() -> None:
    pacer = pacer_at(1e-6, warm_secs_per_pixel=1e-8)
    query = RenderRequest(whole(Grid(1000, 1000)), moving=True)
    pacer.note_encoding(0.004)
    assert pacer.divisor_for(query) == 1
    pacer.forget_clip()
    assert pacer.dwell_secs == DWELL_SECS
    assert pacer.divisor_for(query) == 6, "its views are cold, at the speed known"


def test_pairs_that_take_very_long_are_not_encoded_ahead() -> None:
    pacer = Pacer()
    assert pacer.encodes_ahead
    pacer.note_encoding(AHEAD_SECS / 2)
    assert pacer.encodes_ahead
    pacer.note_encoding(AHEAD_SECS * 2)
    assert not pacer.encodes_ahead


@given(speeds, speeds)
def test_the_meter_follows_a_change_of_speed_within_three_pictures(before: float, after: float) -> None:
    meter = SpeedMeter()
    for _ in range(12):
        meter.add(100_000, 100_000 * before)
    for _ in range(3):
        meter.add(100_000, 100_000 * after)
    assert meter.secs_per_pixel == pytest.approx(after)


def test_the_first_picture_replaces_the_default_and_the_second_a_slow_first() -> None:
    meter = SpeedMeter(1.0)
    assert meter.is_guess
    meter.add(100_000, 5.0)
    assert not meter.is_guess
    assert meter.secs_per_pixel == pytest.approx(5e-5)
    meter.add(100_000, 0.001)
    assert meter.secs_per_pixel == pytest.approx(1e-8)


def test_one_slow_picture_does_not_change_the_speed() -> None:
    meter = SpeedMeter()
    for elapsed in (0.01, 0.011, 0.5, 0.009):
        meter.add(100_000, elapsed)
    assert meter.secs_per_pixel == pytest.approx(1e-7)


def test_tiny_pictures_are_not_measured() -> None:
    meter = SpeedMeter(1e-6)
    meter.add(100, 5.0)
    assert meter.expected_secs(1000) == 1e-3
