"""Optical flow on known motion, and tOF."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.evaluation.optical_flow import flow_difference, optical_flow

HEIGHT, WIDTH = 96, 128


def scene(x: Tensor, y: Tensor) -> Tensor:
    """Evaluate an unbounded image at x, y (pixels): [3, H, W]. Long waves are strong, short ones weak."""
    random = torch.Generator().manual_seed(3)
    lengths_px = 3 * 30 ** torch.rand(60, generator=random)
    angles, phases = (2 * math.pi * torch.rand(60, generator=random) for _ in range(2))
    along = angles.cos()[:, None, None] * x + angles.sin()[:, None, None] * y
    waves = (2 * math.pi * along / lengths_px[:, None, None] + phases[:, None, None]).sin()
    grey = 0.5 + 0.001 * (waves * lengths_px[:, None, None]).sum(0)
    return torch.stack((grey, grey * 0.9, grey * 0.8))


def lattice() -> tuple[Tensor, Tensor]:
    return torch.arange(WIDTH).float().expand(HEIGHT, WIDTH), torch.arange(HEIGHT).float()[:, None].expand(
        HEIGHT, WIDTH
    )


def moved(dx: float, dy: float) -> Tensor:
    """Return the scene shifted by (dx, dy) pixels."""
    x, y = lattice()
    return scene(x - dx, y - dy)


def inner(flow: Tensor) -> Tensor:
    """Crop the border, where the motion moves content out of the image."""
    return flow[:, 16:-16, 16:-16]


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (1, 0), (0, -1), (0.37, 0.21), (-2.5, 1.75), (5, -4), (9, 6)])
def test_a_shift_is_found(dx: float, dy: float) -> None:
    error = inner(optical_flow(moved(0, 0), moved(dx, dy)) - torch.tensor([dx, dy]).view(2, 1, 1))
    assert error.abs().mean() < 0.03
    assert error.abs().max() < 0.5


def test_a_rotation_is_found() -> None:
    x, y = lattice()
    x, y, angle = x - WIDTH / 2, y - HEIGHT / 2, math.radians(2)
    turned = scene(x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle))
    expected = torch.stack(
        (x * (math.cos(angle) - 1) - y * math.sin(angle), y * (math.cos(angle) - 1) + x * math.sin(angle))
    )
    assert inner(optical_flow(scene(x, y), turned) - expected).abs().mean() < 0.05


def test_flow_warps_the_second_picture_onto_the_first() -> None:
    first, second = moved(0, 0), moved(3.3, -1.6)
    x, y = lattice()
    flow = optical_flow(first, second)
    grid = torch.stack(((2 * (x + flow[0]) + 1) / WIDTH - 1, (2 * (y + flow[1]) + 1) / HEIGHT - 1), -1)
    warped = F.grid_sample(second[None], grid[None], align_corners=False)[0]
    assert inner(warped - first).abs().mean() < 0.1 * inner(second - first).abs().mean()


def test_flat_images_have_no_flow() -> None:
    flat = torch.full((3, 40, 50), 0.3)
    assert optical_flow(flat, flat).abs().max() == 0
    # Nor does noise of a tenth of a level.
    noise = torch.randn(2, 3, 40, 50, generator=torch.Generator().manual_seed(0)) / 2550
    assert optical_flow(flat + noise[0], flat + noise[1]).abs().max() < 0.1


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 61), (45, 16)])
def test_flow_of_any_image_size(height: int, width: int) -> None:
    first, second = moved(0, 0)[:, :height, :width], moved(1, 0)[:, :height, :width]
    flow = optical_flow(first, second)
    assert flow.shape == (2, height, width)
    assert flow.isfinite().all()


def test_flow_difference_is_the_mean_of_dx_plus_dy() -> None:
    first = torch.zeros(2, 2, 3)
    second = first.clone()
    second[0] += 1.5
    second[1, 0] -= 1
    assert flow_difference(first, second) == pytest.approx(1.5 + 0.5)
    assert flow_difference(second, second) == 0
