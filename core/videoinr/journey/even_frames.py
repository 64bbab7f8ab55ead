"""EvenFrames: output frames at equal distances of time, whatever second of the clip each of them shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from math import floor


class EvenFrames(ABC):
    """A time map: the second of the clip that each output frame shows, at ``fps`` frames per second."""

    __slots__ = ()
    fps: Fraction

    @property
    @abstractmethod
    def wanted_secs(self) -> Fraction:
        """The duration that is asked for, seconds; frames are whole, so the output's may differ."""

    @abstractmethod
    def time(self, index: int | Fraction) -> Fraction:
        """Return the second of the clip that output frame ``index`` shows; a fraction lies between two frames."""

    @property
    def frame_count(self) -> int:
        """The number of frames: wanted_secs * fps, rounded half up, at least 1."""
        return max(1, floor(self.wanted_secs * self.fps + Fraction(1, 2)))

    @property
    def duration_secs(self) -> Fraction:
        """The duration of the output, seconds: whole frames."""
        return self.frame_count / self.fps

    @property
    def times(self) -> Iterator[Fraction]:
        """The second of the clip that each output frame shows."""
        return map(self.time, range(self.frame_count))
