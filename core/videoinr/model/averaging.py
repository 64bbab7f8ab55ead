"""Averages the weights of several models into one.

Training runs that continue from the same weights end around the same minimum, each at a distance in another direction.
Their mean is closer to the minimum than any of them, and decoding it costs no more than decoding one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from videoinr.errors import ModelError
from videoinr.model.building import build
from videoinr.model.weights import LoadedModel, ModelCard, save_model


@torch.no_grad()
def save_mean(models: Sequence[LoadedModel], path: Path, *, name: str) -> ModelCard:
    """Write the mean of several models, with equal weights, and its card.

    Args:
        models: Two or more models of the same configuration.
        path: The weights file, .safetensors.
        name: The name in the card.

    Returns:
        The card.

    Raises:
        ModelError: There are fewer than two models, or their configurations differ.
    """
    if len(models) < 2:
        raise ModelError("A mean needs two models or more.", hint="Name several weights files.")
    first = models[0].card
    for other in models[1:]:
        if other.card.config != first.config:
            raise ModelError(
                f"{other.card.name} and {first.name} differ in their configuration, so they have no mean.",
                hint="Take models that were trained from the same weights.",
            )
    states = [loaded.model.state_dict() for loaded in models]
    mean = build(first.config).requires_grad_(False).eval()
    mean.load_state_dict({key: torch.stack([state[key] for state in states]).mean(0) for key in states[0]})
    scales = [loaded.card.trained_scales for loaded in models]
    return save_model(
        mean,
        path,
        replace=False,
        name=name,
        description=f"the mean of {len(models)} models: {', '.join(loaded.card.name for loaded in models)}",
        trained_scales=(min(least for least, _ in scales), max(most for _, most in scales)),
        training={"mean_of": [_origin(loaded.card) for loaded in models]},
        metrics={},
        protocol="not evaluated yet: videoinr evaluate",
    )


def _origin(card: ModelCard) -> dict[str, Any]:
    return {"name": card.name, "sha256": card.sha256, "training": card.training}
