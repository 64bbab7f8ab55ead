"""What playback shows along a retime curve and as a camera flies: the pictures of an export, each kept once."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from videoinr.geometry import Grid, Rect
from videoinr.journey.curve import CurveRate, curve_from_text
from videoinr.playing.cache import PlayCache
from videoinr.playing.plan import Flight, PlayPlan, play_times, times_along
from videoinr.playing.times import CurveTimes
from videoinr.timeline import Timeline
from videoinr.types import Quality, RegionQuery, RenderedRegion, Segment

GRID = Grid(16, 9)
TIMELINE = Timeline.constant(32, Fraction(12))


def plan_of(start: Fraction, end: Fraction, *, step: Fraction = Fraction(1, 24), rect: Rect | None = None) -> PlayPlan:
    """Return the plan of plain playback."""
    return PlayPlan("a", TIMELINE, play_times(TIMELINE, Segment(start, end), step), GRID, rect or GRID.rect)


def fill(cache: PlayCache) -> int:
    """Render what ``cache`` wants, as the render loop does; return how many pictures that were."""
    count = 0
    while (query := cache.next_wanted("a")) is not None:
        pixels = np.zeros((query.rect.height, query.rect.width, 4), np.uint8)
        cache.put("a", RenderedRegion(query, Quality.FULL, pixels, 0.01))
        count += 1
    return count


THERE_AND_BACK = curve_from_text("0=0 1=1 2=0 3=0 4=1/2")


def along(curve: str, *, step: Fraction = Fraction(1, 24), flight: Flight | None = None) -> PlayPlan:
    times = times_along(TIMELINE, curve_from_text(curve), step)
    return PlayPlan("a", TIMELINE, times, GRID, GRID.rect, flight=flight)


@pytest.mark.parametrize("curve", ["0=1/3 1=4/3", "0=1/3 1/2=5/6 1=4/3"])
@pytest.mark.parametrize("speed", [Fraction(1), Fraction(1, 2)])
def test_a_straight_curve_shows_the_pictures_of_plain_playback(curve: str, speed: Fraction) -> None:
    plain = plan_of(Fraction(1, 3), Fraction(4, 3), step=speed / 24)
    assert along(curve, step=speed / 24) == plain


def test_a_straight_curve_of_double_speed_shows_those_of_double_speed() -> None:
    assert along("0=0 1=2") == plan_of(Fraction(0), Fraction(2), step=Fraction(2, 24))


def test_the_pictures_along_a_curve_are_those_of_an_export() -> None:
    rate = CurveRate(THERE_AND_BACK, Fraction(24))
    plan = along(str(THERE_AND_BACK))
    assert [plan.times.time(index) for index in range(plan.count)] == list(rate.times)
    assert [plan.query(index).instant for index in range(plan.count)] == [
        TIMELINE.instant_from_time(time) for time in rate.times
    ]


def test_a_picture_that_a_curve_shows_again_has_all_its_places() -> None:
    plan = along(str(THERE_AND_BACK))
    assert isinstance(plan.times, CurveTimes)
    assert plan.places(plan.key(0)) == (0, *range(48, 73))
    assert plan.places(plan.key(6)) == (6, 42, 84)
    assert all(index in plan.places(plan.key(index)) for index in range(plan.count))
    assert plan.times.index_of(Fraction(5, 2)) == 60
    assert plan.times.index_of(Fraction(-1)) == 0
    assert plan.times.index_of(Fraction(9)) == plan.count - 1
    assert plan.times.index_at(Fraction(1, 2)) == 12
    assert (plan.times.start_secs, plan.times.end_secs) == (Fraction(0), Fraction(1))


def test_the_cache_renders_a_picture_of_a_curve_once() -> None:
    plan = along(str(THERE_AND_BACK))
    with PlayCache(10**9) as cache:
        cache.set_plan(plan)
        different = {plan.query(index) for index in range(plan.count)}
        assert fill(cache) == len(different) < plan.count
        coverage = cache.coverage()
        assert coverage.done == coverage.wanted == plan.count
        cache.set_plan(plan_of(Fraction(0), Fraction(1, 2)))
        cache.set_plan(plan)
        assert cache.next_wanted("a") is None, "they are found again"
        assert cache.coverage().done == plan.count


@dataclass(frozen=True)
class Nearer:
    """Flies into the picture, and rests there from ``until`` on."""

    until: Fraction

    def region(self, time_secs: Fraction) -> tuple[Grid, Rect]:
        near = int(min(time_secs, self.until) * 24)
        return GRID.scaled(1 + near / 24), Rect(near, 0, 8, 8)

    def place(self, time_secs: Fraction) -> tuple[tuple[float, float], float]:
        raise NotImplementedError("the window asks for it alone")


def test_a_flight_says_what_is_in_view() -> None:
    plan = along("0=0 1=1", flight=Nearer(Fraction(1, 2)))
    assert [plan.query(index).rect.x for index in (0, 5, 12, 20)] == [0, 5, 12, 12]
    assert plan.query(3).grid == GRID.scaled(1 + 3 / 24)
    assert [plan.places(plan.key(index)) for index in range(plan.count)] == [(index,) for index in range(plan.count)]
    still = along("0=0 1=1", flight=Nearer(Fraction(0)))
    plain = plan_of(Fraction(0), Fraction(1), rect=Rect(0, 0, 8, 8))
    assert [still.key(index) for index in range(still.count)] == [plain.key(index) for index in range(plain.count)]
    with PlayCache(10**9) as cache:
        cache.set_plan(plan)
        assert fill(cache) == 24
        assert cache.coverage().done == 24


@dataclass(frozen=True)
class Counted(Flight):
    """Flies on and on. ``asked``: how often it was asked where it is."""

    asked: list[Fraction] = field(default_factory=list, compare=False)

    def region(self, time_secs: Fraction) -> tuple[Grid, Rect]:
        self.asked.append(time_secs)
        return GRID, Rect(int(time_secs * 24) % 8, 0, 8, 8)

    def place(self, time_secs: Fraction) -> tuple[tuple[float, float], float]:
        raise NotImplementedError


@pytest.mark.parametrize("curve", ["0=1 100=1 101=2", "0=0 1=1 2=0 3=1 4=0 5=1"])
@pytest.mark.parametrize("flight", [None, Counted()])
def test_looking_up_all_pictures_of_a_freeze_makes_each_query_twice_at_most(
    curve: str, flight: Counted | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, made = along(curve, step=Fraction(1, 25), flight=flight), list[int]()
    query = PlayPlan.query

    def counted(self: PlayPlan, index: int) -> RegionQuery:
        made.append(index)
        return query(self, index)

    monkeypatch.setattr(PlayPlan, "query", counted)
    keys = [plan.key(index) for index in range(plan.count)]
    assert [index in plan.places(key) for index, key in enumerate(keys)] == [True] * plan.count
    assert len(made) <= 2 * plan.count
    if flight is not None:
        assert len(flight.asked) == 2 * plan.count
        flight.asked.clear()
