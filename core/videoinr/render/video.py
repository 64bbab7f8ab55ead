"""An open clip and its encoded pairs, as Python sees them: :class:`Video` and :class:`Pair`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NoReturn, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.closing import Closeable
from videoinr.errors import UsageError
from videoinr.exporting.retime import ConstantRate, default_fps, segment_from_marks
from videoinr.render.arguments import (
    Number,
    Region,
    Size,
    as_quality,
    check_names,
    check_token,
    exact,
    flag,
    optional,
    positive,
    query_for,
    whole,
)
from videoinr.render.forks import OwnLock
from videoinr.render.journey_query import JourneyOptions, journey_query
from videoinr.render.output_area import CLIP_SCALE, PICTURE_SCALE, instant_of
from videoinr.text.parsing import QualityName
from videoinr.types import ClipInfo, Instant, PairFailure, RegionQuery, RenderedRegion

if TYPE_CHECKING:
    from torch import Tensor

    from videoinr.model.representation import Features
    from videoinr.render.engine import Engine
    from videoinr.timeline import Timeline

Picture = NDArray[np.uint8]
Motion = NDArray[np.float32]


class Video(Closeable):
    """An open clip and the model that decodes it; made by :func:`videoinr.open`.

    Pairs are encoded when they are first needed and cached within the memory budget. Decoding two instants of one pair
    encodes it once.
    """

    def __init__(self, engine: Engine) -> None:
        self._lock = OwnLock()
        self._engine: Engine | None = engine
        self._opened = engine.opened

    @property
    def info(self) -> ClipInfo:
        """The clip's width, height, rate, duration, colours, and warnings, also about the frames read so far."""
        return self._opened.info if self._engine is None else self._engine.opened.info

    @property
    def timeline(self) -> Timeline:
        """The presentation times of the clip's frames."""
        return self._opened.timeline

    @property
    def pair_count(self) -> int:
        """The number of pairs of successive frames; 1 for a clip of one frame."""
        return self._opened.timeline.pair_count

    @property
    def model_name(self) -> str:
        """The name on the model's card."""
        return self._opened.model_name

    @property
    def device_name(self) -> str:
        """The device, in a user's words."""
        return self._opened.device_name

    def encode(self, pair: int, *, cancel: CancelToken = NEVER) -> Pair:
        """Encode frames ``pair`` and ``pair + 1``.

        Args:
            pair: 0 ... pair_count - 1.
            cancel: cancels the encoding between two of its layers.

        Raises:
            UsageError: the clip has no such pair, or the video is closed.
            ClipError, DeviceError: the frames cannot be read, or the memory does not suffice.
            Cancelled: ``cancel`` was cancelled.
        """
        index, count = whole(pair, "pair"), self.pair_count
        if not 0 <= index < count:
            raise UsageError(f"There is no pair {pair}: the clip has {count}.", hint=f"Choose from 0 to {count - 1}.")
        with self._working(cancel) as engine:
            engine.encode(index, cancel)
        return Pair(self, index)

    def query(
        self, time: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        **journey: Unpack[JourneyOptions],
    ) -> RegionQuery:  # fmt: skip
        """Return the checked request that :meth:`decode` renders.

        Args:
            time, scale, size, region, journey: as for :meth:`decode`.

        Raises:
            UsageError: the time lies outside the clip, the region outside the grid, or the scale is out of range; the
                journey makes no sense, or is not one for this clip.
        """
        check_names(journey, JourneyOptions.__annotations__, "decode")
        if not all(value is None or value == 0 for value in journey.values()):
            return journey_query(self._opened, exact(time, "time"), scale, size, region, **journey)
        instant = instant_of(self.timeline, exact(time, "time"))
        return query_for(self.info, instant, scale=scale, size=size, region=region, default_scale=PICTURE_SCALE)

    def render(
        self, query: RegionQuery, *, quality: QualityName = "full", cancel: CancelToken = NEVER
    ) -> RenderedRegion:
        """Render ``query``, encoding its pair first where needed.

        Args:
            query: the request, as :meth:`query` returned it.
            quality: as for :meth:`decode`.
            cancel: cancels the work between chunks of a few milliseconds.

        Returns:
            The picture as uint8 [height, width, 4] (RGBX) with its query and the time that it took.

        Raises:
            UsageError: the video is closed, or there is no such quality.
            ClipError, DeviceError, Cancelled: as for :meth:`encode`.
        """
        with self._working(cancel) as engine:
            return engine.render(query, as_quality(quality), cancel)

    @overload
    def decode(
        self, time: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[False] = False, cancel: CancelToken = NEVER,
        **journey: Unpack[JourneyOptions],
    ) -> Picture: ...  # fmt: skip

    @overload
    def decode(
        self, time: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[True], cancel: CancelToken = NEVER,
        **journey: Unpack[JourneyOptions],
    ) -> Tensor: ...  # fmt: skip

    def decode(
        self, time: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: bool = False, cancel: CancelToken = NEVER,
        **journey: Unpack[JourneyOptions],
    ) -> Picture | Tensor:  # fmt: skip
        """Decode the picture at ``time``.

        Args:
            time: second of the clip, 0 ... duration. A float means the decimal that it prints: 0.3 is 3/10.
            scale: grid pixels for each clip pixel, 0.25 ... 32; 4 if neither scale nor size is given. Beyond the
                greatest scale of the model's training (4) its picture at that scale is enlarged.
            size: (width, height) of the full picture instead of a scale.
            region: (x, y, width, height), the pixels of the grid to decode; None means all.
            quality: ``"full"``, or ``"motion"`` for a quick draft, for which no pair is encoded: the source frames,
                warped along the motion of a small copy of them, and at a source frame's time that frame itself. It has
                no more detail than the source frames.
            as_tensor: return a torch tensor on the video's device instead of an array.
            cancel: cancels the work between chunks of a few milliseconds.
            journey: with ``retime``, ``shutter``, ``shutter_region``, ``camera``, ``readout`` or ``fps`` the picture
                is the one that :func:`videoinr.export` with them has at second ``time`` of its output; of ``region``
                only the size counts with a camera.

        Returns:
            uint8 [height, width, 3], RGB.

        Raises:
            UsageError: the time lies outside the clip, the region outside the grid, the scale is out of range, there
                is no such quality, the journey makes no sense, or the video is closed.
            ClipError, DeviceError, Cancelled: as for :meth:`encode`.
        """
        query = self.query(time, scale=scale, size=size, region=region, **journey)
        return self._picture(query, quality, as_tensor, cancel)

    @overload
    def frames(
        self, *, fps: Number | None = None, start: Number | None = None, end: Number | None = None, speed: Number = 1,
        scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[False] = False, cancel: CancelToken = NEVER,
    ) -> Iterator[Picture]: ...  # fmt: skip

    @overload
    def frames(
        self, *, fps: Number | None = None, start: Number | None = None, end: Number | None = None, speed: Number = 1,
        scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[True], cancel: CancelToken = NEVER,
    ) -> Iterator[Tensor]: ...  # fmt: skip

    def frames(
        self, *, fps: Number | None = None, start: Number | None = None, end: Number | None = None, speed: Number = 1,
        scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: bool = False, cancel: CancelToken = NEVER,
    ) -> Iterator[Picture | Tensor]:  # fmt: skip
        """Iterate over the frames of a segment at any rate and speed, each decoded when it is asked for.

        Frame ``i`` shows the clip at ``start + i * speed / fps``. There are (end - start) / speed * fps frames, rounded
        half up, at least one: those that :func:`videoinr.export` writes.

        Args:
            fps: frames per second of the output; None means the clip's mean rate.
            start, end: the segment [start, end) in seconds of the clip; None means the clip's start and end.
            speed: 0.25 plays four times slower.
            scale, size, region, quality, as_tensor, cancel: as for :meth:`decode`, but the default scale is 2.

        Raises:
            UsageError: at once, if the segment, the rate, the speed, the scale or the region is not valid.
            ClipError, DeviceError, Cancelled: from the iterator, as for :meth:`decode`.
        """
        segment = segment_from_marks(self.info.duration_secs, optional(start, "start"), optional(end, "end"))
        rate = default_fps(self.info.fps) if fps is None else positive(fps, "fps")
        times = ConstantRate(segment, rate, positive(speed, "speed")).times
        start_query = query_for(
            self.info, Instant(0, Fraction(0)), scale=scale, size=size, region=region, default_scale=CLIP_SCALE
        )
        with self._working(cancel):  # Refuse a closed video and wrong arguments now, not at the first frame.
            as_quality(quality), flag(as_tensor, "as_tensor")
        queries = (replace(start_query, instant=self.timeline.instant_from_time(time)) for time in times)
        return (self._picture(query, quality, as_tensor, cancel) for query in queries)

    def __reduce__(self) -> NoReturn:
        self._lock.__reduce__()

    def __repr__(self) -> str:
        info = self.info
        return f"<videoinr.Video {info.path.name!r}: {info.grid}, {info.frames} frames, {self.model_name}>"

    def close(self) -> None:
        """Close the clip and free the caches; waits for a call in progress. May be called twice."""
        if self._lock.is_own:
            with self._lock:
                engine, self._engine = self._engine, None
                if engine is not None:
                    engine.close()

    @contextmanager
    def _working(self, cancel: CancelToken = NEVER) -> Iterator[Engine]:
        """Give the engine to one call at a time; UsageError once the video is closed, in a fork, or for no token."""
        # Not at the top, since it imports torch: wrong arguments are refused before that.
        from videoinr.render.torch_state import plain_torch

        check_token(cancel)
        with self._lock, plain_torch():
            if self._engine is None:
                raise UsageError("The video is closed.", hint="Use it, and its pairs, before close().")
            yield self._engine

    def _picture(
        self, query: RegionQuery, quality: QualityName, as_tensor: bool, cancel: CancelToken
    ) -> Picture | Tensor:
        if not flag(as_tensor, "as_tensor"):
            return np.ascontiguousarray(self.render(query, quality=quality, cancel=cancel).rgbx[..., :3])
        with self._working(cancel) as engine:  # A copy made here is an ordinary tensor; the engine's is not.
            rgbx = engine.render_tensor(query, cancel, quality=as_quality(quality))
            return rgbx[..., :3].contiguous().clone()


class Pair:
    """Two successive frames of a video, encoded; made by :meth:`Video.encode`.

    A pair is a name: its features lie in the video's cache. If the memory budget made them leave it, the next call
    encodes the pair again. A pair cannot be used after its video was closed.
    """

    def __init__(self, video: Video, index: int) -> None:
        self._video, self._index = video, index

    def __repr__(self) -> str:
        return f"<videoinr.Pair {self._index} of {self._video!r}>"

    @property
    def index(self) -> int:
        """The number of the pair's first frame."""
        return self._index

    @property
    def times(self) -> tuple[Fraction, Fraction]:
        """When the pair starts and ends, seconds of the clip."""
        start, end = (self._video.timeline.time_from_instant(Instant(self._index, Fraction(t))) for t in (0, 1))
        return start, end

    @property
    def features(self) -> Features:
        """The encoded pair: tensors on the video's device, made in inference mode; read them, never write to them.

        A :class:`~videoinr.model.features.PairFeatures`, or the like of an imported released model. Its docstring
        gives the shapes: channels last, ``frames`` [1, 2, 3, H, W], and for each clip pixel the ``prior`` flow
        [1, H, W, 4] and the latent feature after the first layer of each head (``spatial`` [1, H, W, S] and so on).
        """
        from videoinr.model.latent import LatentPair

        with self._video._working() as engine:
            features = engine.features(self._index)
        # Large frames are kept as the latent feature alone; see videoinr.model.latent.
        return features.projected(features.grid.rect) if isinstance(features, LatentPair) else features

    @overload
    def decode(
        self, t: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[False] = False, cancel: CancelToken = NEVER,
    ) -> Picture: ...  # fmt: skip

    @overload
    def decode(
        self, t: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[True], cancel: CancelToken = NEVER,
    ) -> Tensor: ...  # fmt: skip

    def decode(
        self, t: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: bool = False, cancel: CancelToken = NEVER,
    ) -> Picture | Tensor:  # fmt: skip
        """Decode the picture at phase ``t`` between the two frames.

        Args:
            t: the phase, 0 (first frame) ... 1 (second frame).
            scale, size, region, quality, as_tensor, cancel: as for :meth:`Video.decode`.

        Returns:
            uint8 [height, width, 3], RGB.

        Raises:
            UsageError: t is not in 0 ... 1, or as for :meth:`Video.decode`.
            ClipError, DeviceError, Cancelled: as for :meth:`Video.encode`.
        """
        query = query_for(
            self._video.info, self._instant(t), scale=scale, size=size, region=region, default_scale=PICTURE_SCALE
        )
        return self._video._picture(query, quality, as_tensor, cancel)

    @overload
    def flow(self, t: Number, *, as_tensor: Literal[False] = False, cancel: CancelToken = NEVER) -> Motion: ...

    @overload
    def flow(self, t: Number, *, as_tensor: Literal[True], cancel: CancelToken = NEVER) -> Tensor: ...

    def flow(self, t: Number, *, as_tensor: bool = False, cancel: CancelToken = NEVER) -> Motion | Tensor:
        """Decode the motion M(x, t) (paper, eq. 4) at phase ``t``, at the centre of every clip pixel.

        Args:
            t: the phase, 0 (first frame) ... 1 (second frame).
            as_tensor: return a torch tensor on the video's device instead of an array.
            cancel: cancels the work between bands of rows.

        Returns:
            float32 [2, height, width, 2] of the clip's size: ``flow[0]`` leads to the first frame, ``flow[1]`` to the
            second, each (x, y) in latent pixels, which are clip pixels. What is seen at (x, y) at phase t lies at
            (x, y) + flow[0, y, x] in the first frame and at (x, y) + flow[1, y, x] in the second.

        Raises:
            UsageError: t is not in 0 ... 1, or the video is closed.
            ClipError, DeviceError, Cancelled: as for :meth:`Video.encode`.
        """
        instant, on_device = self._instant(t), flag(as_tensor, "as_tensor")
        with self._video._working(cancel) as engine:
            flow = engine.flow(instant, cancel).clone()
        return flow if on_device else flow.cpu().numpy()

    def failure(self, *, cancel: CancelToken = NEVER) -> PairFailure:
        """Return where and how badly the motion between the two frames was found.

        It is an estimate, from how well the found motion explains both frames, and from how far things move. A cut
        counts as motion that was not found.

        Args:
            cancel: cancels the encoding, if the pair has to be encoded again.

        Returns:
            ``expected_db``, the PSNR that the picture in the middle of the pair is expected to have;
            ``is_beyond_reach``, whether it is a guess; ``error``, float32 [rows, columns], the expected error of cells
            of ``cell_px`` x ``cell_px`` clip pixels.

        Raises:
            UsageError: the video is closed.
            ClipError, DeviceError, Cancelled: as for :meth:`Video.encode`.
        """
        with self._video._working(cancel) as engine:
            return engine.failure(self._index, cancel)

    def _instant(self, t: Number) -> Instant:
        phase = exact(t, "t")
        if not 0 <= phase <= 1:
            hint = "t runs from 0 (first frame) to 1 (second frame); video.decode takes seconds of the clip."
            raise UsageError(f"t = {float(phase):g} lies outside the pair.", hint=hint)
        return Instant(self._index, phase)
