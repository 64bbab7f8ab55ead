"""Recipes: everything that shapes a training run except the data, as a TOML file."""

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
"""Stage keys that recipes were written with before they were renamed, and their present names."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of training under one set of settings. ``scales`` or ``scale_range`` say which scales it draws from."""

    name: str
    steps: int
    batch: int
    """Windows in a step; with several GPUs, on each of them."""
    patch: int
    """Side of the LR patches, pixels."""
    scales: tuple[float, ...] = ()
    """Space scales (target size over LR size); each step draws one of them, all alike: repeat one to favour it."""
    learning_rate: float = 1e-4
    final_learning_rate: float = 1e-6
    warm_up_steps: int = 500
    windows: tuple[int, ...] = (2, 4, 6, 8)
    """Window lengths: frames from the first input to the second."""
    targets: int = 3
    """Target frames for each window."""
    times: str = "any"
    """``any``: targets are drawn from all frames of a window; ``middle``: its middle one alone (VideoINR-fixed)."""
    stills_share: float = 0.0
    """Share of the windows made from still photographs set in known motion, 0 ... 1."""
    downsample: float = 1.0
    """Half of the batches take crops up to this many times larger than their targets, and make them smaller."""
    recolour: float = 0.0
    """Share of the windows in other colours and tones, 0 ... 1."""
    loss_weight: str = "even"
    """``even``: every step counts alike; ``area``: a step at scale s counts (4/s)^2, so that every LR pixel does."""
    scale_range: tuple[float, ...] = ()
    """(least, most): scales drawn evenly from this range, in ``scale_steps`` steps."""
    scale_steps: int = 16
    """Every size of target costs a CUDA graph and its memory, so that a range is a grid of a few sizes."""
    restart_every: int = 0
    """Steps after which the cosine of the learning rate begins anew; 0: one cosine through the stage."""

    def sizes(self) -> tuple[int, ...]:
        """Sides of the target patches, pixels, one for each scale."""
        if not self.scale_range:
            return tuple(round(self.patch * scale) for scale in self.scales)
        least, most = self.scale_range
        scales = (least + (most - least) * number / (self.scale_steps - 1) for number in range(self.scale_steps))
        return tuple(round(self.patch * scale) for scale in scales)

    def largest_crop(self) -> int:
        """Side of the largest crop that it takes from a clip, pixels."""
        return round(max(self.sizes()) * self.downsample)

    def scale_bounds(self) -> tuple[float, float]:
        """The least and the most space scale it trains at."""
        scales = self.scale_range or self.scales
        return min(scales), max(scales)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model configuration by name and the stages it is trained through."""

    name: str
    config: str
    stages: tuple[Stage, ...]
    seed: int = 0
    ema_decay: float = 0.999
    gradient_norm: float = 1.0
    adam_beta2: float = 0.99
    degradation: str = "clean"
    """How LR inputs are made: ``clean`` (antialiased bicubic, 8 bits; the paper) or ``realistic``."""
    initial: str = ""
    """Shipped model, or path of a safetensors file, whose weights to start from; empty: from random weights."""
    validate_every_steps: int = 2000
    """How often ``--validate`` looks at the model."""

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

    def scale_bounds(self) -> tuple[float, float]:
        """The least and the most space scale of all stages."""
        bounds = [stage.scale_bounds() for stage in self.stages]
        return min(least for least, _ in bounds), max(most for _, most in bounds)

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


def _stage_from_toml(table: dict[str, Any]) -> Stage:
    renamed = {_OLD_KEYS.get(key, key): value for key, value in table.items()}
    return Stage(**{key: tuple(value) if isinstance(value, list) else value for key, value in renamed.items()})


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
        "needs steps, a batch, a patch, targets and windows": not stage.windows
        or min(stage.steps, stage.batch, stage.patch, stage.targets, *stage.windows) < 1,
        "needs either scales or a scale_range": bool(stage.scales) == bool(ranged),
        "needs a scale_range = [least, most] and two scale_steps at least": bool(ranged)
        and (len(ranged) != 2 or ranged[0] > ranged[-1] or stage.scale_steps < 2),
        "needs scales of 1 at least": min((*stage.scales, *ranged), default=1) < 1,
        "needs a learning rate above 0": stage.learning_rate <= 0 or stage.final_learning_rate < 0,
        f"knows these loss weights only: {', '.join(LOSS_WEIGHTS)}": stage.loss_weight not in LOSS_WEIGHTS,
        f"knows these times only: {', '.join(TARGET_TIMES)}": stage.times not in TARGET_TIMES,
        "needs windows of even length to have a middle frame": stage.times == "middle"
        and any(length % 2 for length in stage.windows),
        "needs a downsample of 1 at least": stage.downsample < 1,
        "needs a recolour of 0 ... 1": not 0 <= stage.recolour <= 1,
        "needs a stills_share of 0 ... 1": not 0 <= stage.stills_share <= 1,
        "cannot restart or warm up after less than no steps": min(stage.restart_every, stage.warm_up_steps) < 0,
    }
    for words, broken in rules.items():
        if broken:
            raise ValueError(f"the stage {stage.name!r} {words}")
