"""Initialise a larger model so that it computes the same function as a smaller, trained model.

Added output channels start with random weights. The weights from added input channels to old outputs start at zero,
and an added residual block starts as the identity. An added network that bends paths has its fresh weights, which bend
none; weights that have such a network also start a model without it. Training then continues from the smaller model's
quality.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from videoinr.errors import ModelError
from videoinr.model.config import ModelConfig, MotionPriorConfig
from videoinr.model.video_inr import VideoINR

_GROWING = ("motion_channels", "trunk_blocks", "bend_channels")
_FREE = ("coarsest_lines", "propagation", "match_radius", "flow_limit")
"""Fields that may differ in any way, because no weights depend on them."""


def grow(weights: dict[str, Tensor], small: ModelConfig, large: ModelConfig) -> dict[str, Tensor]:
    """Convert a small model's weights to those of a larger model that computes the same function.

    Args:
        weights: The small model's state dict.
        small: The small model's configuration.
        large: The large model's configuration.

    Returns:
        A state dict of the large model.

    Raises:
        ModelError: The configurations differ in more than the motion channels, the number of trunk blocks and the
            width of the network that bends paths, or the large one is smaller in one of them. It may lack that network.
    """
    if small == large:
        return weights
    if _bends(small) and not _bends(large):
        assert isinstance(small.encoder, MotionPriorConfig)
        weights = {name: one for name, one in weights.items() if not name.startswith("encoder.bend.")}
        return grow(weights, replace(small, encoder=replace(small.encoder, bend_channels=0)), large)
    before, after = _encoders(small, large)
    grown = VideoINR(large).state_dict()
    shared = set(weights)
    for name in grown.keys() - shared:
        if name.startswith("encoder.trunk.") and ".second." in name:  # An added block starts as the identity.
            grown[name].zero_()
    for name, old in weights.items():
        new = grown[name]
        if new.shape == old.shape:
            new.copy_(old)
            continue
        new[: len(old)] = 0
        if new.ndim == 1:
            new[: len(old)] = old
            continue
        inputs = torch.tensor(list(_old_inputs(name, before, after, old.shape[1])))
        new[: len(old), inputs] = old
    return grown


def _bends(config: ModelConfig) -> bool:
    return isinstance(config.encoder, MotionPriorConfig) and config.encoder.bend_channels > 0


def _old_inputs(name: str, small: MotionPriorConfig, large: MotionPriorConfig, count: int) -> Iterator[int]:
    """Yield the index of each input channel of the small layer ``name`` among the large layer's input channels."""
    added = large.motion_channels - small.motion_channels
    # Input of `encoder.fuse`: frames, hidden map, flow. New channels come before the flow; elsewhere, at the end.
    flow_from = 4 * small.frame_channels + small.motion_channels if name.startswith("encoder.fuse") else count
    for index in range(count):
        yield index if index < flow_from else index + added


def _encoders(small: ModelConfig, large: ModelConfig) -> tuple[MotionPriorConfig, MotionPriorConfig]:
    """Return both encoders if ``large`` is ``small`` with more of what may grow. Raises ModelError."""
    before, after = small.encoder, large.encoder
    if isinstance(before, MotionPriorConfig) and isinstance(after, MotionPriorConfig):
        sizes = [(getattr(before, name), getattr(after, name)) for name in _GROWING]
        grown = replace(before, **{name: getattr(after, name) for name in (*_GROWING, *_FREE)})
        if replace(small, encoder=grown) == large and all(old <= new for old, new in sizes):
            return before, after
    raise ModelError(
        "The initial weights do not fit the model that the recipe trains.",
        hint="Only motion channels, trunk blocks and the bend of paths can be added to a trained model. Start from "
        "other weights or from random ones, or use a recipe with the configuration of these weights.",
    )
