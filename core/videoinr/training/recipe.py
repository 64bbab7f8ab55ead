"""Recipes: all settings of a training run except its data, as TOML files."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from videoinr.errors import UsageError
from videoinr.model.config import CONFIGS

LOSS_WEIGHTS = ("even", "area")
TARGET_TIMES = ("any", "middle")
_OLD_KEYS = {"shrink": "downsample"}
"""Former names of stage keys, which older recipe files use, and the present names."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A number of steps with one set of settings. Exactly one of ``scales`` and ``scale_range`` is set."""

    name: str
    steps: int
    batch: int
    """Windows per step and per GPU."""
    patch: int
    """Side of the LR patches, pixels."""
    scales: tuple[float, ...] = ()
    """Space scales (target side over LR side). Each step draws one with equal chance; repeat a scale to favour it."""
    learning_rate: float = 1e-4
    final_learning_rate: float = 1e-6
    warm_up_steps: int = 500
    windows: tuple[int, ...] = (2, 4, 6, 8)
    """Window lengths: frames from the first input frame to the second."""
    targets: int = 3
    """Target frames per window."""
    times: str = "any"
    """``any``: targets are drawn from all frames of a window. ``middle``: only the middle frame (VideoINR-fixed)."""
    stills_share: float = 0.0
    """Share of the windows that are made from photographs with synthetic motion, 0 ... 1."""
    downsample: float = 1.0
    """Largest factor by which windows are downsampled as augmentation, in half of the batches; 1: none."""
    recolour: float = 0.0
    """Share of the windows with augmented colours and tones, 0 ... 1."""
    loss_weight: str = "even"
    """``even``: every step has weight 1. ``area``: a step at scale s has weight (4/s)^2, so LR pixels weigh alike."""
    scale_range: tuple[float, ...] = ()
    """(least, greatest) scale. Scales are drawn from ``scale_steps`` evenly spaced values."""
    scale_steps: int = 16
    """Number of scales in ``scale_range``. Each target size needs a CUDA graph and its memory, so there are few."""
    restart_every: int = 0
    """Period of the learning rate's cosine, steps; 0: one period over the whole stage."""

    def sizes(self) -> tuple[int, ...]:
        """Return the sides of the target patches, pixels, one per scale."""
        if not self.scale_range:
            return tuple(round(self.patch * scale) for scale in self.scales)
        least, greatest = self.scale_range
        scales = (least + (greatest - least) * number / (self.scale_steps - 1) for number in range(self.scale_steps))
        return tuple(round(self.patch * scale) for scale in scales)

    def largest_crop(self) -> int:
        """Return the side of the largest crop that the stage takes from a clip, pixels."""
        return round(max(self.sizes()) * self.downsample)

    def scale_bounds(self) -> tuple[float, float]:
        """Return the least and the greatest space scale of the stage."""
        scales = self.scale_range or self.scales
        return min(scales), max(scales)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model configuration, by name, and the stages of its training."""

    name: str
    config: str
    stages: tuple[Stage, ...]
    seed: int = 0
    ema_decay: float = 0.999
    gradient_norm: float = 1.0
    adam_beta2: float = 0.99
    degradation: str = "clean"
    """How LR inputs are made: ``clean`` (antialiased bicubic, 8 bits, as in the paper) or ``realistic``."""
    initial: str = ""
    """Initial weights: a shipped model's name or the path of a safetensors file; empty: random weights."""
    validate_every_steps: int = 2000
    """Steps between validations, with ``--validate``."""

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> tuple[Stage, int]:
        """Return the stage of ``step`` (0 ... steps - 1), and the step's number within the stage. Raises IndexError."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise IndexError("the step is past the recipe's end")

    def scale_bounds(self) -> tuple[float, float]:
        """Return the least and the greatest space scale of all stages."""
        bounds = [stage.scale_bounds() for stage in self.stages]
        return min(least for least, _ in bounds), max(greatest for _, greatest in bounds)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, for model cards and checkpoints."""
        return asdict(self)


def load_recipe(name_or_path: str) -> Recipe:
    """Load a recipe.

    Args:
        name_or_path: The name of a shipped recipe (``lite``), or the path of a TOML file.

    Returns:
        The recipe, checked.

    Raises:
        UsageError: There is no such recipe, or it is not valid.
    """
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
    """Return the names of the shipped recipes."""
    folder = resources.files("videoinr.training") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _stage_from_toml(table: dict[str, Any]) -> Stage:
    fields: dict[str, Any] = {_OLD_KEYS.get(key, key): value for key, value in table.items()}
    for key, value in fields.items():
        fields[key] = tuple(value) if isinstance(value, list) else value
    return Stage(**fields)


def _recipe_from_toml(name: str, data: dict[str, Any]) -> Recipe:
    stages = tuple(_stage_from_toml(stage) for stage in data.pop("stages"))
    recipe = Recipe(name=name, stages=stages, **data)
    if recipe.config not in CONFIGS:
        raise ValueError(f"no model configuration is called {recipe.config!r}")
    if not stages:
        raise ValueError("it has no stages")
    for stage in stages:
        _check(stage)
    return recipe


def _check(stage: Stage) -> None:
    ranged = stage.scale_range
    rules = {
        "needs steps, batch, patch, targets and windows of 1 or more": not stage.windows
        or min(stage.steps, stage.batch, stage.patch, stage.targets, *stage.windows) < 1,
        "needs either scales or scale_range": bool(stage.scales) == bool(ranged),
        "needs scale_range = [least, greatest] and scale_steps of 2 or more": bool(ranged)
        and (len(ranged) != 2 or ranged[0] > ranged[-1] or stage.scale_steps < 2),
        "needs scales of 1 or more": min((*stage.scales, *ranged), default=1) < 1,
        "needs a learning rate above 0": stage.learning_rate <= 0 or stage.final_learning_rate < 0,
        f"needs one of these as loss_weight: {', '.join(LOSS_WEIGHTS)}": stage.loss_weight not in LOSS_WEIGHTS,
        f"needs one of these as times: {', '.join(TARGET_TIMES)}": stage.times not in TARGET_TIMES,
        "needs windows of even length, because only those have a middle frame": stage.times == "middle"
        and any(length % 2 for length in stage.windows),
        "needs a downsample of 1 or more": stage.downsample < 1,
        "needs a recolour from 0 to 1": not 0 <= stage.recolour <= 1,
        "needs a stills_share from 0 to 1": not 0 <= stage.stills_share <= 1,
        "needs restart_every and warm_up_steps of 0 or more": min(stage.restart_every, stage.warm_up_steps) < 0,
    }
    for words, broken in rules.items():
        if broken:
            raise ValueError(f"the stage {stage.name!r} {words}")
