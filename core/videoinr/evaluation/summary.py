"""Means of frame scores, over all frames and over each kind of frame."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from videoinr.evaluation.clips import FrameScore
from videoinr.evaluation.protocols import Center


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over ``frames`` output frames: PSNR in dB, SSIM, and where measured tOF in pixels, and LPIPS.

    NaN over no frames.
    """

    frames: int
    psnr_db: float
    ssim: float
    flow_error_px: float | None
    lpips: float | None = None

    @classmethod
    def mean(cls, scores: Sequence[FrameScore]) -> Figures:
        """Return the means over ``scores``."""
        flows = [score.flow_error_px for score in scores if score.flow_error_px is not None]
        psnr_db, ssim = (mean([score.psnr_db for score in scores]), mean([score.ssim for score in scores]))
        distances = [score.lpips for score in scores if score.lpips is not None]
        flow, distance = (mean(values) if values else None for values in (flows, distances))
        return cls(len(scores), psnr_db, ssim, flow, distance)


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures over all output frames and over each kind of them (see :attr:`Protocol.rules`).

    ``between`` is ``middle`` and ``others`` together, ``center`` is ``input`` and ``middle`` together, or ``middle``
    alone (see :data:`Center`). An odd T has no middle.
    """

    average: Figures
    input: Figures
    between: Figures
    middle: Figures
    others: Figures
    center: Figures
    secs_per_frame: float
    """The median over windows, so that library loading in the first window does not count."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON. Infinity (the PSNR of equal images) and NaN become None."""
        return {
            name: {key: finite(each) for key, each in value.items()} if isinstance(value, dict) else finite(value)
            for name, value in asdict(self).items()
        }


KINDS: tuple[str, ...] = tuple(field.name for field in fields(Summary))[:-1]


def summarise(scores: Sequence[FrameScore], time_scale: int, center: Center = "v3") -> Summary:
    """Return the means over ``scores`` from windows of ``time_scale`` output frames."""

    def figures(holds: Callable[[int], bool]) -> Figures:
        return Figures.mean([score for score in scores if holds(score.number)])

    return Summary(
        average=figures(lambda k: True),
        input=figures(lambda k: k == 0),
        between=figures(lambda k: k > 0),
        middle=figures(lambda k: 2 * k == time_scale),
        others=figures(lambda k: k > 0 and 2 * k != time_scale),
        center=figures(lambda k: (k == 0 and center == "v3") or 2 * k == time_scale),
        secs_per_frame=statistics.median(score.secs for score in scores) if scores else math.nan,
    )


def finite(value: float | None) -> float | None:
    """Return ``value``, or None if it is infinite or NaN."""
    return value if value is not None and math.isfinite(value) else None


def mean(values: Sequence[float]) -> float:
    """Return the mean of ``values``; NaN if there are none."""
    return sum(values) / len(values) if values else math.nan
