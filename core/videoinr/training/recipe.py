"""Recipes: everything that shapes a training run except the data, as a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from videoinr.errors import UsageError
from videoinr.model.config import CONFIGS


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of training under one set of settings; the learning rate runs through one cosine."""

    name: str
    steps: int
    batch: int
    patch: int
    """Side of the LR patches, pixels."""
    scales: tuple[float, ...]
    """Space scales (target size over LR size); each step draws one of them."""
    learning_rate: float
    final_learning_rate: float = 1e-6
    warm_up_steps: int = 500
    windows: tuple[int, ...] = (2, 4, 6, 8)
    """Window lengths: frames from the first input to the second."""
    targets: int = 3
    """Target frames for each window."""

    def sizes(self) -> tuple[int, ...]:
        """Sides of the target patches, pixels, one for each scale."""
        return tuple(round(self.patch * scale) for scale in self.scales)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model configuration by name and the stages it is trained through."""

    name: str
    config: str
    stages: tuple[Stage, ...]
    seed: int = 0
    ema_decay: float = 0.999
    gradient_norm: float = 1.0

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> tuple[Stage, int]:
        """The stage that ``step`` (0 ... steps - 1) falls into, and the step's number within it."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise IndexError("the step lies past the recipe's end")

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form, for model cards and checkpoints."""
        return asdict(self)


def load_recipe(name_or_path: str) -> Recipe:
    """A recipe shipped in the package (``lite``) or a TOML file. Raises UsageError for one that cannot be used."""
    path = Path(name_or_path)
    shipped = resources.files("videoinr.training") / "recipes" / f"{name_or_path}.toml"
    if path.suffix == ".toml" and path.is_file():
        text, name = path.read_text("utf-8"), path.stem
    elif path.suffix != ".toml" and shipped.is_file():
        text, name = shipped.read_text("utf-8"), name_or_path
    else:
        raise UsageError(f"There is no recipe {name_or_path!r}.", hint=f"Shipped: {', '.join(recipe_names())}.")
    try:
        return _recipe_from_toml(name, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"The recipe {name_or_path!r} cannot be read: {error}.") from error


def recipe_names() -> list[str]:
    """The recipes shipped in the package."""
    folder = resources.files("videoinr.training") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _with_tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _recipe_from_toml(name: str, data: dict[str, Any]) -> Recipe:
    stages = tuple(Stage(**_with_tuples(stage)) for stage in data.pop("stages"))
    recipe = Recipe(name=name, stages=stages, **data)
    if recipe.config not in CONFIGS:
        raise ValueError(f"no model configuration is called {recipe.config!r}")
    if any(not stage.scales or not stage.windows or stage.steps < 1 for stage in stages):
        raise ValueError("every stage needs steps, scales and windows")
    return recipe
