"""Chooses the encoder and the decoder that suit a device."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid
from videoinr.model.ops import has_kernels
from videoinr.model.representation import Features, Representation
from videoinr.types import Instant, PairKey, RegionQuery


class Decoder(Protocol):
    """Decodes regions of encoded pairs; see :class:`~videoinr.decode.tiled_decoder.TiledDecoder` for the arguments."""

    def compact(self, features: Features) -> Features:
        """Return ``features`` in the form to cache for :meth:`decode`."""

    def keep_only(self, keys: Collection[PairKey]) -> None:
        """Drop what is kept of all pairs but ``keys``: the others will not be decoded again."""

    def decode(
        self, key: PairKey, features: Features, query: RegionQuery, token: CancelToken, *, to_cpu: bool = True,
        deep: bool = False,
    ) -> Tensor:  # fmt: skip
        """Decode the pixels of a region: uint8 [rect.height, rect.width, 4], RGBX; deep: int32, 0 ... 65535."""

    def flow(self, features: Features, instant: Instant, token: CancelToken) -> Tensor:
        """Decode the flow at ``instant``: float32 [2, clip height, clip width, 2] (see flow.py)."""

    def close(self) -> None:
        """End the decoder's threads."""


def encoder_for(model: Representation, clip: Grid, profile: ComputeProfile) -> Callable[[Tensor], Features]:
    """Return the function that encodes pairs of a clip.

    Args:
        model: The model, on the profile's device.
        clip: The size of the clip's frames.
        profile: The device, its precision and its budgets.

    Returns:
        Encodes frames [1, 2, 3, H, W] in 0 ... 1: whole frames, or the same crop of both.
    """
    if not has_kernels(next(model.parameters())):
        return lambda low: model.encode(low, half=profile.half_encoder, whole=clip)
    from videoinr.decode.cuda_encoder import CudaEncoder

    return CudaEncoder(model, clip, half=profile.half_encoder, room=profile.feature_bytes // 4)


def decoder_for(model: Representation, profile: ComputeProfile, spare: Callable[[], bool] = lambda: False) -> Decoder:
    """Return the decoder of ``model``, on the profile's device: CUDA kernels where they run, tiles elsewhere.

    Args:
        model: The model.
        profile: The device and its budgets.
        spare: Called if a GPU's memory does not suffice: frees what can be computed again, and returns whether there
            was something.
    """
    if not has_kernels(next(model.parameters())):
        return TiledDecoder(model, profile)
    from videoinr.decode.cuda_decoder import CudaDecoder

    return CudaDecoder(model, profile, spare=spare)
