"""Times of the steps of scrubbing, by pytest-benchmark (``make bench``). In a normal test run each step runs once."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TypeVar

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import videoinr_resources
from videoinr.cancel import NEVER
from videoinr.geometry import Grid, Rect
from videoinr.render.engine import Engine, open_engine
from videoinr.render.view import coarser
from videoinr.types import Instant, Quality, RegionQuery

GRID = Grid(1280, 720)
VIEWPORT = Rect(320, 180, 320, 180)
ROUNDS = 5
Result = TypeVar("Result")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine(videoinr_resources.path("demo/demo.mp4"), device="cpu") as opened:
        yield opened


def timed(benchmark: BenchmarkFixture, work: Callable[[], Result]) -> Result:
    """Time ROUNDS calls of ``work``, and return the last result."""
    result: Result = benchmark.pedantic(work, rounds=ROUNDS)  # type: ignore[no-untyped-call]
    return result


def query(pair: int, step: int) -> RegionQuery:
    return RegionQuery(Instant(pair, Fraction(step, 97)), GRID, VIEWPORT)


def test_encode_a_pair(benchmark: BenchmarkFixture, engine: Engine) -> None:
    fresh = iter(range(engine.opened.timeline.pair_count))
    timed(benchmark, lambda: engine.encode(next(fresh), NEVER))
    assert engine.is_encoded(0)


def test_first_picture_of_a_pair(benchmark: BenchmarkFixture, engine: Engine) -> None:
    pairs = range(1 if benchmark.disabled else ROUNDS + 1)
    for pair in pairs:
        engine.encode(pair, NEVER)
    queries = (query(pair, 31) for pair in pairs)
    shown = timed(benchmark, lambda: engine.render(next(queries), Quality.FULL, NEVER))
    assert shown.rgbx.shape == (VIEWPORT.height, VIEWPORT.width, 4)


def test_same_view_at_another_time(benchmark: BenchmarkFixture, engine: Engine) -> None:
    engine.render(query(0, 1), Quality.FULL, NEVER)
    queries = (query(0, step) for step in range(2, 97))
    shown = timed(benchmark, lambda: engine.render(next(queries), Quality.FULL, NEVER))
    assert shown.quality is Quality.FULL


def test_draft_four_times_coarser(benchmark: BenchmarkFixture, engine: Engine) -> None:
    engine.render(coarser(query(0, 1), 4), Quality.DRAFT, NEVER)
    queries = (coarser(query(0, step), 4) for step in range(2, 97))
    shown = timed(benchmark, lambda: engine.render(next(queries), Quality.DRAFT, NEVER))
    assert shown.rgbx.shape[:2] == (45, 80)
