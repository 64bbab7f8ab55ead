"""The operations and the memory that ``videoinr bench`` counts for each step."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from helpers.tiny_paper import TINY_VARIANTS
from videoinr.benchmark.costs import Costs, costs_of
from videoinr.benchmark.counting import Work, WorkCounter
from videoinr.geometry import Grid
from videoinr.model.config import BASE, TINY, ModelConfig, MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.path_bend import Outer
from videoinr.model.layers import DeformableConv
from videoinr.model.points import Points
from videoinr.model.released.config import ReleasedConfig
from videoinr.model.siren import SirenHead
from videoinr.model.video_inr import VideoINR

CPU = torch.device("cpu")
CLIP, GRID = Grid(20, 12), Grid(50, 30)
assert isinstance(TINY.encoder, MotionPriorConfig)
STRAIGHT = replace(TINY, encoder=replace(TINY.encoder, levels=4))
BENT = replace(TINY, encoder=replace(TINY.encoder, levels=4, bend_channels=8))


@cache
def counted(config: ModelConfig) -> Costs:
    """Return the costs of a model at GRID; counting takes up to a second."""
    (costs,) = costs_of(config, CLIP, [GRID])
    return costs


def macs_seen_by_hooks(encoder: nn.Module, frames: Tensor, run: Callable[[], object] | None = None) -> int:
    """Count the MACs of encoding, or of ``run``, by hooks: each layer's outputs times the weights of one output."""
    macs = 0

    def count(layer: Any, _: object, out: Tensor) -> None:
        nonlocal macs
        macs += out.numel() * layer.weight[0].numel()

    layers = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d | DeformableConv)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        encoder(frames) if run is None else run()
    for hook in hooks:
        hook.remove()
    return macs


def tail(head: SirenHead) -> int:
    """Return a head's MACs per pixel without its first layer."""
    return sum(layer.weight.numel() for layer in (*head.hidden, head.last))


def projections(model: VideoINR) -> int:
    """Return the MACs per LR pixel of the heads' first layers on the latent feature."""
    decoder = model.decoder_head.first
    heads = (model.spatial_head.first.weight_of(0), model.temporal_head.first.weight_of(1))
    return sum(weight.numel() for weight in (*heads, decoder.weight_of(2), decoder.weight_of(3)))


@pytest.mark.parametrize("config", [TINY, TINY_VARIANTS["paper"]], ids=["tiny", "tiny paper"])
def test_encoding_macs_equal_those_counted_by_hooks(config: ModelConfig) -> None:
    model = VideoINR(config)
    costs = counted(config)
    by_hooks = macs_seen_by_hooks(model.encoder, torch.rand(1, 2, 3, CLIP.height, CLIP.width))
    assert costs.encode.work.macs == by_hooks + CLIP.rect.area * projections(model)
    assert costs.encode.pixels == CLIP.rect.area


def test_pairs_whose_paths_bend_cost_both_searches_beside_them_if_they_are_alone() -> None:
    model, size = VideoINR(BENT), (1, 2, 3, CLIP.height, CLIP.width)
    frames, costs, straight = torch.rand(size), counted(BENT), counted(STRAIGHT)
    encoder = model.encoder
    assert isinstance(encoder, MotionPriorEncoder)
    assert encoder.bend is not None
    outer = Outer(frames[:, 0], frames[:, 1])
    whole = macs_seen_by_hooks(encoder, frames, lambda: encoder.encode_beside(frames, outer))
    network = macs_seen_by_hooks(encoder.bend, frames, lambda: encoder.encode_beside(frames, outer))
    search = macs_seen_by_hooks(encoder, frames, lambda: encoder.outline(frames))
    assert min(network, search) > 0
    assert costs.encode_alone.work.macs == whole + CLIP.rect.area * projections(model)
    assert costs.encode.work.macs == costs.encode_alone.work.macs - 2 * search
    assert costs.encode.work.macs >= straight.encode.work.macs + network
    assert costs.encode_alone.moved_bytes == costs.encode.moved_bytes > straight.encode.moved_bytes + frames.nbytes
    assert straight.encode_alone == straight.encode


@pytest.mark.parametrize("config", [BASE, TINY_VARIANTS["paper"], TINY], ids=["base", "tiny paper", "tiny"])
def test_decoding_macs_follow_from_the_heads_widths(config: ModelConfig) -> None:
    costs = counted(config)
    with torch.device("meta"):
        model = VideoINR(config)
    spatial, temporal, decoder = model.spatial_head, model.temporal_head, model.decoder_head
    view = spatial.first.weight_of(1).numel() + tail(spatial) + temporal.first.weight_of(0).numel()
    instant = tail(temporal) + 2 * decoder.first.weight_of(0).numel() + tail(decoder)
    of_the_time = temporal.widths[0] + decoder.widths[0]  # The product with t is computed once, not per pixel.
    assert costs.view.work.macs == GRID.rect.area * view
    assert costs.instant.work.macs == GRID.rect.area * instant + of_the_time
    assert costs.view.work.sines == GRID.rect.area * sum(spatial.widths)
    assert costs.instant.work.sines == GRID.rect.area * sum((*temporal.widths, *decoder.widths))
    assert costs.first.work == costs.view.work + costs.instant.work


def test_gathered_values_of_an_instant() -> None:
    costs = counted(TINY)
    field, latent, frames = 4 * TINY.spatial_channels, 4 * TINY.decoder_hidden[0], 16 * 3
    assert costs.instant.work.gathered == GRID.rect.area * 2 * (field + latent + frames)


@pytest.mark.parametrize("config", [TINY, *TINY_VARIANTS.values(), BENT], ids=["tiny", *TINY_VARIANTS, "bent"])
def test_held_bytes_equal_those_of_a_real_pair_and_view(config: ModelConfig) -> None:
    costs = counted(config)
    model = VideoINR(config)
    points = Points.make(GRID.rect, GRID, latent_hw=(CLIP.height, CLIP.width), device=CPU)
    with torch.no_grad():
        frames = torch.rand(1, 2, 3, CLIP.height, CLIP.width)
        features = model.encode(frames, outer=Outer(frames[:, 0], frames[:, 1]) if model.bends_paths else None)
        spatial = model.spatial_feature(features, points)
        basis = model.motion_basis(features, points, spatial)
    assert costs.feature_bytes == features.nbytes
    assert costs.view_bytes == spatial.nbytes + basis.first_sum.nbytes + basis.prior.nbytes
    assert costs.instant.moved_bytes == costs.view_bytes + 4 * GRID.rect.area


def test_a_released_network_has_no_view_cost() -> None:
    (costs,) = costs_of(ReleasedConfig(TINY_VARIANTS["paper"]), CLIP, [GRID])
    assert costs.view.work == Work()
    assert costs.first.work == costs.instant.work
    assert costs.instant.work.sines == GRID.rect.area * (20 + 20 + 20)


def test_the_counter_counts_products_convolutions_and_sines() -> None:
    with WorkCounter() as counter:
        torch.rand(3, 5) @ torch.rand(5, 7)
        nn.Linear(5, 7)(torch.rand(2, 3, 5))
        torch.rand(2, 3, 5).bmm(torch.rand(2, 5, 4))
        nn.Conv2d(4, 8, 3, padding=1, groups=2)(torch.rand(1, 4, 6, 6))
        torch.rand(9).sin_()
    products = 3 * 5 * 7 + 6 * 5 * 7 + 2 * 3 * 5 * 4 + 8 * 36 * 2 * 9
    assert counter.work == Work(macs=products, sines=9)
