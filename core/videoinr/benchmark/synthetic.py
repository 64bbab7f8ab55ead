"""Write a synthetic clip, so that the benchmark needs no file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.colour import ColourSpec
from videoinr.exporting.job import ExportJob
from videoinr.exporting.outputs import sink_for
from videoinr.geometry import Grid
from videoinr.types import Segment


def write_synthetic_clip(path: Path, size: Grid, *, frames: int) -> None:
    """Write a lossless clip of moving, blurred noise at 25 fps to ``path`` (.mkv)."""
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
    """Return noise, blurred by a 3 x 3 box: uint8 [height, width, 4], the same in every run."""
    noise = np.random.default_rng(0).uniform(0, 256, (size.height, size.width, 4))
    for axis in (0, 1):
        noise = (noise + np.roll(noise, 1, axis) + np.roll(noise, 2, axis)) / 3
    return noise.astype(np.uint8)
