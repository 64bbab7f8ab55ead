"""Sampling at arbitrary positions: identity, shifts, ramps and borders, the same by every backend."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.model import warp as warp_module
from videoinr.model.ops import sample, warp
from videoinr.model.warp import (
    Placement,
    box_read,
    corners,
    sample_as_table,
    sample_bicubic,
    sample_placed,
    unit_grid,
    weighted_rows,
)

sides = st.integers(1, 9)
seeds = st.integers(0, 2**16)


def lattice(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return x and y of every pixel, [1, H, W] each."""
    y, x = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    return x[None], y[None]


def slow_bilinear(image: Tensor, x: float, y: float) -> Tensor:
    """Sample ``image`` [H, W, C] at one position by the definition."""
    height, width = image.shape[:2]
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    out = torch.zeros(image.shape[2], dtype=torch.float64)
    for row in range(height):
        for column in range(width):
            out += max(0.0, 1 - abs(x - column)) * max(0.0, 1 - abs(y - row)) * image[row, column].double()
    return out


@settings(deadline=None)
@given(sides, sides, seeds)
def test_both_cpu_paths_and_the_definition_agree(height: int, width: int, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    image = torch.rand((1, height, width, 3), generator=rng)
    x, y = (torch.rand((1, 2, 4), generator=rng) * (side + 6) - 3 for side in (width, height))
    with torch.no_grad():
        fast = sample(image, x, y)
    plain = sample(image, x, y)
    assert fast.shape == plain.shape == (1, 2, 4, 3)
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-5)
    slow = torch.stack([slow_bilinear(image[0], float(a), float(b)) for a, b in zip(x.ravel(), y.ravel(), strict=True)])
    torch.testing.assert_close(fast.view(-1, 3).double(), slow, atol=1e-5, rtol=1e-5)


@settings(deadline=None)
@given(sides, sides)
def test_a_flow_of_zero_is_the_identity(height: int, width: int) -> None:
    image = torch.rand(1, height, width, 4)
    x, y = lattice(height, width)
    with torch.no_grad():
        assert torch.equal(sample(image, x, y), image)  # Exact, because this backend normalises no coordinates.
    torch.testing.assert_close(sample(image, x, y), image, atol=1e-5, rtol=0)
    first = image.permute(0, 3, 1, 2)
    torch.testing.assert_close(warp(first, torch.zeros(1, 2, height, width)), first, atol=1e-5, rtol=0)
    torch.testing.assert_close(sample_bicubic(first, x, y), image, atol=1e-5, rtol=0)


@settings(deadline=None)
@given(st.integers(-3, 3), st.integers(-3, 3))
def test_a_flow_of_whole_pixels_shifts_the_image_and_extends_its_border(dx: int, dy: int) -> None:
    image = torch.rand(1, 3, 8, 9)
    flow = torch.tensor([dx, dy]).float()[None, :, None, None].expand(1, 2, 8, 9)
    x = (torch.arange(9) + dx).clamp(0, 8)
    y = (torch.arange(8) + dy).clamp(0, 7)
    torch.testing.assert_close(warp(image, flow), image[:, :, y][..., x], atol=1e-5, rtol=0)


@settings(deadline=None)
@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_ramp_stays_a_ramp_away_from_the_border(dx: float, dy: float) -> None:
    x, y = lattice(12, 13)
    picture = torch.stack((x, y), dim=1)
    inner = slice(4, -4)
    for out in (
        sample(picture.permute(0, 2, 3, 1), x + dx, y + dy),
        warp(picture, torch.tensor([dx, dy])[None, :, None, None].expand(1, 2, 12, 13)).permute(0, 2, 3, 1),
    ):
        torch.testing.assert_close(out[0, inner, inner, 0], (x + dx)[0, inner, inner], atol=1e-4, rtol=0)
        torch.testing.assert_close(out[0, inner, inner, 1], (y + dy)[0, inner, inner], atol=1e-4, rtol=0)


def test_bicubic_half_way_between_pixels_has_the_weights_of_a_minus_three_quarters() -> None:
    step = torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]).expand(1, 1, 7, 7)
    x = torch.tensor([[[0.5, 1.5, 2.5, 3.5, 4.5, 5.5]]])
    out = sample_bicubic(step, x, torch.full_like(x, 3.0)).flatten()
    # The kernel with a = -3/4 at distances 1/2 and 3/2.
    torch.testing.assert_close(out, torch.tensor([0.0, -0.09375, 0.59375, 0.59375, -0.09375, 0.0]), atol=1e-5, rtol=0)


def test_positions_far_outside_read_the_border() -> None:
    image = torch.rand(1, 5, 6, 2)
    x, y = torch.tensor([[[-1e3, 1e3, -1e3, 1e3]]]), torch.tensor([[[-1e3, -1e3, 1e3, 1e3]]])
    expected = torch.stack((image[0, 0, 0], image[0, 0, -1], image[0, -1, 0], image[0, -1, -1]))[None, None]
    torch.testing.assert_close(sample(image, x, y), expected)
    with torch.no_grad():
        assert torch.equal(sample(image, x, y), expected)
    torch.testing.assert_close(sample_bicubic(image.permute(0, 3, 1, 2), x, y), expected)


def test_every_image_of_a_batch_has_its_own_positions() -> None:
    image = torch.rand(3, 4, 5, 2)
    x, y = torch.rand(3, 6, 7) * 4, torch.rand(3, 6, 7) * 3
    with torch.no_grad():
        one_by_one = torch.cat([sample(image[k : k + 1], x[k : k + 1], y[k : k + 1]) for k in range(3)])
        torch.testing.assert_close(sample(image, x, y), one_by_one, atol=1e-5, rtol=1e-5)


def test_sample_is_differentiable_in_the_image_and_in_both_coordinates() -> None:
    rng = torch.Generator().manual_seed(1)
    image = torch.rand((2, 4, 5, 2), generator=rng, dtype=torch.float64, requires_grad=True)
    # Away from whole positions, where a bilinear surface has kinks.
    x = (torch.randint(0, 4, (2, 2, 3), generator=rng) + 0.3).double().requires_grad_()
    y = (torch.randint(0, 3, (2, 2, 3), generator=rng) + 0.6).double().requires_grad_()
    assert torch.autograd.gradcheck(sample, (image, x, y))


def test_gradients_are_finite_everywhere() -> None:
    image = torch.rand(1, 4, 5, 2, requires_grad=True)
    x = torch.tensor([[[-50.0, 0.0, 2.0, 4.0, 70.0]]], requires_grad=True)
    y = torch.tensor([[[3.0, 0.0, -9.0, 90.0, 1.5]]], requires_grad=True)
    sample(image, x, y).sum().backward()  # type: ignore[no-untyped-call]
    for tensor in (image, x, y):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()


@settings(deadline=None)
@given(sides, sides, seeds)
def test_corners_lie_inside_and_their_weights_sum_to_one(height: int, width: int, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(20, generator=rng) * side for side in (width, height))
    columns, rows, weights = corners(x, y, height=height, width=width)
    assert int(columns.min()) >= 0 <= int(rows.min())
    assert int(columns.max()) < width
    assert int(rows.max()) < height
    assert float(weights.min()) >= 0
    torch.testing.assert_close(weights.sum(1), torch.ones(20))
    torch.testing.assert_close((weights * columns).sum(1), x.clamp(0, width - 1))
    torch.testing.assert_close((weights * rows).sum(1), y.clamp(0, height - 1))


def test_weighted_rows_are_a_weighted_sum() -> None:
    table, rows, weights = torch.rand(7, 3), torch.randint(0, 7, (5, 4)), torch.rand(5, 4)
    expected = (table[rows] * weights[..., None]).sum(1)
    torch.testing.assert_close(weighted_rows(table, rows, weights), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("positions", [1, 7, 60, 61])
def test_positions_that_are_read_in_parts_read_the_same(
    positions: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = Grid(12, 9), Rect(2, 3, 8, 6)
    image, x, y = torch.rand(1, 9, 12, 3).to(dtype), 2 + 7 * torch.rand(1, 5, 12), 3 + 5 * torch.rand(1, 5, 12)
    rows, columns = part.slices
    place = Placement(part, part, whole)
    with torch.inference_mode():
        at_once = sample_as_table(image, x, y)
        assert at_once.dtype == dtype
        monkeypatch.setattr(warp_module, "_POSITIONS", positions)
        assert torch.equal(sample_as_table(image, x, y), at_once)
        assert torch.equal(sample_placed(image[:, rows, columns], x, y, place), at_once)


def test_unit_grid_puts_the_outer_edges_at_one() -> None:
    grid = unit_grid(torch.tensor([[[-0.5, 1.5, 3.5]]]), torch.tensor([[[-0.5, 0.5, 1.5]]]), height=2, width=4)
    torch.testing.assert_close(grid, torch.tensor([[[[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]]]]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_warp_keeps_the_images_type(dtype: torch.dtype) -> None:
    assert warp(torch.rand(1, 2, 4, 4).to(dtype), torch.zeros(1, 2, 4, 4)).dtype == dtype


@pytest.mark.parametrize(
    ("x", "y", "box"),
    [
        ([2.0], [3.0], (2, 3, 4, 5)),  # A whole position reads its neighbour, too, with a weight of zero.
        ([2.5, 4.25], [0.0, 1.5], (2, 0, 6, 3)),
        ([-3.0, 0.5], [-1.0, -0.5], (0, 0, 2, 2)),
        ([7.5, 99.0], [5.0, 99.0], (7, 5, 8, 6)),
        ([float("nan"), 3.0], [float("inf"), 2.0], (0, 2, 5, 6)),
    ],
)
def test_the_box_of_a_bilinear_read_holds_all_that_it_reads(
    x: list[float], y: list[float], box: tuple[int, int, int, int]
) -> None:
    found = box_read(torch.tensor(x), torch.tensor(y), Grid(8, 6))
    assert (found.x, found.y, found.right, found.bottom) == box
