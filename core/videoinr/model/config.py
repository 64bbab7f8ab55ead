"""What a model is made of, as frozen values that a model card stores and an encoder or head is built from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from videoinr.errors import ModelError


@dataclass(frozen=True, slots=True)
class MotionPriorConfig:
    """Sizes of :class:`~videoinr.model.encoders.motion_prior.MotionPriorEncoder`."""

    frame_channels: int
    """Channels of each frame's own feature, at every level of the pyramid."""
    motion_channels: int
    """Channels of the hidden map that is handed from a coarser level to a finer one."""
    feature_channels: int
    """Channels of the latent feature that comes out."""
    front_blocks: int = 3
    """Residual blocks on each frame before the pyramid."""
    trunk_blocks: int = 8
    """Residual blocks on the fused feature."""
    levels: int = 4
    """Levels of the pyramid; the coarsest sees motion ``2 ** (levels - 1)`` times smaller."""
    kind: str = "motion_prior"


EncoderConfig = MotionPriorConfig


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """An encoder and the sizes of the three heads (hidden widths of each SIREN, first to last)."""

    encoder: EncoderConfig
    spatial_channels: int
    """Channels of the continuous spatial feature F_s (paper, eq. 2)."""
    spatial_hidden: tuple[int, ...]
    temporal_hidden: tuple[int, ...]
    decoder_hidden: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; :meth:`from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelConfig:
        """The config that :meth:`to_dict` wrote. Raises ModelError for one this program does not know."""
        try:
            fields = dict(data)
            encoder = dict(fields.pop("encoder"))
            if encoder.get("kind") != "motion_prior":
                raise ModelError(
                    f"The model's encoder is of a kind this program does not know: {encoder.get('kind')!r}.",
                    hint="It was probably written by a newer version; update the program.",
                )
            hidden = {key: tuple(value) for key, value in fields.items() if key.endswith("_hidden")}
            config = cls(**{**fields, **hidden, "encoder": MotionPriorConfig(**encoder)})
            _check_sizes(config)
            return config
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The model's configuration cannot be read: {error}.") from error


def _check_sizes(config: ModelConfig) -> None:
    hidden = (config.spatial_hidden, config.temporal_hidden, config.decoder_hidden)
    encoder = (value for name, value in asdict(config.encoder).items() if name != "kind")
    sizes = (*encoder, config.spatial_channels, *(width for widths in hidden for width in widths))
    if not all(hidden) or any(type(size) is not int or size < 1 for size in sizes):
        raise ValueError("every size is a whole number and at least 1, and every head has a hidden layer")


LITE = ModelConfig(
    encoder=MotionPriorConfig(frame_channels=24, motion_channels=24, feature_channels=48, trunk_blocks=6),
    spatial_channels=32,
    spatial_hidden=(48, 48),
    temporal_hidden=(32, 32),
    decoder_hidden=(48, 48),
)
"""0.75 M parameters: for a laptop's CPU."""

BASE = ModelConfig(
    encoder=MotionPriorConfig(
        frame_channels=64, motion_channels=48, feature_channels=96, front_blocks=5, trunk_blocks=24
    ),
    spatial_channels=64,
    spatial_hidden=(64, 64),
    temporal_hidden=(32, 32),
    decoder_hidden=(64, 64, 64),
)
"""6.5 M parameters: for a GPU, or for patience."""

TINY = ModelConfig(
    encoder=MotionPriorConfig(
        frame_channels=4, motion_channels=4, feature_channels=8, front_blocks=1, trunk_blocks=1, levels=2
    ),
    spatial_channels=6,
    spatial_hidden=(8, 8),
    temporal_hidden=(8, 8),
    decoder_hidden=(8, 8),
)
"""A model too small to be good, for tests and for trying a training set-up in seconds."""

CONFIGS = {"lite": LITE, "base": BASE, "tiny": TINY}
