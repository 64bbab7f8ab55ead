"""Recipes: all settings of a training run except its data, as TOML files."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from videoinr.errors import InputError, UsageError
from videoinr.model.config import CONFIGS, ModelConfig, MotionPriorConfig
from videoinr.text.plain import is_plain_line, printable
from videoinr.training.batch_shape import BatchShape
from videoinr.training.recipe_schema import check_recipe

_MAX_BYTES = 1 << 20
_OLD_KEYS = {"shrink": "downsample"}
"""Former names of stage keys, which older recipe files use, and the present names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One of the batch shapes that a stage draws from."""

    batch: int
    patch: int
    scale: float
    depth: int = 0
    """Levels of the motion search; 0: as the model's config says for this patch size."""
    weight: float = 1.0
    """Chance of this shape, relative to the other draws' weights."""
    windows: tuple[int, ...] = ()
    """Window lengths; empty: the stage's."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A number of steps with one set of settings. Exactly one of ``scales``, ``scale_range`` and ``draws`` is set."""

    name: str
    steps: int
    batch: int = 0
    """Windows per step and per GPU."""
    patch: int = 0
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
    draws: tuple[Draw, ...] = ()
    """Shapes of batches to draw from, in place of ``batch``, ``patch`` and the scales."""
    stills_power: float = 2.0
    """Exponent of the shifts of photographs: a shift is a uniform random number to this power, times 0.4 of the
    window's side. A lower exponent gives larger motion."""
    flow_weight: float = 0.0
    """Loss weight of the motion prior's error, per LR pixel, in windows of photographs, whose true flow is known."""
    restart_every: int = 0
    """Period of the learning rate's cosine, steps; 0: one period over the whole stage."""
    bend_rate: float = 1.0
    """Factor on the learning rate of the network that bends paths, of a model that has it."""

    def drawn(self, rng: np.random.Generator) -> tuple[Stage, BatchShape]:
        """Draw a step's batch shape. Return the stage with that shape's patch and windows, and the shape."""
        if not self.draws:
            return self, BatchShape(self.batch, self.patch, int(rng.choice(self.sizes())), self.targets)
        weights = np.array([draw.weight for draw in self.draws])
        draw = self.draws[int(rng.choice(len(self.draws), p=weights / weights.sum()))]
        size = round(draw.patch * draw.scale)
        stage = replace(self, patch=draw.patch, windows=draw.windows or self.windows)
        return stage, BatchShape(draw.batch, draw.patch, size, self.targets, draw.depth)

    def sizes(self) -> tuple[int, ...]:
        """Return the sides of the target patches, pixels, one per scale."""
        if self.draws:
            return tuple(round(draw.patch * draw.scale) for draw in self.draws)
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
        scales = self.scale_range or self.scales or tuple(draw.scale for draw in self.draws)
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
    """How LR inputs are made: ``clean`` (antialiased bicubic, 8 bits, as in the paper), ``realistic``, or ``coded``: a
    share of the windows is coded over time by real encoders."""
    initial: str = ""
    """Initial weights: a shipped model's name or the path of a safetensors file; empty: random weights."""
    validate_every_steps: int = 2000
    """Steps between validations, with ``--validate``."""
    bend_channels: int = 0
    """Width of the network that bends paths by the frames beside a pair; 0: as the configuration says."""

    @property
    def model_config(self) -> ModelConfig:
        """The configuration of the model. Raises ValueError if its encoder cannot have ``bend_channels``."""
        config = CONFIGS[self.config]
        if not self.bend_channels:
            return config
        if not isinstance(config.encoder, MotionPriorConfig):
            raise ValueError(f"the configuration {self.config!r} has no motion prior, so bend_channels must be 0")
        return replace(config, encoder=replace(config.encoder, bend_channels=self.bend_channels))

    @property
    def bends_paths(self) -> bool:
        """Whether the model reads the frames beside a pair."""
        encoder = self.model_config.encoder
        return isinstance(encoder, MotionPriorConfig) and encoder.bend_channels > 0

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
        UsageError: There is no shipped recipe of this name.
        InputError: There is no such file, or it is not a valid recipe.
    """
    path, names = Path(name_or_path), recipe_names()
    if path.suffix != ".toml":
        if name_or_path not in names:
            raise UsageError(f"There is no recipe {name_or_path!r}.", hint=f"Shipped: {', '.join(names)}.")
        shipped = resources.files("videoinr.training") / "recipes" / f"{name_or_path}.toml"
        return _recipe_from_toml(name_or_path, tomllib.loads(shipped.read_text("utf-8")))
    if not path.is_file():
        raise InputError(f"There is no recipe file {name_or_path!r}.", hint=f"Shipped recipes: {', '.join(names)}.")
    if not is_plain_line(path.stem):
        # The run's weights get this name.
        raise InputError(f"{name_or_path!r} has control characters in its name.", hint="Rename the file.")
    try:
        return _recipe_from_toml(path.stem, tomllib.loads(_text_of(path)))
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    except RecursionError:
        reason = "its values are nested too deeply"
    except (OSError, ValueError) as error:
        reason = printable(str(error))
    raise InputError(f"The recipe {name_or_path!r} cannot be read: {reason}.", hint="Correct the file.")


def _text_of(path: Path) -> str:
    with path.open("rb") as file:
        text = file.read(_MAX_BYTES + 1)
    if len(text) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES >> 20} MiB")
    return text.decode("utf-8-sig")


def recipe_names() -> list[str]:
    """Return the names of the shipped recipes."""
    folder = resources.files("videoinr.training") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _recipe_from_toml(name: str, data: dict[str, Any]) -> Recipe:
    data = {**data, "stages": _renamed_stages(data.get("stages"))}
    check_recipe(data)
    if data["config"] not in CONFIGS:
        raise ValueError(f"no model configuration is called {data['config']!r}")
    stages = tuple(_stage_from_toml(stage) for stage in data.pop("stages"))
    recipe = Recipe(name=name, stages=stages, **data)
    _ = recipe.model_config
    return recipe


def _renamed_stages(stages: Any) -> Any:
    """Return ``stages`` with the present names of their keys. What is not a list of tables is returned unchanged."""
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        return stages
    return [{_OLD_KEYS.get(key, key): value for key, value in stage.items()} for stage in stages]


def _stage_from_toml(table: dict[str, Any]) -> Stage:
    draws = tuple(Draw(**_with_tuples(draw)) for draw in table.get("draws", ()))
    return Stage(**{**_with_tuples(table), "draws": draws})


def _with_tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def no_stills_error() -> UsageError:
    """Return the error for a recipe with ``stills_share`` and no photographs."""
    return UsageError(
        "The recipe makes a share of its windows from photographs, and none were given.",
        hint="Name a folder of photographs with --stills, or set stills_share = 0 in a copy of the recipe.",
    )
