"""Save a trained model: its EMA weights, and a card that records how they were trained."""

from __future__ import annotations

from pathlib import Path

from videoinr.model.weights import save_model
from videoinr.training.recipe import Recipe
from videoinr.training.trainer import Trainer


def save_trained(trainer: Trainer, out: Path) -> Path:
    """Write ``out/RECIPE.safetensors`` and its card, whether or not the recipe is finished.

    Args:
        trainer: The run.
        out: An existing folder.

    Returns:
        The path of the weights.
    """
    recipe = trainer.recipe
    training = {
        "data": trainer.data,
        "stills": trainer.stills,
        "frames": trainer.source.frame_count,
        "degradation": recipe.degradation,
        "initial": trainer.initial or "random weights",
        "steps": trainer.step,
        "stages": _steps_of_stages(recipe, trainer.step),
        "processes": trainer.ranks.count,
        "learning_rate_factor": trainer.rate_factor,
        "recipe": recipe.to_dict(),
    }
    card = save_model(
        trainer.ema_model,
        out / f"{recipe.name}.safetensors",
        name=recipe.name,
        description=f"trained with the recipe {recipe.name}",
        trained_scales=recipe.scale_bounds(),
        training=training,
        metrics={},
        protocol="not evaluated yet: videoinr evaluate",
    )
    return card.path


def _steps_of_stages(recipe: Recipe, step: int) -> dict[str, int]:
    """Return how many steps of each stage are done at ``step``, by stage name."""
    firsts = [sum(stage.steps for stage in recipe.stages[:number]) for number in range(len(recipe.stages))]
    return {
        stage.name: min(max(0, step - first), stage.steps) for stage, first in zip(recipe.stages, firsts, strict=True)
    }
