"""What a model card says of a released network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from videoinr.errors import ModelError
from videoinr.model.config import PAPER, ModelConfig, ZoomingSlowMoConfig

KIND = "released"
"""Tells such a config from a :class:`~videoinr.model.config.ModelConfig` in a card."""


@dataclass(frozen=True, slots=True)
class ReleasedConfig:
    """Sizes and conventions of :class:`~videoinr.model.released.network.ReleasedVideoINR`."""

    sizes: ModelConfig = PAPER
    """Of the encoder and the heads. Its switches say nothing here: the released network has none."""
    corrected: bool = False
    """The clean conventions instead of the released ones (see :mod:`videoinr.model.released.lattice`)."""

    @property
    def encoder(self) -> ZoomingSlowMoConfig:
        """The encoder's sizes; there is one kind only."""
        assert isinstance(self.sizes.encoder, ZoomingSlowMoConfig)
        return self.sizes.encoder

    @property
    def spatial_channels(self) -> int:
        """Channels of F_s."""
        return self.sizes.spatial_channels

    @property
    def temporal_hidden(self) -> tuple[int, ...]:
        """Hidden widths of TemporalINR."""
        return self.sizes.temporal_hidden

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; :meth:`from_dict` is its inverse."""
        return {"kind": KIND, "corrected": self.corrected, "sizes": self.sizes.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ReleasedConfig:
        """The config that :meth:`to_dict` wrote. Raises ModelError for one that makes no such network."""
        corrected, sizes = data.get("corrected"), data.get("sizes")
        if type(corrected) is not bool or not isinstance(sizes, dict):
            raise ModelError("The released network's configuration cannot be read.")
        config = cls(ModelConfig.from_dict(sizes), corrected)
        if not isinstance(config.sizes.encoder, ZoomingSlowMoConfig):
            raise ModelError("A released network has Zooming SlowMo for its encoder, and this configuration does not.")
        return config
