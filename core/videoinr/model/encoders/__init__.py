"""Encoders: two frames in, a latent feature and, from some, a motion prior out. One file for each.

A new encoder is a config in model/config.py (named in ``EncoderConfig`` and ``_CONFIG_BY_KIND`` there, with a method
``depth``), its limits in model/card_schema.py, a module here, and an entry in :data:`ENCODERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from videoinr.model.config import EncoderConfig, MotionPriorConfig, ZoomingSlowMoConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.zooming_slowmo import ZoomingSlowMoEncoder

ENCODERS: dict[type[EncoderConfig], Callable[[Any], nn.Module]] = {
    MotionPriorConfig: MotionPriorEncoder,
    ZoomingSlowMoConfig: ZoomingSlowMoEncoder,
}
"""The encoder that each config describes. A config says by ``gives_motion_prior`` what its encoder returns for frames
[B, 2, 3, H, W] in 0 ... 1: the latent feature [B, feature_channels, H, W] alone, or (feature, motion prior
[B, 4, H, W])."""


def build_encoder(config: EncoderConfig) -> nn.Module:
    """Make the encoder that ``config`` describes, with freshly initialised weights."""
    return ENCODERS[type(config)](config)
