"""The schema of a model card: the type and the limits of each value, checked before a model is built from it.

It is imported with the first card that is not the program's own: pydantic takes a sixth of a second.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from videoinr.text.schemas import Line, Name, Strict

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
    bend_channels: Annotated[int, Field(ge=0, le=512)] = 0
    match_radius: Annotated[int, Field(ge=0, le=64)] = 0
    flow_limit: Annotated[int, Field(ge=0, le=65_536)] = 0


class _ZoomingSlowMo(Strict):
    kind: Literal["zooming_slowmo"]
    channels: _Channels = 1
    groups: _Channels = 1
    front_blocks: _Blocks = 1
    back_blocks: _Blocks = 1


class Sizes(Strict):
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


class Card(Strict):
    """A :class:`~videoinr.model.weights.ModelCard`. The configuration has :class:`Sizes`."""

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
    def _scales_are_ordered(self) -> Card:
        if self.trained_scales[0] > self.trained_scales[1]:
            raise ValueError("has its trained_scales in the wrong order")
        return self
