"""Makes a model from its config, and a config from what a model card stores."""

from __future__ import annotations

from typing import Any

from videoinr.model.config import ModelConfig
from videoinr.model.released.config import KIND, ReleasedConfig
from videoinr.model.released.network import ReleasedVideoINR
from videoinr.model.representation import Config, Representation
from videoinr.model.video_inr import VideoINR


def config_from_dict(data: dict[str, Any]) -> Config:
    """Read the config of either kind of model.

    Args:
        data: What the config's ``to_dict`` returned.

    Raises:
        ModelError: This program knows no such model.
    """
    released = isinstance(data, dict) and data.get("kind") == KIND
    return ReleasedConfig.from_dict(data) if released else ModelConfig.from_dict(data)


def build(config: Config) -> Representation:
    """Make a model with freshly initialised weights."""
    return ReleasedVideoINR(config) if isinstance(config, ReleasedConfig) else VideoINR(config)
