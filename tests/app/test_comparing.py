"""The references that the decoded picture is compared with: exact pixels, whatever the region."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from videoinr.geometry import Grid, Rect
from videoinr.images import upsample_bicubic
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion
from videoinr_viewer.picture.comparing import Frames, Reference, difference, needs_second, reference_pixels

WIDTH, HEIGHT = 24, 14


def noise(seed: int) -> NDArray[np.uint8]:
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    return pixels


def query(grid: Grid, rect: Rect, phase: Fraction = Fraction(0)) -> RegionQuery:
    return RegionQuery(Instant(0, phase), grid, rect)


def enlarged(frame: NDArray[np.uint8], grid: Grid) -> NDArray[np.float32]:
    """The engine's own bicubic enlargement of the whole frame, 0 ... 255."""
    low = torch.from_numpy(frame[..., :3]).permute(2, 0, 1)[None].float() / 255
    big: NDArray[np.float32] = upsample_bicubic(low, height=grid.height, width=grid.width)[0].permute(1, 2, 0).numpy()
    return big * 255


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.37, 8.0])
def test_bicubic_equals_the_crop_of_the_engines_enlargement(scale: float) -> None:
    grid = Grid(WIDTH, HEIGHT).scaled(scale)
    rect = Rect(grid.width // 3, grid.height // 4, grid.width // 2, grid.height // 2)
    for part in (rect, grid.rect):
        made = reference_pixels(Frames(noise(1)), query(grid, part), Reference.BICUBIC)
        apart = np.abs(made[..., :3] - enlarged(noise(1), grid)[part.slices])
        assert made.shape == (part.height, part.width, 4)
        assert apart.max() <= 0.51
        assert (made[..., 3] == 255).all()


@given(st.integers(0, 40), st.integers(0, 20), st.integers(1, 30), st.integers(1, 20), st.floats(1, 9))
def test_a_region_of_a_reference_is_the_crop_of_the_whole(x: int, y: int, w: int, h: int, scale: float) -> None:
    grid = Grid(WIDTH, HEIGHT).scaled(scale)
    rect = Rect(x, y, w, h).intersection(grid.rect)
    if rect is None:
        return
    frames = Frames(noise(1), noise(2))
    for reference in Reference:
        whole = reference_pixels(frames, query(grid, grid.rect, Fraction(1, 3)), reference)
        part = reference_pixels(frames, query(grid, rect, Fraction(1, 3)), reference)
        assert np.array_equal(part, whole[rect.slices])


def test_source_pixels_are_squares() -> None:
    grid = Grid(WIDTH, HEIGHT).scaled(5)
    made = reference_pixels(Frames(noise(3)), query(grid, grid.rect), Reference.NEAREST)
    assert np.array_equal(made, noise(3).repeat(5, 0).repeat(5, 1))


def test_a_blend_mixes_both_frames_by_the_phase() -> None:
    grid = Grid(WIDTH, HEIGHT).scaled(2)
    frames = Frames(noise(1), noise(2))
    made = reference_pixels(frames, query(grid, grid.rect, Fraction(1, 4)), Reference.BLEND)
    wanted = 0.75 * enlarged(noise(1), grid) + 0.25 * enlarged(noise(2), grid)
    assert np.abs(made[..., :3] - wanted).max() <= 0.51
    assert needs_second(Reference.BLEND, Fraction(1, 4))
    assert not needs_second(Reference.BLEND, Fraction(0))
    assert not needs_second(Reference.BICUBIC, Fraction(1, 4))


def test_a_difference_is_multiplied_and_clipped() -> None:
    asked = query(Grid(2, 1), Rect(0, 0, 2, 1))
    decoded = RenderedRegion(asked, Quality.FULL, np.array([[[10, 200, 0, 255], [0, 0, 0, 255]]], np.uint8), 0.0)
    reference = np.array([[[20, 100, 0, 255], [1, 0, 40, 255]]], np.uint8)
    made = difference(decoded, reference, 8)
    assert made.rgbx.tolist() == [[[80, 255, 0, 255], [8, 0, 255, 255]]]
    assert made.query == asked
