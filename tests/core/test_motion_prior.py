"""The motion-prior encoder: shapes at any size, its outputs, and the order of the frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.model import propagation
from videoinr.model.config import LITE, TINY, MotionPriorConfig
from videoinr.model.encoders import motion_prior, motion_step
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.motion_step import Halve, MotionStep
from videoinr.model.layers import ExactConv, ResidualBlock
from videoinr.model.ops import propagated, sample


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


@pytest.mark.parametrize("size", [(24, 40), (70, 90)])
def test_the_flows_alone_are_those_of_the_whole_encoder(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    config = TINY.encoder
    assert isinstance(config, MotionPriorConfig)
    encoder, frames = MotionPriorEncoder(config).eval(), torch.rand(2, 2, 3, *size)
    with torch.no_grad():
        assert torch.equal(encoder.flows(frames), encoder(frames)[1])


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


def deep(**changes: Any) -> MotionPriorEncoder:
    torch.manual_seed(0)
    assert isinstance(TINY.encoder, MotionPriorConfig)
    return MotionPriorEncoder(replace(TINY.encoder, **changes)).eval().requires_grad_(False)


@pytest.mark.parametrize(
    ("lines", "depth"),
    [(1, 4), (90, 4), (180, 4), (226, 4), (227, 5), (352, 5), (540, 6), (720, 6), (1080, 7), (2160, 8)],
)
def test_larger_frames_get_more_levels(lines: int, depth: int) -> None:
    config = MotionPriorConfig(8, 8, 8, coarsest_lines=20)
    assert config.depth(lines, 2 * lines) == config.depth(3 * lines, lines) == depth
    assert replace(config, coarsest_lines=0).depth(lines, lines) == 4


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 1), (5, 7), (16, 16), (17, 33)])
@pytest.mark.parametrize("depth", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("propagation", [(), (1, 4)])
def test_a_search_of_any_depth_takes_frames_of_any_size(
    height: int, width: int, depth: int, propagation: tuple[int, ...]
) -> None:
    feature, prior = deep(propagation=propagation)(torch.rand(2, 2, 3, height, width), depth)
    assert feature.shape == (2, TINY.encoder.feature_channels, height, width)
    assert prior.shape == (2, 4, height, width)
    assert feature.isfinite().all()


def test_the_depth_follows_from_the_frames_size_unless_it_is_given() -> None:
    frames = torch.rand(1, 2, 3, 64, 64)
    by_size, shallow = deep(coarsest_lines=8), deep()
    for ours, theirs in zip(by_size(frames), shallow(frames, 4), strict=True):
        assert torch.equal(ours, theirs)
    for ours, theirs in zip(by_size(frames, 2), shallow(frames), strict=True):
        assert torch.equal(ours, theirs)
    assert not torch.equal(by_size(frames)[1], shallow(frames)[1])


def test_the_search_in_downsampled_frames_uses_the_same_weights() -> None:
    encoder, frames = deep(), torch.rand(1, 2, 3, 32, 48)
    # The finest step then adds nothing, so the prior is that of the downsampled frames, upsampled.
    encoder.get_parameter("motion.0.leave.weight").zero_()
    small = F.interpolate(frames[0], (16, 24), mode="bicubic", antialias=True).clamp(0, 1)[None]
    expected = 2 * F.interpolate(encoder(small, 2)[1], (32, 48), mode="bilinear")
    torch.testing.assert_close(encoder(frames, 3)[1], expected, atol=1e-6, rtol=1e-5)


def test_a_point_takes_a_neighbours_flow_where_that_matches_the_features_better() -> None:
    torch.manual_seed(1)
    features, truth = torch.rand(1, 6, 24, 40), torch.zeros(1, 4, 24, 40)
    truth[:, 0], truth[:, 2] = 3, -3
    first, second = features.roll(3, -1), features.roll(-3, -1)
    assert torch.equal(propagated(first, second, truth, (2, 4, 8)), truth)
    spoilt = truth.clone()
    spoilt[:, :, 9:15, 17:23] = -1.0
    whole = propagated(first, second, spoilt, (2, 4, 8))
    assert (whole != truth).float().mean() < 0.002 < (spoilt != truth).float().mean()


def test_without_texture_a_point_keeps_its_own_flow() -> None:
    flow = torch.randn(1, 4, 12, 12)
    assert torch.equal(propagated(torch.ones(1, 3, 12, 12), torch.zeros(1, 3, 12, 12), flow, (1, 2)), flow)


@pytest.mark.parametrize(("pairs", "pixels"), [(1, 1), (1, 7 * 40), (2, 5 * 40), (2, 2 * 11 * 40)])
def test_candidates_that_are_compared_in_bands_are_those_of_the_whole_map(
    pairs: int, pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(2)
    first, second = torch.rand(2, pairs, 6, 24, 40)
    flow = F.interpolate(4 * torch.randn(pairs, 4, 6, 10), (24, 40), mode="bilinear")
    sizes = list[int]()

    def seen(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
        sizes.append(x.shape[1] // 13)  # The point itself and three times four neighbours.
        return sample(image, x, y)

    with torch.inference_mode():
        monkeypatch.setattr(propagation, "BAND_PX", pairs * 24 * 40)
        whole = propagation.plain_propagated(first, second, flow, (2, 4, 8), seen)
        monkeypatch.setattr(propagation, "BAND_PX", pixels)
        sizes.clear()
        bands = propagation.plain_propagated(first, second, flow, (2, 4, 8), seen)
    assert max(sizes) <= max(1, pixels // (pairs * 40)) + 4  # Two rows more on either side, for the mean of the errors.
    assert not torch.equal(whole, flow)
    assert torch.equal(bands, whole)


@pytest.mark.parametrize(("height", "read"), [(80, [30, 35, 31]), (91, [26, 31, 31, 27])])
def test_large_maps_are_refined_in_bands_to_the_same_bits(
    height: int, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(3)
    step, width = MotionStep(8, 12), 120
    first, second, hidden = (
        torch.rand(1, channels, height, width).to(memory_format=torch.channels_last) for channels in (8, 8, 12)
    )
    flow, plain, rows = torch.randn(1, 4, height, width), step._layers, list[int]()

    def layers(*maps: Tensor) -> tuple[Tensor, Tensor]:
        rows.append(maps[0].shape[2])
        return plain(*maps)

    monkeypatch.setattr(step, "_layers", layers)
    with torch.inference_mode():
        whole = step(first, second, flow, hidden)
        monkeypatch.setattr(motion_step, "WHOLE_PX", (height - 1) * width)
        monkeypatch.setattr(motion_step, "BAND_PX", 30 * width)
        bands = step(first, second, flow, hidden)
    assert rows == [height, *read], "rows of a band, and four on each side of it"
    assert all(torch.equal(one, other) for one, other in zip(bands, whole, strict=True))


def test_gradients_reach_the_chosen_flow() -> None:
    flow = torch.randn(1, 4, 12, 12, requires_grad=True)
    taken = propagated(torch.rand(1, 3, 12, 12), torch.rand(1, 3, 12, 12), flow, (1, 2)).sum()
    torch.autograd.backward(taken)
    assert flow.grad is not None
    assert flow.grad.sum() == flow.numel()


@pytest.mark.parametrize(
    ("levels", "depth", "sides"),
    [(2, 2, []), (4, 4, []), (2, 3, []), (4, 5, [8, 16]), (4, 6, [4, 8, 16]), (2, 4, [16]), (4, 7, [2, 4, 8, 16])],
)
def test_candidates_are_compared_only_at_a_quarter_of_the_frames_size_and_below(
    levels: int, depth: int, sides: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def keep(first: Tensor, second: Tensor, flow: Tensor, distances: Sequence[int]) -> Tensor:
        seen.append(first.shape[-1])
        return propagated(first, second, flow, distances)

    monkeypatch.setattr(motion_prior, "propagated", keep)
    deep(levels=levels, propagation=(2, 4))(torch.rand(1, 2, 3, 64, 64), depth)
    assert seen == sides


def test_candidates_change_the_flow() -> None:
    frames = torch.rand(1, 2, 3, 64, 64)
    plain, changed = deep(), deep(propagation=(2, 4))
    for encoder in (plain, changed):
        for level in (0, 1):
            encoder.get_parameter(f"motion.{level}.leave.weight").mul_(50)
    assert torch.equal(plain(frames, 2)[1], changed(frames, 2)[1])
    assert not torch.equal(plain(frames, 4)[1], changed(frames, 4)[1])
