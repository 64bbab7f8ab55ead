"""How fast this machine encodes and decodes: medians, through the same Engine as the window and the export."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoinr.cancel import NEVER
from videoinr.colour import ColourSpec
from videoinr.export.job import ExportJob
from videoinr.export.outputs import sink_for
from videoinr.geometry import Grid
from videoinr.render_loop import Renderer
from videoinr.types import Instant, Quality, RegionQuery, Segment
from videoinr.view import coarser

REPEATS = 3
DRAFT_DIVISOR = 4
_PHASES = (Fraction(1, 3), Fraction(2, 3), Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Medians over ``repeats`` pairs, seconds; peaks since the program started, bytes (None: not known here).

    ``first_decode_secs``: the whole of ``grid`` on a pair just encoded. ``next_phase_secs``: the same again at another
    time within the pair. ``draft_secs``: at a third time, ``draft_divisor`` times coarser, on a grid not seen before.
    """

    clip: str
    grid: str
    model: str
    device: str
    threads: int
    repeats: int
    encode_secs: float
    first_decode_secs: float
    next_phase_secs: float
    draft_secs: float
    draft_divisor: int
    peak_ram_bytes: int | None
    peak_cuda_bytes: int | None


def measure(engine: Renderer, grid: Grid, *, repeats: int = REPEATS) -> BenchResult:
    """Time ``engine`` decoding the whole of ``grid``. The first pair warms up and is not counted, if there are more."""
    info, pairs = engine.opened.info, engine.opened.timeline.pair_count
    chosen = range(min(repeats + 1, pairs))
    rows = [_measure_pair(engine, pair, grid) for pair in chosen]
    counted = rows[1:] or rows
    encode, first, following, draft = (statistics.median(column) for column in zip(*counted, strict=True))
    return BenchResult(
        clip=f"{info.width}x{info.height}", grid=str(grid), model=engine.opened.model_name,
        device=engine.opened.device_name, threads=torch.get_num_threads(), repeats=len(counted),
        encode_secs=encode, first_decode_secs=first, next_phase_secs=following, draft_secs=draft,
        draft_divisor=DRAFT_DIVISOR, peak_ram_bytes=_peak_ram_bytes(), peak_cuda_bytes=_peak_cuda_bytes(),
    )  # fmt: skip


def _measure_pair(engine: Renderer, pair: int, grid: Grid) -> tuple[float, float, float, float]:
    first, following, last = (RegionQuery(Instant(pair, phase), grid, grid.rect) for phase in _PHASES)
    draft = coarser(last, DRAFT_DIVISOR)
    return (
        _secs(lambda: engine.encode(pair, NEVER)),
        _secs(lambda: engine.render(first, Quality.FULL, NEVER)),
        _secs(lambda: engine.render(following, Quality.FULL, NEVER)),
        _secs(lambda: engine.render(draft, Quality.DRAFT, NEVER)),
    )


def _secs(work: Callable[[], object]) -> float:
    _wait_for_devices()
    started = time.perf_counter()
    work()
    _wait_for_devices()
    return time.perf_counter() - started


def _wait_for_devices() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    if torch.backends.mps.is_available():
        torch.mps.synchronize()


def _peak_ram_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _peak_cuda_bytes() -> int | None:
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def write_synthetic_clip(path: Path, size: Grid, *, frames: int) -> None:
    """Write ``frames`` lossless pictures of moving soft noise, ``size`` pixels, 25 a second, to ``path`` (.mkv)."""
    segment = Segment(Fraction(0), Fraction(frames, 25))
    job = ExportJob(path, path, segment, Fraction(25), Fraction(1), size, size.rect, codec="ffv1")
    sink = sink_for(job, ColourSpec("rgb", "pc", "bt709", "bt709"))
    texture = _soft_noise(size)
    try:
        sink.open()
        for index in range(frames):
            sink.write(np.roll(texture, (index, 2 * index), axis=(0, 1)))
        sink.finish()
    finally:
        sink.abort()


def _soft_noise(size: Grid) -> NDArray[np.uint8]:
    """uint8 [height, width, 4], the same in every run: noise blurred by a box of 3 x 3."""
    noise = np.random.default_rng(0).uniform(0, 256, (size.height, size.width, 4))
    for axis in (0, 1):
        noise = (noise + np.roll(noise, 1, axis) + np.roll(noise, 2, axis)) / 3
    return noise.astype(np.uint8)
