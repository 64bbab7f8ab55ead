"""Chooses the encoder and the decoder that suit a device, and loads what they need early."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection
from importlib import import_module
from typing import Protocol

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.bending import Beginning, encoded, outlined
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile, half_type
from videoinr.geometry import Grid
from videoinr.model.encoders.motion_prior import FrameFeatures
from videoinr.model.encoders.path_bend import CoarseSearch
from videoinr.model.fast_code import fast_code_name
from videoinr.model.ops import has_kernels
from videoinr.model.representation import Features, Representation
from videoinr.model.video_inr import VideoINR
from videoinr.types import Instant, PairKey, RegionQuery

log = logging.getLogger(__name__)

_KERNEL_MODULES = (
    "videoinr.decode.cuda_encoder", "videoinr.decode.cuda_decoder", "videoinr.model.kernels.convolve_hopper",
    "videoinr.model.kernels.convolve_tiles", "videoinr.model.kernels.propagate", "videoinr.model.kernels.resize",
)  # fmt: skip


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
        """Decode the pixels of a region: uint8 [rect.height, rect.width, 4], RGBX; deep: int32, 0 ... 65535.

        A picture that stays on a GPU may be lent: the next call may write over it.
        """

    def flow(self, features: Features, instant: Instant, token: CancelToken) -> Tensor:
        """Decode the flow at ``instant``: float32 [2, clip height, clip width, 2] (see flow.py)."""

    def close(self) -> None:
        """End the decoder's threads."""


class WholeEncoder(Protocol):
    """Encodes pairs of a clip without bands."""

    def __call__(
        self, frames: Tensor, beginning: Beginning | None = None, frame_features: FrameFeatures | None = None
    ) -> Features:
        """Encode a pair.

        Args:
            frames: [1, 2, 3, H, W] in 0 ... 1: whole frames, or the same crop of both.
            beginning: What is known of whole frames whose paths bend; None: they are straight.
            frame_features: Remembers the finest features of single frames, where it is faster to have them; the model
                has a motion-prior encoder then. None: for crops, and other models.
        """

    def outline(self, frames: Tensor, frame_features: FrameFeatures) -> CoarseSearch:
        """Search whole frames on all levels but the two finest; ``frame_features`` as above."""


class _PlainEncoder:
    """Encodes pairs by the model itself."""

    def __init__(self, model: Representation, clip: Grid, *, half: bool) -> None:
        self._model, self._clip, self._half = model, clip, half

    def __call__(
        self, frames: Tensor, beginning: Beginning | None = None, frame_features: FrameFeatures | None = None
    ) -> Features:
        if beginning is not None:
            return encoded(self._model, frames, beginning, half=self._half, frame_features=frame_features)
        if frame_features is None:
            return self._model.encode(frames, half=self._half, whole=self._clip)
        assert isinstance(self._model, VideoINR)
        return self._model.encode(frames, half=self._half, whole=self._clip, frame_features=frame_features)

    def outline(self, frames: Tensor, frame_features: FrameFeatures) -> CoarseSearch:
        return outlined(self._model, frames, half=self._half, frame_features=frame_features)


def encoder_for(model: Representation, clip: Grid, profile: ComputeProfile) -> WholeEncoder:
    """Return the encoder of the pairs of a clip.

    Args:
        model: The model, on the profile's device.
        clip: The size of the clip's frames.
        profile: The device, its precision and its budgets.
    """
    if not has_kernels(next(model.parameters())):
        return _PlainEncoder(model, clip, half=profile.half_encoder)
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


def load_early(device: str | None) -> threading.Thread | None:
    """Load what computes on a GPU on a thread, beside the opening of a clip; from then on the first picture waits less.

    Args:
        device: the name of the device that will compute; None: the fastest.

    Returns:
        The thread; None if the device is no CUDA device, or has no kernels.
    """
    may_be_cuda = (device is None or device.startswith("cuda")) and torch.cuda.is_available()
    if not may_be_cuda or not fast_code_name(torch.device("cuda")):
        return None
    # Not a daemon: Python must not end while the driver starts.
    thread = threading.Thread(target=load_kernels, args=(device or "cuda",), name="kernels")
    thread.start()
    return thread


def load_kernels(device: str) -> None:
    """Start CUDA on ``device``, import the kernels, and have Triton compute the key of its cache. Never raises.

    For that key, Triton reads all of its own files once in a process: 0.4 s, mostly without Python's lock. So it has a
    thread of its own: after the imports it would be late for the first picture of a clip that opens quickly.
    """
    other = threading.Thread(target=_find_key_and_multiply, args=(device,), name="kernels-key")
    other.start()
    try:
        torch.cuda.synchronize(device)
        for name in _KERNEL_MODULES:
            import_module(name)
    except Exception as error:  # Whatever it is, it is met again, and told, where the kernels are used.
        log.info("the kernels could not be loaded early", exc_info=error)
    other.join()


def _find_key_and_multiply(device: str) -> None:
    """Have Triton compute the key of its cache, and torch load its library of products: 0.2 s. Never raises."""
    try:
        # No public name of Triton's, and a mere matter of time: it is computed with the first kernel otherwise.
        with contextlib.suppress(AttributeError):
            import_module("triton.runtime.cache").triton_key()
        ones = torch.ones((16, 16), device=device)
        ones.mm(ones)
        # The latent feature is projected in half precision: by other kernels of that library.
        half = ones.to(half_type(ones.device))
        half.mm(half)
    except Exception as error:
        log.info("the key of the kernels or the products could not be loaded early", exc_info=error)
