"""Frames warped in C against plain torch, and what a picture's pixels depend on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from videoinr.cancel import NEVER
from videoinr.decode.frame_warp import FrameWarper, plane_size
from videoinr.decode.proxy_motion import MotionMaps
from videoinr.devices import profile_for
from videoinr.geometry import Grid, Rect
from videoinr.model import ops
from videoinr.model.native import build
from videoinr.types import Instant, RegionQuery

needs_library = pytest.mark.skipif(build.library() is None, reason="needs a C compiler and AVX2")
CLIP = Grid(61, 43)


@pytest.fixture(scope="module")
def warper() -> Iterator[FrameWarper]:
    made = FrameWarper(profile_for(torch.device("cpu")))
    yield made
    made.close()


def frame(seed: int, size: Grid) -> Tensor:
    """A frame as clips keep it: channels last in memory."""
    made = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (size.height, size.width, 3), generator=made, dtype=torch.uint8).permute(2, 0, 1)


def motion(reach_px: float) -> MotionMaps:
    made = torch.Generator().manual_seed(5)
    flow = reach_px * torch.randn(1, 11, 17, 4, generator=made)
    return MotionMaps(flow, torch.rand(1, 11, 17, 1, generator=made))


def query(grid: Grid, rect: Rect | None = None) -> RegionQuery:
    return RegionQuery(Instant(0, Fraction(1, 3)), grid, rect or grid.rect)


def plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "warped_rows", lambda *_: None)


def levels_apart(one: Tensor, other: Tensor) -> Tensor:
    return (one.int() - other.int()).abs()


@needs_library
@pytest.mark.parametrize("grid", [Grid(61, 43), Grid(200, 131), Grid(33, 90), Grid(61, 172)], ids=str)
@pytest.mark.parametrize("reach_px", [0.0, 2.0, 90.0])
def test_warped_frames_are_those_of_torch(
    warper: FrameWarper, grid: Grid, reach_px: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (frame(seed, plane_size(CLIP, grid)) for seed in (1, 2))
    for maps in (motion(reach_px), None):
        with monkeypatch.context() as patch:
            plainly(patch)
            plain = warper.between(first, second, maps, query(grid), NEVER)
        apart = levels_apart(warper.between(first, second, maps, query(grid), NEVER), plain)
        assert apart.max() <= 1
        assert (apart > 0).float().mean() < 2e-3


@needs_library
@pytest.mark.parametrize("size", [CLIP, Grid(1, 1), Grid(2, 3), Grid(3, 50)], ids=str)
def test_an_enlarged_frame_is_that_of_torch(warper: FrameWarper, size: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    grid, plane = Grid(3 * size.width + 1, 2 * size.height + 1), frame(3, size)
    found = warper.frame(plane, query(grid), NEVER)
    plainly(monkeypatch)
    assert levels_apart(found, warper.frame(plane, query(grid), NEVER)).max() <= 1
    assert (found[..., 3] == 255).all()


@needs_library
def test_planes_of_any_order_in_memory_give_the_same_picture(warper: FrameWarper) -> None:
    first, second, grid = frame(1, CLIP), frame(2, CLIP), Grid(100, 90)
    found = warper.between(first, second, motion(3), query(grid), NEVER)
    assert torch.equal(warper.between(first.contiguous(), second.contiguous(), motion(3), query(grid), NEVER), found)


@needs_library
def test_flows_that_are_no_numbers_or_lead_far_away_read_the_frame(warper: FrameWarper) -> None:
    maps, grid, plain = motion(1), Grid(90, 60), torch.full((3, 43, 61), 7, dtype=torch.uint8)
    for value in (float("nan"), float("inf"), -1e30, 1e30):
        maps.flow[:, 3:6] = value
        found = warper.between(plain, plain, maps, query(grid), NEVER)
        rows = found[20:28, :, :3]  # All of their flow is the value: between others, infinities give no number.
        assert ((rows == 7) | (rows == 0)).all()


@given(st.integers(0, 99), st.integers(0, 59), st.integers(1, 100), st.integers(1, 60))
def test_a_region_is_the_crop_of_the_whole(warper: FrameWarper, x: int, y: int, width: int, height: int) -> None:
    grid = Grid(100, 60)
    rect = Rect(x, y, min(width, grid.width - x), min(height, grid.height - y))
    first, second, maps = frame(1, CLIP), frame(2, CLIP), motion(4)
    whole = warper.between(first, second, maps, query(grid), NEVER)
    assert torch.equal(warper.between(first, second, maps, query(grid, rect), NEVER), whole[rect.slices])
