"""The schema of a recipe's TOML file: the type and the limits of each value, checked before anything is built."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from videoinr.text.schemas import Line, Name, Strict, validated

MAX_CROP_PX = 16384

_Count = Annotated[int, Field(ge=0, le=10**9)]
_Steps = Annotated[int, Field(ge=1, le=10**9)]
_Scale = Annotated[float, Field(ge=1, le=64)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Rate = Annotated[float, Field(gt=0, le=10)]
_Batch = Annotated[int, Field(ge=1, le=65_536)]
_Patch = Annotated[int, Field(ge=1, le=4096)]
_Window = Annotated[int, Field(ge=1, le=10_000)]


class _Draw(Strict):
    batch: _Batch
    patch: _Patch
    scale: _Scale
    depth: Annotated[int, Field(ge=0, le=16)] = 0
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    windows: Annotated[list[_Window], Field(max_length=1000)] = Field(default=[])


class _Stage(Strict):
    name: Name
    steps: _Steps
    batch: _Batch | None = None
    patch: _Patch | None = None
    scales: Annotated[list[_Scale], Field(max_length=1000)] = Field(default=[])
    learning_rate: _Rate = 1e-4
    final_learning_rate: Annotated[float, Field(ge=0, le=10)] = 1e-6
    warm_up_steps: _Count = 0
    windows: Annotated[list[_Window], Field(min_length=1, max_length=1000)] = Field(default=[2])
    targets: Annotated[int, Field(ge=1, le=1000)] = 3
    times: Literal["any", "middle"] = "any"
    stills_share: _Share = 0.0
    downsample: Annotated[float, Field(ge=1, le=64)] = 1.0
    recolour: _Share = 0.0
    loss_weight: Literal["even", "area"] = "even"
    scale_range: Annotated[list[_Scale], Field(max_length=2)] = Field(default=[])
    scale_steps: Annotated[int, Field(ge=2, le=1000)] = 16
    draws: Annotated[list[_Draw], Field(max_length=1000)] = Field(default=[])
    stills_power: Annotated[float, Field(gt=0, le=100)] = 2.0
    flow_weight: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    restart_every: _Count = 0
    bend_rate: Annotated[float, Field(gt=0, le=1000)] = 1.0

    @model_validator(mode="after")
    def _fits_together(self) -> _Stage:
        scales, bounds, draws = self.scales, self.scale_range, self.draws
        windows = [*self.windows, *(length for draw in draws for length in draw.windows)]
        sides = [draw.patch * draw.scale for draw in draws] or [(self.patch or 1) * max((*scales, *bounds), default=1)]
        rules = {
            "needs exactly one of scales, scale_range and draws": sum(map(bool, (scales, bounds, draws))) != 1,
            "needs batch and patch, because it has no draws": not draws and None in (self.batch, self.patch),
            "needs scale_range = [least, greatest]": bool(bounds) and (len(bounds) != 2 or bounds[0] > bounds[-1]),
            "needs windows of even length for times = 'middle', because only those have a middle frame": (
                self.times == "middle" and any(length % 2 for length in windows)
            ),
            f"has crops (patch times scale times downsample) of more than {MAX_CROP_PX} pixels": (
                max(sides) * self.downsample > MAX_CROP_PX
            ),
        }
        for words, broken in rules.items():
            if broken:
                raise ValueError(words)
        return self


class _Recipe(Strict):
    config: Name
    stages: Annotated[list[_Stage], Field(min_length=1, max_length=1000)]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    gradient_norm: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    adam_beta2: Annotated[float, Field(ge=0, lt=1)] = 0.99
    degradation: Literal["clean", "realistic", "coded"] = "clean"
    initial: Line = ""
    validate_every_steps: _Steps = 2000
    bend_channels: Annotated[int, Field(ge=0, le=512)] = 0


def check_recipe(data: dict[str, Any]) -> None:
    """Check the plain values of a recipe.

    Raises:
        ValueError: a value is missing, unknown, of another type or out of its limits, or values contradict each other.
    """
    validated(_Recipe, data)
