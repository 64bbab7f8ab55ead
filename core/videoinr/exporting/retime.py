"""Time maps: which seconds of the clip an output's frames show, as exact fractions.

One map stands here, the constant rate. Any other (a curve, a ramp) is a class with the same three members:
``frame_count``, ``duration_secs`` and ``times``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from videoinr.errors import UsageError
from videoinr.types import Segment

MAX_FPS = 1000
"""Frames per second of an output. Matroska and WebM round times to milliseconds: beyond, frames would coincide."""
MAX_FPS_DENOMINATOR = 100_000
"""Containers store a rate as two 32-bit numbers, and multiply it; every rate of this form fits all of them."""


@dataclass(frozen=True, slots=True)
class ConstantRate:
    """``segment`` of a clip played at ``speed`` (1/4: a quarter, slow motion) and shown at ``fps`` frames a second.

    Output frame ``i`` shows the clip at ``segment.start_secs + i * speed / fps``, and all of them lie in the
    half-open segment [start, end).
    """

    segment: Segment
    fps: Fraction
    speed: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.fps <= 0 or self.speed <= 0:
            raise ValueError(f"a rate and a speed are above 0, not {self.fps} and {self.speed}")

    @property
    def frame_count(self) -> int:
        """Segment duration / speed * fps, rounded half up, at least 1."""
        return max(1, floor(self.segment.duration_secs / self.speed * self.fps + Fraction(1, 2)))

    @property
    def duration_secs(self) -> Fraction:
        """How long the output plays, seconds: whole frames."""
        return self.frame_count / self.fps

    @property
    def times(self) -> Iterator[Fraction]:
        """The second of the clip that each output frame shows, strictly increasing."""
        step = self.speed / self.fps
        return (self.segment.start_secs + index * step for index in range(self.frame_count))


def rate_from_scale(mean_fps: Fraction, time_scale: Fraction) -> Fraction:
    """``time_scale`` times the clip's ``mean_fps``, frames per second, in a form that every container stores.

    The mean of a variable rate can be a fraction of huge numbers; the nearest such form then takes its place, less
    than 1e-5 frames per second away.
    """
    return checked_fps((mean_fps * time_scale).limit_denominator(MAX_FPS_DENOMINATOR))


def checked_fps(fps: Fraction) -> Fraction:
    """``fps`` itself; UsageError where no container could store it."""
    if not 0 < fps <= MAX_FPS:
        raise UsageError(
            f"{float(fps):g} frames per second cannot be written.",
            hint=f"Choose a rate above 0 and up to {MAX_FPS}; for a finer look, play slower with --speed.",
        )
    if fps.denominator > MAX_FPS_DENOMINATOR:
        near = fps.limit_denominator(1001)
        raise UsageError(
            f"{fps} frames per second has too many digits for a video file.",
            hint=f"Give a simple fraction; {near.numerator}/{near.denominator} is the nearest.",
        )
    return fps


def segment_from_marks(duration_secs: Fraction, start_secs: Fraction | None, end_secs: Fraction | None) -> Segment:
    """[start, end) of a clip ``duration_secs`` long; None means the clip's own start or end.

    UsageError when it is empty, backwards or reaches outside the clip.
    """
    start = Fraction(0) if start_secs is None else start_secs
    end = duration_secs if end_secs is None else end_secs
    if start < 0 or end > duration_secs:
        raise UsageError(
            f"{float(start):g} s to {float(end):g} s reaches outside the clip, which lasts {float(duration_secs):g} s"
            + (f" (exactly {duration_secs} s)." if duration_secs.denominator > 1 else "."),
            hint="Leave --start or --end out to begin or stop where the clip does.",
        )
    if start >= end:
        raise UsageError(
            f"The segment is empty: it starts at {float(start):g} s and ends at {float(end):g} s.",
            hint="Give an end after the start.",
        )
    return Segment(start, end)
