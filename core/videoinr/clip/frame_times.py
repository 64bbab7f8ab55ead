"""Makes a timeline of a stream's presentation times, and finds its frame rate."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from videoinr.clip.packet_index import FrameIndex, Ticks
from videoinr.timeline import Timeline

FALLBACK_FPS = Fraction(25)
"""The rate of a stream that has neither times nor a rate."""

_MIN_FPS, _MAX_FPS = Fraction(1, 1000), 1000

_STANDARD_FPS = tuple(
    Fraction(rate, unit)
    for rate, unit in (
        (24, 1),
        (25, 1),
        (30, 1),
        (24000, 1001),
        (30000, 1001),
        (50, 1),
        (60, 1),
        (60000, 1001),
        (48, 1),
        (100, 1),
        (120, 1),
        (120000, 1001),
    )
)


def plausible_rates(rates: Iterable[Fraction | None]) -> list[Fraction]:
    """Return those of ``rates`` (frames per second) that a clip can have, without duplicates."""
    return list(dict.fromkeys(Fraction(rate) for rate in rates if rate and _MIN_FPS <= rate <= _MAX_FPS))


def timeline_from_index(
    index: FrameIndex, tick_secs: Fraction, declared: list[Fraction]
) -> tuple[Timeline, Fraction | None]:
    """Make the timeline of a stream.

    Args:
        index: the stream's frames.
        tick_secs: seconds for each tick of the index.
        declared: the rates that the container declares, frames per second, the most trusted first.

    Returns:
        The timeline, and the stream's constant rate; None for a variable rate or a single frame.
    """
    ticks = index.pts - index.pts[0]
    if len(ticks) == 1:
        expected = round(1 / (next(iter(declared), FALLBACK_FPS) * tick_secs))
        return Timeline(ticks, tick_secs, max(1, index.last_duration or expected)), None
    fps = constant_fps(ticks, tick_secs, declared)
    end = round(len(ticks) / (fps * tick_secs)) if fps else int(ticks[-1]) + _last_duration(index)
    return Timeline(ticks, tick_secs, max(end, int(ticks[-1]) + 1)), fps


def longest_step(timeline: Timeline) -> Fraction:
    """Return the longest time from one frame to the next, seconds; 0 for a single frame."""
    steps = np.diff(timeline.ticks)
    return int(steps.max()) * timeline.tick_secs if len(steps) else Fraction(0)


def constant_fps(ticks: Ticks, tick_secs: Fraction, declared: list[Fraction]) -> Fraction | None:
    """Return the rate (frames per second) that puts every frame within one tick of its time, or None.

    Containers round times to their tick (a millisecond in Matroska), so the steps of a constant rate may differ.

    Args:
        ticks: the frames' times, starting at 0; at least two frames.
        tick_secs: seconds for each tick.
        declared: rates to try first.
    """
    numbers = np.arange(len(ticks), dtype=np.float64)
    mean = (len(ticks) - 1) / (int(ticks[-1]) * tick_secs)
    likely = (*map(_standard, declared), *_STANDARD_FPS, mean.limit_denominator(1001))
    near = [rate for rate in likely if abs(rate - mean) < mean / 20]
    for rate in near:
        if np.all(np.abs(numbers / float(rate * tick_secs) - ticks) <= 1):
            return rate
    return None


def _standard(rate: Fraction) -> Fraction:
    """Return the standard rate that a container rounded to ``rate``, or ``rate`` itself."""
    return next((each for each in _STANDARD_FPS if abs(each - rate) * 10_000 < each), rate)


def _last_duration(index: FrameIndex) -> int:
    """Return how many ticks the last frame is shown: its packet's duration if plausible, or the median step."""
    steps = np.diff(index.pts)
    is_plausible = 0 < index.last_duration <= 10 * int(steps.max())
    return index.last_duration if is_plausible else max(1, int(np.median(steps)))
