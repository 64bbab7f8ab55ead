"""From a view to the pixels to decode: within the grid, and all that is visible."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr.colour import ColourSpec
from videoinr.geometry import Grid, Rect
from videoinr.render.view import MAX_SCALE, MIN_SCALE, coarser, resolve, scale_from_zoom, visible_units
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, Instant, RegionQuery, ViewState

sides = st.integers(1, 4096)
zooms = st.floats(1 / 64, 64)
shares = st.floats(-0.5, 1.5)


def clip(width: int, height: int) -> ClipInfo:
    colour = ColourSpec("bt709", "tv", "bt709", "bt709")
    fps, frames = Fraction(25), 50
    duration = frames / fps
    path = Path("clip.mp4")
    return ClipInfo(path, width, height, 0, fps, frames, duration, False, "h264", "yuv420p", 8, colour, (), False, ())


TIMELINE = Timeline.constant(50, Fraction(25))


@given(sides, sides, st.tuples(shares, shares), zooms, st.tuples(sides, sides))
def test_a_request_lies_on_its_grid_and_covers_the_visible_pixels(
    width: int, height: int, at: tuple[float, float], zoom: float, screen_px: tuple[int, int]
) -> None:
    info = clip(width, height)
    view = ViewState(Fraction(1), (at[0] * width, at[1] * height), zoom)
    request = resolve(view, info, TIMELINE, screen_px, moving=True)
    left, top, right, bottom = visible_units(view, info, screen_px)
    if request is None:
        assert right <= 0 or bottom <= 0 or left >= 1 or top >= 1
        return
    grid, rect = request.query.grid, request.query.rect
    assert grid.rect.contains(rect)
    assert rect.x <= max(0.0, left) * grid.width
    assert rect.y <= max(0.0, top) * grid.height
    assert rect.right >= min(1.0, right) * grid.width
    assert rect.bottom >= min(1.0, bottom) * grid.height
    assert request.moving


def test_below_x1_a_request_names_the_screens_own_pixels_too() -> None:
    info, screen_px = clip(1920, 1080), (1280, 720)
    view = ViewState(Fraction(1), (960.0, 540.0), 2 / 3)
    request = resolve(view, info, TIMELINE, screen_px, moving=True)
    assert request is not None
    assert request.query.grid == Grid(1920, 1080)
    assert request.on_screen == RegionQuery(request.query.instant, Grid(1280, 720), Rect(0, 0, 1280, 720))
    for zoom in (0.5, 1.0, 2.3):
        request = resolve(ViewState(Fraction(1), (960.0, 540.0), zoom), info, TIMELINE, screen_px, moving=True)
        assert request is not None
        assert request.on_screen is None


@given(zooms)
def test_the_decode_scale_gives_each_screen_pixel_one_pixel_or_up_to_two(zoom: float) -> None:
    scale = scale_from_zoom(zoom)
    assert MIN_SCALE <= scale <= MAX_SCALE
    if 1 <= zoom <= MAX_SCALE:
        assert scale == zoom
    elif MIN_SCALE <= zoom < 1:
        assert zoom <= scale < 2 * zoom or scale == 1


@given(st.integers(-400, 400), st.integers(-400, 400), st.sampled_from([1.0, 2.0, 4.0, 8.0]))
def test_panning_by_whole_screen_pixels_moves_the_rect_by_as_many_grid_pixels(dx: int, dy: int, zoom: float) -> None:
    info, screen_px = clip(1000, 800), (300, 200)
    view = ViewState(Fraction(1), (500.0, 400.0), zoom)
    panned = ViewState(view.time_secs, (500.0 + dx / zoom, 400.0 + dy / zoom), zoom)
    before = resolve(view, info, TIMELINE, screen_px, moving=False)
    after = resolve(panned, info, TIMELINE, screen_px, moving=False)
    assert before is not None
    assert after is not None
    assert before.query.grid == after.query.grid
    here, there = before.query.rect, after.query.rect
    visible_before = Rect(here.x + dx, here.y + dy, 300, 200)
    # Coordinates are floats: a row more on one side is decoded where rounding says so, but none is missing.
    assert there.contains(visible_before.intersection(after.query.grid.rect) or there)
    assert there.width <= 301
    assert there.height <= 201


def test_there_is_no_request_when_the_picture_is_out_of_view() -> None:
    view = ViewState(Fraction(0), (-1000.0, 50.0), 1.0)
    assert resolve(view, clip(100, 100), TIMELINE, (200, 200), moving=False) is None


def test_the_instant_is_that_of_the_views_time() -> None:
    request = resolve(
        ViewState(Fraction(101, 100), (50.0, 50.0), 1.0), clip(100, 100), TIMELINE, (50, 50), moving=False
    )
    assert request is not None
    assert request.query == RegionQuery(Instant(25, Fraction(1, 4)), Grid(100, 100), Rect(25, 25, 50, 50))


@given(st.data(), st.integers(1, 500), st.integers(1, 500), st.sampled_from([2, 4, 8]))
def test_a_coarser_query_covers_the_same_area_of_the_picture(
    data: st.DataObject, width: int, height: int, divisor: int
) -> None:
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    rect = Rect(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    query = RegionQuery(Instant(0, Fraction(1, 3)), Grid(width, height), rect)
    draft = coarser(query, divisor)
    assert draft.instant == query.instant
    assert draft.grid.rect.contains(draft.rect)
    across, down = Fraction(draft.grid.width, width), Fraction(draft.grid.height, height)
    assert draft.rect.x <= rect.x * across
    assert draft.rect.right >= rect.right * across
    assert draft.rect.y <= rect.y * down
    assert draft.rect.bottom >= rect.bottom * down


@pytest.mark.parametrize(("zoom", "scale"), [(0.5, 0.5), (0.51, 1.0), (0.01, 0.25), (1.0, 1.0), (3.3, 3.3), (64, 32)])
def test_known_scales(zoom: float, scale: float) -> None:
    assert scale_from_zoom(zoom) == scale
