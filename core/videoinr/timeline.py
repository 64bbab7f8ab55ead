"""Converts seconds to (pair, phase) and back, in exact fractions, by the clip's own presentation times.

Pair ``k`` is the time from source frame ``k`` to ``k + 1``, without its end: the time of a source frame is phase 0 of
the pair that starts there. Only from the last frame on, where no pair starts, is an instant phase 1 of the last pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoinr.types import Instant


@dataclass(frozen=True, eq=False)
class Timeline:
    """When each frame of a clip is shown.

    Attributes:
        ticks: int64 [frames], the start of each frame in units of ``tick_secs``, strictly increasing. The first is 0:
            a clip starts at second 0, whatever its container says.
        tick_secs: the length of a tick, seconds.
        end_tick: when the last frame ends.
    """

    ticks: NDArray[np.int64]
    tick_secs: Fraction
    end_tick: int

    def __post_init__(self) -> None:
        if len(self.ticks) == 0 or self.ticks[0] != 0:
            raise ValueError("a timeline starts with a frame at tick 0")
        if np.any(np.diff(self.ticks) <= 0) or self.end_tick <= self.ticks[-1]:
            raise ValueError("the ticks of a timeline increase strictly, and its end comes after its last frame")

    @classmethod
    def constant(cls, frame_count: int, fps: Fraction) -> Timeline:
        """Return the timeline of ``frame_count`` frames at a constant ``fps`` (frames per second)."""
        return cls(np.arange(frame_count, dtype=np.int64), 1 / Fraction(fps), frame_count)

    @property
    def frame_count(self) -> int:
        """The number of frames, at least one."""
        return len(self.ticks)

    @property
    def last_frame(self) -> int:
        """The index of the last frame."""
        return len(self.ticks) - 1

    @property
    def pair_count(self) -> int:
        """The number of pairs. A clip of one frame has one pair, which holds that frame twice."""
        return max(1, self.last_frame)

    @property
    def duration_secs(self) -> Fraction:
        """The time from the start of the first frame to the end of the last one, seconds."""
        return self.end_tick * self.tick_secs

    @property
    def mean_fps(self) -> Fraction:
        """The number of frames divided by the duration, frames per second."""
        return self.frame_count / self.duration_secs

    def frame_time(self, index: int) -> Fraction:
        """Return when frame ``index`` starts, seconds.

        Raises:
            IndexError: ``index`` is not in 0 ... frame_count - 1.
        """
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index} of a clip of {self.frame_count}")
        return int(self.ticks[index]) * self.tick_secs

    def frame_at(self, time_secs: Fraction) -> int:
        """Return the frame shown at ``time_secs``. Times outside the clip give its first or last frame."""
        # Whole ticks, because np.searchsorted would round the exact quotient to a float.
        tick = time_secs // self.tick_secs
        return min(max(int(np.searchsorted(self.ticks, tick, side="right")) - 1, 0), self.last_frame)

    def instant_from_time(self, time_secs: Fraction) -> Instant:
        """Return the instant at ``time_secs``. Times outside the clip are clamped to it."""
        frame = self.frame_at(time_secs)
        if self.frame_count == 1:
            return Instant(0, Fraction(0))
        if frame == self.last_frame:
            return Instant(frame - 1, Fraction(1))
        start, stop = self.frame_time(frame), self.frame_time(frame + 1)
        return Instant(frame, max(Fraction(0), (time_secs - start) / (stop - start)))

    def instant_from_position(self, position: Fraction) -> Instant:
        """Return the instant at ``position``, in source frames (see :attr:`Instant.position`), clamped to the clip."""
        inside = min(max(position, Fraction(0)), Fraction(self.last_frame))
        pair = min(int(inside), self.pair_count - 1)
        return Instant(pair, inside - pair)

    def time_from_instant(self, instant: Instant) -> Fraction:
        """Return the time of ``instant``, seconds: the inverse of :meth:`instant_from_time`."""
        if self.frame_count == 1:
            return Fraction(0)
        start, stop = self.frame_time(instant.pair), self.frame_time(instant.pair + 1)
        return start + instant.phase * (stop - start)
