"""Below x1: the size at which frames are encoded, and what the engine and the loop make of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr.cancel import NEVER
from videoinr.geometry import Grid, Rect
from videoinr.render import levels
from videoinr.render.engine import Engine, open_engine
from videoinr.render.levels import encoded_size, sizes_of
from videoinr.render.view import MIN_SCALE, scale_from_zoom
from videoinr.types import Instant, RegionQuery
from videoinr_resources import path as resource

CLIP = Grid(320, 180)
HALF = Grid(160, 90)
INSTANT = Instant(3, Fraction(1, 2))


@pytest.mark.parametrize(
    ("clip", "grid", "size"),
    [
        (Grid(1920, 1080), Grid(1920, 1080), Grid(1920, 1080)),
        (Grid(1920, 1080), Grid(7680, 4320), Grid(1920, 1080)),
        (Grid(1920, 1080), Grid(961, 540), Grid(1920, 1080)),
        (Grid(1920, 1080), Grid(960, 540), Grid(960, 540)),
        (Grid(1920, 1080), Grid(480, 270), Grid(480, 270)),
        (Grid(1921, 1081), Grid(1921, 1081).scaled(0.5), Grid(961, 541)),
        (Grid(640, 352), Grid(160, 88), Grid(320, 176)),
        (Grid(320, 180), Grid(80, 45), Grid(320, 180)),
    ],
    ids=str,
)
def test_frames_are_encoded_at_the_power_of_two_above_the_picture(clip: Grid, grid: Grid, size: Grid) -> None:
    assert encoded_size(clip, grid) == size
    assert size in sizes_of(clip)


@given(st.integers(16, 5000), st.integers(16, 3000), st.floats(0.1, 8))
def test_no_picture_is_finer_than_its_frames_need(width: int, height: int, zoom: float) -> None:
    clip = Grid(width, height)
    grid = clip.scaled(scale_from_zoom(zoom))
    size = encoded_size(clip, grid)
    assert size == clip or (size.width >= grid.width and size.height >= grid.height)
    assert size == clip or size.rect.area >= levels.LEAST_PX
    if MIN_SCALE <= zoom < 1 and clip.rect.area > 16 * (levels.LEAST_PX + width + height):
        assert (size.width, size.height) == (grid.width, grid.height)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(levels, "LEAST_PX", 100)
    with open_engine(resource("demo/demo.mp4"), device="cpu") as opened:
        yield opened


def test_half_the_size_takes_a_quarter_of_the_features_and_is_a_pair_of_its_own(engine: Engine) -> None:
    engine.encode(3, NEVER, grid=HALF)
    assert engine.is_encoded(3, grid=HALF)
    assert not engine.is_encoded(3)
    held = engine._pairs.cache.get(engine._pairs.key(engine._footings.nearest(INSTANT), HALF))
    assert held is not None
    assert held.latent_hw == (90, 160)
    whole = engine.render(RegionQuery(INSTANT, HALF, HALF.rect)).rgbx
    part = Rect(30, 11, 77, 50)
    np.testing.assert_array_equal(engine.render(RegionQuery(INSTANT, HALF, part)).rgbx, whole[part.slices])
    assert not engine.is_encoded(3), "no frame was encoded at the clip's size"
    engine.render(RegionQuery(INSTANT, CLIP, Rect(0, 0, 16, 16)))
    assert engine.is_encoded(3)
    np.testing.assert_array_equal(engine.render(RegionQuery(INSTANT, HALF, HALF.rect)).rgbx, whole)
    engine.keep_only(Instant(5, Fraction(0)))
    assert not engine.is_encoded(3, grid=HALF)


def test_a_small_picture_has_the_brightness_and_place_of_the_frames(engine: Engine) -> None:
    shown = engine.render(RegionQuery(Instant(3, Fraction(0)), HALF, HALF.rect)).rgbx[..., :3].astype(float)
    frame = engine.clip.frame(3)[..., :3].astype(float)
    shrunk = frame.reshape(90, 2, 160, 2, 3).mean((1, 3))
    assert abs(shown.mean() - shrunk.mean()) < 0.5
    inner = np.s_[4:-4, 4:-4]
    errors = {
        (x, y): np.abs(np.roll(shown, (y, x), (0, 1)) - shrunk)[inner].mean() for x in (-1, 0, 1) for y in (-1, 0, 1)
    }
    assert min(errors, key=lambda shift: errors[shift]) == (0, 0)
    assert errors[0, 0] < 4
