"""The values that the model passes between its steps: an encoded pair, and the time-free terms of its flow."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

from torch import Tensor

from videoinr.model.config import ModelConfig
from videoinr.model.siren import SirenHead


class PairHeads(Protocol):
    """The three heads of a :class:`~videoinr.model.video_inr.VideoINR`, as the CUDA kernels read them."""

    @property
    def config(self) -> ModelConfig:
        """Sizes and switches of the model."""

    @property
    def spatial_head(self) -> SirenHead:
        """SpatialINR, f_s; absent with a single network."""

    @property
    def temporal_head(self) -> SirenHead:
        """TemporalINR, f_t; absent without flow."""

    @property
    def decoder_head(self) -> SirenHead:
        """The decoder."""


@dataclass(frozen=True, eq=False)
class PairFeatures:
    """What is known of a pair once it is encoded; all that decoding needs. Channels last, float32 (but for
    ``temporal``, ``colour_first`` and ``colour_second`` as the
    :class:`~videoinr.decode.cuda_decoder.CudaDecoder` keeps them).

    The first layers of the heads are already applied to the latent feature and both frames (see siren.py):
    ``spatial`` [B, H, W, S], ``temporal`` [B, H, W, T], ``colour_first`` and ``colour_second`` [B, H, W, D]; S, T,
    D being the heads' first widths. ``prior`` [B, H, W, 4]: flow from mid-time to each frame, latent pixels.
    ``frames`` [B, 2, 3, H, W] in 0 ... 1. What a config has no use for, or its encoder does not give, has no channels.
    """

    frames: Tensor
    prior: Tensor
    spatial: Tensor
    temporal: Tensor
    colour_first: Tensor
    colour_second: Tensor

    @property
    def latent_hw(self) -> tuple[int, int]:
        """Height and width of the latent feature: those of the clip."""
        return self.spatial.shape[1], self.spatial.shape[2]

    @property
    def nbytes(self) -> int:
        """Memory it holds, bytes."""
        return sum(getattr(self, field.name).nbytes for field in fields(self))


@dataclass(frozen=True, eq=False)
class MotionBasis:
    """The part of the flow at some points that does not depend on time (see :meth:`VideoINR.motion`)."""

    first_sum: Tensor
    prior: Tensor
