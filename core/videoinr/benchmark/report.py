"""The results of ``videoinr bench``, for JSON and for tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from videoinr.benchmark.ceilings import Ceilings
from videoinr.benchmark.costs import Cost
from videoinr.benchmark.ladder import Rung
from videoinr.benchmark.plain import PlainResult


@dataclass(frozen=True, slots=True)
class Step:
    """The measured time of a step and its floor: the lower bound by the machine's measured ceilings."""

    name: str
    secs: float
    cost: Cost
    floor_secs: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON. ``pixels`` are those of the clip for ``encode``, else of the picture."""
        return {
            "name": self.name,
            "secs": self.secs,
            **self.cost.to_dict(),
            "floor_secs": self.floor_secs,
            "floor_share": self.floor_share,
        }

    @property
    def floor_share(self) -> float:
        """Floor over measured time: 1 would be as fast as the machine's ceilings allow."""
        return self.floor_secs / self.secs


@dataclass(frozen=True, slots=True)
class BenchResult:
    """The results of one model at one size. Times are medians over ``repeats`` pairs, seconds.

    ``first_decode_secs``: decoding all of ``grid`` for a pair that was just encoded. ``next_phase_secs``: decoding the
    same view at another time. ``draft_secs``: decoding a draft at a third time, on a new grid that is ``draft_divisor``
    times coarser. ``crop_draft_secs``: encoding and decoding a draft of the central quarter as a crop; None where
    encoding a crop does not pay. ``feature_bytes`` and ``view_bytes``: memory kept for a pair and for the view.
    ``peak_*``: peak memory of the whole program while decoding, ``encode_peak_*`` while encoding; None: not known.
    ``steps``: the first four times, with their floors. ``encode_alone``: the cost of a pair that is encoded without the
    pairs beside it; that of the step ``encode`` is of pairs in a row. ``ladder``: the pictures that the window shows
    one after the other when somebody clicks on an instant of a pair of which nothing is known yet.
    """

    clip: str
    grid: str
    model: str
    parameters: int
    device: str
    threads: int
    repeats: int
    encode_secs: float
    first_decode_secs: float
    next_phase_secs: float
    draft_secs: float
    draft_divisor: int
    crop_draft_secs: float | None
    feature_bytes: int
    view_bytes: int
    peak_ram_bytes: int | None
    peak_cuda_bytes: int | None
    encode_peak_ram_bytes: int | None
    encode_peak_cuda_bytes: int | None
    steps: tuple[Step, ...]
    encode_alone: Cost
    ladder: tuple[Rung, ...]
    plain: PlainResult

    @property
    def times_faster(self) -> dict[str, float]:
        """Speed-up over the plain implementation of the paper's heads: of a view's first instant, and of another."""
        return {
            "first_decode": self.plain.secs / self.first_decode_secs,
            "next_phase": self.plain.secs / self.next_phase_secs,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            **asdict(self),
            "steps": [step.to_dict() for step in self.steps],
            "encode_alone": self.encode_alone.to_dict(),
            "plain": {**asdict(self.plain), "is_scaled": self.plain.is_scaled},
            "times_faster_than_plain": self.times_faster,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The results of a run. ``load_average``: the machine's in the minute before; None: not known."""

    device: str
    torch_version: str
    threads: int
    load_average: float | None
    ceilings: Ceilings
    results: tuple[BenchResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "results": [result.to_dict() for result in self.results]}
