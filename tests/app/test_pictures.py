"""The stack of pictures: which regions are kept and drawn, and in which order."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from videoinr.geometry import Grid, Rect
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion
from videoinr_viewer.picture.pictures import MAX_REGIONS, PictureStack

WHOLE = (0.0, 0.0, 1.0, 1.0)
FINE, COARSE = Grid(400, 400), Grid(100, 100)


def region(
    rect: Rect, grid: Grid = FINE, *, phase: Fraction = Fraction(1, 2), quality: Quality = Quality.FULL
) -> RenderedRegion:
    query = RegionQuery(Instant(0, phase), grid, rect)
    return RenderedRegion(query, quality, np.zeros((1, 1, 4), np.uint8), 0.0)


def source() -> RenderedRegion:
    return region(COARSE.rect, COARSE, quality=Quality.SOURCE)


def test_a_region_lies_above_the_source_and_keeps_regions_that_it_does_not_cover() -> None:
    stack = PictureStack()
    base, left, right = source(), region(Rect(0, 0, 200, 400)), region(Rect(200, 0, 200, 400))
    for new in (base, left, right):
        stack.add(new)
    assert stack.to_draw(WHOLE) == [base, left, right]


def test_a_covered_region_is_removed() -> None:
    stack = PictureStack()
    old, new = region(Rect(10, 10, 50, 50)), region(Rect(0, 0, 100, 100), phase=Fraction(1, 4))
    for one in (source(), old, new):
        stack.add(one)
    assert stack.regions == [new]


def test_a_draft_lies_below_a_finer_picture_of_its_instant() -> None:
    stack = PictureStack()
    sharp, draft = region(Rect(100, 100, 100, 100)), region(COARSE.rect, COARSE, quality=Quality.DRAFT)
    for one in (source(), sharp, draft):
        stack.add(one)
    assert stack.regions == [draft, sharp]


def test_a_draft_of_another_instant_covers_a_finer_picture() -> None:
    stack = PictureStack()
    sharp = region(Rect(100, 100, 100, 100))
    draft = region(COARSE.rect, COARSE, quality=Quality.DRAFT, phase=Fraction(3, 4))
    for one in (source(), sharp, draft):
        stack.add(one)
    assert stack.regions == [draft]


def test_a_motion_draft_lies_below_what_is_finer_than_the_source_and_above_what_is_coarser() -> None:
    stack, full = PictureStack(), region(Rect(100, 100, 100, 100))
    draft = replace(region(FINE.rect, quality=Quality.MOTION), samples=COARSE)
    for one in (full, draft):
        stack.add(one)
    assert stack.regions == [draft, full]
    stack, coarse = PictureStack(), region(Rect(5, 5, 20, 20), Grid(50, 50))
    for one in (coarse, draft):
        stack.add(one)
    assert stack.regions == [draft]


def test_a_full_picture_has_the_pixels_of_the_screen_and_hides_finer_ones() -> None:
    stack = PictureStack()
    finer, full = region(FINE.rect), region(COARSE.rect, COARSE)
    for one in (finer, full):
        stack.add(one)
    assert stack.regions == [full]


def test_a_new_source_frame_is_kept_for_comparisons_below_all_regions() -> None:
    stack = PictureStack()
    stack.add(source())
    stack.add(region(FINE.rect))
    newest = source()
    stack.add(newest)
    assert stack.source is newest
    assert stack.to_draw(WHOLE) == stack.regions
    assert len(stack.regions) == 1


def test_hidden_regions_are_not_drawn() -> None:
    stack = PictureStack()
    top = region(Rect(100, 100, 200, 200))
    stack.add(source())
    stack.add(top)
    assert stack.to_draw((0.3, 0.3, 0.6, 0.6)) == [top]
    assert len(stack.to_draw(WHOLE)) == 2


def test_the_stack_keeps_a_limited_number_of_regions() -> None:
    stack = PictureStack()
    stack.add(source())
    for index in range(30):
        stack.add(region(Rect(index * 10, 0, 5, 5)))
    assert len(stack.regions) == MAX_REGIONS
    assert stack.regions[-1].query.rect.x == 290


def test_the_full_picture_of_a_query_is_found() -> None:
    stack = PictureStack()
    stack.add(source())
    full = region(Rect(0, 0, 10, 10))
    stack.add(full)
    assert stack.full_for(full.query) is full
    assert stack.full_for(region(Rect(0, 0, 11, 10)).query) is None
    assert stack.full_for(None) is None
