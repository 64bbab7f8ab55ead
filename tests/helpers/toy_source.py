"""A source of training batches without files: a drifting pattern."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.images import downsample
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Batch
from videoinr.training.recipe import Stage

NAN = float("nan")


class ToySource:
    """A :class:`~videoinr.training.data.sources.ClipSource` of one endless clip, ``side`` pixels square."""

    def __init__(self, *, side: int = 64, frames: int = 12) -> None:
        self.side, self.frame_count, self.batches = side, frames, 0

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        if shape.size > self.side or min(stage.windows) >= self.frame_count:
            raise UsageError(f"No clip has {min(stage.windows) + 1} frames of {shape.size}x{shape.size} pixels.")
        return [0]

    def batch(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        self.batches += 1
        length = rng.choice(stage.windows, (shape.batch, 1))
        inside = rng.integers(0, length + 1, (shape.batch, shape.targets))
        start = rng.uniform(0, 50, (shape.batch, 1))
        inputs = (0 * length, length, *((-length, 2 * length) if shape.outer else ()))
        images = _pictures(torch.tensor(start + np.hstack((*inputs, inside))), shape.size)
        low = downsample(images[:, : len(inputs)].flatten(0, 1), height=shape.patch, width=shape.patch)
        low = low.view(-1, len(inputs), *low.shape[1:])
        valid = torch.ones(shape.batch, 2) if shape.outer else None
        return Batch(low, images[:, len(inputs) :], torch.tensor(inside / length).float(), valid=valid)

    def report(self) -> list[str]:
        return [f"a pattern of {self.frame_count} frames"]

    def close(self) -> None:
        """Do nothing: there are no threads."""


class BrokenSource(ToySource):
    """A source whose n-th batch, from 0, has a NaN if ``broken(n)``."""

    def __init__(self, broken: Callable[[int], bool]) -> None:
        super().__init__()
        self._broken = broken

    def batch(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        batch = super().batch(stage, shape, rng)
        if not self._broken(self.batches - 1):
            return batch
        targets = batch.targets.clone()
        targets[0, 0, 0, 0, 0] = NAN
        return replace(batch, targets=targets)


def _pictures(instants: Tensor, size: int) -> Tensor:
    """Return waves that drift a pixel per frame, at times [B, K]: [B, K, 3, size, size] in 0 ... 1."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    moved = instants[..., None, None]
    phases = torch.stack(((x + moved + 0 * y) / 3, (y - moved + 0 * x) / 4, (x + y + 2 * moved) / 5), 2)
    return (0.5 + 0.4 * torch.sin(phases)).float()
