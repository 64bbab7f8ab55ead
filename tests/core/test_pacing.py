"""The policy table of pacing: which picture comes first, at a measured speed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from videoinr.pacing import DRAFT_DIVISORS, DRAFT_SECS, SpeedMeter, draft_divisor

speeds = st.floats(1e-10, 1e-3)
areas = st.integers(1, 40_000_000)


@given(areas, speeds)
def test_the_first_picture_is_the_finest_that_comes_in_time(pixels: int, secs_per_pixel: float) -> None:
    meter = SpeedMeter(secs_per_pixel)
    divisor = draft_divisor(pixels, meter)
    assert divisor in DRAFT_DIVISORS
    if divisor != DRAFT_DIVISORS[-1]:
        assert meter.expected_secs(pixels // divisor**2) <= DRAFT_SECS
    if divisor > 1:
        assert meter.expected_secs(pixels // (divisor // 2) ** 2) > DRAFT_SECS


def test_full_comes_at_once_when_it_is_quick() -> None:
    assert draft_divisor(1280 * 720, SpeedMeter(1e-9)) == 1
    assert draft_divisor(1280 * 720, SpeedMeter(1e-5)) == DRAFT_DIVISORS[-1]


@given(speeds, speeds)
def test_the_meter_follows_a_change_of_speed_within_a_few_pictures(before: float, after: float) -> None:
    meter = SpeedMeter(before)
    for _ in range(12):
        meter.add(100_000, 100_000 * after)
    assert abs(meter.secs_per_pixel - after) <= 0.003 * abs(before - after) + 1e-12


def test_tiny_pictures_do_not_mislead_the_meter() -> None:
    meter = SpeedMeter(1e-6)
    meter.add(100, 5.0)
    assert meter.expected_secs(1000) == 1e-3
