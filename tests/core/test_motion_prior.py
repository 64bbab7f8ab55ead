"""The motion-prior encoder: shapes at any size, its outputs, and the order of the frames."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from videoinr.model.config import LITE, TINY, MotionPriorConfig
from videoinr.model.encoders.motion_prior import Halve, MotionPriorEncoder
from videoinr.model.layers import ExactConv, ResidualBlock


@cache
def encoder() -> MotionPriorEncoder:
    torch.manual_seed(0)
    assert isinstance(TINY.encoder, MotionPriorConfig)
    return MotionPriorEncoder(TINY.encoder).eval().requires_grad_(False)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 2), (3, 1), (5, 7), (16, 16), (17, 33)])
@pytest.mark.parametrize("batch", [1, 3])
def test_feature_and_prior_have_the_frames_size(height: int, width: int, batch: int) -> None:
    feature, prior = encoder()(torch.rand(batch, 2, 3, height, width))
    assert feature.shape == (batch, TINY.encoder.feature_channels, height, width)
    assert prior.shape == (batch, 4, height, width)
    assert feature.isfinite().all()
    assert prior.isfinite().all()
    assert prior.dtype == torch.float32


def test_a_pyramid_of_four_levels_accepts_odd_sizes() -> None:
    assert isinstance(LITE.encoder, MotionPriorConfig)
    feature, prior = MotionPriorEncoder(LITE.encoder)(torch.rand(1, 2, 3, 9, 13))
    assert feature.shape == (1, 48, 9, 13)
    assert prior.shape == (1, 4, 9, 13)


def test_the_output_depends_on_both_frames_and_their_order() -> None:
    frames = torch.rand(1, 2, 3, 8, 8)
    as_is = encoder()(frames)[0]
    for changed in (
        frames.flip(1),
        torch.stack((frames[:, 0], frames[:, 0]), 1),
        torch.stack((frames[:, 1], frames[:, 1]), 1),
    ):
        assert not torch.allclose(as_is, encoder()(changed)[0], atol=1e-4)


def test_pairs_of_a_batch_do_not_affect_each_other() -> None:
    frames = torch.rand(2, 2, 3, 9, 7)
    together = encoder()(frames)
    for k in range(2):
        for whole, alone in zip(together, encoder()(frames[k : k + 1]), strict=True):
            torch.testing.assert_close(whole[k : k + 1], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("side", "half"), [(1, 1), (2, 1), (5, 3), (8, 4)])
def test_halving_rounds_up(side: int, half: int) -> None:
    assert Halve(4)(torch.rand(1, 4, side, side)).shape == (1, 4, half, half)


def test_a_residual_block_starts_close_to_the_identity() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 16, 8, 8)
    with torch.no_grad():
        change = ResidualBlock(16)(x) - x
    assert 0 < float(change.std()) < 0.1


def test_the_prior_starts_close_to_zero() -> None:
    prior = encoder()(torch.rand(1, 2, 3, 16, 16))[1]
    assert 0 < float(prior.abs().max()) < 2


def test_the_layers_for_pixels_and_flows_run_in_float32_under_autocast() -> None:
    assert {name for name, layer in encoder().named_modules() if isinstance(layer, ExactConv)} == {
        "first", "motion.0.leave", "motion.1.leave",
    }  # fmt: skip
    frames = torch.rand(1, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        exact, rounded = encoder().first(frames), torch.nn.Conv2d.forward(encoder().first, frames)
    assert torch.equal(exact, encoder().first(frames))
    assert not torch.equal(exact, rounded.float())
