"""All training clips as bytes in the device's memory, and batches cut from them there.

Cutting on the device needs no loader processes: a step of a small model takes a few milliseconds, and nothing on
the CPU side could keep up with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.images import shrink
from videoinr.training.readers import read_frames
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


@dataclass(frozen=True, slots=True)
class _Stored:
    """One clip in the store: where its first byte lies, and its shape."""

    offset: int
    frames: int
    height: int
    width: int


class ClipStore:
    """Clips as one flat uint8 tensor on ``device``."""

    def __init__(self, clips: Sequence[Path], device: torch.device) -> None:
        with ThreadPoolExecutor(8) as pool:
            arrays = list(pool.map(read_frames, clips))
        self._clips: list[_Stored] = []
        offset = 0
        for frames in arrays:
            self._clips.append(_Stored(offset, *frames.shape[:3]))
            offset += frames.size
        self._bytes = torch.empty(offset, dtype=torch.uint8, device=device)
        for stored, frames in zip(self._clips, arrays, strict=True):
            self._bytes[stored.offset : stored.offset + frames.size] = torch.from_numpy(frames).flatten().to(device)

    @property
    def frame_count(self) -> int:
        """Frames of all clips."""
        return sum(clip.frames for clip in self._clips)

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        """Indices of the clips that are long and large enough. Raises UsageError where none is."""
        shortest = min(stage.windows) + 1
        usable = [
            index
            for index, clip in enumerate(self._clips)
            if clip.frames >= shortest and min(clip.height, clip.width) >= shape.size
        ]
        if not usable:
            raise UsageError(
                f"No clip has {shortest} frames of at least {shape.size}x{shape.size} pixels.",
                hint="Use larger clips, or a recipe with smaller patches or scales.",
            )
        return usable

    def batch(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        """A random batch; all its randomness comes from ``rng``."""
        usable = self.usable(stage, shape)
        # Long clips show more, but not in proportion: neighbouring frames are alike.
        weights = np.sqrt([self._clips[index].frames for index in usable])
        chosen = rng.choice(usable, size=shape.batch, p=weights / weights.sum())
        starts = np.empty((shape.batch, 2 + shape.targets), dtype=np.int64)
        strides = np.empty(shape.batch, dtype=np.int64)
        times = np.empty((shape.batch, shape.targets), dtype=np.float32)
        for row, index in enumerate(chosen):
            clip = self._clips[index]
            frames, times[row] = _window(clip, stage, shape.targets, rng)
            y = int(rng.integers(0, clip.height - shape.size + 1))
            x = int(rng.integers(0, clip.width - shape.size + 1))
            starts[row] = clip.offset + ((frames * clip.height + y) * clip.width + x) * 3
            strides[row] = clip.width * 3
        return self._cut(starts, strides, times, shape, turns=int(rng.integers(4)), flip=bool(rng.integers(2)))

    def _cut(
        self, starts: np.ndarray, strides: np.ndarray, times: np.ndarray, shape: BatchShape, *, turns: int, flip: bool
    ) -> Batch:
        device, size = self._bytes.device, shape.size
        first = torch.from_numpy(starts).to(device, non_blocking=True)[:, :, None, None]
        stride = torch.from_numpy(strides).to(device, non_blocking=True)[:, None, None, None]
        rows = torch.arange(size, device=device)[:, None]
        index = first + rows * stride + torch.arange(size * 3, device=device)
        images = self._bytes[index].view(*index.shape[:-1], size, 3).permute(0, 1, 4, 2, 3).float() / 255
        images = torch.rot90(images, turns, (-2, -1))
        images = images.flip(-1) if flip else images
        low = shrink(images[:, :2].flatten(0, 1), height=shape.patch, width=shape.patch)
        return Batch(
            low.view(len(images), 2, *low.shape[1:]),
            images[:, 2:],
            torch.from_numpy(times).to(device, non_blocking=True),
        )


def _window(clip: _Stored, stage: Stage, targets: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Frame numbers (first, last, targets ...) of a random window, forwards or backwards, and the targets' times."""
    length = int(rng.choice([window for window in stage.windows if window < clip.frames]))
    start = int(rng.integers(0, clip.frames - length))
    inside = rng.choice(length + 1, targets, replace=length + 1 < targets)
    frames = np.array([0, length, *inside])
    if rng.random() < 0.5:
        frames = length - frames
    return start + frames, inside / length
