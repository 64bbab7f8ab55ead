"""The positions of a rectangle's pixels on the latent feature: one pixel-centre convention for every grid."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from videoinr.geometry import Grid, Rect
from videoinr.model.ops import sample
from videoinr.model.points import Axis, Points

CPU = torch.device("cpu")
sides = st.integers(1, 40)
pixels = st.integers(1, 300)


def axis(size: int, pixels: int) -> Axis:
    return Axis.make(0, pixels, grid_pixels=pixels, latent_pixels=size, device=CPU)


def over(height: int, width: int, scale: float) -> Points:
    grid = Grid(width, height).scaled(scale)
    return Points.make(grid.rect, grid, latent_hw=(height, width), device=CPU)


def ramp(height: int, width: int) -> torch.Tensor:
    """Return [1, H, W, 2]: each latent pixel holds its own (x, y)."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack((x, y), dim=-1)[None].float()


@settings(deadline=None)
@given(sides)
def test_at_x1_grid_pixels_lie_on_latent_pixels(size: int) -> None:
    line = axis(size, size)
    nearest, offset = line.nearest()
    assert torch.equal(line.position, torch.arange(size).float())
    assert torch.equal(nearest, torch.arange(size))
    assert not offset.any()


@settings(deadline=None)
@given(sides, pixels)
def test_positions_are_pixel_centres(size: int, count: int) -> None:
    line = axis(size, count)
    edges = torch.arange(count + 1).double() * size / count
    torch.testing.assert_close(line.position.double() + 0.5, (edges[1:] + edges[:-1]) / 2, atol=1e-5, rtol=1e-6)
    # The margins at the left and the right edge are equal.
    torch.testing.assert_close(line.position, size - 1 - line.position.flip(0), atol=1e-5, rtol=0)


@settings(deadline=None)
@given(st.data(), sides, pixels)
def test_a_pixel_has_the_same_position_in_every_rectangle(data: st.DataObject, size: int, count: int) -> None:
    start = data.draw(st.integers(0, count - 1))
    length = data.draw(st.integers(1, count - start))
    part = Axis.make(start, length, grid_pixels=count, latent_pixels=size, device=CPU)
    whole, span = axis(size, count), slice(start, start + length)
    for mine, theirs in zip(
        (part.index, part.position, *part.nearest(), *part.neighbours()),
        (whole.index, whole.position, *whole.nearest(), *whole.neighbours()),
        strict=True,
    ):
        assert torch.equal(mine, theirs[span])


@settings(deadline=None)
@given(sides, pixels)
def test_the_nearest_latent_pixel_plus_the_offset_is_the_position(size: int, count: int) -> None:
    line = axis(size, count)
    nearest, offset = line.nearest()
    assert int(nearest.min()) >= 0
    assert int(nearest.max()) < size
    assert float(offset.abs().max()) <= 1 + 1e-5
    torch.testing.assert_close(nearest + offset / 2, line.position)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.25, 32))
def test_a_ramp_is_reproduced_and_extended_at_the_borders(height: int, width: int, scale: float) -> None:
    points = over(height, width, scale)
    out = points.bilinear(ramp(height, width))[0]
    x, y = points.columns.position.clamp(0, width - 1), points.rows.position.clamp(0, height - 1)
    torch.testing.assert_close(out[..., 0], x[None, :].expand(out.shape[:2]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out[..., 1], y[:, None].expand(out.shape[:2]), atol=1e-5, rtol=1e-5)


def test_bilinear_equals_sample() -> None:
    latent, points = torch.rand(2, 5, 7, 3), over(5, 7, 3.3)
    x, y = points.shifted(torch.zeros(2, len(points.rows.index), len(points.columns.index), 2))
    torch.testing.assert_close(points.bilinear(latent), sample(latent, x, y), atol=1e-5, rtol=1e-5)


def test_offsets_are_x_then_y() -> None:
    grid = Grid(14, 3)
    offsets = Points.make(Rect(1, 0, 13, 3), grid, latent_hw=(3, 7), device=CPU).offsets()
    assert offsets.shape == (1, 3, 13, 2)
    torch.testing.assert_close(offsets[0, 0, :3, 0], torch.tensor([0.5, -0.5, 0.5]))
    assert not offsets[..., 1].any()


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.25, 32))
def test_a_flow_of_zero_moves_nothing(height: int, width: int, scale: float) -> None:
    points = over(height, width, scale)
    still = torch.zeros(1, len(points.rows.index), len(points.columns.index), 2)
    x, y = points.shifted_on_grid(still)
    assert torch.equal(x[0, 0], points.columns.index.float())
    assert torch.equal(y[0, :, 0], points.rows.index.float())
    x, y = points.shifted(still)
    assert torch.equal(x[0, 0], points.columns.position)
    assert torch.equal(y[0, :, 0], points.rows.position)


@pytest.mark.parametrize("scale", [0.5, 1, 2, 2.75, 8])
def test_flow_is_in_latent_pixels_on_every_grid(scale: float) -> None:
    """The pixel of the grid and the position on the latent feature that the flow reaches are the same place."""
    points = over(8, 12, scale)
    flow = torch.randn(1, len(points.rows.index), len(points.columns.index), 2)
    (x, y), (grid_x, grid_y) = points.shifted(flow), points.shifted_on_grid(flow)
    torch.testing.assert_close((grid_x + 0.5) / points.columns.pixels_per_latent - 0.5, x, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close((grid_y + 0.5) / points.rows.pixels_per_latent - 0.5, y, atol=1e-4, rtol=1e-5)


@settings(deadline=None)
@given(st.integers(-3, 3), st.integers(-3, 3))
def test_a_flow_of_whole_pixels_shifts_the_map(dx: int, dy: int) -> None:
    latent, points = torch.rand(1, 9, 10, 2), over(9, 10, 1)
    flow = torch.tensor([float(dx), float(dy)]).expand(1, 9, 10, 2)
    moved = sample(latent, *points.shifted(flow))
    rolled = latent.roll((-dy, -dx), (1, 2))
    torch.testing.assert_close(moved[:, 3:-3, 3:-3], rolled[:, 3:-3, 3:-3], atol=1e-5, rtol=1e-5)
