"""The x-t slice: each column is a line of pixels of that instant's picture, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.clips import write_clip
from helpers.loop_under_test import LoopUnderTest, whole
from helpers.shots import pan
from helpers.slow_renderer import Pace, SlowRenderer, gradient
from helpers.tiny_model import load_tiny_model
from videoinr.cancel import NEVER
from videoinr.clip import open_clip
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid
from videoinr.render import visible_part
from videoinr.render.engine import Engine
from videoinr.render.inquiry import Inquiry
from videoinr.render.slicing import (
    MOST_COLUMNS,
    TILE_PX,
    SliceColumn,
    SliceInquiry,
    SlicePlan,
    line_pixels,
    plan_slice,
    tile_boxes,
)
from videoinr.types import Instant, Quality, RegionQuery

CLIP = Grid(96, 60)
DIAGONAL = ((3.0, 50.5), (90.2, 4.0))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("slicing")
    path = write_clip(folder / "pan.mkv", list(pan(4, 3)), codec="ffv1")
    profile = ComputeProfile(torch.device("cpu"), tile_side=TILE_PX, feature_bytes=2**22, tile_bytes=2**22)
    with Engine(open_clip(path), load_tiny_model(folder), profile) as engine:
        yield engine


def columns_of(renderer: Engine | SlowRenderer, plan: SlicePlan) -> dict[int, SliceColumn]:
    inquiry: Inquiry | None = SliceInquiry(plan, plan.nearest_first(Fraction(0)))
    found = {}
    while inquiry is not None:
        answer, inquiry = inquiry.step(renderer, NEVER)
        assert isinstance(answer, SliceColumn)
        found[answer.column] = answer
    return found


@pytest.mark.parametrize("line", [DIAGONAL, ((0.0, 20.2), (96.0, 20.2)), ((40.5, 0.0), (40.5, 60.0))])
def test_a_column_is_a_line_of_the_picture_of_its_instant(
    engine: Engine, line: tuple[tuple[float, float], tuple[float, float]]
) -> None:
    plan = SlicePlan(line, CLIP.scaled(2.5), 0, 1, 2)
    found = columns_of(engine, plan)
    assert sorted(found) == list(range(5))
    assert [found[column].left for column in plan.nearest_first(Fraction(0))] == [4, 3, 2, 1, 0]
    pixels = line_pixels(line, CLIP, plan.grid)
    for column, answer in found.items():
        picture = engine.render(RegionQuery(plan.instant(column), plan.grid, plan.grid.rect), Quality.FULL).rgbx
        assert np.array_equal(answer.rgb, picture[pixels[:, 1], pixels[:, 0], :3]), column
    assert [plan.instant(column).is_source for column in range(5)] == [True, False, True, False, True]
    if line[0][1] == line[1][1]:
        assert len(pixels) == plan.grid.width, "a line across the picture has all pixels of its row"


def test_only_the_tiles_of_the_line_are_decoded() -> None:
    renderer = SlowRenderer(width=1280, height=720)
    plan = SlicePlan(((100.0, 100.0), (1200.0, 500.0)), Grid(1280, 720), 3, 3, 1)
    inquiry = SliceInquiry(plan, (0,))
    answer, rest = inquiry.step(renderer, NEVER)
    assert rest is None
    assert isinstance(answer, SliceColumn)
    decoded = [query for query in renderer.asked("full") if isinstance(query, RegionQuery)]
    assert sum(query.rect.area for query in decoded) < 0.1 * 1280 * 720
    pixels = line_pixels(plan.line, Grid(1280, 720), plan.grid)
    whole_picture = gradient(RegionQuery(plan.instant(0), plan.grid, plan.grid.rect), Fraction(3, 50))
    assert np.array_equal(answer.rgb, whole_picture[pixels[:, 1], pixels[:, 0], :3])


ALONG = st.tuples(st.floats(0, 96), st.floats(0, 60))


@given(ALONG, ALONG, st.floats(0.3, 9))
def test_the_pixels_of_a_line_follow_it_without_gaps(
    start: tuple[float, float], end: tuple[float, float], scale: float
) -> None:
    grid = CLIP.scaled(scale)
    pixels = line_pixels((start, end), CLIP, grid)
    assert len(pixels) >= 1
    assert (pixels >= 0).all()
    assert (pixels < (grid.width, grid.height)).all()
    assert np.abs(np.diff(pixels, axis=0)).max(initial=0) <= 2
    taken = np.concatenate([indices for indices, _ in tile_boxes(pixels)])
    assert taken.tolist() == list(range(len(pixels)))
    for indices, rect in tile_boxes(pixels):
        assert rect.width <= TILE_PX >= rect.height
        assert (pixels[indices] >= (rect.x, rect.y)).all()
        assert (pixels[indices] < (rect.right, rect.bottom)).all()


def test_a_plan_stays_within_clip_and_budget() -> None:
    clip = Grid(1920, 1080)
    plan = plan_slice(((-50.0, 540.0), (3000.0, 541.0)), clip, scale=8.0, pairs=(-6, 6), pair_count=100)
    assert plan.line == ((0.0, 540.0), (1920.0, 541.0))
    assert (plan.first, plan.last, plan.steps, plan.columns) == (0, 6, 8, 57)
    assert len(line_pixels(plan.line, clip, plan.grid)) <= 512
    short = plan_slice(((10.0, 10.0), (42.0, 10.0)), clip, scale=8.0, pairs=(99, 300), pair_count=100)
    assert short.grid == clip.scaled(8.0)
    assert (short.first, short.last) == (99, 99)
    assert short.instant(8) == Instant(99, Fraction(1))
    long = plan_slice(((0.0, 0.0), (9.0, 0.0)), clip, scale=1.0, pairs=(0, 400), pair_count=1000)
    assert long.steps == 1
    assert long.columns <= MOST_COLUMNS


def test_pairs_come_nearest_first_and_every_column_once() -> None:
    plan = SlicePlan(DIAGONAL, CLIP, 10, 14, 4)
    order = plan.nearest_first(Fraction(25, 2))
    assert sorted(order) == list(range(plan.columns))
    assert {plan.instant(column).pair for column in order[:4]} == {12}
    assert [plan.instant(column).pair for column in order[4:12:4]] in ([11, 13], [13, 11])


def test_the_tile_is_the_decoders() -> None:
    assert TILE_PX == visible_part.TILE_PX


def test_pictures_come_between_the_columns(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(secs_per_pixel=1e-6))
    bench.open()
    plan = SlicePlan(((0.0, 5.0), (160.0, 80.0)), Grid(160, 90), 0, 9, 8)
    bench.loop.inquire(SliceInquiry(plan, plan.nearest_first(Fraction(5))))
    bench.told.wait_for(lambda: len(bench.told.answers) > 2)
    bench.ask(whole(4))
    bench.told.wait_for_full(whole(4))
    before = len(bench.told.answers)
    assert before < plan.columns
    bench.told.wait_for(lambda: len(bench.told.answers) == plan.columns)
    assert {one.column for one in bench.told.answers if isinstance(one, SliceColumn)} == set(range(plan.columns))
