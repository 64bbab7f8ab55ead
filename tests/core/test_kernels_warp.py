"""The kernels of the motion search's steps (interpreted where there is no GPU) match plain torch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.model import kernels, ops
from videoinr.model.kernels import motion_step
from videoinr.model.kernels import warp as module
from videoinr.model.warp import Placement

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE)


@pytest.mark.parametrize("channels", [24, 5])
def test_a_map_is_warped_as_torch_does(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    image, flow = maps(2, channels, 7, 9), 4 * maps(2, 4, 7, 9, seed=1)
    for one in (flow, flow.contiguous(memory_format=torch.channels_last)):
        wanted = ops.warp(image, one[:, 2:])
        found = module.warp(image, one[:, 2:])
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
        assert found.is_contiguous(memory_format=torch.channels_last)
    monkeypatch.setattr(kernels, "half_inference", lambda _: torch.float16)
    torch.testing.assert_close(ops.warp(image, flow[:, 2:]), wanted, rtol=0, atol=1e-5)


def test_a_part_is_warped_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    image, flow = maps(1, 8, 12, 10), maps(1, 2, 12, 10, seed=1)
    wanted = ops.warp(image, flow)
    part, read = Rect(2, 4, 6, 5), Rect(0, 1, 10, 11)
    monkeypatch.setattr(kernels, "half_inference", lambda _: torch.float16)
    rows, columns = part.slices
    image = image[:, :, read.y : read.bottom]
    found = ops.warp(image, flow[:, :, rows, columns], Placement(read, part, Grid(10, 12)))
    torch.testing.assert_close(found, wanted[:, :, rows, columns], rtol=0, atol=1e-5)


@pytest.mark.parametrize("hidden", [32, 4])
def test_a_step_ends_as_in_torch(hidden: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, flow = maps(2, 4 + hidden, 5, 6), maps(2, 4, 5, 6, seed=1)
    wanted = ops.finish_motion_step(made, flow, slope=0.1)
    monkeypatch.setattr(kernels, "half_inference", lambda _: torch.float16)
    for one in (flow, flow.contiguous(memory_format=torch.channels_last)):
        for found, right in zip(ops.finish_motion_step(made, one, slope=0.1), wanted, strict=True):
            torch.testing.assert_close(found, right, rtol=0, atol=1e-6)
            assert found.is_contiguous(memory_format=torch.channels_last)


def test_a_narrow_map_is_filled_up() -> None:
    x = maps(2, 3, 4, 5)
    found = motion_step.words(x[:, :, 1:], torch.float16, 8)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(found[:, :3], x[:, :, 1:].half())
    assert not found[:, 3:].any()
