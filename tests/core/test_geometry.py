"""Grids, rectangles and tiles, checked pixel by pixel against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr.geometry import (
    Grid,
    Rect,
    Tile,
    rect_from_units,
    rect_on_grid,
    tile_rect,
    tiles_over,
)

sides = st.integers(1, 40)
grids = st.builds(Grid, sides, sides)
rects = st.builds(Rect, st.integers(-5, 30), st.integers(-5, 30), st.integers(1, 20), st.integers(1, 20))
units = st.floats(-0.5, 1.5, allow_nan=False)


@st.composite
def rects_in(draw: st.DrawFn, grid: Grid) -> Rect:
    x, y = draw(st.integers(0, grid.width - 1)), draw(st.integers(0, grid.height - 1))
    return Rect(x, y, draw(st.integers(1, grid.width - x)), draw(st.integers(1, grid.height - y)))


def pixels(rect: Rect) -> set[tuple[int, int]]:
    return {(x, y) for x in range(rect.x, rect.right) for y in range(rect.y, rect.bottom)}


@given(rects)
def test_the_area_of_a_rectangle_is_its_number_of_pixels(rect: Rect) -> None:
    assert len(pixels(rect)) == rect.area


@given(rects, rects)
def test_an_intersection_has_the_pixels_of_both(one: Rect, other: Rect) -> None:
    shared = one.intersection(other)
    assert (pixels(shared) if shared else set()) == pixels(one) & pixels(other)
    assert one.intersection(other) == other.intersection(one)


@given(rects, rects)
def test_a_rectangle_contains_another_if_it_has_all_its_pixels(one: Rect, other: Rect) -> None:
    assert one.contains(other) == (pixels(other) <= pixels(one))


@given(rects)
def test_a_rectangle_from_its_edges_is_the_rectangle(rect: Rect) -> None:
    assert Rect.from_edges(rect.x, rect.y, rect.right, rect.bottom) == rect


@given(st.data(), grids)
def test_slices_cut_the_rectangles_pixels_out_of_an_array(data: st.DataObject, grid: Grid) -> None:
    rect = data.draw(rects_in(grid))
    columns, rows = np.meshgrid(np.arange(grid.width), np.arange(grid.height))
    cut = set(zip(columns[rect.slices].ravel().tolist(), rows[rect.slices].ravel().tolist(), strict=True))
    assert cut == pixels(rect)
    inner = data.draw(rects_in(Grid(rect.width, rect.height)))
    within = Rect(rect.x + inner.x, rect.y + inner.y, inner.width, inner.height)
    assert within.relative_to(rect) == inner


@given(st.data(), grids, st.integers(1, 16))
def test_tiles_cover_a_rectangle_and_no_tile_misses_it(data: st.DataObject, grid: Grid, side: int) -> None:
    rect = data.draw(rects_in(grid))
    tiles = tiles_over(rect, side)
    covered = [pixels(tile_rect(tile, grid, side)) for tile in tiles]
    assert len(set(tiles)) == len(tiles)
    assert pixels(rect) <= set().union(*covered)
    assert all(cover & pixels(rect) for cover in covered)


@given(grids, st.integers(1, 16))
def test_tiles_partition_a_grid(grid: Grid, side: int) -> None:
    parts = [tile_rect(tile, grid, side) for tile in tiles_over(grid.rect, side)]
    assert sum(part.area for part in parts) == grid.rect.area
    assert set().union(*(pixels(part) for part in parts)) == pixels(grid.rect)


def test_only_the_grids_edges_cut_a_tile() -> None:
    assert tile_rect(Tile(1, 0), Grid(10, 4), 8) == Rect(8, 0, 2, 4)
    assert tile_rect(Tile(0, 0), Grid(100, 100), 8) == Rect(0, 0, 8, 8)
    assert tiles_over(Rect(7, 7, 2, 2), 8) == [Tile(0, 0), Tile(1, 0), Tile(0, 1), Tile(1, 1)]


@given(sides, sides, st.floats(0.01, 32))
def test_a_scaled_grid_is_the_nearest_one_and_never_empty(width: int, height: int, scale: float) -> None:
    grid = Grid(width, height).scaled(scale)
    for side, scaled in ((width, grid.width), (height, grid.height)):
        assert scaled >= 1
        assert abs(scaled - side * scale) <= 0.5 or scaled == 1


def test_half_a_pixel_rounds_up() -> None:
    assert Grid(5, 7).scaled(2.5) == Grid(13, 18)
    assert str(Grid(5, 7).scaled(1)) == "5x7"


@given(units, units, units, units, grids)
def test_a_box_in_unit_coordinates_gets_every_pixel_that_it_touches(
    left: float, top: float, right: float, bottom: float, grid: Grid
) -> None:
    rect = rect_from_units(left, top, right, bottom, grid)
    touched = {
        (x, y)
        for x, y in pixels(grid.rect)
        if x < right * grid.width
        and x + 1 > left * grid.width
        and y < bottom * grid.height
        and y + 1 > top * grid.height
    }
    if left < right and top < bottom:
        assert (pixels(rect) if rect else set()) == touched
    if rect:
        assert grid.rect.contains(rect)


@given(st.data(), grids, grids)
def test_a_rectangle_on_another_grid_covers_the_same_part(data: st.DataObject, source: Grid, target: Grid) -> None:
    rect = data.draw(rects_in(source))
    moved = rect_on_grid(rect, source, target)
    assert target.rect.contains(moved)
    for start, end, side, new_start, new_end, new_side in (
        (rect.x, rect.right, source.width, moved.x, moved.right, target.width),
        (rect.y, rect.bottom, source.height, moved.y, moved.bottom, target.height),
    ):
        # All of it is covered, and by less than one pixel too much on each side.
        assert new_start * side <= start * new_side < (new_start + 1) * side
        assert (new_end - 1) * side < end * new_side <= new_end * side
    assert rect_on_grid(rect, source, source) == rect


@pytest.mark.parametrize(("width", "height"), [(0, 4), (4, 0), (-1, 4)])
def test_empty_grids_and_rectangles_are_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        Grid(width, height)
    with pytest.raises(ValueError, match="at least one pixel"):
        Rect(0, 0, width, height)


def test_a_widened_rectangle_stays_on_its_grid() -> None:
    grid = Grid(20, 10)
    assert Rect(5, 4, 3, 2).widened(2, grid) == Rect(3, 2, 7, 6)
    assert Rect(1, 0, 18, 9).widened(3, grid) == grid.rect
