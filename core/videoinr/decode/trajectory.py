"""Follows one point of an encoded pair through time, along the pair's own motion.

M(x, t) (eq. 4) leads from any instant to both source frames. Where the point is in these two frames follows from the
instant at which it was chosen; where it is at another time t is the x that M(x, t) leads from there:

    x + M_first(x, t) = end_first  and  x + M_second(x, t) = end_second

Both hold only up to the error of the motion, so x is the mean of the two answers by time, found by fixed-point steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import torch

from videoinr.cancel import CancelToken
from videoinr.decode.flow import moment_at, motion_at
from videoinr.geometry import Grid, Rect
from videoinr.model.representation import Features

Place = tuple[float, float]
"""(x, y) in clip pixels on the edge axis: 0.5 is the centre of the first pixel."""
FINENESS = 64
"""Pixels along a clip pixel of the grid on which the motion is read: positions are exact to 1/128 clip pixel."""
STEPS, ENOUGH_PX = 24, 1 / FINENESS
"""The most fixed-point steps for one time, and the change below which they end, clip pixels."""


@torch.inference_mode()
def follow(
    features: Features, start: tuple[Fraction, Place], phases: Iterable[Fraction], token: CancelToken
) -> list[Place]:
    """Return where the point ``start`` is at other times of its pair.

    Args:
        features: One pair, in float32.
        start: The phase at which the point was chosen, 0 (first frame) ... 1 (second frame), and its place.
        phases: The phases of the answers, each 0 ... 1.
        token: Cancels the work between phases.

    Returns:
        The place at each of ``phases``, in clip pixels; it may lie outside the frame.

    Raises:
        Cancelled: ``token`` was cancelled.
    """
    phase, place = start
    ends = tuple((place[0] + dx, place[1] + dy) for dx, dy in _flows(features, place, phase))
    answers = []
    for wanted in phases:
        token.check()
        answers.append(place if wanted == phase else _placed(features, wanted, (phase, place), ends))
    return answers


def _placed(features: Features, phase: Fraction, start: tuple[Fraction, Place], ends: tuple[Place, ...]) -> Place:
    share = float(phase)
    place, nearest = _guess(phase, start, ends), float("inf")
    best = place
    for step in range(STEPS):
        flows = _flows(features, place, phase)
        answers = [(end[0] - flow[0], end[1] - flow[1]) for end, flow in zip(ends, flows, strict=True)]
        x, y = ((1 - share) * first + share * second for first, second in zip(*answers, strict=True))
        change = max(abs(x - place[0]), abs(y - place[1]))
        if change < nearest:
            best, nearest = (x, y), change
        if change <= ENOUGH_PX:
            break
        # At edges of motion plain steps may swing between two places for ever; halved ones meet.
        pace = 1.0 if step < STEPS // 3 else 0.5
        place = (place[0] + pace * (x - place[0]), place[1] + pace * (y - place[1]))
    return best


def _guess(phase: Fraction, start: tuple[Fraction, Place], ends: tuple[Place, ...]) -> Place:
    """Return the place on the straight line from the start to the end on the side of ``phase``."""
    chosen, place = start
    end = ends[0] if phase < chosen else ends[1]
    way = float((chosen - phase) / chosen if phase < chosen else (phase - chosen) / (1 - chosen))
    return place[0] + way * (end[0] - place[0]), place[1] + way * (end[1] - place[1])


def _flows(features: Features, place: Place, phase: Fraction) -> tuple[Place, Place]:
    """Return M at one place: (x, y) to the first frame, and to the second, clip pixels."""
    height, width = features.frames.shape[-2:]
    grid = Grid(width * FINENESS, height * FINENESS)
    column, row = (
        min(max(int(along * FINENESS), 0), side - 1)
        for along, side in zip(place, (grid.width, grid.height), strict=True)
    )
    moment = moment_at(features, grid, float(phase))
    points = moment.points(Rect(column, row, 1, 1))
    flow = moment.latent_flow(points, motion_at(moment, points))
    x_first, y_first, x_second, y_second = flow.flatten().tolist()
    return (x_first, y_first), (x_second, y_second)
