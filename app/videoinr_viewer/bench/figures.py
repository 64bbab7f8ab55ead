"""The figures of a bench as values. :func:`dataclasses.asdict` of a :class:`BenchFigures` gives the JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of some waits (None if there are none), and their number."""

    count: int
    p50_msecs: float | None
    p95_msecs: float | None
    p99_msecs: float | None
    longest_msecs: float | None

    @classmethod
    def of(cls, waits_secs: Iterable[float]) -> Latency:
        """Return the percentiles of ``waits_secs``."""
        waits = sorted(waits_secs)
        return cls(len(waits), *(_rank(waits, share) for share in (0.5, 0.95, 0.99, 1.0)))


def _rank(waits: list[float], share: float) -> float | None:
    """Return the percentile by nearest rank, milliseconds: one of the waits, not a mean of two."""
    return round(waits[max(0, math.ceil(share * len(waits)) - 1)] * 1000, 1) if waits else None


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the software that ran the bench."""

    platform: str
    cores: int
    openmp_threads: str
    python: str
    qt: str
    qt_platform: str


@dataclass(frozen=True, slots=True)
class Setting:
    """The clip, the window and the model. ``window``, ``picture`` (the picture's widget): sizes in physical pixels."""

    clip: str
    clip_size: str
    frames: int
    fps: float
    window: str
    picture: str
    model: str
    device: str


@dataclass(frozen=True, slots=True)
class StartUp:
    """Seconds from the start of the process until each of these was on the screen; ``motion``: or anything better."""

    window_secs: float
    source_secs: float
    first_decoded_secs: float
    full_secs: float
    longest_gap_msecs: float
    motion_secs: float = 0.0


@dataclass(frozen=True, slots=True)
class GestureFigures:
    """The figures of one repeated mouse gesture.

    ``first``: from an input to the first picture on the screen, a motion draft or better, that answers it or a later
    input.
    ``full``: from the last input of a stroke to the full picture. ``decode``: rendering times of the drafts and full
    pictures that were on the screen. ``motions``, ``drafts``, ``fulls``, ``sources``: numbers of different pictures.
    ``full_per_sec``: new full pictures per second while the mouse moved (60 inputs a second).
    """

    name: str
    inputs: int
    first: Latency
    full: Latency
    decode: Latency
    drafts: int
    fulls: int
    sources: int
    full_per_sec: float
    longest_gap_msecs: float
    motions: int = 0


@dataclass(frozen=True, slots=True)
class PlayFigures:
    """The figures of playback.

    ``shown_per_sec``: different pictures on the screen. ``decoded_per_sec``: those from the model. ``full_per_sec``:
    those at full density. ``behind``: the delay of a decoded picture after the time that it was requested for.
    """

    speed: str
    secs: float
    shown_per_sec: float
    decoded_per_sec: float
    full_per_sec: float
    behind: Latency
    longest_gap_msecs: float


@dataclass(frozen=True, slots=True)
class SoakFigures:
    """The figures of many steps through time and zoom. ``round_bytes``: the memory after each round.

    ``growth_bytes``: the growth of the memory after the first quarter of the rounds, which fills the caches. If the
    speed of the machine changes later, drafts of another density may still fill the tile cache up to its budget.
    """

    steps: int
    secs: float
    round_bytes: tuple[int, ...]
    growth_bytes: int
    longest_gap_msecs: float


@dataclass(frozen=True, slots=True)
class BenchFigures:
    """All figures of one run of ``--bench``. Memory is the resident set of the process."""

    machine: Machine
    setting: Setting
    start_up: StartUp
    gestures: tuple[GestureFigures, ...]
    play: tuple[PlayFigures, ...]
    soak: SoakFigures | None
    longest_gap_msecs: float
    peak_memory_bytes: int | None
