"""The configuration of a released network, as a model card stores it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from videoinr.errors import ModelError
from videoinr.model.config import PAPER, ModelConfig, ZoomingSlowMoConfig

KIND = "released"
"""The ``kind`` by which a card tells this config from a :class:`~videoinr.model.config.ModelConfig`."""


@dataclass(frozen=True, slots=True)
class ReleasedConfig:
    """Sizes and conventions of :class:`~videoinr.model.released.network.ReleasedVideoINR`."""

    sizes: ModelConfig = PAPER
    """Sizes of the encoder and the heads. The switches in it have no effect: the released network has none."""
    corrected: bool = False
    """Whether positions are corrected (see :mod:`videoinr.model.released.lattice`)."""

    @property
    def encoder(self) -> ZoomingSlowMoConfig:
        """The sizes of the encoder, which always is Zooming SlowMo."""
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
        """Return a form that JSON can store; :meth:`from_dict` is its inverse."""
        return {"kind": KIND, "corrected": self.corrected, "sizes": self.sizes.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ReleasedConfig:
        """Read a config from what :meth:`to_dict` returned.

        Raises:
            ModelError: ``data`` describes no released network.
        """
        corrected, sizes = data.get("corrected"), data.get("sizes")
        if type(corrected) is not bool or not isinstance(sizes, dict):
            raise ModelError("The released network's configuration cannot be read.")
        config = cls(ModelConfig.from_dict(sizes), corrected)
        if not isinstance(config.sizes.encoder, ZoomingSlowMoConfig):
            raise ModelError(
                "The encoder of a released network is Zooming SlowMo, but this configuration names another."
            )
        return config
