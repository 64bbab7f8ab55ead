"""Released networks with random weights: one of full size, and one small enough for tests of tiles."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch

from helpers.released_reference import Weights, random_weights
from videoinr.model.config import PAPER, ZoomingSlowMoConfig
from videoinr.model.released.config import ReleasedConfig
from videoinr.model.released.names import encoder_names, head_names
from videoinr.model.released.network import ReleasedVideoINR

SMALL = replace(
    PAPER,
    encoder=ZoomingSlowMoConfig(channels=4, groups=2, front_blocks=1, back_blocks=1),
    spatial_channels=6,
    spatial_hidden=(8, 8),
    temporal_hidden=(8, 8),
    decoder_hidden=(8, 8),
)


@cache
def released_weights() -> Weights:
    """Return seeded weights under the released names, made once."""
    return random_weights()


@cache
def released_model(*, corrected: bool = False) -> ReleasedVideoINR:
    """Return the network of full size with :func:`released_weights`."""
    config = ReleasedConfig(corrected=corrected)
    names = encoder_names(config) | head_names(config)
    model = ReleasedVideoINR(config)
    model.load_state_dict({ours: released_weights()[released] for released, ours in names.items()})
    return model.eval().requires_grad_(False)


@cache
def small_released_model(*, corrected: bool = False) -> ReleasedVideoINR:
    """Return a small network whose flows are some pixels long and leave their tiles."""
    torch.manual_seed(5)
    model = ReleasedVideoINR(ReleasedConfig(SMALL, corrected))
    for head in (model.spatial_head, model.temporal_head, model.decoder_head):
        head.first.weight.data.mul_(6)
    model.temporal_head.last.weight.data.mul_(300)
    model.decoder_head.last.weight.data.mul_(6)
    model.decoder_head.last.bias.data.fill_(0.5)
    return model.eval().requires_grad_(False)
