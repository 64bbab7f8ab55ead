"""Which stretches of which clips are read for which steps, when a set is too large for memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from videoinr.clip.footage import Crop
from videoinr.training.data.loading import FoundClip
from videoinr.training.data.windows import no_clip_error

SALT = 0x706F6F6C
"""Keeps a pool's random numbers apart from those of the batches cut from it."""


@dataclass(frozen=True, slots=True)
class PoolKey:
    """All that decides what a pool holds.

    ``seed``: all that the batches' generators were made from but the step. ``generation``: which pool in a row.
    ``frames``, ``side``: of a stretch, at most. ``least_frames``, ``least_side``: of clips that can be used.
    """

    seed: tuple[int, ...]
    generation: int
    frames: int
    side: int
    least_frames: int
    least_side: int

    @property
    def slot_bytes(self) -> int:
        """What a stretch takes at most."""
        return self.frames * self.side**2 * 3


@dataclass(frozen=True, slots=True)
class Pick:
    """A stretch to read."""

    clip: FoundClip
    start: int
    crop: Crop


def seed_and_step(rng: np.random.Generator) -> tuple[tuple[int, ...], int]:
    """What ``rng`` was made from: of ``default_rng((seed, step, ...))`` the step, and everything else.

    A generator made otherwise counts as its own seed, at step 0: its batches are as random, but read anew each time.
    """
    made_from: Any = rng.bit_generator.seed_seq
    entropy = made_from.entropy
    if isinstance(entropy, Sequence) and len(entropy) > 1:
        seed, step, *others = (int(each) for each in entropy)
        return (seed, *others, *made_from.spawn_key), step
    return (int(np.atleast_1d(entropy)[0]), *made_from.spawn_key), 0


def picks_of(key: PoolKey, clips: Sequence[FoundClip], count: int) -> list[Pick]:
    """Up to ``count`` different stretches of clips that can be used; all there are, where there are no more."""
    rng = np.random.default_rng((*key.seed, key.generation, SALT))
    usable = [clip for clip in clips if clip.extent.holds(key.least_frames, key.least_side)]
    if not usable:
        raise no_clip_error(key.least_frames, key.least_side)
    frames = np.array([clip.extent.frames for clip in usable], dtype=np.int64)
    parts = -(-frames // key.frames)
    clip_of = np.repeat(np.arange(len(usable)), parts)
    part_of = np.arange(len(clip_of)) - np.repeat(np.cumsum(parts) - parts, parts)
    chosen = np.arange(len(clip_of))
    if len(chosen) > count:
        # As for a set in memory: long clips show more, but not in proportion.
        weights = (np.sqrt(frames) / parts)[clip_of]
        chosen = np.sort(rng.choice(len(clip_of), count, replace=False, p=weights / weights.sum()))
    latest = np.maximum(frames[clip_of[chosen]] - key.frames, 0)
    starts = np.minimum(part_of[chosen] * key.frames + rng.integers(0, key.frames, len(chosen)), latest)
    places = rng.random((len(chosen), 2))
    return [
        Pick(usable[clip], int(start), Crop(key.side, float(down), float(right)))
        for clip, start, (down, right) in zip(clip_of[chosen], starts, places, strict=True)
    ]
