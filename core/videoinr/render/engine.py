"""The engine: reads, encodes, caches and decodes one clip. Window, export, command line and Python all use it.

One thread at a time may use an engine: the window's render thread, an export process, a command.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import Clip, open_clip
from videoinr.clip.open_options import DEFAULT_OPTIONS, OpenOptions
from videoinr.clip.pair_kinds import PairKinds
from videoinr.closing import Closeable
from videoinr.decode.backends import decoder_for, load_early
from videoinr.decode.failure import FailureMaps
from videoinr.decode.frame_warp import plane_size
from videoinr.devices import ComputeProfile, computing_on
from videoinr.geometry import Grid, Rect
from videoinr.images import mixed, rgbx_from_pixels, uint16_from_deep
from videoinr.model.representation import Features
from videoinr.model.weights import LoadedModel, load_model
from videoinr.render import crop_preview, device_check, pieces, rolling_shutter
from videoinr.render.encoded_pairs import EncodedPairs
from videoinr.render.enlarged import Enlarger
from videoinr.render.feature_cache import FeatureCache
from videoinr.render.footing import Footing, Footings
from videoinr.render.inspector import Inspector
from videoinr.render.messages import Opened
from videoinr.render.motion_drafts import MotionDrafts
from videoinr.render.shutter import by_parts, exposed_instants, mean_in_light
from videoinr.types import (
    AcrossCuts,
    ClipInfo,
    Instant,
    PairFailure,
    PairKind,
    Quality,
    RegionQuery,
    RenderedRegion,
)


class Engine(Closeable):
    """Renders regions of one clip with one model on one device; a :class:`~videoinr.render.renderer.Renderer`.

    Args:
        clip: the open clip, which the engine closes.
        loaded: the model, which moves to the profile's device.
        profile: the device, and the budgets of the caches.
        across_cuts: what is shown between two frames with a cut between them (see footing.py).
        notices: sentences for the user about the device, which precede the clip's warnings.
    """

    _mean = staticmethod(mean_in_light)
    """The mean of the pictures of an exposure."""

    def __init__(
        self,
        clip: Clip,
        loaded: LoadedModel,
        profile: ComputeProfile,
        across_cuts: AcrossCuts = AcrossCuts.HOLD,
        notices: tuple[str, ...] = (),
    ) -> None:
        self.clip, self._notices = clip, notices
        self._footings = Footings(clip.timeline, PairKinds(clip), across_cuts)
        self.loaded, self.fingerprint, self.device = loaded, loaded.fingerprint, profile.device
        self._model = loaded.model.to(profile.device)
        self._model.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._profile = profile
        self._crop: crop_preview.EncodedCrop | None = None
        cache = FeatureCache.within(profile)
        self._decoder = decoder_for(self._model, profile, cache.spare)
        self._pairs = EncodedPairs(clip, self._model, profile, self._decoder, cache, self._footings.beside)
        self._motion = MotionDrafts(clip, self._model, profile, self._pairs.bend)
        source_id = repr((clip.identity, clip.cut_edits, self.fingerprint, across_cuts.value, str(profile.device)))
        self._enlarger = Enlarger(clip.info.grid.scaled(loaded.card.trained_scales[1]), profile.device)
        self._known_info = clip.info
        self._opened = Opened(
            self._with_notices(clip.info), clip.timeline, loaded.card.name, loaded.card.trained_scales,
            profile.device_name, source_id,
        )  # fmt: skip

    @property
    def opened(self) -> Opened:
        """The open clip and the model that renders it."""
        if self._known_info is not self.clip.info:
            self._known_info = self.clip.info
            self._opened = replace(self._opened, info=self._with_notices(self._known_info))
        return self._opened

    def _with_notices(self, info: ClipInfo) -> ClipInfo:
        return replace(info, warnings=(*self._notices, *info.warnings)) if self._notices else info

    def source(self, instant: Instant) -> RenderedRegion:
        """Return the source frame shown at ``instant``, whole, at the clip's own size (quality SOURCE)."""
        start = time.perf_counter()
        pixels = self.clip.frame(min(instant.source_frame, self.clip.timeline.last_frame))
        grid = self.clip.info.grid
        query = RegionQuery(instant, grid, grid.rect)
        return RenderedRegion(query, Quality.SOURCE, rgbx_from_pixels(pixels), time.perf_counter() - start)

    def is_encoded(self, pair: int, phase: Fraction = Fraction(0), grid: Grid | None = None) -> bool:
        """Return whether the features for the instant (``pair``, ``phase``) are in the cache; reads no frame.

        ``grid``: the grid of the picture; None: the clip's.
        """
        instant, size = Instant(pair, phase), self._pairs.size(grid)
        is_judged = self._footings.is_judged(instant)
        return is_judged and all(self._pairs.holds(footing, size) for footing in self._footings.of(instant))

    def encode(self, pair: int, token: CancelToken, phase: Fraction = Fraction(0), grid: Grid | None = None) -> None:
        """Put the features for the instant (``pair``, ``phase``) into the cache, unless they are there.

        The phase matters across a cut, where the two halves of a pair are decoded from different frames.

        Args:
            pair: the index of the pair's first frame, 0 ... pairs - 1.
            token: cancels the work between the encoder's convolutions.
            phase: 0 (first frame) ... 1 (second frame).
            grid: the picture's grid: it says at which size frames are encoded (levels.py); None: the clip's.

        Raises:
            Cancelled: ``token`` was cancelled.
            UsageError: the clip has no such pair.
            ClipError, DeviceError: the frames cannot be read, or the memory does not suffice.
        """
        for footing in self._footings.of(Instant(pair, phase), token):
            self._pairs.prepare(footing, self._pairs.size(grid), token)

    def is_previewed(self, query: RegionQuery) -> bool:
        """Return whether :meth:`preview` of ``query`` needs to encode nothing; reads no frame."""
        if self._crop is None or not self._footings.is_judged(query.instant):
            return False
        size = self._pairs.size(query.grid)
        return self._crop.serves(self._pairs.key(self._footings.nearest(query.instant), size), query, size)

    def preview(self, query: RegionQuery, crop: Rect, token: CancelToken) -> RenderedRegion:
        """Decode a draft of ``query`` from a crop of both frames (see crop_preview.py), on a grid that suits the crop.

        The crop is encoded first, unless the last preview of this pair encoded one that covers ``query``.

        Args:
            query: the pixels and the instant of the draft.
            crop: the pixels to encode, (x, y, width, height), of frames of the size that levels.py gives for the grid.
            token: cancels the work between chunks.

        Returns:
            A region of quality DRAFT. Its query is ``query`` on the next grid whose size is a multiple of the frames'.

        Raises as :meth:`render`.
        """
        size, kind = self._pairs.size(query.grid), self._footings.kind(query.instant.pair, token)
        footing = self._footings.nearest(query.instant, token)
        held, key = self._crop, self._pairs.key(footing, size)
        if held is None or not held.serves(key, query, size):
            held = self._crop = None  # Free its memory before more is taken.
            held = self._crop = crop_preview.EncodedCrop(key, crop, self._pairs.crop(footing, size, token, crop))
        start, asked = time.perf_counter(), crop_preview.on_whole_pixels(query, size, self._enlarger.most)
        inner = footing.query(crop_preview.query_on_crop(held.rect, asked, size))
        with computing_on(self._profile.device, self._opened.device_name):
            rgbx = self._decoder.decode(held.name, held.features, inner, token)
        return RenderedRegion(asked, Quality.DRAFT, rgbx.numpy(), time.perf_counter() - start, kind)

    def is_motion_ready(self, instant: Instant) -> bool:
        """Return whether :meth:`motion` needs to find no motion first; reads no frame."""
        is_judged = self._footings.is_judged(instant)
        return is_judged and all(
            self._motion.is_ready(self._pairs.key(each), each) for each in self._footings.of(instant)
        )

    def find_motion(self, instant: Instant, token: CancelToken = NEVER) -> None:
        """Find the motion that a quick motion draft of ``instant`` needs, unless it was found; raises as render."""
        with computing_on(self._profile.device, self._opened.device_name):
            for footing in self._footings.of(instant, token):
                self._motion.prepare(self._pairs.key(footing), footing, token)

    def motion(self, query: RegionQuery, token: CancelToken = NEVER, *, quick: bool = False) -> RenderedRegion:
        """Draw ``query`` as a motion draft, for which no pair is encoded (see motion_drafts.py).

        Args:
            query, token: as for :meth:`render`.
            quick: find the motion in a third of the time, less exactly, unless it was found exactly before.

        Returns and raises as :meth:`render`.
        """
        start = time.perf_counter()
        rgbx = self._still(query, partial(self._draw_motion, quick=quick), token, to_cpu=True)
        kind, size = self._footings.kind(query.instant.pair), plane_size(self.clip.info.grid, query.grid)
        return RenderedRegion(query, Quality.MOTION, rgbx.numpy(), time.perf_counter() - start, kind, samples=size)

    def render(self, query: RegionQuery, quality: Quality = Quality.FULL, token: CancelToken = NEVER) -> RenderedRegion:
        """Render ``query``, encoding its pair first where needed.

        Args:
            query: the instant, the grid and the pixels of it.
            quality: MOTION draws a motion draft, for which no pair is encoded (see motion_drafts.py). DRAFT and FULL
                decode the same pixels.
            token: cancels the work between the encoder's convolutions and the decoder's chunks.

        Returns:
            The query and its pixels, uint8 [rect.height, rect.width, 4], RGBX.

        Raises as :meth:`encode`.
        """
        if quality is Quality.MOTION:
            return self.motion(query, token)
        start = time.perf_counter()
        rgbx = self._picture(query, self._decode, token, to_cpu=True)
        kind, elapsed_secs = self._footings.kind(query.instant.pair), time.perf_counter() - start
        return RenderedRegion(query, quality, rgbx.numpy(), elapsed_secs, kind, self._expected_db(query.instant, kind))

    def render_deep(self, query: RegionQuery, token: CancelToken = NEVER) -> RenderedRegion:
        """Decode ``query`` as :meth:`render` does, to 16 bits: ``rgbx`` is uint16, X = 65535."""
        start = time.perf_counter()
        picture, kind = self.render_on_device(query, token, deep=True)
        return RenderedRegion(query, Quality.FULL, uint16_from_deep(picture), time.perf_counter() - start, kind)

    def render_tensor(
        self, query: RegionQuery, token: CancelToken = NEVER, *, quality: Quality = Quality.FULL
    ) -> Tensor:
        """Render ``query`` as :meth:`render` does; the picture, uint8 [height, width, 4], stays on the device."""
        draw = self._draw_motion if quality is Quality.MOTION else self._decode
        return self._picture(query, draw, token, to_cpu=False).clone()

    def render_on_device(self, query: RegionQuery, token: CancelToken, *, deep: bool) -> tuple[Tensor, PairKind]:
        """Render ``query`` as :meth:`render_tensor`, or ``deep`` to int32 of 16 bits; return the pair's kind, too.

        The picture is lent: the next call may write over it.
        """
        picture = self._picture(query, partial(self._decode, deep=deep), token, to_cpu=False)
        return picture, self._footings.kind(query.instant.pair)

    def keep_only(self, instant: Instant, token: CancelToken = NEVER, *others: Instant) -> None:
        """Drop all encoded pairs but those of ``instant`` and ``others``: the rest will not be asked for again."""
        footings = [footing for one in (instant, *others) for footing in self._footings.of(one, token)]
        self._decoder.keep_only(self._pairs.keep_only(tuple(footings)))

    def features(self, pair: int, token: CancelToken = NEVER) -> Features:
        """Return the features of ``pair`` as it is, encoding it first where needed; raises as :meth:`encode`."""
        size = self.clip.info.grid
        return self._pairs.features(self._footings.as_it_is(pair), size, token, size.rect)

    def failure(self, pair: int, token: CancelToken = NEVER) -> PairFailure:
        """Return how badly the motion of ``pair`` as it is was found; raises as :meth:`encode`."""
        footing, size = self._footings.as_it_is(pair), self.clip.info.grid
        return self._pairs.failure(self._pairs.key(footing), self._pairs.features(footing, size, token)).value

    def flow(self, instant: Instant, token: CancelToken = NEVER) -> Tensor:
        """Decode M(x, t) (eq. 4) between the frames of the pair as they are, also across a cut (see decode/flow.py).

        Args:
            instant: the pair and the phase t.
            token: cancels the work between the encoder's convolutions and the decoder's bands of rows.

        Returns:
            float32 [2, clip height, clip width, 2] on the engine's device: the flow to the first frame and to the
            second, each (x, y) in latent pixels. Raises as :meth:`render`.
        """
        features = self.features(instant.pair, token)
        with computing_on(self._profile.device, self._opened.device_name):
            return self._decoder.flow(features, instant, token)

    @property
    def inspector(self) -> Inspector:
        """Answers questions about the motion."""
        # Made anew: kept here, it would be a cycle of references, and a closed clip's maps would stay for a while.
        return Inspector(self.clip.info.grid, self._footings, self._features_of, self._failure_of)

    def close(self) -> None:
        """Close the clip and the decoder, and free the encoded pairs."""
        self._decoder.close()
        self._motion.close()
        self.clip.close()
        self._pairs.clear()
        self._crop = None

    @torch.inference_mode()
    def _picture(self, query: RegionQuery, draw: Callable[..., Tensor], token: CancelToken, *, to_cpu: bool) -> Tensor:
        """Return the pixels of ``query``, the mean of its exposure, uint8 [h, w, 4], RGBX; lent as by the decoder."""
        if query.part is not None:
            return by_parts(query, lambda part: self._picture(part, draw, token, to_cpu=to_cpu).clone())
        if query.exposure is None:
            return self._still(query, draw, token, to_cpu=to_cpu)
        instants = exposed_instants(
            query.exposure, query.instant, self.clip.timeline,
            lambda pair: self._footings.kind(pair, token), lambda pair: self._moved_px(pair, query.grid, token),
        )  # fmt: skip
        stills = (replace(query, instant=instant, exposure=None) for instant in instants)
        if len(instants) == 1:
            return self._still(next(stills), draw, token, to_cpu=to_cpu)
        mean = self._mean(self._still(still, draw, token, to_cpu=False) for still in stills)
        return mean.cpu() if to_cpu else mean

    def _moved_px(self, pair: int, grid: Grid, token: CancelToken) -> float | None:
        """Return how far things move in ``pair``, pixels of ``grid``; None if the model finds no motion."""
        footing, timeline = self._footings.nearest(Instant(pair, Fraction(1, 2)), token), self.clip.timeline
        with computing_on(self._profile.device, self._opened.device_name):
            way = self._motion.way_px(self._pairs.key(footing), footing, grid, token)
        # Repeated frames lie between two that are further apart.
        whole = timeline.frame_time(footing.second) - timeline.frame_time(footing.first)
        part = timeline.frame_time(pair + 1) - timeline.frame_time(pair)
        return way if way is None or not whole else way * float(part / whole)

    @torch.inference_mode()
    def _still(self, query: RegionQuery, draw: Callable[..., Tensor], token: CancelToken, *, to_cpu: bool) -> Tensor:
        """Return the pixels of ``query`` at its instant, drawn from each footing, as :meth:`_picture` does."""
        with computing_on(self._profile.device, self._opened.device_name):
            kind, timeline = partial(self._footings.kind, token=token), self.clip.timeline
            return mixed(
                (one.share, draw(one, rolling_shutter.query_to(one, query, timeline, kind), token, to_cpu=to_cpu))
                for one in self._footings.of(query.instant, token)
            )

    def _by_lines(self, query: RegionQuery, draw: Callable[..., Tensor], token: CancelToken) -> Tensor:
        kind, nearest = partial(self._footings.kind, token=token), partial(self._footings.nearest, token=token)
        return rolling_shutter.drawn(query, self.clip.timeline, kind, nearest, draw)

    def _decode(
        self, footing: Footing, query: RegionQuery, token: CancelToken, *, to_cpu: bool, deep: bool = False
    ) -> Tensor:
        return self._enlarger.drawn(query, partial(self._decode_within, footing, token=token), to_cpu=to_cpu, deep=deep)

    def _decode_within(
        self, footing: Footing, query: RegionQuery, *, token: CancelToken, to_cpu: bool, deep: bool
    ) -> Tensor:
        if query.readout is not None:
            return self._by_lines(query, partial(self._decode_within, token=token, to_cpu=to_cpu, deep=deep), token)
        return pieces.decoded(self._pairs, self._decoder, footing, query, token, to_cpu=to_cpu, deep=deep)

    def _draw_motion(
        self, footing: Footing, query: RegionQuery, token: CancelToken, *, to_cpu: bool, quick: bool = False
    ) -> Tensor:
        if query.readout is not None:
            return self._by_lines(query, partial(self._draw_motion, token=token, to_cpu=to_cpu, quick=quick), token)
        drawn = self._motion.draw(self._pairs.key(footing), footing, query, token, quick=quick)
        return drawn.cpu() if to_cpu else drawn

    def _features_of(self, footing: Footing, token: CancelToken, needed: Rect | None = None) -> Features:
        return self._pairs.features(footing, self.clip.info.grid, token, needed)

    def _failure_of(self, footing: Footing, features: Features) -> FailureMaps:
        return self._pairs.failure(self._pairs.key(footing), features)

    def _expected_db(self, instant: Instant, kind: PairKind) -> float | None:
        """Return the expected PSNR in the middle of the footing's frames, if they were encoded; None across a cut."""
        return None if kind is PairKind.CUT else self._pairs.expected_db(self._footings.nearest(instant))


def open_engine(
    source: Path | Clip,
    *,
    model: str | LoadedModel | None = None,
    device: str | None = None,
    memory_bytes: int | None = None,
    options: OpenOptions = DEFAULT_OPTIONS,
    across_cuts: AcrossCuts = AcrossCuts.HOLD,
    notices: tuple[str, ...] = (),
    notice: Callable[[str], None] | None = None,
    token: CancelToken = NEVER,
) -> Engine:
    """Open a clip and a model.

    Args:
        source: a video file, a picture, a folder or a pattern of pictures; or an open clip, which the engine closes.
        model: a shipped model's name, a file of weights, or a loaded model, which moves to the device; None: `lite`.
        device: a name of :func:`~videoinr.devices.available_devices`; None means the fastest.
        memory_bytes: the budget of the caches; None chooses it from the device's memory.
        options: how to read a path; an open clip was read already.
        across_cuts: what is shown between two frames with a cut between them.
        notices: sentences for the user, which precede the clip's warnings.
        notice: called with a sentence before work that takes long.
        token: cancels the opening.

    Raises:
        ClipError, ModelError, DeviceError: one of them cannot be opened.
        UsageError: ``memory_bytes`` makes no sense, or the file has no such video stream.
        Cancelled: ``token`` was cancelled.
    """
    load_early(device)
    # The clip first: it is the likeliest to fail, and the cheapest.
    clip = open_clip(source, options, token=token) if isinstance(source, Path) else source
    try:
        token.check()
        loaded = model if isinstance(model, LoadedModel) else load_model(model)
        token.check()
        profile, about_device = device_check.checked_profile(loaded, device, memory_bytes, notice)
        return Engine(clip, loaded, profile, across_cuts, (*notices, *about_device))
    except BaseException:
        clip.close()
        raise
