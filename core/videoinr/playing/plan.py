"""What playback will show: the pictures of one view at the times of a stretch, in order."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from videoinr.geometry import Grid, Rect
from videoinr.playing.times import PlayTimes
from videoinr.timeline import Timeline
from videoinr.types import RegionQuery, Segment

BYTES_PER_PIXEL = 4


@dataclass(frozen=True, slots=True)
class PictureKey:
    """Identifies a decoded picture: ``source`` names the clip, the model and the device (``Opened.source_id``)."""

    source: str
    query: RegionQuery


@dataclass(frozen=True, slots=True)
class PlayPlan:
    """The pictures of a stretch in one view.

    Attributes:
        source: what the pictures are decoded from (``Opened.source_id``).
        timeline: the clip's frame times.
        times: the times of the pictures.
        grid: the virtual full frame.
        rect: the visible pixels of it.
        most: so many pictures at most are rendered ahead; None: all of them.
        exposure_secs: each picture is the mean of so much of the clip around its time; 0: of its time alone.
    """

    source: str
    timeline: Timeline
    times: PlayTimes
    grid: Grid
    rect: Rect
    most: int | None = None
    exposure_secs: Fraction = Fraction(0)

    @property
    def count(self) -> int:
        """The number of pictures."""
        return self.times.count

    @property
    def picture_bytes(self) -> int:
        """Bytes of one picture's pixels."""
        return self.rect.area * BYTES_PER_PIXEL

    def query(self, index: int) -> RegionQuery:
        """Return the query of picture ``index``, 0 ... count - 1."""
        time_secs = self.times.time(index)
        exposure = exposure_around(time_secs, self.exposure_secs)
        return RegionQuery(self.timeline.instant_from_time(time_secs), self.grid, self.rect, exposure)

    def key(self, index: int) -> PictureKey:
        """Return the key of picture ``index``, 0 ... count - 1."""
        return PictureKey(self.source, self.query(index))

    def place(self, key: PictureKey) -> int | None:
        """Return the index of the picture ``key``, or None if the plan does not show it."""
        query = key.query
        if key.source != self.source or (query.grid, query.rect) != (self.grid, self.rect):
            return None
        if query.instant.pair >= self.timeline.pair_count:
            return None
        near = self.times.index_at(self.timeline.time_from_instant(query.instant))
        # The last picture may lie after the last frame's time, which its instant gives.
        return next((index for index in (near, near + 1) if index < self.count and self.query(index) == query), None)


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
