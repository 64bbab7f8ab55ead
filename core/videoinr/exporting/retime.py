"""Time maps: the exact second of the clip that each frame of an output shows.

The map here is the constant rate. Another :class:`~videoinr.journey.even_frames.EvenFrames` is the retime curve of
:mod:`videoinr.journey.curve`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from videoinr.errors import UsageError
from videoinr.journey.even_frames import EvenFrames
from videoinr.types import Segment

MAX_FPS = 1000
"""Frames per second of an output. Matroska and WebM round times to milliseconds; faster frames would coincide."""
MAX_FPS_DENOMINATOR = 100_000
"""Containers store a rate as two 32-bit numbers and multiply it; a rate with such a denominator fits all of them."""


@dataclass(frozen=True, slots=True)
class ConstantRate(EvenFrames):
    """Plays ``segment`` of a clip at ``speed`` (1/4 is slow motion) and ``fps`` frames per second.

    Output frame ``i`` shows the clip at ``segment.start_secs + i * speed / fps``. All of these times lie in the
    half-open segment [start, end).
    """

    segment: Segment
    fps: Fraction
    speed: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.fps <= 0 or self.speed <= 0:
            raise ValueError(f"a rate and a speed must be above 0, not {self.fps} and {self.speed}")

    @property
    def wanted_secs(self) -> Fraction:
        """The segment's duration at the speed."""
        return self.segment.duration_secs / self.speed

    def time(self, index: int | Fraction) -> Fraction:
        """Return the second of the clip that output frame ``index`` shows; a fraction lies between two frames."""
        return self.segment.start_secs + index * (self.speed / self.fps)


def rate_from_scale(mean_fps: Fraction, time_scale: Fraction) -> Fraction:
    """Return ``time_scale`` times the clip's ``mean_fps``, frames per second, in a form that every container stores.

    The mean of a variable rate can be a fraction of huge numbers; it is rounded then, by less than 1e-5 frames per
    second.
    """
    return checked_fps((mean_fps * time_scale).limit_denominator(MAX_FPS_DENOMINATOR))


def default_fps(mean_fps: Fraction) -> Fraction:
    """Return the rate of an output for which none was given: the clip's own, as far as files can hold it.

    The clip of a high-speed camera may have more than :data:`MAX_FPS`, which nobody asked for.
    """
    return rate_from_scale(min(mean_fps, Fraction(MAX_FPS)), Fraction(1))


def checked_fps(fps: Fraction) -> Fraction:
    """Return ``fps``; raise UsageError if a container cannot store it."""
    if not 0 < fps <= MAX_FPS:
        raise UsageError(
            f"{float(fps):.10g} frames per second cannot be written.",
            hint=f"Choose a rate above 0 and up to {MAX_FPS}; for slow motion, choose a speed below 1 (--speed).",
        )
    if fps.denominator > MAX_FPS_DENOMINATOR:
        near = fps.limit_denominator(1001) or Fraction(1, 1001)
        raise UsageError(
            f"{fps} frames per second has too many digits for a video file.",
            hint=f"Give a simple fraction, such as {near.numerator}/{near.denominator}.",
        )
    return fps


def segment_from_marks(duration_secs: Fraction, start_secs: Fraction | None, end_secs: Fraction | None) -> Segment:
    """Return the segment [start, end) of a clip ``duration_secs`` long; None stands for the clip's start or end.

    Raises:
        UsageError: the segment is empty or backwards, or it reaches outside the clip.
    """
    start = Fraction(0) if start_secs is None else start_secs
    end = duration_secs if end_secs is None else end_secs
    is_after = end_secs is None and start >= duration_secs
    if start < 0 or end > duration_secs or is_after:
        where = f"{float(start):.10g} s" if is_after else f"{float(start):.10g} s to {float(end):.10g} s"
        raise UsageError(
            f"{where} is outside the clip, "
            f"which lasts {float(duration_secs):.10g} s"
            + (f" (exactly {duration_secs} s)." if duration_secs.denominator > 1 else "."),
            hint="Leave --start or --end out for the clip's own start or end.",
        )
    if start >= end:
        raise UsageError(
            f"The segment is empty: it starts at {float(start):.10g} s and ends at {float(end):.10g} s.",
            hint="Give an end after the start.",
        )
    return Segment(start, end)
