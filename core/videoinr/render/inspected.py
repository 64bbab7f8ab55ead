"""What the window learns of the representation besides pictures. All values are frozen, and carry their question."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoinr.types import Instant, PairFailure, PairKind, RegionQuery

Place = tuple[float, float]
"""(x, y) in clip pixels on the edge axis: 0.5 is the centre of the first pixel."""


@dataclass(frozen=True)
class Between:
    """The two source frames that an instant is decoded from, by their indices, and the phase between them.

    They are those of the pair, but for cuts and repeated frames (see footing.py). ``first`` equals ``second`` for a
    frame between two cuts: nothing moves.
    """

    first: int
    second: int
    phase: Fraction


@dataclass(frozen=True, eq=False)
class FlowField:
    """The motion M(x, t) (eq. 4) at the pixels of ``query``.

    Attributes:
        query: the instant, the grid and the pixels of it.
        between: the frames that the flow leads to.
        flow: float32 [2, rect.height, rect.width, 2]: the flow to the earlier frame and to the later one, each (x, y)
            in clip pixels whatever the grid.
        kind: the kind of the instant's pair.
    """

    query: RegionQuery
    between: Between
    flow: NDArray[np.float32]
    kind: PairKind = PairKind.MOTION


@dataclass(frozen=True)
class Trajectory:
    """The way of one point from the earlier frame to the later one.

    Attributes:
        instant: when the point was chosen.
        place: where, (x, y) in clip pixels.
        between: the frames between which it is followed.
        phases: the phases of the ticks between these frames, from 0 to 1.
        places: (x, y) of each tick, clip pixels; they may lie outside the frame.
    """

    instant: Instant
    place: Place
    between: Between
    phases: tuple[Fraction, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, eq=False)
class BlendMask:
    """With which weights the pixels of ``query`` are mixed of both source frames, warped along the motion.

    Attributes:
        query: the instant, the grid and the pixels of it.
        between: the frames that are mixed.
        first_share: float32 [rect.height, rect.width] in 0 ... 1: the share of the earlier frame; the rest is the later
            one's. None for a model that mixes no frames.
        kind: the kind of the instant's pair.
    """

    query: RegionQuery
    between: Between
    first_share: NDArray[np.float32] | None
    kind: PairKind = PairKind.MOTION


@dataclass(frozen=True, eq=False)
class Doubt:
    """How badly the motion around ``instant`` was found: the expected error in the middle between the two frames."""

    instant: Instant
    between: Between
    failure: PairFailure
    kind: PairKind = PairKind.MOTION
