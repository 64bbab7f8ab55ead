"""A store of coded LR stretches beside the HR clips that they were made from. Windows of both are cut on the device."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Batch
from videoinr.training.data.coded_footage import STRETCH_FRAMES, StretchJob, made_stretch, stretch_jobs, usable_runs
from videoinr.training.data.pixels import cut, upload
from videoinr.training.data.windows import StoredRun, Windows, frames_of, turned
from videoinr.training.recipe import Stage

EPOCH_STEPS = 800
"""Steps that share one set of stretches."""
SCALES = {1: 0.15, 2: 0.4, 3: 0.15, 4: 1.0}
"""How many stretches each run gives in an epoch at each scale, on average. HR and LR pixels coincide only at whole
scales."""
LEAST_SIDES = {1: 128, 2: 128, 3: 64, 4: 64}
"""The smallest LR side that is of use at each scale, pixels."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch in the store: its LR frames from byte ``offset``, and the HR run and frame that they begin with."""

    offset: int
    run: int
    first: int
    frames: int
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class _Epoch:
    """The stretches of an epoch. ``flat``: their bytes on the device. ``stretches``: by scale."""

    number: int
    flat: Tensor
    stretches: dict[int, list[_Stretch]]


class CodedStore:
    """Windows whose LR inputs were coded. Two epochs are held: one in use, and one being made by processes."""

    def __init__(
        self, flat: Tensor, runs: Sequence[StoredRun], *, path: Path | None = None, seed: int = 0,
        processes: int | None = None, stretch_frames: int = STRETCH_FRAMES,
    ) -> None:  # fmt: skip
        """Start making the first epoch.

        Args:
            flat: The HR frames' bytes on the device, as in :class:`ClipStore`.
            runs: Where each run lies in ``flat``.
            path: A file with the same bytes, which the processes read; None: a temporary one is written.
            seed: Of what is drawn.
            processes: How many make stretches; None: all cores but two. 0: this process, when they are needed.
            stretch_frames: Frames of a stretch at most.
        """
        self._folder = None if path else TemporaryDirectory(prefix="videoinr-")
        self._path = path or Path(self._folder.name if self._folder else "") / "frames"
        if path is None:
            flat.cpu().numpy().tofile(self._path)
        self._flat, self._runs, self._seed, self._stretch_frames = flat, list(runs), seed, stretch_frames
        self._places = [(run.offset, run.frames, run.height, run.width) for run in runs]
        self._scales = {scale for scale in SCALES if usable_runs(self._places, scale, LEAST_SIDES[scale])}
        count = max(1, (os.cpu_count() or 2) - 2) if processes is None else processes
        self._pool = ProcessPoolExecutor(count, get_context("spawn"), _set_up) if count else None
        self._coming: tuple[int, list[tuple[int, int, StretchJob]], list[Future[NDArray[np.uint8]]]] | None = None
        self._epoch: _Epoch | None = None
        if self._pool:
            self._submit(0)

    def serves(self, shape: BatchShape) -> bool:
        """Return whether there are stretches for the scale of ``shape``."""
        scale, rest = divmod(shape.size, shape.patch)
        return not rest and scale in self._scales and shape.patch <= LEAST_SIDES[scale]

    def windows(self, stage: Stage, shape: BatchShape, step: int, rng: np.random.Generator) -> Batch:
        """Draw windows. The frames beside them are of the same stretch, so they are coded as it is.

        Args:
            stage: Window lengths.
            shape: The batch's sizes; :meth:`serves` it.
            step: The training step, which says the epoch.
            rng: The only other source of randomness.

        Returns:
            A batch of exactly ``shape``, without flow.
        """
        epoch = self._at(step // EPOCH_STEPS)
        low, high = self._drawn(epoch.stretches[shape.size // shape.patch], stage, shape, rng)
        inputs, _ = cut(epoch.flat, low, shape.patch)
        valid = None if low.valid is None else upload(low.valid, inputs.device)
        return Batch(inputs, *cut(self._flat, high, shape.size), valid=valid)

    def close(self) -> None:
        """End the processes. May be called twice."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._folder:
            self._folder.cleanup()

    def _drawn(
        self, stretches: Sequence[_Stretch], stage: Stage, shape: BatchShape, rng: np.random.Generator
    ) -> tuple[Windows, Windows]:
        """Return where the LR inputs and the HR targets of windows lie. Targets are not repeated."""
        picks = [stretches[int(number)] for number in rng.integers(len(stretches), size=shape.batch)]
        lengths = np.minimum(rng.choice(stage.windows, shape.batch), [each.frames - 1 for each in picks])
        inside = np.stack([_targets(int(length), shape.targets, rng) for length in lengths])
        chance = rng.random((shape.batch, 5))
        columns = [(s.offset, s.run, s.first, s.frames, s.height, s.width) for s in picks]
        offset, run, first, frames, height, width = np.array(columns, dtype=np.int64).T
        start = (chance[:, 0] * (frames - lengths)).astype(np.int64)
        y = (chance[:, 1] * (height - shape.patch + 1)).astype(np.int64)
        x = (chance[:, 2] * (width - shape.patch + 1)).astype(np.int64)
        ways, backwards = (chance[:, 3] * 8).astype(np.int64), chance[:, 4] < 0.5
        numbers, valid = frames_of(lengths, inside, starts=start, counts=frames, backwards=backwards, outer=shape.outer)
        inputs = numbers.shape[1] - shape.targets
        low = _located(offset, width, height, numbers[:, :inputs], (x, y), ways, shape.patch)
        runs = np.array([(r.offset, r.height, r.width) for r in self._runs], dtype=np.int64)[run]
        scale, frame = shape.size // shape.patch, first[:, None] + numbers[:, inputs:]
        high = _located(runs[:, 0], runs[:, 2], runs[:, 1], frame, (scale * x, scale * y), ways, shape.size)
        return Windows(*low, inside[:, :0], lengths, valid), Windows(*high, inside, lengths)

    def _at(self, number: int) -> _Epoch:
        if self._epoch is None or self._epoch.number != number:
            self._epoch = self._made(number)
            if self._pool:
                self._submit(number + 1)
        return self._epoch

    def _submit(self, number: int) -> None:
        assert self._pool is not None
        if self._coming:
            for future in self._coming[2]:
                future.cancel()
        jobs = self._jobs(number)
        self._coming = number, jobs, [self._pool.submit(made_stretch, self._path, job) for _, _, job in jobs]

    def _jobs(self, number: int) -> list[tuple[int, int, StretchJob]]:
        return stretch_jobs(
            self._places, SCALES, sides=LEAST_SIDES, seed=(self._seed, number), most_frames=self._stretch_frames
        )

    def _made(self, number: int) -> _Epoch:
        if self._pool and (self._coming is None or self._coming[0] != number):
            self._submit(number)
        jobs = self._coming[1] if self._coming else self._jobs(number)
        stretches = dict[int, list[_Stretch]]()
        parts, used = [], 0
        for (run, first, job), pixels in zip(jobs, self._results(jobs), strict=True):
            frames, height, width, _ = pixels.shape
            stretches.setdefault(job.scale, []).append(_Stretch(used, run, first, frames, height, width))
            parts.append(torch.from_numpy(pixels).flatten())
            used += pixels.size
        return _Epoch(number, torch.cat(parts).to(self._flat.device), stretches)

    def _results(self, jobs: Sequence[tuple[int, int, StretchJob]]) -> Iterator[NDArray[np.uint8]]:
        if self._coming is None:
            yield from (made_stretch(self._path, job) for _, _, job in jobs)
        else:
            yield from (future.result() for future in self._coming[2])


def _located(
    offset: NDArray[np.int64], width: NDArray[np.int64], height: NDArray[np.int64], numbers: NDArray[np.int64],
    corner: tuple[NDArray[np.int64], NDArray[np.int64]], ways: NDArray[np.int64], size: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """Return the first bytes [B, N] of the crops of frames ``numbers``, and their row and column steps [B]."""
    moves, rows, columns = turned(ways, width * 3, size)
    x, y = corner
    corners = offset + (y * width + x) * 3 + moves
    return corners[:, None] + numbers * (height * width * 3)[:, None], rows, columns


def _targets(length: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw ``count`` frame numbers from 0 ... ``length``, without repetition as long as there are enough."""
    numbers = np.concatenate([rng.permutation(length + 1) for _ in range(-(-count // (length + 1)))])
    chosen: NDArray[np.int64] = numbers[:count].astype(np.int64)
    return chosen


def _set_up() -> None:
    torch.set_num_threads(1)
    with suppress(AttributeError, OSError):
        os.nice(5)
