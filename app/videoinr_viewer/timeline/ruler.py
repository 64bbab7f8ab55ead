"""Computes the labels of a time ruler. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000)


def label_step_secs(duration_secs: Fraction, width_px: int, *, least_px: int) -> Fraction:
    """Return the roundest step whose labels on a ruler of ``width_px`` pixels are at least ``least_px`` apart."""
    least_secs = duration_secs * least_px / max(width_px, 1)
    for power in (1000, 100, 10):
        for step in (1, 2, 5):
            if Fraction(step, power) >= least_secs:
                return Fraction(step, power)
    return next((Fraction(step) for step in _STEPS if step >= least_secs), Fraction(36000))


def frame_step(least: Fraction, base: int) -> int:
    """Return the roundest number of frames that is at least ``least``.

    Args:
        least: the least number, above 0.
        base: the frames of a second of timecode: steps are parts of it, or whole seconds. 0: frames are only counted.
    """
    if base:
        parts = (step for step in range(1, base) if base % step == 0 and step >= least)
        return next(parts, 0) or base * next((step for step in _STEPS if step * base >= least), 36000)
    power = 1
    while power * 5 < least:
        power *= 10
    return next(step for step in (power, 2 * power, 5 * power) if step >= least)


def format_label(time_secs: Fraction, step_secs: Fraction) -> str:
    """Return ``0:02`` on a ruler in whole seconds, ``2.25`` on a finer one."""
    if step_secs >= 1:
        minutes, secs = divmod(int(time_secs), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"
    digits = 1 if step_secs * 10 % 1 == 0 else 2 if step_secs * 100 % 1 == 0 else 3
    return f"{float(time_secs):.{digits}f}"


def multiples(step_secs: Fraction, end_secs: Fraction, start_secs: Fraction = Fraction(0)) -> Iterator[Fraction]:
    """Yield the multiples of ``step_secs`` from ``start_secs`` to ``end_secs``."""
    for index in range(ceil(start_secs / step_secs), int(end_secs / step_secs) + 1):
        yield index * step_secs
