"""Export jobs for tests of outputs, which open no clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from videoinr.exporting.job import ExportJob
from videoinr.geometry import Grid
from videoinr.types import Segment

NTSC = Fraction(24000, 1001)


def job(out: Path, *, size: tuple[int, int] = (64, 48), fps: Fraction = NTSC, **options: Any) -> ExportJob:
    """Return a job that exports a second of in.mp4 at its own size to ``out``."""
    grid = Grid(*size)
    segment = Segment(Fraction(0), Fraction(1))
    return ExportJob(Path("in.mp4"), out, segment, fps, Fraction(1), grid, grid.rect, **options)
