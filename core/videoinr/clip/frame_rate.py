"""Finds the constant rate behind times that a container rounded, or that lack some frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np
from numpy.typing import NDArray

_Ticks = NDArray[np.int64]

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

_ROUNDING_SECS = Fraction(1, 1000)
"""Matroska, WebM, FLV and recorders round times to a millisecond, which stays in the times after remuxing."""

_FEW_GAPS = 2 / 3
"""At least this share of the steps is one frame long; otherwise the rate is variable."""


@dataclass(frozen=True, eq=False)
class FrameRate:
    """A constant rate, and the place of each frame in it.

    Attributes:
        fps: frames per second.
        numbers: int64 [frames], the place of each frame among those of the rate, from 0 on. Where frames were dropped,
            numbers are left out.
    """

    fps: Fraction
    numbers: _Ticks

    @property
    def has_gaps(self) -> bool:
        """Whether frames are missing."""
        return int(self.numbers[-1]) >= len(self.numbers)


def plausible_rates(rates: Iterable[Fraction | None]) -> list[Fraction]:
    """Return those of ``rates`` (frames per second) that a clip can have, without duplicates."""
    return list(dict.fromkeys(Fraction(rate) for rate in rates if rate and _MIN_FPS <= rate <= _MAX_FPS))


def find_rate(ticks: _Ticks, tick_secs: Fraction, declared: list[Fraction]) -> FrameRate | None:
    """Return the rate that puts every frame within a rounding of its time, or None if the rate is variable.

    Frames may be missing, and the first frame may come at another distance than the others: encoders often stamp it
    early.

    Args:
        ticks: the frames' times, starting at 0; at least two frames.
        tick_secs: seconds for each tick.
        declared: rates to try first, frames per second.
    """
    found = _fit(ticks, tick_secs, declared)
    if found is None and len(ticks) > 4:
        rest = _fit(ticks[1:] - ticks[1], tick_secs, declared)
        if rest is not None:
            first = max(1, round(int(ticks[1]) * tick_secs * rest.fps))
            return FrameRate(rest.fps, np.concatenate([[0], rest.numbers + first]))
    return found


def _fit(ticks: _Ticks, tick_secs: Fraction, declared: list[Fraction]) -> FrameRate | None:
    steps = np.diff(ticks)
    numbers = np.concatenate([[0], np.cumsum(np.maximum(1, np.rint(steps / _usual_step(steps))))]).astype(np.int64)
    if np.mean(np.diff(numbers) == 1) < _FEW_GAPS:
        return None
    mean = int(numbers[-1]) / (int(ticks[-1]) * tick_secs)
    whole = max(1, floor(mean) - 1)
    round_rates = [Fraction(number * 1000, unit) for number in range(whole, whole + 4) for unit in (1000, 1001)]
    round_rates.sort(key=lambda fps: abs(fps - mean))
    likely = (*map(_standard, declared), *_STANDARD_FPS, *round_rates, mean.limit_denominator(1001))
    for fps in likely:
        if abs(fps - mean) < mean / 20 and _fits(ticks, numbers, fps, tick_secs):
            return FrameRate(fps, numbers)
    return None


def _usual_step(steps: _Ticks) -> float:
    # The lower one of two middle steps: between 1 and 100, their mean would be near neither.
    median = float(np.quantile(steps, 0.5, method="lower"))
    return float(np.mean(steps[(steps >= median / 2) & (steps <= median * 3 / 2)]))


def _fits(ticks: _Ticks, numbers: _Ticks, fps: Fraction, tick_secs: Fraction) -> bool:
    errors = ticks - numbers / float(fps * tick_secs)
    if np.all(np.abs(errors) <= 1):
        return True
    # Times rounded to milliseconds, in a finer unit, as in a file of that unit.
    allowed = min(2 * _ROUNDING_SECS, 3 / (5 * fps)) / tick_secs
    return float(errors.max() - errors.min()) <= float(allowed) * 1.001


def _standard(rate: Fraction) -> Fraction:
    """Return the standard rate that a container rounded to ``rate``, or ``rate`` itself."""
    return next((each for each in _STANDARD_FPS if abs(each - rate) * 10_000 < each), rate)
