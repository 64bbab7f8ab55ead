"""A larger model that starts as the very function a smaller, trained one computes.

Channels are added so that nothing old reads what is new: a new output starts at random, the weight of an old output
on a new input at zero, and a new residual block adds nothing. Training goes on from there instead of from noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from videoinr.errors import ModelError
from videoinr.model.config import ModelConfig, MotionPriorConfig
from videoinr.model.video_inr import VideoINR

_GROWING = ("motion_channels", "trunk_blocks")


def grow(weights: dict[str, Tensor], small: ModelConfig, large: ModelConfig) -> dict[str, Tensor]:
    """``weights`` (a state dict of a ``small`` model) as those of a ``large`` one that computes the same.

    Only the motion search's channels and the trunk's blocks may have grown: raises ModelError for anything else.
    """
    if small == large:
        return weights
    before, after = _encoders(small, large)
    grown = VideoINR(large).state_dict()
    shared = set(weights)
    for name in grown.keys() - shared:  # the new blocks of the trunk
        if ".second." in name:
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


def _old_inputs(name: str, small: MotionPriorConfig, large: MotionPriorConfig, count: int) -> Iterator[int]:
    """Where the inputs of the smaller layer ``name`` lie among those of the larger one."""
    added = large.motion_channels - small.motion_channels
    # In front of the trunk the flow comes after the hidden map; everywhere else what is new comes last.
    flow_from = 4 * small.frame_channels + small.motion_channels if name.startswith("encoder.fuse") else count
    for index in range(count):
        yield index if index < flow_from else index + added


def _encoders(small: ModelConfig, large: ModelConfig) -> tuple[MotionPriorConfig, MotionPriorConfig]:
    """Both encoders, if ``large`` is ``small`` with only more channels and blocks of the kinds that can be added."""
    before, after = small.encoder, large.encoder
    if isinstance(before, MotionPriorConfig) and isinstance(after, MotionPriorConfig):
        sizes = [(getattr(before, name), getattr(after, name)) for name in _GROWING]
        grown = replace(before, **{name: size for name, (_, size) in zip(_GROWING, sizes, strict=True)})
        if replace(small, encoder=grown) == large and all(old <= new for old, new in sizes):
            return before, after
    raise ModelError(
        "The weights to start from are of another shape than the model to be trained.",
        hint="Only more motion channels and more trunk blocks can be added to a trained model; for anything else "
        "start from other weights, or from none, or take a recipe whose config is that of the weights.",
    )
