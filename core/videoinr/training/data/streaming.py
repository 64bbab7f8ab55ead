"""A streaming store for datasets that are too large for memory: a pool of short stretches, replaced during training.

Windows are cut from the pool as from a store in memory, so a step takes the same time. Meanwhile threads read the next
pool: cropped and screened stretches of random clips. The choice of stretches depends only on the seed and the step's
number. So a batch does not depend on the disk's speed, and a resumed run draws the same batches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from threading import Event

import numpy as np
import torch
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import ClipStore, Cut
from videoinr.training.data.loading import THREADS, FoundClip, footage_of, nothing_left_error, pixels_of, stored_run
from videoinr.training.data.pools import Pick, PoolKey, picks_of, seed_and_step
from videoinr.training.data.windows import StoredRun, no_clip_error
from videoinr.training.recipe import Stage

POOL_BYTES = 2 << 30
"""The most bytes of a pool. A fixed number, because batches must not depend on the memory that happens to be free."""
MIN_STRETCHES = 8
"""Least number of stretches in a pool, so that a batch mixes several clips."""
REUSE = 24
"""Mean number of windows cut from each stretch before it is replaced. They differ in crop, start, length and
orientation. With less reuse the device would wait for the decoder."""
STRETCH_WINDOWS = 2
"""Length of a stretch over that of the longest window, so that windows can start at many frames. Frames beside the
windows add a window."""
CROP_TARGETS = 3
"""Side of a stretch's crop over that of the largest target."""
SAMPLED_STRETCHES = 24
"""Stretches that are screened for the dataset report. Screening a whole dataset would mean decoding all of it."""
SAMPLED_FRAMES = 16


@dataclass(frozen=True, eq=False)
class _Reading:
    """A pool that is being read: the runs of each stretch, once read, and the tensor for their bytes."""

    key: PoolKey
    stretches: list[Future[list[StoredRun]]]
    target: Tensor


class StreamingStore:
    """A store that streams ``clips`` from disk. Its pools take at most ``memory_bytes`` of the device's memory.

    One pool is on ``device`` while the next is read into main memory; on a CPU both are in main memory. Call
    :meth:`close` after use: it ends the threads.
    """

    def __init__(self, clips: Sequence[FoundClip], device: torch.device, *, memory_bytes: int) -> None:
        self._clips, self._device = clips, device
        self._pool_bytes = min(POOL_BYTES, memory_bytes if device.type == "cuda" else memory_bytes // 2)
        self._spare: Tensor | None = None
        self._flat: Tensor | None = None
        self._current: tuple[PoolKey, ClipStore] | None = None
        self._coming: _Reading | None = None
        self._stopped = Event()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="stretch")
        self._frames = np.array([clip.extent.frames for clip in clips])
        self._sides = np.array([min(clip.extent.height, clip.extent.width) for clip in clips])
        self.frame_count = int(self._frames.sum())

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        """Return the numbers of the clips whose files say they are long and large enough. Raises UsageError."""
        shortest = min(stage.windows) + 1
        usable = np.flatnonzero((self._frames >= shortest) & (self._sides >= shape.size))
        if not len(usable):
            raise no_clip_error(shortest, shape.size)
        return [int(number) for number in usable]

    def windows(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Cut:
        """See :meth:`ClipStore.windows`. Waits only if the pool has not been read yet."""
        return self._store_for(self._key(stage, shape, rng)).windows(stage, shape, rng)

    def sample(self) -> None:
        """Screen a few stretches, spread over the clips, for the dataset reports."""
        numbers = np.unique(np.linspace(0, len(self._clips) - 1, SAMPLED_STRETCHES).round().astype(int))
        clips = [self._clips[number] for number in numbers]
        starts = [max(0, clip.extent.frames - SAMPLED_FRAMES) // 2 for clip in clips]
        counts = [SAMPLED_FRAMES] * len(clips)
        for clip, footage in zip(clips, self._threads.map(footage_of, clips, starts, counts), strict=True):
            clip.report.sampled = True
            clip.report.count(clip.path, footage.screened if footage else None)

    def held_bytes(self) -> int:
        """Return the bytes that the pools take now, in main memory and on the device."""
        tensors = [self._spare, self._flat, self._coming.target if self._coming else None]
        return sum(each.numel() for each in {id(each): each for each in tensors if each is not None}.values())

    def close(self) -> None:
        """Stop the threads. Waits for the stretches that they are reading."""
        self._stopped.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._current = self._coming = self._flat = self._spare = None

    def _key(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> PoolKey:
        (seed, step), largest = seed_and_step(rng), stage.largest_crop()
        frames = (STRETCH_WINDOWS + shape.outer) * max(stage.windows) + 1
        # With little memory, make crops smaller and keep the number of clips in a batch.
        side = min(CROP_TARGETS * largest, math.isqrt(self._pool_bytes // (MIN_STRETCHES * frames * 3)))
        if side < largest:
            raise UsageError(
                f"{self._pool_bytes >> 20} MiB do not hold {MIN_STRETCHES} stretches of {frames} frames of "
                f"{largest}x{largest} pixels.",
                hint="Allow more memory, or take a recipe with smaller patches, scales or windows.",
            )
        steps = max(1, self._pool_bytes // (frames * side**2 * 3) * REUSE // shape.batch)
        shortest = min(stage.windows) + 1
        least = largest if ((self._frames >= shortest) & (self._sides >= largest)).any() else shape.size
        return PoolKey(seed, step // steps, frames, side, shortest, least)

    def _store_for(self, key: PoolKey) -> ClipStore:
        if self._current is None or self._current[0] != key:
            if self._coming is None or self._coming.key != key:
                self._drop_coming()
                self._coming = self._read(key)
            self._current = (key, self._exchanged(self._coming))
            self._coming = self._read(replace(key, generation=key.generation + 1))
        return self._current[1]

    def _read(self, key: PoolKey) -> _Reading:
        """Start to read a pool."""
        spare, self._spare = self._spare, None
        target = (
            torch.empty(self._pool_bytes, dtype=torch.uint8, pin_memory=on_cuda(self._device))
            if spare is None
            else spare
        )
        picks = picks_of(key, self._clips, self._pool_bytes // key.slot_bytes)
        slots = [target[number * key.slot_bytes :] for number in range(len(picks))]
        stretches = [
            self._threads.submit(self._fill, pick, slot, number * key.slot_bytes, key.frames)
            for number, (pick, slot) in enumerate(zip(picks, slots, strict=True))
        ]
        return _Reading(key, stretches, target)

    def _fill(self, pick: Pick, slot: Tensor, offset: int, frames: int) -> list[StoredRun]:
        """Read one stretch into its slot, in a thread. Returns its runs."""
        runs, used = list[StoredRun](), 0
        footage = None if self._stopped.is_set() else footage_of(pick.clip, pick.start, frames, pick.crop)
        if footage is None:
            return runs
        for run in footage.screened.runs:
            pixels = pixels_of(run, footage.pixels)
            slot[used : used + pixels.size] = torch.from_numpy(pixels).flatten()
            runs.append(stored_run(offset + used, pixels, run))
            used += pixels.size
        return runs

    def _exchanged(self, reading: _Reading) -> ClipStore:
        """Wait for a pool, and put it in the place of the current one."""
        runs = [run for stretch in reading.stretches for run in stretch.result()]
        if not runs:
            raise nothing_left_error()
        if on_cuda(self._device):
            # Waits for the transfer, every few hundred steps: the next pool is read into the same main memory.
            self._flat = reading.target.to(self._device) if self._flat is None else self._flat.copy_(reading.target)
            self._spare = reading.target
        else:
            self._flat, self._spare = reading.target, self._flat
        return ClipStore(self._flat, runs)

    def _drop_coming(self) -> None:
        if self._coming is not None:
            for stretch in self._coming.stretches:
                stretch.cancel()
            wait(self._coming.stretches)
            self._spare, self._coming = self._coming.target, None


def on_cuda(device: torch.device) -> bool:
    """Whether ``device`` is CUDA, where the pool is a copy of what was read."""
    return device.type == "cuda"
