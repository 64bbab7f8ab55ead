"""Time the steps that a user waits for, with the same Engine as the window and the export."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from videoinr.benchmark.clock import Peak, begin_peaks, peak_now, secs
from videoinr.cancel import NEVER
from videoinr.geometry import Grid, Rect
from videoinr.render.crop_preview import crop_around
from videoinr.render.renderer import Renderer
from videoinr.render.view import coarser
from videoinr.types import Instant, Quality, RegionQuery

DRAFT_DIVISOR = 4
"""The draft that the bench times: a quarter of the picture's density. The window's pacing chooses its own."""
_PHASES = (Fraction(1, 3), Fraction(2, 3), Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Medians over ``repeats`` pairs, seconds, and peak memory; see :class:`~videoinr.benchmark.report.BenchResult`."""

    grid: Grid
    repeats: int
    encode_secs: float
    first_decode_secs: float
    next_phase_secs: float
    draft_secs: float
    crop_draft_secs: float | None
    encode_peak: Peak
    decode_peak: Peak


def measure_steps(engine: Renderer, grids: Sequence[Grid], *, repeats: int) -> list[StepTimes]:
    """Time encoding, and decoding to each of ``grids``.

    If the clip has more than one pair, the first is a warm-up and not counted.

    Args:
        engine: The engine with a clip and a model.
        grids: The output grids, each decoded as a whole.
        repeats: The number of pairs that medians are taken over.

    Returns:
        The times for each of ``grids``.
    """
    pairs = range(min(repeats + 1, engine.opened.timeline.pair_count))
    begin_peaks()
    encode_secs, encode_peak = _median([_encode_secs(engine, pair) for pair in pairs]), peak_now()
    counted = max(1, len(pairs) - 1)
    return [
        StepTimes(grid, counted, encode_secs, *_measure_grid(engine, pairs, grid), encode_peak, peak_now())
        for grid in grids
    ]


def _encode_secs(engine: Renderer, pair: int) -> float:
    return secs(lambda: engine.encode(pair, NEVER))


def _measure_grid(engine: Renderer, pairs: range, grid: Grid) -> tuple[float, float, float, float | None]:
    begin_peaks()
    first, following, draft = zip(*(_measure_pair(engine, pair, grid) for pair in pairs), strict=True)
    crops = [_crop_draft_secs(engine, pair, grid) for pair in pairs]
    known = [each for each in crops if each is not None]
    return _median(first), _median(following), _median(draft), _median(known) if known else None


def _measure_pair(engine: Renderer, pair: int, grid: Grid) -> tuple[float, float, float]:
    first, following, last = (RegionQuery(Instant(pair, phase), grid, grid.rect) for phase in _PHASES)
    draft = coarser(last, DRAFT_DIVISOR)
    engine.encode(pair, NEVER)  # Already cached, unless the cache is too small for all pairs.
    return (
        secs(lambda: engine.render(first, Quality.FULL, NEVER)),
        secs(lambda: engine.render(following, Quality.FULL, NEVER)),
        secs(lambda: engine.render(draft, Quality.DRAFT, NEVER)),
    )


def _crop_draft_secs(engine: Renderer, pair: int, grid: Grid) -> float | None:
    """Time the draft of the central quarter as a crop, encoding included; None if it is no crop (crop_preview.py)."""
    quarter = Rect(grid.width // 4, grid.height // 4, max(1, grid.width // 2), max(1, grid.height // 2))
    query, info = RegionQuery(Instant(pair, _PHASES[2]), grid, quarter), engine.opened.info
    crop = crop_around(query, info.grid)
    return None if crop is None else secs(lambda: engine.preview(query, crop, NEVER))


def draft_grid(grid: Grid) -> Grid:
    """Return the grid of the draft of ``grid``."""
    return coarser(RegionQuery(Instant(0, Fraction(0)), grid, grid.rect), DRAFT_DIVISOR).grid


def _median(times: Sequence[float]) -> float:
    return statistics.median(times[1:] or times)
