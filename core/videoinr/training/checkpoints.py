"""Write and read checkpoints. A checkpoint file is replaced as a whole, so a kill cannot damage it."""

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
    """Write ``out/checkpoint.pt``.

    Args:
        trainer: The run to save.
        out: An existing folder.
        with_optimiser: Whether Adam's moments are saved. Without them the file is a third as large, and a resumed run
            differs from an unbroken one.

    Returns:
        The file's path.
    """
    path, partial = out / NAME, out / f"{NAME}.part"
    torch.save(trainer.state(with_optimiser=with_optimiser), partial)
    os.replace(partial, path)
    return path


def read_checkpoint(path: Path, recipe: Recipe) -> dict[str, Any]:
    """Read a checkpoint.

    Args:
        path: The file.
        recipe: The recipe to resume with.

    Returns:
        The state for :class:`~videoinr.training.trainer.Trainer`, on the CPU.

    Raises:
        UsageError: The file is not a checkpoint, or belongs to another model configuration.
    """
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
