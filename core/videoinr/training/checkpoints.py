"""Checkpoints: where a run stood, written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch

from videoinr.errors import UsageError
from videoinr.training.recipe import Recipe
from videoinr.training.trainer import Trainer

NAME = "checkpoint.pt"


def save_checkpoint(trainer: Trainer, out: Path, *, with_optimiser: bool = True) -> Path:
    """Write ``out/checkpoint.pt``. Without the optimiser's state it is a third as large, and resuming is not exact."""
    path, part = out / NAME, out / f"{NAME}.part"
    torch.save(trainer.state(with_optimiser=with_optimiser), part)
    os.replace(part, path)
    return path


def read_checkpoint(path: Path, recipe: Recipe) -> dict[str, Any]:
    """The state in a checkpoint of such a model, on the CPU. Raises UsageError if it is not one."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        config = json.loads(state["recipe"])["config"]
    except Exception as error:
        raise UsageError(f"{path} is not a checkpoint that can be resumed: {error}.") from error
    if config != recipe.config:
        raise UsageError(
            f"{path} was trained as {config!r}, not as {recipe.config!r}.",
            hint="Name the recipe that the checkpoint was made with, or another folder.",
        )
    return state
