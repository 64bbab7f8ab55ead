"""The kinds of representation there are, and which one a card's configuration names."""

from __future__ import annotations

from typing import Any

from videoinr.model.config import ModelConfig
from videoinr.model.features import PairFeatures
from videoinr.model.released.config import KIND, ReleasedConfig
from videoinr.model.released.network import ReleasedFeatures, ReleasedVideoINR
from videoinr.model.video_inr import VideoINR

Representation = VideoINR | ReleasedVideoINR
"""Encodes pairs, and renders what it encoded: both kinds have the same methods, each for features of its own."""
Features = PairFeatures | ReleasedFeatures
Config = ModelConfig | ReleasedConfig


def config_from_dict(data: dict[str, Any]) -> Config:
    """The config that either kind's ``to_dict`` wrote. Raises ModelError for one this program does not know."""
    released = isinstance(data, dict) and data.get("kind") == KIND
    return ReleasedConfig.from_dict(data) if released else ModelConfig.from_dict(data)


def build(config: Config) -> Representation:
    """A model with fresh weights."""
    return ReleasedVideoINR(config) if isinstance(config, ReleasedConfig) else VideoINR(config)
