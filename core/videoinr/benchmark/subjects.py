"""The models that can be measured: those with weights, and any configuration with random ones."""

from __future__ import annotations

from pathlib import Path

import torch

from videoinr.errors import ModelError
from videoinr.model.config import CONFIGS, ModelConfig
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import LoadedModel, ModelCard, load_model, shipped_models

RANDOM = "random:"
USUAL = ("lite", "base", "paper")
_SEED = 0


def usual_models() -> tuple[str, ...]:
    """lite, base and paper: by name where they are shipped, else with random weights, which are as fast."""
    shipped = {card.name for card in shipped_models()}
    return tuple(name if name in shipped else RANDOM + name for name in USUAL)


def subject(name: str | None) -> LoadedModel:
    """A shipped model, a weights file, or ``random:CONFIG``: that configuration with random weights, always the same.

    Raises ModelError where there is none.
    """
    if name is None or not name.startswith(RANDOM):
        return load_model(name)
    config = CONFIGS.get(name.removeprefix(RANDOM))
    if config is None:
        raise ModelError(
            f"There is no configuration {name.removeprefix(RANDOM)!r}.", hint=f"Known: {', '.join(CONFIGS)}."
        )
    return _with_random_weights(name, config)


def _with_random_weights(name: str, config: ModelConfig) -> LoadedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        model = VideoINR(config).eval().requires_grad_(False)
    card = ModelCard(
        name=name,
        description="Random weights, for measuring speed.",
        config=config,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        trained_scales=(1.0, 4.0),
        training={},
        metrics={},
        protocol="none",
        sha256="",
        self_test="",
        path=Path(name),
    )
    return LoadedModel(model, card)
