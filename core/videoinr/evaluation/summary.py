"""Means over some frames' scores, for all of them and for each kind of frame."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from videoinr.evaluation.clips import FrameScore


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over ``frames`` outputs: PSNR in dB, SSIM, and tOF in pixels where it was measured. NaN over none."""

    frames: int
    psnr_db: float
    ssim: float
    flow_error_px: float | None

    @classmethod
    def mean(cls, scores: Sequence[FrameScore]) -> Figures:
        """The means over ``scores``."""
        flows = [score.flow_error_px for score in scores if score.flow_error_px is not None]
        psnr_db, ssim = (_mean([score.psnr_db for score in scores]), _mean([score.ssim for score in scores]))
        return cls(len(scores), psnr_db, ssim, _mean(flows) if flows else None)


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures over all outputs, and over the kinds of them (see the protocol's words).

    ``between`` is ``middle`` and ``others`` together, ``center`` is ``input`` and ``middle``. For an odd T there is
    no middle.
    """

    average: Figures
    input: Figures
    between: Figures
    middle: Figures
    others: Figures
    center: Figures
    secs_per_frame: float
    """The median over windows, so that a first one that loads libraries does not count."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON, which knows no infinity and no NaN: None. A picture without any error has no PSNR."""
        return {
            name: {key: finite(each) for key, each in value.items()} if isinstance(value, dict) else finite(value)
            for name, value in asdict(self).items()
        }


KINDS: tuple[str, ...] = tuple(field.name for field in fields(Summary))[:-1]


def summarise(scores: Sequence[FrameScore], time_scale: int) -> Summary:
    """Means over ``scores``, of windows of ``time_scale`` outputs."""

    def figures(holds: Callable[[int], bool]) -> Figures:
        return Figures.mean([score for score in scores if holds(score.number)])

    return Summary(
        average=figures(lambda k: True),
        input=figures(lambda k: k == 0),
        between=figures(lambda k: k > 0),
        middle=figures(lambda k: 2 * k == time_scale),
        others=figures(lambda k: k > 0 and 2 * k != time_scale),
        center=figures(lambda k: k == 0 or 2 * k == time_scale),
        secs_per_frame=statistics.median(score.secs for score in scores) if scores else math.nan,
    )


def finite(value: float | None) -> float | None:
    """``value``, or None where it is no number."""
    return value if value is not None and math.isfinite(value) else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
