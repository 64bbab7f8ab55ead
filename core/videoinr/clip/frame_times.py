"""From a stream's presentation times to a timeline, and to the frame rate a person would call it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from videoinr.clip.packet_index import FrameIndex, Ticks
from videoinr.timeline import Timeline

FALLBACK_FPS = Fraction(25)
"""For a stream that carries neither times nor a rate."""

_MIN_FPS, _MAX_FPS = Fraction(1, 1000), 1000

_USUAL_FPS = tuple(
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


def sane_rates(rates: Iterable[Fraction | None]) -> list[Fraction]:
    """Those of ``rates`` (frames per second) that a clip can have, each once."""
    return list(dict.fromkeys(Fraction(rate) for rate in rates if rate and _MIN_FPS <= rate <= _MAX_FPS))


def timeline_from_index(
    index: FrameIndex, tick_secs: Fraction, declared: list[Fraction]
) -> tuple[Timeline, Fraction | None]:
    """The timeline of a stream, and its constant rate or None if it has none (one frame has no rate).

    ``tick_secs``: seconds for each tick of the index. ``declared``: rates that the container names, best first.
    """
    ticks = index.pts - index.pts[0]
    if len(ticks) == 1:
        usual = round(1 / (next(iter(declared), FALLBACK_FPS) * tick_secs))
        return Timeline(ticks, tick_secs, max(1, index.last_duration or usual)), None
    fps = constant_fps(ticks, tick_secs, declared)
    end = round(len(ticks) / (fps * tick_secs)) if fps else int(ticks[-1]) + _last_duration(index)
    return Timeline(ticks, tick_secs, max(end, int(ticks[-1]) + 1)), fps


def longest_step(timeline: Timeline) -> Fraction:
    """The longest time between two frames, seconds; 0 for a single frame."""
    steps = np.diff(timeline.ticks)
    return int(steps.max()) * timeline.tick_secs if len(steps) else Fraction(0)


def constant_fps(ticks: Ticks, tick_secs: Fraction, declared: list[Fraction]) -> Fraction | None:
    """The rate that puts every frame within one tick of where it is, or None.

    Containers round times to their tick (a millisecond in Matroska), so equal steps are not to be expected.
    """
    numbers = np.arange(len(ticks), dtype=np.float64)
    mean = (len(ticks) - 1) / (int(ticks[-1]) * tick_secs)
    likely = (*map(_usual, declared), *_USUAL_FPS, mean.limit_denominator(1001))
    near = [rate for rate in likely if abs(rate - mean) < mean / 20]
    for rate in near:
        if np.all(np.abs(numbers / float(rate * tick_secs) - ticks) <= 1):
            return rate
    return None


def _usual(rate: Fraction) -> Fraction:
    """The usual rate that a container rounded to ``rate``, or ``rate`` itself."""
    return next((usual for usual in _USUAL_FPS if abs(usual - rate) * 10_000 < usual), rate)


def _last_duration(index: FrameIndex) -> int:
    """Ticks for which the last frame is shown: as its packet says, or else as long as frames usually are."""
    steps = np.diff(index.pts)
    said = 0 < index.last_duration <= 10 * int(steps.max())
    return index.last_duration if said else max(1, int(np.median(steps)))
