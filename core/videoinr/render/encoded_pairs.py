"""Encodes the pairs of a clip at the sizes that pictures need (levels.py), and keeps them and how badly they fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

import torch
from cachetools import LRUCache

from videoinr.cancel import CancelToken
from videoinr.clip import Clip
from videoinr.decode.backends import Decoder
from videoinr.decode.beside import NOTHING_BESIDE, FramesBeside
from videoinr.decode.failure import FailureMaps, measure_failure
from videoinr.decode.pair_encoder import PairEncoder
from videoinr.devices import ComputeProfile, computing_on, short_of_memory, wait_idly
from videoinr.errors import ClipError, DeviceError
from videoinr.geometry import Grid, Rect
from videoinr.images import planes_from_pixels, tensor_from_planes
from videoinr.model.features import PairFeatures
from videoinr.model.latent import LatentPair
from videoinr.model.representation import Features, Representation
from videoinr.model.video_inr import VideoINR
from videoinr.render.feature_cache import FeatureCache
from videoinr.render.footing import Beside, Footing
from videoinr.render.levels import encoded_size, sizes_of
from videoinr.types import PairKey, Pixels

_FRAMES_SHARE = 8
_LEAST_FRAMES = 4
"""Of the pairs' budget, the share that the clip's decoded frames may take, and how many they are at least: a pair and
both frames beside it."""
_KEPT_FAILURES = 256
"""Measured pairs that are remembered; each takes some 60 kB."""


class EncodedPairs:
    """The encoded pairs of one clip."""

    def __init__(
        self, clip: Clip, model: Representation, profile: ComputeProfile, decoder: Decoder,
        cache: FeatureCache | None = None,
        beside: Callable[[Footing, CancelToken], Beside] = lambda footing, token: Beside(),
    ) -> None:  # fmt: skip
        """Encode nothing yet.

        Args:
            clip: the open clip, which stays the caller's; where somebody asked for a bound on the memory, it keeps
                fewer decoded frames from now on.
            model: the model, on the profile's device.
            profile: the device, and the budgets of the caches.
            decoder: decodes the pairs; it says in which form it reads them.
            cache: keeps the pairs; None: a new one.
            beside: finds the frames beside those of a footing, which a model whose paths bend reads too.
        """
        self._beside = beside
        self._reads_more = isinstance(model, VideoINR) and model.bends_paths
        self._clip, self._model, self._profile, self._decoder = clip, model, profile, decoder
        self._device_name = profile.device_name
        if profile.pair_bytes is not None:
            most = profile.feature_bytes // _FRAMES_SHARE // (3 * clip.info.grid.rect.area)
            clip.hold_at_most(max(_LEAST_FRAMES, most))
        self.cache = FeatureCache.within(profile) if cache is None else cache
        self.encoder = PairEncoder(model, clip.info.grid, profile, partial(_spare, self.cache, decoder))
        """The encoder of the size that was used last."""
        self.failures = LRUCache[PairKey, FailureMaps](_KEPT_FAILURES)

    def size(self, grid: Grid | None) -> Grid:
        """Return the size of the frames that are encoded for pictures on ``grid``; None: the clip's."""
        return self._clip.info.grid if grid is None else encoded_size(self._clip.info.grid, grid)

    def key(self, footing: Footing, size: Grid | None = None) -> PairKey:
        """Return the name of the footing's frames at ``size``; None: the clip's."""
        identity = self._clip.identity
        name = identity if size in (None, self._clip.info.grid) else f"{identity} {size}"
        return PairKey(name, footing.first, footing.second - footing.first)

    def most_px(self, size: Grid) -> int | None:
        """Return the most pixels of a pair of frames of ``size`` that may be encoded at a time; None: all of them."""
        return self._encoder_for(size).most_px

    def holds(self, footing: Footing, size: Grid) -> bool:
        """Return whether the footing's frames are encoded at ``size``."""
        return self.key(footing, size) in self.cache

    @torch.inference_mode()
    def features(self, footing: Footing, size: Grid, token: CancelToken, needed: Rect | None = None) -> Features:
        """Return the features of the footing's frames, encoding them first where needed.

        Args:
            footing: the frames.
            size: their size.
            token: cancels the work between the encoder's convolutions.
            needed: the pixels that must be there: of large frames, others may be missing. None: as many as may be
                encoded at a time.

        Raises:
            Cancelled: ``token`` was cancelled.
            ClipError, DeviceError: the frames cannot be read, or the memory does not suffice.
        """
        key, encoder = self.key(footing, size), self._encoder_for(size)
        features, needed = self.cache.get(key), needed or encoder.first_rect
        if features is None:
            self.cache.make_room()
            features = self._encoded(footing, size, token, needed)
        elif isinstance(features, LatentPair) and not features.part.rect.contains(needed):
            frames, coarse, bend, held = features.planes, features.coarse, features.bend, features.part.rect
            rect = encoder.grown(held, needed)
            if not rect.contains(held):  # The old part makes room for the new one.
                del features
                self.cache.drop(key)
            with self._device_errors(size):
                features = encoder.resumed(frames, coarse, bend, rect, token)
        else:
            return features
        self.cache.put(key, features)
        return features

    @torch.inference_mode()
    def prepare(self, footing: Footing, size: Grid, token: CancelToken) -> None:
        """Encode the footing's frames, and measure how badly their motion was found, so that no picture waits for it.

        Raises as :meth:`features`.
        """
        self.failure(self.key(footing, size), self.features(footing, size, token))

    @torch.inference_mode()
    def crop(self, footing: Footing, size: Grid, token: CancelToken, crop: Rect) -> Features:
        """Return the features of the pixels ``crop`` of both frames (crop_preview.py); raises as :meth:`features`."""
        frames = self._frames(footing, size, token)
        with self._device_errors(size):
            return self._decoder.compact(self._encoder_for(size).crop(frames, crop, token))

    @torch.inference_mode()
    def failure(self, key: PairKey, features: Features) -> FailureMaps:
        """Return how badly the motion of a pair was found; it is measured once."""
        found = self.failures.get(key)
        if found is None:
            found = self.failures[key] = measure_failure(features)
        return found

    def expected_db(self, footing: Footing) -> float | None:
        """Return the expected PSNR in the middle of the footing's frames, if they were encoded at the last size."""
        key = self.key(footing, self.encoder.size)
        found, features = self.failures.get(key), self.cache.get(key)
        if found is None and features is not None:
            found = self.failure(key, features)
        return None if found is None else found.expected_db

    def bend(self, footing: Footing) -> tuple[torch.Tensor, Grid] | None:
        """Return how the paths between the footing's frames bend, if these are encoded and they do.

        Returns:
            The bend, [1, 4, h, w] of whole frames, in pixels of the frames as they were encoded; and their size.
        """
        for size in sizes_of(self._clip.info.grid):
            features = self.cache.get(self.key(footing, size))
            if isinstance(features, LatentPair) and features.bend is not None:
                return features.bend, size
            if isinstance(features, PairFeatures) and features.prior.shape[-1] > 4:
                return features.prior[..., 4:].permute(0, 3, 1, 2), size
        return None

    def keep_only(self, footings: tuple[Footing, ...]) -> set[PairKey]:
        """Drop all pairs but those of ``footings``. Return the names of these."""
        keys = {self.key(footing, size) for footing in footings for size in sizes_of(self._clip.info.grid)}
        self.cache.keep_only(keys)
        return keys

    def clear(self) -> None:
        """Free the pairs."""
        self.cache.clear()
        self.encoder.clear()
        self.failures.clear()

    def _encoder_for(self, size: Grid) -> PairEncoder:
        if self.encoder.size != size:
            self.encoder.clear()
            self.encoder = PairEncoder(self._model, size, self._profile, partial(_spare, self.cache, self._decoder))
        return self.encoder

    def _encoded(self, footing: Footing, size: Grid, token: CancelToken, needed: Rect) -> Features:
        frames, names = self._frames(footing, size, token), (footing.first, footing.second)
        beside = self._beside_of(footing, size, token)
        with self._device_errors(size):
            features = self._encoder_for(size).encode(frames, token, needed, names=names, beside=beside)
            is_finite = _is_finite(features)
            if not is_finite and self._profile.half_encoder:
                exact = PairEncoder(self._model, size, replace(self._profile, half_encoder=False))
                features = exact.encode(frames, token, needed, names=names, beside=beside)
                is_finite = _is_finite(features)
            if not is_finite:
                raise DeviceError(
                    f"Encoding frames {footing.first} and {footing.second} gave values that are no numbers on "
                    f"{self._device_name}.",
                    hint="Try another device (--device) or another model (--model).",
                )
            return self._decoder.compact(features)

    def _frames(self, footing: Footing, size: Grid, token: CancelToken) -> torch.Tensor:
        """Return both frames: [1, 2, 3, H, W] at ``size``, uint8 or float32 in 0 ... 1."""
        both = self._sources((footing.first, footing.second), size, token)
        is_mixed = both[0].dtype != both[1].dtype
        return torch.stack([tensor_from_planes(one) for one in both] if is_mixed else both)[None]

    def _beside_of(self, footing: Footing, size: Grid, token: CancelToken) -> FramesBeside:
        """Return the frames beside those of the footing, if the model reads them; none is read yet."""
        if not self._reads_more:
            return NOTHING_BESIDE
        found = self._beside(footing, token)
        return FramesBeside((found.before, found.after), found.spans, partial(self._neighbour, size, token))

    def _neighbour(self, size: Grid, token: CancelToken, number: int) -> torch.Tensor | None:
        with suppress(ClipError):  # Without it, the paths bend by the other side alone.
            return self._sources((number,), size, token)[0][None]
        return None

    def _sources(self, numbers: tuple[int, ...], size: Grid, token: CancelToken) -> list[torch.Tensor]:
        """Return frames of the clip on the device, reading and uploading those that are not there.

        Each is [3, H, W] at ``size``, uint8 or, of 16 bits, float32 in 0 ... 1.
        """
        kept, device = self.cache.frames, self._profile.device
        held = {number: planes for number in numbers if (planes := kept.get(number, size)) is not None}
        read = self._read([number for number in dict.fromkeys(numbers) if number not in held], token)
        token.check()
        with self._device_errors(size):
            if read:
                wait_idly(device)  # For the pictures that were launched: the upload waits for them otherwise.
            for number, pixels in read.items():
                held[number] = planes_from_pixels(pixels, device, size)
                kept.put(number, size, held[number])
            return [held[number] for number in numbers]

    def _read(self, numbers: list[int], token: CancelToken) -> dict[int, Pixels]:
        if len(numbers) == 2 and numbers[1] == numbers[0] + 1:
            pair = self._clip.pair(numbers[0], token)
            return dict(zip(numbers, (pair.first, pair.second), strict=True))
        return {number: self._clip.frame(number, token) for number in numbers}

    @contextmanager
    def _device_errors(self, size: Grid) -> Iterator[None]:
        """Turn what the device reports while frames of ``size`` are encoded into a DeviceError."""
        with (
            computing_on(self._profile.device, self._device_name),
            short_of_memory(self._profile, f"to encode frames of {size}"),
        ):
            yield


def _spare(cache: FeatureCache, decoder: Decoder) -> bool:
    """Free the pair used least recently, and what ``decoder`` keeps of pairs; return whether there was a pair."""
    is_freed = cache.spare()
    decoder.keep_only(())
    return is_freed


def _is_finite(features: Features) -> bool:
    """Return whether the encoder's feature and its flow hold no NaN and no infinity. Waits for a GPU."""
    maps = features.tensors()
    # A sum takes less time than a mask of all values. Half precision would overflow in it.
    sums = [maps[name].sum(dtype=torch.float32) for name in ("spatial", "feature", "prior") if name in maps]
    total = sum(sums[1:], sums[0])
    wait_idly(total.device)
    return math.isfinite(total)
