"""An open clip, as Python sees it: :class:`Video`, whose pairs are of :mod:`videoinr.render.pair`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NoReturn, Unpack, overload

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
    flag,
    positive,
    query_for,
    whole,
)
from videoinr.render.engine_access import EngineAccess, Picture
from videoinr.render.journey_query import JourneyOptions, journey_query
from videoinr.render.output_area import CLIP_SCALE, PICTURE_SCALE, instant_of
from videoinr.render.pair import Pair
from videoinr.render.typed_times import TypedTime, check_output_time, optional_secs, time_secs
from videoinr.text.parsing import QualityName
from videoinr.types import ClipInfo, Instant, RegionQuery, RenderedRegion

if TYPE_CHECKING:
    from torch import Tensor

    from videoinr.render.engine import Engine
    from videoinr.timeline import Timeline


class Video(Closeable):
    """An open clip and the model that decodes it; made by :func:`videoinr.open`.

    Pairs are encoded when they are first needed and cached within the memory budget. Decoding two instants of one pair
    encodes it once.
    """

    def __init__(self, engine: Engine) -> None:
        self._access = EngineAccess(engine)

    @property
    def info(self) -> ClipInfo:
        """The clip's width, height, rate, duration, colours, and warnings, also about the frames read so far."""
        return self._access.opened.info

    @property
    def timeline(self) -> Timeline:
        """The presentation times of the clip's frames."""
        return self._access.opened.timeline

    @property
    def pair_count(self) -> int:
        """The number of pairs of successive frames; 1 for a clip of one frame."""
        return self._access.opened.timeline.pair_count

    @property
    def model_name(self) -> str:
        """The name on the model's card."""
        return self._access.opened.model_name

    @property
    def device_name(self) -> str:
        """The device, in a user's words."""
        return self._access.opened.device_name

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
        with self._access.engine(cancel) as engine:
            engine.encode(index, cancel)
        return Pair(self._access, index)

    def query(
        self, time: TypedTime, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
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
        check_output_time(time, journey.get("retime"))
        secs = time_secs(time, "time", self.timeline, self.info)
        if not all(value is None or value == 0 for value in journey.values()):
            return journey_query(self._access.opened, secs, scale, size, region, **journey)
        instant = instant_of(self.timeline, secs)
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
        return self._access.render(query, quality, cancel)

    @overload
    def decode(
        self, time: TypedTime, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[False] = False, cancel: CancelToken = NEVER,
        **journey: Unpack[JourneyOptions],
    ) -> Picture: ...  # fmt: skip

    @overload
    def decode(
        self, time: TypedTime, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[True], cancel: CancelToken = NEVER,
        **journey: Unpack[JourneyOptions],
    ) -> Tensor: ...  # fmt: skip

    def decode(
        self, time: TypedTime, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: bool = False, cancel: CancelToken = NEVER,
        **journey: Unpack[JourneyOptions],
    ) -> Picture | Tensor:  # fmt: skip
        """Decode the picture at ``time``.

        Args:
            time: second of the clip, 0 ... duration. A float means the decimal that it prints: 0.3 is 3/10. Or a text
                as it is typed elsewhere: ``"1:02.5"``, timecode ``"00:01:02:12"``, a frame ``"f31"``, or ``"50%"``.
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
        return self._access.picture(query, quality, as_tensor, cancel)

    @overload
    def frames(
        self, *, fps: Number | None = None, start: TypedTime | None = None, end: TypedTime | None = None,
        speed: Number = 1, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[False] = False, cancel: CancelToken = NEVER,
    ) -> Iterator[Picture]: ...  # fmt: skip

    @overload
    def frames(
        self, *, fps: Number | None = None, start: TypedTime | None = None, end: TypedTime | None = None,
        speed: Number = 1, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[True], cancel: CancelToken = NEVER,
    ) -> Iterator[Tensor]: ...  # fmt: skip

    def frames(
        self, *, fps: Number | None = None, start: TypedTime | None = None, end: TypedTime | None = None,
        speed: Number = 1, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: bool = False, cancel: CancelToken = NEVER,
    ) -> Iterator[Picture | Tensor]:  # fmt: skip
        """Iterate over the frames of a segment at any rate and speed, each decoded when it is asked for.

        Frame ``i`` shows the clip at ``start + i * speed / fps``. There are (end - start) / speed * fps frames, rounded
        half up, at least one: those that :func:`videoinr.export` writes.

        Args:
            fps: frames per second of the output; None means the clip's mean rate.
            start, end: the segment [start, end) of the clip, each as ``time`` of :meth:`decode`; None means the clip's
                start and end.
            speed: 0.25 plays four times slower.
            scale, size, region, quality, as_tensor, cancel: as for :meth:`decode`, but the default scale is 2.

        Raises:
            UsageError: at once, if the segment, the rate, the speed, the scale or the region is not valid.
            ClipError, DeviceError, Cancelled: from the iterator, as for :meth:`decode`.
        """
        info = self.info
        first, last = (
            optional_secs(time, name, self.timeline, info) for time, name in ((start, "start"), (end, "end"))
        )
        segment = segment_from_marks(info.duration_secs, first, last)
        rate = default_fps(self.info.fps) if fps is None else positive(fps, "fps")
        times = ConstantRate(segment, rate, positive(speed, "speed")).times
        start_query = query_for(
            self.info, Instant(0, Fraction(0)), scale=scale, size=size, region=region, default_scale=CLIP_SCALE
        )
        with self._access.engine(cancel):  # Refuse a closed video and wrong arguments now, not at the first frame.
            as_quality(quality), flag(as_tensor, "as_tensor")
        queries = (replace(start_query, instant=self.timeline.instant_from_time(time)) for time in times)
        return (self._access.picture(query, quality, as_tensor, cancel) for query in queries)

    def __reduce__(self) -> NoReturn:  # Also of copy.copy, which would not ask what the video holds.
        self._access.__reduce__()

    def __repr__(self) -> str:
        return repr(self._access)

    def close(self) -> None:
        """Close the clip and free the caches; waits for a call in progress. May be called twice."""
        self._access.close()
