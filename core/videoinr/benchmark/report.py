"""What a run of ``videoinr bench`` found, ready for JSON and for tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from videoinr.benchmark.ceilings import Ceilings
from videoinr.benchmark.costs import Cost
from videoinr.benchmark.plain import PlainResult


@dataclass(frozen=True, slots=True)
class Step:
    """One step against its floor: the least time that the measured ceilings allow for what it has to do."""

    name: str
    secs: float
    cost: Cost
    floor_secs: float

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; ``pixels`` are the clip's for ``encode``, else the picture's."""
        work, pixels = self.cost.work, self.cost.pixels
        return {
            "name": self.name,
            "secs": self.secs,
            "pixels": pixels,
            "macs": work.macs,
            "macs_per_pixel": work.macs / pixels,
            "sines": work.sines,
            "sines_per_pixel": work.sines / pixels,
            "gathered_values_per_pixel": work.gathered / pixels,
            "moved_bytes": self.cost.moved_bytes,
            "floor_secs": self.floor_secs,
            "floor_share": self.floor_share,
        }

    @property
    def floor_share(self) -> float:
        """The share of the floor reached: 1 would be as fast as this machine's ceilings allow."""
        return self.floor_secs / self.secs


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One model at one size: medians over ``repeats`` pairs, seconds.

    ``first_decode_secs``: all of ``grid`` on a pair just encoded. ``next_phase_secs``: the same again at another time
    within the pair. ``draft_secs``: at a third time, ``draft_divisor`` times coarser, on a grid not seen before.
    ``part_secs``: from nothing to a draft of the middle quarter, encoded by itself (None: not where it does not pay).
    ``feature_bytes`` and ``view_bytes``: held of a pair, and of the view. ``peak_*``: the most that the whole program
    held while decoding, ``encode_peak_*`` while encoding (None: not known here). ``steps``: the same times against
    their floors, in that order.
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
    part_secs: float | None
    feature_bytes: int
    view_bytes: int
    peak_ram_bytes: int | None
    peak_cuda_bytes: int | None
    encode_peak_ram_bytes: int | None
    encode_peak_cuda_bytes: int | None
    steps: tuple[Step, ...]
    plain: PlainResult

    @property
    def times_faster(self) -> dict[str, float]:
        """How many times faster an instant is than by the paper's heads, plainly: the first of a view, and others."""
        return {
            "first_decode": self.plain.secs / self.first_decode_secs,
            "next_phase": self.plain.secs / self.next_phase_secs,
        }

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return {
            **asdict(self),
            "steps": [step.to_dict() for step in self.steps],
            "plain": {**asdict(self.plain), "is_scaled": self.plain.is_scaled},
            "times_faster_than_plain": self.times_faster,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run. ``load_average``: of the machine in the minute before (None: not known): over 0, others use it."""

    device: str
    torch_version: str
    threads: int
    load_average: float | None
    ceilings: Ceilings
    results: tuple[BenchResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return {**asdict(self), "results": [result.to_dict() for result in self.results]}
