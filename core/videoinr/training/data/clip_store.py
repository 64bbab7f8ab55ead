"""Training clips as bytes in the device's memory, and windows cut from them there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from videoinr.training.data.pixels import cut
from videoinr.training.data.windows import StoredRun, WindowTable
from videoinr.training.recipe import Stage


@dataclass(frozen=True, slots=True)
class BatchShape:
    """Sizes of one batch: ``batch`` windows, LR patches ``patch`` pixels square, targets ``size`` pixels square."""

    batch: int
    patch: int
    size: int
    targets: int


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs and targets of one step.

    ``low`` [B, 2, 3, P, P]: the window's first and last frame, degraded; ``targets`` [B, K, 3, S, S]; both in
    0 ... 1. ``times`` [B, K]: when each target lies between the two, 0 ... 1.
    """

    low: Tensor
    targets: Tensor
    times: Tensor


@dataclass(frozen=True, eq=False)
class Cut:
    """Windows before degradation. ``images`` [B, 2 + K, 3, S, S] in 0 ... 1: first and last frame, then targets;
    ``times`` [B, K]: the targets'."""

    images: Tensor
    times: Tensor


class ClipStore:
    """Runs of frames in ``flat``, one uint8 tensor [N]: each frame [H, W, 3] RGB, one behind the other."""

    def __init__(self, flat: Tensor, runs: Sequence[StoredRun]) -> None:
        self._flat, self._table = flat, WindowTable(runs)
        self.frame_count = sum(run.frames for run in runs)

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        """Numbers of the runs that are long and large enough. Raises UsageError where none is."""
        return self._table.usable(stage, shape.size)

    def windows(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Cut:
        """``shape.batch`` random windows; all their randomness comes from ``rng``. Waits for nothing on the device."""
        drawn = self._table.draw(stage, rng, count=shape.batch, size=shape.size, targets=shape.targets)
        return Cut(*cut(self._flat, drawn, shape.size))

    def close(self) -> None:
        """Nothing runs here that could be ended."""
