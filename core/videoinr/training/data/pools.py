"""Choose the stretches of clips that a streaming store reads for each range of steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from videoinr.clip.footage import Crop
from videoinr.training.data.loading import FoundClip
from videoinr.training.data.windows import no_clip_error

SALT = 0x706F6F6C
"""Separates a pool's random numbers from those of its batches."""


@dataclass(frozen=True, slots=True)
class PoolKey:
    """Everything that determines a pool's content.

    ``seed``: the seed of the batches' generators, without the step. ``generation``: the pool's number in the run.
    ``frames``, ``side``: the largest size of a stretch. ``least_frames``, ``least_side``: the least size of a usable
    clip.
    """

    seed: tuple[int, ...]
    generation: int
    frames: int
    side: int
    least_frames: int
    least_side: int

    @property
    def slot_bytes(self) -> int:
        """The most bytes that a stretch takes."""
        return self.frames * self.side**2 * 3


@dataclass(frozen=True, slots=True)
class Pick:
    """A stretch to read: frames of ``clip`` from ``start`` on, cropped."""

    clip: FoundClip
    start: int
    crop: Crop


def seed_and_step(rng: np.random.Generator) -> tuple[tuple[int, ...], int]:
    """Return the seed and the step that ``rng`` was made from by ``default_rng((seed, step, ...))``.

    A generator that was made otherwise counts as a seed of its own at step 0. Its batches are equally random, but each
    needs a new pool.
    """
    made_from: Any = rng.bit_generator.seed_seq
    entropy = made_from.entropy
    if isinstance(entropy, Sequence) and len(entropy) > 1:
        seed, step, *others = (int(each) for each in entropy)
        return (seed, *others, *made_from.spawn_key), step
    return (int(np.atleast_1d(entropy)[0]), *made_from.spawn_key), 0


def picks_of(key: PoolKey, clips: Sequence[FoundClip], count: int) -> list[Pick]:
    """Choose up to ``count`` different stretches of usable clips. Raises UsageError if no clip is usable."""
    rng = np.random.default_rng((*key.seed, key.generation, SALT))
    usable = [clip for clip in clips if clip.extent.holds(key.least_frames, key.least_side)]
    if not usable:
        raise no_clip_error(key.least_frames, key.least_side)
    frames = np.array([clip.extent.frames for clip in usable], dtype=np.int64)
    stretches = -(-frames // key.frames)
    clip_of = np.repeat(np.arange(len(usable)), stretches)
    number_of = np.arange(len(clip_of)) - np.repeat(np.cumsum(stretches) - stretches, stretches)
    chosen = np.arange(len(clip_of))
    if len(chosen) > count:
        # As in memory: a long clip has more content, but less than in proportion.
        weights = (np.sqrt(frames) / stretches)[clip_of]
        chosen = np.sort(rng.choice(len(clip_of), count, replace=False, p=weights / weights.sum()))
    latest = np.maximum(frames[clip_of[chosen]] - key.frames, 0)
    starts = np.minimum(number_of[chosen] * key.frames + rng.integers(0, key.frames, len(chosen)), latest)
    places = rng.random((len(chosen), 2))
    return [
        Pick(usable[clip], int(start), Crop(key.side, float(down), float(right)))
        for clip, start, (down, right) in zip(clip_of[chosen], starts, places, strict=True)
    ]
