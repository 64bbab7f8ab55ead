"""What playback will show, in order: the pictures of one view at the times of a stretch, or those of a journey."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Protocol

from videoinr.geometry import Grid, Readout, Rect, rect_on_grid
from videoinr.journey.curve import RetimeCurve
from videoinr.playing.times import CurveTimes, PlayTimes
from videoinr.timeline import Timeline
from videoinr.types import ExposedPart, Instant, RegionQuery, Segment

BYTES_PER_PIXEL = 4


@dataclass(frozen=True, slots=True)
class PictureKey:
    """Identifies a decoded picture: ``source`` names the clip, the model and the device (``Opened.source_id``)."""

    source: str
    query: RegionQuery


class Flight(Protocol):
    """A camera that playback follows: what is in view at each time. It can be compared, and be a key."""

    def region(self, time_secs: Fraction) -> tuple[Grid, Rect]:
        """Return the virtual full frame and its visible pixels at ``time_secs`` of the clip."""

    def place(self, time_secs: Fraction) -> tuple[tuple[float, float], float]:
        """Return the centre of the view then, (x, y) in clip pixels, and its zoom, screen pixels per clip pixel."""


@dataclass(frozen=True, slots=True)
class InnerShutter:
    """The exposure of the pixels ``rect`` of a clip of the size ``clip``: ``exposure_secs`` as for :class:`Shutter`."""

    rect: Rect
    clip: Grid
    exposure_secs: Fraction


@dataclass(frozen=True, slots=True)
class Shutter:
    """How the pictures of a view are exposed, and how the frames of the clip were read.

    Attributes:
        exposure_secs: each picture is the mean of so much of the clip around its time; 0: of its time alone.
        readout: the rolling shutter that is corrected.
        inside: the region that has an exposure of its own, if there is one.
    """

    exposure_secs: Fraction = Fraction(0)
    readout: Readout | None = None
    inside: InnerShutter | None = None

    def on(self, query: RegionQuery, time_secs: Fraction) -> RegionQuery:
        """Return ``query``, whose instant is that of ``time_secs``, for the picture that this shutter gives."""
        exposure, part, inside = exposure_around(time_secs, self.exposure_secs), None, self.inside
        if inside is not None:
            rect = rect_on_grid(inside.rect, inside.clip, query.grid)
            part = ExposedPart(rect, exposure_around(time_secs, inside.exposure_secs))
        return replace(query, exposure=exposure, readout=self.readout, part=part)


@dataclass(frozen=True, slots=True)
class PlayPlan:
    """The pictures of a stretch or along a curve, in one view or as a camera flies.

    Attributes:
        source: what the pictures are decoded from (``Opened.source_id``).
        timeline: the clip's frame times.
        times: the times of the pictures.
        grid: the virtual full frame.
        rect: the visible pixels of it.
        most: so many pictures at most are rendered ahead; None: all of them.
        shutter: how the pictures are exposed, and how the clip's frames were read.
        flight: says what is in view instead of ``grid`` and ``rect``, which then only tell a picture's size.
    """

    source: str
    timeline: Timeline
    times: PlayTimes | CurveTimes
    grid: Grid
    rect: Rect
    most: int | None = None
    shutter: Shutter = Shutter()
    flight: Flight | None = None

    @property
    def count(self) -> int:
        """The number of pictures."""
        return self.times.count

    @property
    def picture_bytes(self) -> int:
        """Bytes of one picture's pixels."""
        return self.rect.area * BYTES_PER_PIXEL

    @property
    def is_journey(self) -> bool:
        """Whether a picture may come more than once, so that :meth:`places` takes a while at its first call."""
        return self.flight is not None or isinstance(self.times, CurveTimes)

    def query(self, index: int) -> RegionQuery:
        """Return the query of picture ``index``, 0 ... count - 1."""
        time_secs = self.times.time(index)
        grid, rect = (self.grid, self.rect) if self.flight is None else self.flight.region(time_secs)
        return self.shutter.on(RegionQuery(self.timeline.instant_from_time(time_secs), grid, rect), time_secs)

    def key(self, index: int) -> PictureKey:
        """Return the key of picture ``index``, 0 ... count - 1."""
        return PictureKey(self.source, self.query(index))

    def places(self, key: PictureKey) -> tuple[int, ...]:
        """Return the indices at which the plan shows the picture ``key``, in order."""
        query = key.query
        if key.source != self.source or query.instant.pair >= self.timeline.pair_count:
            return ()
        if self.is_journey:
            return _places_by_query(self)[query.instant].get(query, ())
        if (query.grid, query.rect) != (self.grid, self.rect):
            return ()
        first = self.times.index_at(self.timeline.time_from_instant(query.instant))
        # The last picture may lie after the last frame's time, which its instant gives.
        found = (index for index in (first, first + 1) if index < self.count and self.query(index) == query)
        return tuple(found)[:1]


@lru_cache(maxsize=2)
def _indices_by_instant(timeline: Timeline, times: PlayTimes | CurveTimes) -> dict[Instant, list[int]]:
    found: dict[Instant, list[int]] = {}
    for index in range(times.count):
        found.setdefault(timeline.instant_from_time(times.time(index)), []).append(index)
    return found


class _PlacesByQuery(dict[Instant, dict[RegionQuery, tuple[int, ...]]]):
    """Where ``plan`` shows the pictures of an instant, by query; made when one of the instant's is first asked for.

    So each query is made once more than it is rendered, however long a freeze or a flight over it lasts.
    """

    def __init__(self, plan: PlayPlan) -> None:
        self._plan = plan

    def __missing__(self, instant: Instant) -> dict[RegionQuery, tuple[int, ...]]:
        plan, indices = self._plan, dict[RegionQuery, list[int]]()
        shown = _indices_by_instant(plan.timeline, plan.times).get(instant, [])
        if shown and plan.flight is None and plan.shutter == Shutter():
            indices[plan.query(shown[0])] = shown  # Nothing but the instant makes a difference.
        else:
            for index in shown:
                indices.setdefault(plan.query(index), []).append(index)
        places = self[instant] = {query: tuple(found) for query, found in indices.items()}
        return places


_places_by_query = lru_cache(maxsize=2)(_PlacesByQuery)


def exposure_around(time_secs: Fraction, secs: Fraction) -> Segment | None:
    """Return the ``secs`` of the clip around ``time_secs``, from its start on; None for 0."""
    half = secs / 2
    return Segment(max(time_secs - half, Fraction(0)), time_secs + half) if half else None


def play_times(timeline: Timeline, segment: Segment, step_secs: Fraction) -> PlayTimes:
    """Return the times of ``segment``; of those after the last frame's time, which show the same picture, only one.

    Args:
        timeline: the clip's frame times.
        segment: the stretch, in the clip.
        step_secs: clip seconds from one picture to the next.
    """
    start, last = segment.start_secs, timeline.frame_time(timeline.last_frame)
    steps = ceil(last / step_secs) if start < last else floor(start / step_secs)
    return PlayTimes(start, min(segment.end_secs, (steps + 1) * step_secs), step_secs)


def times_along(timeline: Timeline, curve: RetimeCurve, step_secs: Fraction) -> PlayTimes | CurveTimes:
    """Return the times along ``curve``; those of a straight line are the times of plain playback at its speed.

    Args:
        timeline: the clip's frame times.
        curve: output time to clip time.
        step_secs: output seconds from one picture to the next.
    """
    lowest, highest = curve.speeds
    if lowest == highest > 0:
        return play_times(timeline, curve.extent, lowest * step_secs)
    return CurveTimes(curve, step_secs)
