"""The schema of a model card: the type and the limits of each value, checked before a model is built from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from videoinr.text.schemas import Line, Name, Strict, validated

MAX_CARD_BYTES = 8 << 20

_Channels = Annotated[int, Field(ge=1, le=512)]
_Blocks = Annotated[int, Field(ge=1, le=256)]
_Hidden = Annotated[list[_Channels], Field(min_length=1, max_length=16)]
_Scale = Annotated[float, Field(ge=0.01, le=1000)]


class _MotionPrior(Strict):
    kind: Literal["motion_prior"]
    frame_channels: _Channels
    motion_channels: _Channels
    feature_channels: _Channels
    front_blocks: _Blocks = 1
    trunk_blocks: _Blocks = 1
    levels: Annotated[int, Field(ge=1, le=8)] = 1
    coarsest_lines: Annotated[int, Field(ge=0, le=65_536)] = 0
    propagation: Annotated[list[Annotated[int, Field(ge=1, le=256)]], Field(max_length=8)] = Field(default=[])


class _ZoomingSlowMo(Strict):
    kind: Literal["zooming_slowmo"]
    channels: _Channels = 1
    groups: _Channels = 1
    front_blocks: _Blocks = 1
    back_blocks: _Blocks = 1


class _Sizes(Strict):
    """A :class:`~videoinr.model.config.ModelConfig`. The defaults are placeholders: only given values are checked."""

    encoder: Annotated[_MotionPrior | _ZoomingSlowMo, Field(discriminator="kind")]
    spatial_channels: _Channels
    spatial_hidden: _Hidden
    temporal_hidden: _Hidden
    decoder_hidden: _Hidden
    blend: bool = True
    flow: bool = True
    multi_scale: bool = True
    single_network: bool = False


class _Card(Strict):
    name: Name
    description: Line
    config: dict[str, Any]
    parameters: Annotated[int, Field(ge=1, le=10**10)]
    trained_scales: Annotated[list[_Scale], Field(min_length=2, max_length=2)]
    training: dict[str, Any]
    metrics: dict[str, Any]
    protocol: Line
    sha256: Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]
    self_test: Annotated[str, Field(max_length=100_000)]

    @model_validator(mode="after")
    def _scales_are_ordered(self) -> _Card:
        if self.trained_scales[0] > self.trained_scales[1]:
            raise ValueError("has its trained_scales in the wrong order")
        return self


def check_sizes(data: dict[str, Any]) -> None:
    """Check the plain values of a model's configuration.

    Raises:
        ValueError: a value is missing, unknown, of another type or out of its limits.
    """
    validated(_Sizes, _with_lists(data))


def _with_lists(value: Any) -> Any:
    """Return ``value`` with lists in place of tuples, in tables too, as JSON stores it."""
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def read_card_values(path: Path) -> dict[str, Any]:
    """Read the card in the JSON file ``path`` and check every value but those of its configuration.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is too large, it is not JSON, or a value is missing, unknown or out of its limits.
    """
    with path.open("rb") as file:
        text = file.read(MAX_CARD_BYTES + 1)
    if len(text) > MAX_CARD_BYTES:
        raise ValueError(f"it is larger than {MAX_CARD_BYTES >> 20} MiB")
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("its values are nested too deeply") from None
    validated(_Card, data)
    values: dict[str, Any] = data
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a value of JSON")
