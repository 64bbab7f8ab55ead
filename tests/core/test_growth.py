"""A grown model computes the same as the small model, and its added weights get gradients."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch

from videoinr.errors import ModelError
from videoinr.geometry import Grid
from videoinr.model.config import TINY, ModelConfig, MotionPriorConfig
from videoinr.model.encoders.path_bend import Outer
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model
from videoinr.training.growth import grow
from videoinr.training.recipe import load_recipe, recipe_names


def _larger(**changes: int) -> ModelConfig:
    encoder = TINY.encoder
    assert isinstance(encoder, MotionPriorConfig)
    return replace(TINY, encoder=MotionPriorConfig(**{**asdict(encoder), **changes}))


def _trained() -> VideoINR:
    model = VideoINR(TINY)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.03 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize(
    "changes", [{"motion_channels": 7}, {"trunk_blocks": 3}, {"motion_channels": 6, "trunk_blocks": 2}]
)
def test_a_grown_model_computes_the_same(changes: dict[str, int]) -> None:
    torch.manual_seed(0)
    small, large = _trained(), VideoINR(_larger(**changes))
    large.load_state_dict(grow(small.state_dict(), TINY, large.config))
    frames, times = torch.rand(1, 2, 3, 10, 12), [torch.tensor([0.3])]
    before = small.render(small.encode(frames), Grid(24, 20), times)[0]
    after = large.render(large.encode(frames), Grid(24, 20), times)[0]
    torch.testing.assert_close(after, before)
    # Weights of new inputs to old outputs start at zero. They must get gradients, or they would never change.
    after.square().mean().backward()  # type: ignore[no-untyped-call]
    gradients = dict(large.named_parameters())
    finest = gradients["encoder.motion.0.enter.weight"].grad
    assert finest is not None
    assert finest.abs().sum() > 0


@pytest.mark.parametrize(
    "changes", [{"bend_channels": 5}, {"bend_channels": 5, "motion_channels": 6, "trunk_blocks": 2}]
)
def test_a_model_that_learns_to_bend_paths_starts_with_the_same_pictures(changes: dict[str, int]) -> None:
    torch.manual_seed(0)
    small, large = _trained(), VideoINR(_larger(**changes))
    large.load_state_dict(grow(small.state_dict(), TINY, large.config))
    frames, times = torch.rand(1, 4, 3, 10, 12), [torch.tensor([0.3])]
    before = small.render(small.encode(frames[:, :2]), Grid(24, 20), times)[0]
    encoded = large.encode(frames[:, :2], outer=Outer(frames[:, 2], frames[:, 3], torch.ones(1, 2)))
    assert encoded.prior.shape[-1] == 8
    after = large.render(encoded, Grid(24, 20), times)[0]
    torch.testing.assert_close(after, before)
    after.square().mean().backward()  # type: ignore[no-untyped-call]
    for name in ("leave.weight", "leave.bias"):
        gradient = large.get_parameter(f"encoder.bend.{name}").grad
        assert gradient is not None
        assert gradient.abs().sum() > 0
    # What is not its last layer keeps its fresh weights: zeros in both layers of a block would never change.
    assert large.get_parameter("encoder.bend.blocks.0.second.weight").abs().sum() > 0


def test_the_network_that_bends_paths_may_become_wider() -> None:
    torch.manual_seed(0)
    narrow, wide = (_larger(bend_channels=width) for width in (4, 7))
    small, large = VideoINR(narrow), VideoINR(wide)
    torch.nn.init.normal_(small.get_parameter("encoder.bend.leave.weight"))
    large.load_state_dict(grow(small.state_dict(), narrow, wide))
    frames = torch.rand(1, 4, 3, 10, 12)
    bends = [
        each.encode(frames[:, :2], outer=Outer(frames[:, 2], frames[:, 3])).prior[..., 4:] for each in (small, large)
    ]
    assert bends[0].abs().max() > 0.01
    torch.testing.assert_close(bends[1], bends[0])


@pytest.mark.parametrize("changes", [{}, {"motion_channels": 6}])
def test_weights_that_bend_paths_also_start_a_model_that_does_not(changes: dict[str, int]) -> None:
    torch.manual_seed(0)
    bent = VideoINR(_larger(bend_channels=4))
    straight = VideoINR(_larger(**changes))
    straight.load_state_dict(grow(bent.state_dict(), bent.config, straight.config))
    frames, times = torch.rand(1, 2, 3, 10, 12), [torch.tensor([0.3])]
    pictures = [model.render(model.encode(frames), Grid(24, 20), times)[0] for model in (bent, straight)]
    torch.testing.assert_close(pictures[1], pictures[0])


def test_every_shipped_recipe_that_names_initial_weights_can_start_from_them() -> None:
    named = [recipe for recipe in map(load_recipe, recipe_names()) if recipe.initial]
    assert {recipe.name for recipe in named} >= {"finetune", "bend", "lite-real"}
    for recipe in named:
        loaded = load_model(recipe.initial)
        assert isinstance(loaded.card.config, ModelConfig)
        VideoINR(recipe.model_config).load_state_dict(
            grow(loaded.model.state_dict(), loaded.card.config, recipe.model_config)
        )


def test_unsupported_growth_is_refused() -> None:
    with pytest.raises(ModelError):
        grow(VideoINR(TINY).state_dict(), TINY, _larger(frame_channels=6))
    with pytest.raises(ModelError):
        grow(VideoINR(TINY).state_dict(), TINY, _larger(motion_channels=2))
