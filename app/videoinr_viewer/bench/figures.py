"""What a bench measures, as values; :func:`dataclasses.asdict` of a :class:`BenchFigures` is the JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Some waits: how many, and the ones that 50, 95, 99 and 100 % of them did not exceed (None without any)."""

    count: int
    p50_msecs: float | None
    p95_msecs: float | None
    p99_msecs: float | None
    longest_msecs: float | None

    @classmethod
    def of(cls, waits_secs: Iterable[float]) -> Latency:
        """Sum up ``waits_secs``."""
        waits = sorted(waits_secs)
        return cls(len(waits), *(_rank(waits, share) for share in (0.5, 0.95, 0.99, 1.0)))


def _rank(waits: list[float], share: float) -> float | None:
    """The nearest rank: a wait that really happened, milliseconds."""
    return round(waits[max(0, math.ceil(share * len(waits)) - 1)] * 1000, 1) if waits else None


@dataclass(frozen=True, slots=True)
class Machine:
    """What ran the bench."""

    platform: str
    cores: int
    openmp_threads: str
    python: str
    qt: str
    qt_platform: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What was shown, and by what. ``window`` and ``picture`` (its part of the window): physical pixels."""

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
    """Seconds from the start of the process until each was on the screen."""

    window_secs: float
    source_secs: float
    first_decoded_secs: float
    full_secs: float
    longest_gap_msecs: float


@dataclass(frozen=True, slots=True)
class GestureFigures:
    """One gesture of the hand, repeated.

    ``first``: from an input to the first picture on the screen, draft or full, that answers it or a later one.
    ``full``: from the last input of a stroke to the full picture. ``decode``: how long the pictures that were on the
    screen took to render, drafts and fulls. ``drafts``, ``fulls``, ``sources``: how many different ones there were.
    ``full_per_sec``: how often, while the hand moved (60 inputs a second), a new full picture came on the screen.
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


@dataclass(frozen=True, slots=True)
class PlayFigures:
    """Playback. ``shown_per_sec``: different pictures on the screen; ``decoded_per_sec``: those from the model,
    ``full_per_sec`` of them at full density.

    ``behind``: how long ago the moment was due that a picture from the model shows.
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
    """Many steps through time and zoom. ``round_bytes``: the memory after each round.

    ``growth_bytes``: after the quarter of the rounds that filled the caches, until the end. Drafts of another density,
    when the speed of the machine changes, still take room in the cache of tiles later, up to its budget.
    """

    steps: int
    secs: float
    round_bytes: tuple[int, ...]
    growth_bytes: int
    longest_gap_msecs: float


@dataclass(frozen=True, slots=True)
class BenchFigures:
    """Everything that one run of ``--bench`` found; memory is the process's resident set."""

    machine: Machine
    setting: Setting
    start_up: StartUp
    gestures: tuple[GestureFigures, ...]
    play: tuple[PlayFigures, ...]
    soak: SoakFigures | None
    longest_gap_msecs: float
    peak_memory_bytes: int | None
