"""Encodes the pairs of one clip: small frames whole, large ones in bands of rows and only where they are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.backends import encoder_for
from videoinr.decode.bending import Beginning
from videoinr.decode.beside import NOTHING_BESIDE, FramesBeside
from videoinr.decode.heap import return_freed_blocks
from videoinr.decode.kept_searches import KeptSearches, Names
from videoinr.decode.shared_features import SharedFeatures
from videoinr.decode.watching import watched
from videoinr.devices import LEAST_WORK_BYTES, MIB, ComputeProfile, half_type, return_free_memory
from videoinr.errors import is_out_of_memory
from videoinr.geometry import Grid, Rect
from videoinr.images import tensor_from_planes
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.motion_prior_bands import BandEncoder, BandLimits
from videoinr.model.encoders.path_bend import CoarseSearch, Neighbour, halved
from videoinr.model.latent import LatentPair
from videoinr.model.ops import has_kernels
from videoinr.model.projected_regions import ProjectedRegions
from videoinr.model.representation import Features, Representation
from videoinr.model.video_inr import VideoINR

_Found = TypeVar("_Found")
WHOLE_BYTES = 192 * MIB
"""Frames whose projected maps take at most this are encoded whole and projected at once: that is the fastest way."""
CUDA_WHOLE_BYTES = 1024 * MIB
"""The same on CUDA, where more bands mean more launches, and recorded launches need frames that are encoded whole."""
MOST_SHARE = 0.6
"""If more than this share of the frame is needed, all of it is encoded."""


class PairEncoder:
    """Encodes pairs of one clip with one model on one device."""

    def __init__(
        self, model: Representation, clip: Grid, profile: ComputeProfile, spare: Callable[[], bool] = lambda: False
    ) -> None:
        """Make an encoder.

        Args:
            model: The model, on the profile's device.
            clip: The size of the frames, the clip's own or a smaller one.
            profile: The device, its precision and its budgets.
            spare: Called if the memory does not suffice: frees what can be computed again, and returns whether there
                was something.
        """
        self._spare = spare
        self._model, self.size, self._profile = model, clip, profile
        self._encode_whole = encoder_for(model, clip, profile)
        kept = profile.work_bytes if profile.kept_bytes is None else profile.kept_bytes
        self._limits = BandLimits(profile.work_bytes, kept, whole=profile.device.type == "cuda")
        self.regions = ProjectedRegions(profile.tile_bytes if profile.region_bytes is None else profile.region_bytes)
        self._ran_out = False
        # No method of this object: in a cycle of references, the maps of a closed clip would stay for a while.
        self._shared = SharedFeatures(partial(_frame_features, model), profile.feature_bytes // 8)
        self._searches = KeptSearches(profile.feature_bytes // 8)
        self._is_watching = False
        self.most_px = self._most_px()
        """The most pixels of a pair that may be encoded at a time; None: all of them. A rectangle may be larger, if
        less would be of no use to the caller."""

    @property
    def first_rect(self) -> Rect:
        """The pixels to encode where nobody says which will be needed: all, or those at the top that may be encoded."""
        whole = self.size.rect
        if self.most_px is None or whole.area <= self.most_px:
            return whole
        return Rect(0, 0, whole.width, min(whole.height, max(1, self.most_px // whole.width)))

    def encode(
        self, frames: Tensor, token: CancelToken, rect: Rect | None = None, *, names: Names | None = None,
        beside: FramesBeside = NOTHING_BESIDE,
    ) -> Features:  # fmt: skip
        """Encode a pair.

        Args:
            frames: [1, 2, 3, H, W], float32 in 0 ... 1 or uint8: whole frames, or the same crop of both.
            token: Cancels the work between convolutions, and is told the progress.
            rect: The pixels that decoding will need; None: all. Small frames are encoded whole anyway.
            names: The frames' numbers in the clip, if these are whole frames: what belongs to a frame alone is then
                computed once for the pairs that share it.
            beside: The frames beside the pair, for a model whose paths bend; only with ``names``.

        Raises:
            Cancelled: ``token`` was cancelled.
        """
        frames, bands, (before, after) = self._read(frames), self._banding(), beside.numbers
        neighbours = sum(one is not None for one in beside.numbers)
        if bands is None or bands[1].bend is None or names is None or not neighbours:
            return self._encoded(frames, None, rect, token, names, beside.numbers)
        self._searches.keep_only([(before, names[0]), names, (names[1], after)])
        with self._watched(token, self._products(frames, neighbours)):
            sides = [self._neighbour(side, names, frames, beside, token) for side in (0, 1)]
            # After the neighbours' searches: what is larger need not lie in memory meanwhile.
            beginning = Beginning(self._outlined(names, frames, token, beside.numbers), *sides)
            return self._encoded(frames, beginning, rect, token, names, beside.numbers)

    def _neighbour(
        self, side: int, names: Names, frames: Tensor, beside: FramesBeside, token: CancelToken
    ) -> Neighbour | None:
        """Find what lies before (``side`` 0) or after (1) the pair; its whole frame is free again afterwards."""
        number = beside.numbers[side]
        frame = None if number is None else beside.read(number)
        if number is None or frame is None:
            return None
        frame = self._read(frame)
        if frame.dtype != frames.dtype:  # One of a clip's pictures may have 16 bits.
            frame, frames = tensor_from_planes(frame), tensor_from_planes(frames)
        pair = (names[1], number) if side else (number, names[0])
        flow = self._searches.flow(pair)
        if flow is None:
            both = (frames[:, 1], frame) if side else (frame, frames[:, 0])
            flow = self._outlined(pair, torch.stack(both, 1), token, (*names, *beside.numbers)).flow
        return Neighbour(halved(frame), flow, beside.spans[side])

    def _encoded(
        self, frames: Tensor, beginning: Beginning | None, rect: Rect | None, token: CancelToken,
        names: Names | None, beside: tuple[int | None, ...],
    ) -> Features:  # fmt: skip
        """Encode a pair; its paths bend if there is a ``beginning``."""
        bands = self._banding()
        shared = None if bands is None or names is None else self._shared.of_pair(*names, beside)
        whole = partial(self._encode_whole, frames, beginning, shared)
        with self._watched(token, self._products(frames)):
            if bands is None:
                return whole()
            part = self._part(*bands, frames, rect, beginning=beginning)
            return self._whole_or_banded(*bands, frames, token, whole, part)

    def _outlined(
        self, names: Names, frames: Tensor, token: CancelToken, beside: tuple[int | None, ...]
    ) -> CoarseSearch:
        """Search for the motion of whole frames on all levels but the two finest, unless that is kept."""
        held, bands = self._searches.outline(names), self._banding()
        if held is not None:
            return held
        assert bands is not None
        whole = partial(self._encode_whole.outline, frames, self._shared.of_pair(*names, beside))
        found = self._whole_or_banded(*bands, frames, token, whole, BandEncoder.outline)
        self._searches.put(names, found)
        return found

    def _whole_or_banded(
        self, model: VideoINR, encoder: MotionPriorEncoder, frames: Tensor, token: CancelToken,
        whole: Callable[[], _Found], banded: Callable[[BandEncoder], _Found],
    ) -> _Found:  # fmt: skip
        """Compute whole maps, or in bands where the frames are large or the memory does not suffice."""
        if not self._takes_bands(frames):
            try:
                return whole()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                error.with_traceback(None)  # Its stack frames still refer to the encoder's maps.
            self._run_out()
        return self._banded(model, encoder, frames, token, banded)

    def _read(self, frames: Tensor) -> Tensor:
        """Return ``frames`` as they are encoded: bytes stay a quarter of the size of floats until a band needs them."""
        return frames if self._takes_bands(frames) and not has_kernels(frames) else tensor_from_planes(frames)

    def _takes_bands(self, frames: Tensor) -> bool:
        return self._ran_out or self._is_large(Grid(frames.shape[-1], frames.shape[-2]))

    def _run_out(self) -> None:
        """Make room after the memory did not suffice for whole maps; from now on, frames are encoded in bands."""
        self._ran_out = True
        self._spare()
        self._shared.clear()
        self._free()

    def crop(self, frames: Tensor, rect: Rect, token: CancelToken) -> Features:
        """Encode a crop of a pair, as the features of a clip that consists of the crop alone.

        Where the encoder can, the motion is searched in the whole frames, but for the finest level: what lies far
        outside the crop has a say in which motion is found.

        Args:
            frames: Whole frames, as for :meth:`encode`.
            rect: The pixels.
            token: Cancels the work between convolutions.

        Raises:
            Cancelled: ``token`` was cancelled.
        """
        bands, (rows, columns) = self._banding(), rect.slices
        inside = tensor_from_planes(frames[..., rows, columns]).contiguous()
        if bands is None or self._has_kernels:
            with self._watched(token, self._products(inside)):
                return self._encode_whole(inside)
        with self._watched(token, self._products(frames)):
            frames = self._read(frames)
            part = self._banded(*bands, frames, token, self._part(*bands, frames, rect, halo=False)).part
        return bands[0].project(inside, part.feature.permute(0, 3, 1, 2), part.prior.permute(0, 3, 1, 2))

    def resumed(
        self, frames: Tensor, coarse: CoarseSearch | None, bend: Tensor | None, rect: Rect, token: CancelToken
    ) -> LatentPair:
        """Encode other pixels of a pair that was encoded in parts.

        Args:
            frames: The pair's frames, as :attr:`LatentPair.planes` has them.
            coarse: Its search.
            bend: How its paths bend, if they do.
            rect: The pixels.
            token: Cancels the work between convolutions.

        Raises:
            Cancelled: ``token`` was cancelled.
        """
        bands = self._banding()
        assert bands is not None
        with self._watched(token, self._products(frames)):
            pair = self._banded(*bands, frames, token, self._part(*bands, frames, rect, coarse=coarse))
        return pair if bend is None else pair.bent(bend)

    def grown(self, held: Rect, needed: Rect) -> Rect:
        """Return the pixels to encode if ``needed`` are and ``held`` were: both, if so many may be encoded."""
        both = held.union(needed)
        return both if self.most_px is None or both.area <= self.most_px else needed

    def clear(self) -> None:
        """Free what is kept of pairs and frames."""
        self.regions.clear()
        self._shared.clear()
        self._searches.clear()

    def _most_px(self) -> int | None:
        bands, budget = self._banding(), self._profile.pair_bytes
        if bands is None or budget is None or not self._is_large(self.size) or self._has_kernels:
            return None
        config, pixels = bands[1].config, self.size.rect.area
        bend = 4 if config.bend_channels else 0  # Channels of the prior, and bytes of its map at half the size.
        frames_bytes, part_of_one = (24 + bend) * pixels, 4 * (config.feature_channels + 4 + bend)
        if frames_bytes + pixels * part_of_one <= budget:
            return None
        search = pixels * (4 + config.motion_channels)  # At half the size, it is kept as long as parts are missing.
        return max(0, budget - frames_bytes - search) // part_of_one

    @property
    def _has_kernels(self) -> bool:
        return has_kernels(next(self._model.parameters()))

    def _banding(self) -> tuple[VideoINR, MotionPriorEncoder] | None:
        """Return the model and its encoder, if it can encode in bands."""
        model, encoder = self._model, self._model.encoder
        if not isinstance(model, VideoINR) or not isinstance(encoder, MotionPriorEncoder):
            return None
        return model, encoder

    def _is_large(self, size: Grid) -> bool:
        """Return whether frames of ``size`` are to be encoded in bands."""
        bands = self._banding()
        if bands is None:
            return False
        config, most = bands[0].config, CUDA_WHOLE_BYTES if self._has_kernels else WHOLE_BYTES
        channels = config.spatial_hidden[0] + config.temporal_hidden[0] + 2 * config.decoder_hidden[0] + 10
        return 4 * channels * size.rect.area > most

    def _part(
        self, model: VideoINR, encoder: MotionPriorEncoder, frames: Tensor, rect: Rect | None, *,
        coarse: CoarseSearch | None = None, beginning: Beginning | None = None, halo: bool = True,
    ) -> Callable[[BandEncoder], LatentPair]:  # fmt: skip
        """Return what encodes the pixels ``rect``; its search is made before (``coarse``), begun before, or neither."""
        whole = Grid(frames.shape[-1], frames.shape[-2]).rect
        # The kernels read the whole frame's prior; and a whole frame takes a GPU milliseconds.
        is_most = halo and rect is not None and rect.area > MOST_SHARE * whole.area
        is_bounded = self.most_px is not None and whole.area > self.most_px
        part = whole if rect is None or has_kernels(frames) or (is_most and not is_bounded) else rect
        device = frames.device
        half = self._profile.half_encoder and model.encodes_in_half(device)
        dtype = half_type(device) if half and device.type == "cuda" else torch.float32

        def encoded(work: BandEncoder) -> LatentPair:
            search = coarse or work.search(None if beginning is None else beginning.outline)
            bend: Tensor | None = None
            if beginning is not None:
                # Before the latent feature, which is larger than all that lies in memory now.
                bend = encoder.bent(frames, search, beginning.before, beginning.after)
            made = work.encode(search, part, dtype, halo=halo)
            pair = LatentPair(frames, made, None if part == whole else search, model, self.regions)
            return pair if bend is None else pair.bent(bend)

        return encoded

    def _banded(
        self, model: VideoINR, encoder: MotionPriorEncoder, frames: Tensor, token: CancelToken,
        task: Callable[[BandEncoder], _Found],
    ) -> _Found:  # fmt: skip
        """Do ``task`` in bands that fit into the memory."""
        depth = encoder.config.depth(self.size.height, self.size.width)
        device, half = frames.device, self._profile.half_encoder
        self.regions.clear()  # Of other pairs: making them again takes far less time than this pair, and less memory.
        value = half_type(device).itemsize if half and device.type == "cuda" else 4
        while True:
            limits = replace(self._limits, value=value)
            work = BandEncoder(encoder, frames, depth, limits, partial(self._check, token))
            try:
                with model.precision(device, half=half):
                    found = task(work)
                del work
                return_free_memory()
                return found
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                is_freed = self._spare()
                if not is_freed and self._limits.work <= LEAST_WORK_BYTES:
                    raise
                # The stack frames of the failed call still refer to its maps.
                error.with_traceback(None)
                del work
            if not is_freed:
                self._limits = self._limits.halved()
            self._free()

    def _check(self, token: CancelToken) -> None:
        """Check ``token``, which may draw a picture in between, without the encoder's half precision."""
        with torch.autocast(self._profile.device.type, enabled=False):
            token.check()

    def _free(self) -> None:
        """Return memory that was freed to the device, after an error of its allocator."""
        return_freed_blocks()
        return_free_memory()
        if self._profile.device.type == "cuda":
            torch.cuda.empty_cache()

    def _products(self, frames: Tensor, neighbours: int = 0) -> int:
        """Return the number of products of encoding ``frames`` with so many neighbours, or 0 where it is not known."""
        encoder, size = self._model.encoder, (frames.shape[-2], frames.shape[-1])
        if not isinstance(encoder, MotionPriorEncoder):
            return 0
        depth = encoder.config.depth(self.size.height, self.size.width)
        return encoder.products(*size, depth) + neighbours * encoder.outline_products(*size, depth)

    @contextmanager
    def _watched(self, token: CancelToken, total: int) -> Iterator[None]:
        """Check ``token`` before every convolution of the encoder while the block runs, and report the progress.

        A block inside such a block changes nothing.
        """
        if self._is_watching:
            yield
            return
        self._is_watching = True
        try:
            with watched(self._model.encoder, token, total, self._check):
                yield
        finally:
            self._is_watching = False


def _frame_features(model: Representation, frames: Tensor) -> Tensor:
    encoder = model.encoder
    assert isinstance(encoder, MotionPriorEncoder)
    return encoder.frame_features(frames)
