"""The times of the pictures that playback shows of a stretch of a clip, or along a retime curve, exact seconds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from videoinr.journey.curve import RetimeCurve

LEAST_RATE, MOST_RATE = Fraction(24), Fraction(60)
"""Pictures a second, where the clip's own rate decides."""


def display_rate(fps: Fraction, asked: Fraction | None = None) -> Fraction:
    """Return how many pictures a second playback shows.

    Args:
        fps: the clip's mean rate, frames a second.
        asked: the rate that the user asked for, if one.

    Returns:
        ``asked``, or else the clip's rate, multiplied or divided by the least whole number that brings it into
        LEAST_RATE ... MOST_RATE, so that the times of source frames are among the times shown.
    """
    if asked is not None:
        return asked
    rate = fps * ceil(LEAST_RATE / fps)
    return rate / ceil(rate / MOST_RATE)


@dataclass(frozen=True, slots=True)
class PlayTimes:
    """The start of a stretch, and the multiples of a step in it. So moving a mark keeps the pictures of other times.

    Attributes:
        start_secs: the time of the first picture.
        end_secs: all times lie before it.
        step_secs: clip seconds from one picture to the next: the speed divided by the rate of the display.
    """

    start_secs: Fraction
    end_secs: Fraction
    step_secs: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start_secs < self.end_secs or self.step_secs <= 0:
            raise ValueError(f"no times from {self.start_secs} to {self.end_secs} in steps of {self.step_secs}")

    @property
    def count(self) -> int:
        """The number of pictures, at least one."""
        return 1 + max(0, ceil(self.end_secs / self.step_secs) - self._first_multiple)

    def time(self, index: int) -> Fraction:
        """Return the time of picture ``index``, 0 ... count - 1."""
        return self.start_secs if index == 0 else (self._first_multiple + index - 1) * self.step_secs

    def index_at(self, time_secs: Fraction) -> int:
        """Return the picture shown at ``time_secs``. Times outside the stretch give its first or last picture."""
        return min(max(floor(time_secs / self.step_secs) - self._first_multiple + 1, 0), self.count - 1)

    @property
    def _first_multiple(self) -> int:
        return floor(self.start_secs / self.step_secs) + 1


@dataclass(frozen=True, slots=True)
class CurveTimes:
    """The times of a clip at the multiples of a step of the output along ``curve``, which may stand still or turn back.

    Attributes:
        curve: output time to clip time.
        step_secs: output seconds from one picture to the next: the speed divided by the rate of the display.
    """

    curve: RetimeCurve
    step_secs: Fraction

    @property
    def start_secs(self) -> Fraction:
        """The first moment of the clip that the curve shows, which may come late."""
        return self.curve.extent.start_secs

    @property
    def end_secs(self) -> Fraction:
        """The last moment of the clip that the curve shows."""
        return self.curve.extent.end_secs

    @property
    def count(self) -> int:
        """The number of pictures, at least one."""
        return max(1, ceil(self.curve.duration_secs / self.step_secs))

    def time(self, index: int) -> Fraction:
        """Return the clip's time of picture ``index``, 0 ... count - 1."""
        return self.curve.time(index * self.step_secs)

    def index_of(self, out_secs: Fraction) -> int:
        """Return the picture shown at ``out_secs`` of the output; outside of it, its first or last picture."""
        return min(max(floor(out_secs / self.step_secs), 0), self.count - 1)

    def index_at(self, time_secs: Fraction) -> int:
        """Return the first picture that shows ``time_secs`` of the clip; the first of all where none does."""
        return self.index_of(self.curve.first_shown(time_secs) or Fraction(0))
