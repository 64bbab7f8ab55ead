"""Crop previews: which clip pixels are encoded, on which grid the draft lies, and what the engine makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import Cancelled
from videoinr.geometry import Grid, Rect
from videoinr.model.encoders.motion_prior_bands import BandEncoder, EncodedPart
from videoinr.model.encoders.path_bend import CoarseSearch
from videoinr.render.crop_preview import (
    LEAST_MARGIN_PX,
    MARGIN_PX,
    STEP_PX,
    crop_around,
    is_enough,
    on_whole_pixels,
    query_on_crop,
)
from videoinr.render.engine import Engine, open_engine
from videoinr.types import Instant, Quality, RegionQuery
from videoinr_resources import path as resource

CLIP = Grid(320, 180)
CPU = torch.device("cpu")
MIDDLE = Instant(13, Fraction(1, 2))


def test_the_crop_is_the_visible_pixels_and_a_margin_on_whole_steps() -> None:
    grid = Grid(1280, 720)
    crop = crop_around(RegionQuery(MIDDLE, grid, Rect(500, 300, 240, 180)), CLIP)
    assert crop == Rect(104, 56, 104, 80)  # shown: 125 ... 185, 75 ... 120
    assert crop_around(RegionQuery(MIDDLE, grid, Rect(0, 0, 100, 100)), CLIP) == Rect(0, 0, 48, 48)
    assert crop_around(RegionQuery(MIDDLE, grid, Rect(1200, 700, 80, 20)), CLIP) == Rect(280, 152, 40, 28)


def test_no_crop_is_larger_than_half_of_the_frame() -> None:
    grid = Grid(640, 360)
    assert crop_around(RegionQuery(MIDDLE, grid, grid.rect), CLIP) is None
    assert crop_around(RegionQuery(MIDDLE, grid, Rect(0, 0, 320, 360)), CLIP) is None
    assert crop_around(RegionQuery(MIDDLE, grid, Rect(0, 0, 280, 340)), CLIP) is not None


@given(
    scale=st.floats(0.25, 32),
    corners=st.tuples(*(st.floats(0, 1) for _ in range(4))),
    clip=st.tuples(st.integers(30, 400), st.integers(30, 400)),
)
def test_the_crop_covers_the_visible_pixels(
    scale: float, corners: tuple[float, float, float, float], clip: tuple[int, int]
) -> None:
    size = Grid(*clip)
    grid = Grid(*clip).scaled(scale)
    (left, right), (top, bottom) = sorted(corners[:2]), sorted(corners[2:])
    x, y = int(left * (grid.width - 1)), int(top * (grid.height - 1))
    rect = Rect(x, y, 1 + int((right - left) * (grid.width - 1 - x)), 1 + int((bottom - top) * (grid.height - 1 - y)))
    query = RegionQuery(MIDDLE, grid, rect)
    crop = crop_around(query, size)
    if crop is None:
        return
    assert is_enough(crop, query, size)
    assert size.rect.contains(crop)
    assert all(edge % STEP_PX == 0 for edge in (crop.x, crop.y))
    whole = on_whole_pixels(query, size)
    assert whole.grid.width % size.width == whole.grid.height % size.height == 0
    assert whole.grid.width <= max(grid.width, size.width)
    inner = query_on_crop(crop, whole, size)  # that it lies inside, its constructor sees to
    assert (inner.rect.width, inner.rect.height) == (whole.rect.width, whole.rect.height)
    assert inner.grid.width * size.width == whole.grid.width * crop.width


def test_a_crop_is_kept_for_a_moving_view_until_its_margin_is_used_up() -> None:
    grid = Grid(1280, 720)
    crop = crop_around(RegionQuery(MIDDLE, grid, Rect(512, 256, 256, 128)), CLIP)
    assert crop is not None
    moved = 4 * (MARGIN_PX - LEAST_MARGIN_PX)
    assert is_enough(crop, RegionQuery(MIDDLE, grid, Rect(512 + moved, 256, 256, 128)), CLIP)
    assert not is_enough(crop, RegionQuery(MIDDLE, grid, Rect(512 + moved + 36, 256, 256, 128)), CLIP)


# ---- the engine's previews ----


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(resource("demo/demo.mp4"), device="cpu") as opened:
        yield opened


def quarter(phase: Fraction = Fraction(1, 2)) -> RegionQuery:
    return RegionQuery(Instant(13, phase), Grid(960, 540), Rect(240, 135, 480, 270))


def test_a_preview_is_close_to_the_full_picture(engine: Engine) -> None:
    query = quarter()
    crop = crop_around(query, CLIP)
    assert crop is not None
    preview = engine.preview(query, crop, NEVER)
    assert not engine.is_encoded(13)
    assert preview.quality is Quality.DRAFT
    assert preview.query == query  # three pixels for each of the clip's: as it was asked for
    motion, full = engine.motion(query), engine.render(query)
    error, error_of_motion = (
        np.abs(draft.rgbx[..., :3].astype(int) - full.rgbx[..., :3]).mean() for draft in (preview, motion)
    )
    assert 0 < error < 0.8  # the paths of a preview are straight
    assert error < error_of_motion / 3


def test_a_crop_is_encoded_once_for_all_instants_it_covers(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    sizes, plain = list[tuple[int, int]](), BandEncoder.encode

    def spy(work: BandEncoder, coarse: CoarseSearch, rect: Rect, dtype: torch.dtype, *, halo: bool) -> EncodedPart:
        assert not halo
        sizes.append((rect.height, rect.width))
        return plain(work, coarse, rect, dtype, halo=halo)

    monkeypatch.setattr(BandEncoder, "encode", spy)
    crop = Rect(80, 40, 80, 64)
    for phase in (Fraction(1, 4), Fraction(1, 2)):
        query = RegionQuery(Instant(20, phase), Grid(1280, 720), Rect(400, 240, 100, 80))
        engine.preview(query, crop, NEVER)
    assert sizes == [(64, 80)]
    engine.preview(RegionQuery(Instant(21, Fraction(1, 2)), Grid(1280, 720), Rect(400, 240, 100, 80)), crop, NEVER)
    engine.preview(
        RegionQuery(Instant(21, Fraction(1, 2)), Grid(1280, 720), Rect(0, 0, 100, 80)), Rect(0, 0, 48, 40), NEVER
    )
    assert sizes == [(64, 80), (64, 80), (40, 48)]


def test_a_preview_at_a_fractional_scale_covers_the_query(engine: Engine) -> None:
    grid = Grid(320, 180).scaled(3.67)
    query = RegionQuery(Instant(5, Fraction(1, 3)), grid, Rect(385, 275, 183, 122))
    crop = crop_around(query, CLIP)
    assert crop is not None
    answer = engine.preview(query, crop, NEVER).query
    assert answer.grid == Grid(3 * 320, 3 * 180)
    for asked, given_, sides in (
        ((query.rect.x, query.rect.right), (answer.rect.x, answer.rect.right), (grid.width, answer.grid.width)),
        ((query.rect.y, query.rect.bottom), (answer.rect.y, answer.rect.bottom), (grid.height, answer.grid.height)),
    ):
        assert given_[0] / sides[1] <= asked[0] / sides[0]
        assert given_[1] / sides[1] >= asked[1] / sides[0]


def test_a_cancelled_preview_keeps_no_crop(engine: Engine) -> None:
    token = CancelToken()
    token.cancel()
    query = RegionQuery(Instant(9, Fraction(1, 2)), Grid(1280, 720), Rect(400, 240, 100, 80))
    with pytest.raises(Cancelled):
        engine.preview(query, Rect(80, 40, 80, 64), token)
    assert engine.preview(query, Rect(80, 40, 80, 64), NEVER).rgbx.shape == (80, 100, 4)
