"""Finds where the clock of a stream starts again, because recordings were joined, and lets the times continue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Ticks = NDArray[np.int64]

_WILD_TIME = 1 << 60

_REORDER_PACKETS = 16

_USUAL_STEPS = 10
"""Two packets of one recording are at most this many usual steps apart; otherwise a single time is wrong."""


def continued_times(pts: _Ticks, dts: _Ticks, key: NDArray[np.bool_]) -> tuple[_Ticks, _Ticks, int]:
    """Return the times of a stream's packets with each restart of the clock taken out.

    Decode times increase throughout a file. Where they step back and go on from there, a part of the file starts; its
    first frame is made to follow the last frame before it after the usual step.

    Args:
        pts: [packets] presentation times, ticks, in file order; beyond 2^60 where unknown.
        dts: [packets] decode times, likewise.
        key: [packets] whether a packet is a key packet.

    Returns:
        The presentation times, the decode times, and how often the clock starts again.
    """
    starts = _restarts(dts, key)
    if not len(starts):
        return pts, dts, 0
    pts, dts = pts.copy(), dts.copy()
    for start, stop in zip(starts, [*starts[1:], len(pts)], strict=True):
        before, part = _known(pts[:start]), slice(int(start), int(stop))
        after = _known(pts[part])
        if len(before) and len(after):
            usual = int(np.median(np.diff(np.unique(after)))) if len(np.unique(after)) > 1 else 1
            offset = int(before.max()) + max(1, usual) - int(after.min())
            pts[part] += np.where(_is_known(pts[part]), offset, 0)
            dts[part] += np.where(_is_known(dts[part]), offset, 0)
    return pts, dts, len(starts)


def _restarts(dts: _Ticks, key: NDArray[np.bool_]) -> list[int]:
    places = np.flatnonzero(_is_known(dts))
    known = dts[places]
    back = np.flatnonzero(np.diff(known) < 0) + 1
    if not len(back):
        return []
    usual = max(1.0, float(np.median(np.abs(np.diff(known)))))
    return [int(places[at]) for at in back if _goes_on(known, int(at), usual, at_key=bool(key[places[at]]))]


def _goes_on(times: _Ticks, at: int, usual: float, *, at_key: bool) -> bool:
    """Return whether the clock starts again at ``at``: it goes on from there, and not from the time before last."""
    if at >= 2 and 0 < int(times[at]) - int(times[at - 2]) <= _USUAL_STEPS * usual:
        return False
    if not at_key and at < _REORDER_PACKETS:
        # FFmpeg guesses the first decode times of a file.
        return False
    steps = np.diff(times[at : at + (2 if at_key else 4)])
    return bool(np.all((steps > 0) & (steps <= _USUAL_STEPS * usual)))


def _is_known(times: _Ticks) -> NDArray[np.bool_]:
    return (times > -_WILD_TIME) & (times < _WILD_TIME)


def _known(times: _Ticks) -> _Ticks:
    return times[_is_known(times)]
