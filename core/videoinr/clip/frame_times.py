"""Makes a timeline of a stream's presentation times."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from videoinr.clip.frame_rate import FrameRate, find_rate
from videoinr.clip.packet_index import FrameIndex, Ticks
from videoinr.timeline import Timeline

FALLBACK_FPS = Fraction(25)
"""The rate of a stream that has neither times nor a rate."""

_MAX_HOLD_STEPS = 10
"""A last frame that is shown longer than this many of the longest step is believed only if the file's length agrees."""

_FILLER_SHARE = 20
"""A last frame shorter than this fraction of the usual step was given a filler: its writer did not know its length."""


@dataclass(frozen=True, eq=False)
class FrameTimes:
    """When the frames of a stream are shown.

    Attributes:
        timeline: the start of each frame, and the end of the last one.
        fps: the constant rate; None for a variable one or a single frame.
        has_gaps: whether frames are missing in the constant rate.
    """

    timeline: Timeline
    fps: Fraction | None
    has_gaps: bool = False


def times_from_index(
    index: FrameIndex, tick_secs: Fraction, declared: list[Fraction], *, declared_secs: Fraction = Fraction(0)
) -> FrameTimes:
    """Return the times of a stream's frames.

    Times of a constant rate are set to exact multiples of its step, because containers round them. The last frame
    lasts as long as its packet says.

    Args:
        index: the stream's frames.
        tick_secs: seconds for each tick of the index.
        declared: the rates that the container declares, frames per second, the most trusted first.
        declared_secs: how long the container says that the stream is; 0 if it does not say.
    """
    ticks = index.pts - index.pts[0]
    if len(ticks) == 1:
        expected = round(1 / (next(iter(declared), FALLBACK_FPS) * tick_secs))
        return FrameTimes(Timeline(ticks, tick_secs, max(1, index.last_duration or expected)), None)
    rate = find_rate(ticks, tick_secs, declared)
    last = _last_duration(index, declared_secs / tick_secs, rate, tick_secs)
    if rate is None:
        return FrameTimes(Timeline(ticks, tick_secs, int(ticks[-1]) + last), None)
    return FrameTimes(_even_timeline(rate, last * tick_secs), rate.fps, rate.has_gaps)


def longest_step(timeline: Timeline) -> Fraction:
    """Return the longest time from one frame to the next, seconds; 0 for a single frame."""
    steps = np.diff(timeline.ticks)
    return int(steps.max()) * timeline.tick_secs if len(steps) else Fraction(0)


def _even_timeline(rate: FrameRate, last_secs: Fraction) -> Timeline:
    """Return the timeline of ``rate`` whose last frame lasts ``last_secs``, rounded to a thousandth of a step."""
    last = Fraction(1) if _is_usual(last_secs, rate.fps) else (last_secs * rate.fps).limit_denominator(1000)
    unit = last.denominator
    return Timeline(rate.numbers * unit, 1 / (rate.fps * unit), int(rate.numbers[-1]) * unit + last.numerator)


def _is_usual(secs: Fraction, fps: Fraction) -> bool:
    """Return whether ``secs`` is about the step of ``fps``: containers round it, encoders take it from another rate."""
    return abs(secs * fps - 1) <= Fraction(1, 4)


def _last_duration(index: FrameIndex, declared: Fraction, rate: FrameRate | None, tick_secs: Fraction) -> int:
    """Return how many ticks the last frame is shown: its packet's duration if plausible, or the usual step."""
    steps: Ticks = np.diff(index.pts)
    usual = max(1, round(1 / (rate.fps * tick_secs)) if rate else int(np.median(steps)))
    said = index.last_duration
    if said <= 0 or said * _FILLER_SHARE < usual:
        return usual
    agrees = int(index.pts[-1] - index.pts[0]) + said <= declared + 2
    return said if said <= _MAX_HOLD_STEPS * int(steps.max()) or agrees else usual
