"""A store of training clips as bytes in the device's memory. Windows are cut out on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.pixels import cut, upload
from videoinr.training.data.windows import StoredRun, WindowTable
from videoinr.training.recipe import Stage


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs and targets of one step, float32 on the device.

    ``low`` [B, 2 + E, 3, P, P]: each window's first and last frame and the E = 0 or 2 frames before and after them,
    degraded, in 0 ... 1. ``targets`` [B, K, 3, S, S]:
    target frames in 0 ... 1. ``times`` [B, K]: the targets' times in the window, 0 ... 1.
    """

    low: Tensor
    targets: Tensor
    times: Tensor
    flow: Tensor | None = None
    """The true flow and where it is known, [B, 6, P, P] (see still_flow.py); None if the stage has no flow loss."""
    valid: Tensor | None = None
    """[B, 2]: 1 where the frame before, or after, is given, 0 where there is none or it is withheld; None: E is 0."""


@dataclass(frozen=True, eq=False)
class Cut:
    """Windows before degradation, float32 on the device.

    ``images`` [B, 2 + E + K, 3, S, S] in 0 ... 1: each window's first and last frame, the E = 0 or 2 frames beside
    them, then its targets. ``times`` [B, K]: the targets' times in the window, 0 ... 1.
    """

    images: Tensor
    times: Tensor
    flow: Tensor | None = None
    """As in :class:`Batch`; None for windows of clips."""
    valid: Tensor | None = None
    """As in :class:`Batch`."""

    @property
    def inputs(self) -> int:
        """Number of the images that are no targets, 2 + E."""
        return 2 if self.valid is None else 4


class ClipStore:
    """Runs of frames in ``flat``, uint8 [N]: consecutive frames, each [H, W, 3] RGB."""

    def __init__(self, flat: Tensor, runs: Sequence[StoredRun]) -> None:
        self.flat, self.runs, self._table = flat, runs, WindowTable(runs)
        self.frame_count = sum(run.frames for run in runs)

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        """Return the numbers of the runs that are long and large enough. Raises UsageError if there is none."""
        return self._table.usable(stage, shape.size)

    def windows(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Cut:
        """Draw ``shape.batch`` windows with ``rng`` as the only source of randomness. Does not wait for the device."""
        drawn = self._table.draw(
            stage, rng, count=shape.batch, size=shape.size, targets=shape.targets, outer=shape.outer
        )
        valid = None if drawn.valid is None else upload(drawn.valid, self.flat.device)
        return Cut(*cut(self.flat, drawn, shape.size), valid=valid)

    def close(self) -> None:
        """Do nothing: the store has no threads."""
