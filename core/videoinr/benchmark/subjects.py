"""The models to measure: those with weights, and any configuration with random weights."""

from __future__ import annotations

from pathlib import Path

import torch

from videoinr.errors import UnknownModelError
from videoinr.model.config import CONFIGS, ModelConfig
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import LoadedModel, ModelCard, load_model, shipped_models

RANDOM = "random:"
USUAL = ("lite", "base", "paper")
_SEED = 0


def usual_models() -> tuple[str, ...]:
    """Return the names of lite, base and paper; with random weights, which are equally fast, where not shipped."""
    shipped = {card.name for card in shipped_models()}
    return tuple(name if name in shipped else RANDOM + name for name in USUAL)


def subject(name: str | None) -> LoadedModel:
    """Load a model to measure.

    Args:
        name: A shipped model's name, the path of weights, or ``random:CONFIG`` for a configuration with random weights,
            which are the same in every run. None: the default model.

    Returns:
        The model.

    Raises:
        ModelError: There is no such model or configuration.
    """
    if name is None or not name.startswith(RANDOM):
        return load_model(name)
    config = CONFIGS.get(name.removeprefix(RANDOM))
    if config is None:
        raise UnknownModelError(
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
