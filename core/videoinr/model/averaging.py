"""One model out of several: the mean of their weights.

Runs that go on from the same weights end around the same minimum, each off to its own side; their mean lies nearer to
its middle than any of them, and costs no more than one.
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
    """Write the mean of ``models``, each weighted alike, to ``path`` (.safetensors), with its card.

    Raises ModelError if they are not of one configuration, or fewer than two.
    """
    if len(models) < 2:
        raise ModelError("A mean is of two models at least.", hint="Name several weights files.")
    first = models[0].card
    for other in models[1:]:
        if other.card.config != first.config:
            raise ModelError(
                f"{other.card.name} and {first.name} are not of one configuration: they have no mean.",
                hint="Take models that were trained from the same weights.",
            )
    states = [loaded.model.state_dict() for loaded in models]
    mean = build(first.config).requires_grad_(False).eval()
    mean.load_state_dict({key: torch.stack([state[key] for state in states]).mean(0) for key in states[0]})
    scales = [loaded.card.trained_scales for loaded in models]
    return save_model(
        mean,
        path,
        name=name,
        description=f"the mean of {len(models)} models: {', '.join(loaded.card.name for loaded in models)}",
        trained_scales=(min(least for least, _ in scales), max(most for _, most in scales)),
        training={"mean_of": [_origin(loaded.card) for loaded in models]},
        metrics={},
        protocol="not evaluated yet: videoinr evaluate",
    )


def _origin(card: ModelCard) -> dict[str, Any]:
    return {"name": card.name, "sha256": card.sha256, "training": card.training}
