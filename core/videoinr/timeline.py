"""Seconds <-> (pair, phase), in exact fractions on the clip's own presentation times.

Pair ``k`` is the stretch between source frames ``k`` and ``k + 1``. It is half-open: it owns its first frame's
time and not its last, so a source frame's time always resolves to phase 0 of the pair that *starts* there. Only
where no pair starts (the last frame, until the clip's end) does an instant read phase 1 of the last pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoinr.types import Instant


@dataclass(frozen=True, eq=False)
class Timeline:
    """When each frame of a clip is shown.

    ``ticks`` is int64 and strictly increasing, in units of ``tick_secs``; ``ticks[0]`` is 0 (a clip starts at
    second 0 whatever its container says). ``end_tick`` is when the last frame stops being shown.
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
        """``frame_count`` frames at a constant ``fps`` (frames per second)."""
        return cls(np.arange(frame_count, dtype=np.int64), 1 / Fraction(fps), frame_count)

    @classmethod
    def of_ticks(cls, ticks: Sequence[int], tick_secs: Fraction, end_tick: int) -> Timeline:
        """A timeline from any increasing ticks: the first one becomes 0."""
        origin = ticks[0]
        return cls(np.asarray(ticks, dtype=np.int64) - origin, tick_secs, end_tick - origin)

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
        """The number of pairs; a clip of one frame has one, of that frame twice."""
        return max(1, self.last_frame)

    @property
    def duration_secs(self) -> Fraction:
        """From the first frame's start to the last one's end, seconds."""
        return self.end_tick * self.tick_secs

    @property
    def mean_fps(self) -> Fraction:
        """Frames over duration, frames per second."""
        return self.frame_count / self.duration_secs

    @property
    def is_constant(self) -> bool:
        """Whether all frames are equally far apart, to within one tick of rounding."""
        steps = np.diff(self.ticks)
        return len(steps) == 0 or int(steps.max()) - int(steps.min()) <= 1

    def frame_time(self, index: int) -> Fraction:
        """When frame ``index`` (0 ... frame_count - 1) starts to be shown, seconds."""
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index} of a clip of {self.frame_count}")
        return int(self.ticks[index]) * self.tick_secs

    def frame_at(self, time_secs: Fraction) -> int:
        """The frame shown at ``time_secs``; times outside the clip read its first or last frame."""
        # np.searchsorted would round the exact quotient to a float: compare whole ticks instead.
        tick = time_secs // self.tick_secs
        return min(max(int(np.searchsorted(self.ticks, tick, side="right")) - 1, 0), self.last_frame)

    def instant_from_time(self, time_secs: Fraction) -> Instant:
        """Where ``time_secs`` falls between the source frames; times outside the clip are clamped to it."""
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
        """The second at which ``instant`` lies; the inverse of :meth:`instant_from_time` inside the pairs."""
        if self.frame_count == 1:
            return Fraction(0)
        start, stop = self.frame_time(instant.pair), self.frame_time(instant.pair + 1)
        return start + instant.phase * (stop - start)
