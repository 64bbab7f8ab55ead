"""Encodes the pairs of one clip: small frames whole, large ones in bands of rows and only where they are seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from videoinr.cancel import CancelToken
from videoinr.decode.backends import encoder_for
from videoinr.devices import LEAST_WORK_BYTES, MIB, ComputeProfile, half_type, is_out_of_memory, return_free_memory
from videoinr.geometry import Grid, Rect
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.motion_prior_bands import BandEncoder, BandLimits, CoarseSearch
from videoinr.model.latent import LatentPair, ProjectedRegions
from videoinr.model.ops import has_kernels
from videoinr.model.representation import Features, Representation
from videoinr.model.video_inr import VideoINR

WHOLE_BYTES = 192 * MIB
"""Frames whose projected maps take at most this are encoded whole and projected at once: that is the fastest way."""
CUDA_WHOLE_BYTES = 1024 * MIB
"""The same on CUDA, where more bands mean more launches, and recorded launches need frames that are encoded whole."""
MOST_SHARE = 0.6
"""If more than this share of the frame is needed, all of it is encoded."""


class PairEncoder:
    """Encodes pairs of one clip with one model on one device."""

    def __init__(self, model: Representation, clip: Grid, profile: ComputeProfile) -> None:
        """Make an encoder.

        Args:
            model: The model, on the profile's device.
            clip: The size of the clip's frames.
            profile: The device, its precision and its budgets.
        """
        self._model, self._clip, self._profile = model, clip, profile
        self._encode_whole = encoder_for(model, clip, profile)
        self._limits = BandLimits(profile.work_bytes, profile.work_bytes)
        self.regions = ProjectedRegions(profile.tile_bytes)

    def encode(self, low: Tensor, token: CancelToken, rect: Rect | None = None) -> Features:
        """Encode a pair.

        Args:
            low: [1, 2, 3, H, W] in 0 ... 1: whole frames, or the same crop of both.
            token: Cancels the work between convolutions, and is told the progress.
            rect: The pixels that decoding will need; None: all. Small frames are encoded whole anyway.

        Raises:
            Cancelled: ``token`` was cancelled.
        """
        bands = self._banded(low)
        if bands is None:
            with self._watched(token, self._products(low)):
                return self._encode_whole(low)
        return self._in_bands(*bands, low, None, rect, token)

    def extended(self, pair: LatentPair, rect: Rect, token: CancelToken) -> LatentPair:
        """Return ``pair`` with more pixels encoded: the smallest rectangle around ``rect`` and what it has.

        Raises:
            Cancelled: ``token`` was cancelled.
        """
        model, encoder = self._model, self._model.encoder
        assert isinstance(model, VideoINR)
        assert isinstance(encoder, MotionPriorEncoder)
        return self._in_bands(model, encoder, pair.frames, pair.coarse, _union(pair.part.rect, rect), token)

    def _banded(self, low: Tensor) -> tuple[VideoINR, MotionPriorEncoder] | None:
        """Return the model and its encoder if frames like ``low`` are to be encoded in bands."""
        model, encoder = self._model, self._model.encoder
        if not isinstance(model, VideoINR) or not isinstance(encoder, MotionPriorEncoder):
            return None
        config, most = model.config, CUDA_WHOLE_BYTES if has_kernels(low) else WHOLE_BYTES
        channels = config.spatial_hidden[0] + config.temporal_hidden[0] + 2 * config.decoder_hidden[0] + 10
        return (model, encoder) if 4 * channels * low.shape[-1] * low.shape[-2] > most else None

    def _in_bands(
        self, model: VideoINR, encoder: MotionPriorEncoder, low: Tensor, coarse: CoarseSearch | None,
        rect: Rect | None, token: CancelToken,
    ) -> LatentPair:  # fmt: skip
        whole = Grid(low.shape[-1], low.shape[-2]).rect
        # The kernels read the whole frame's prior; and a whole frame takes a GPU milliseconds.
        rect = whole if rect is None or has_kernels(low) or rect.area > MOST_SHARE * whole.area else rect
        depth = encoder.config.depth(self._clip.height, self._clip.width)
        device, half = low.device, self._profile.half_encoder and model.encodes_in_half(low.device)
        dtype = half_type(device) if half and device.type == "cuda" else torch.float32
        while True:
            work = BandEncoder(encoder, low, depth, self._limits, token.check)
            try:
                with (
                    self._watched(token, self._products(low)),
                    torch.autocast(device.type, half_type(device), enabled=half),
                ):
                    coarse = coarse or work.search()
                    part = work.encode(coarse, rect, dtype)
                del work
                return_free_memory()
                return LatentPair(low, part, None if rect == whole else coarse, model, self.regions)
            except Exception as error:
                if not is_out_of_memory(error) or self._limits.work <= LEAST_WORK_BYTES:
                    raise
                # The stack frames of the failed call still refer to its maps.
                error.with_traceback(None)
                del work
            self._limits = self._limits.halved()
            if device.type == "cuda":
                torch.cuda.empty_cache()

    def _products(self, low: Tensor) -> int:
        """Return the number of products of encoding ``low``, or 0 where it is not known."""
        encoder = self._model.encoder
        if not isinstance(encoder, MotionPriorEncoder):
            return 0
        depth = encoder.config.depth(self._clip.height, self._clip.width)
        return encoder.products(low.shape[-2], low.shape[-1], depth)

    @contextmanager
    def _watched(self, token: CancelToken, total: int) -> Iterator[None]:
        """Check ``token`` before every convolution of the encoder while the block runs, and report the progress.

        Convolutions that a CUDA kernel replaces do neither; there a whole pair takes milliseconds.
        """
        done = 0

        def check(layer: nn.Module, arguments: tuple[Any, ...]) -> None:
            nonlocal done
            token.check()
            token.report(min(done, total), total)
            assert isinstance(layer, nn.Conv2d)
            maps = arguments[0]
            pixels = len(maps) * maps.shape[2] * maps.shape[3] // layer.stride[0] ** 2
            done += pixels * layer.weight.numel()

        layers = [layer for layer in self._model.encoder.modules() if isinstance(layer, nn.Conv2d)]
        hooks = [layer.register_forward_pre_hook(check) for layer in layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _union(first: Rect, second: Rect) -> Rect:
    """Return the smallest rectangle that contains both."""
    return Rect.from_edges(
        min(first.x, second.x), min(first.y, second.y), max(first.right, second.right), max(first.bottom, second.bottom)
    )
