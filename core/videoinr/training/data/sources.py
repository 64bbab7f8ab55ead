"""Where a training step's batches come from: clips in memory or on disk, stills set in motion, degraded alike."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from videoinr.errors import UsageError
from videoinr.training.data.augmentation import recoloured, seen_from_afar, taken_side
from videoinr.training.data.clip_store import Batch, BatchShape, Cut
from videoinr.training.data.dataset_report import DatasetReport
from videoinr.training.data.degradation import Degradation, degradation_named
from videoinr.training.data.loading import find_sets, load_clips
from videoinr.training.data.stills import Stills
from videoinr.training.data.streaming import StreamingStore
from videoinr.training.recipe import Stage

MEMORY_SHARE = 0.5
"""Of what is free on the device, for clips; the rest is for the step."""


class ClipSource(Protocol):
    """Draws batches. Whatever lies behind it, a batch follows from its random generator alone."""

    @property
    def frame_count(self) -> int:
        """Frames of all clips."""
        ...

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        """Numbers of the runs (of clips, if they stream) that are long and large enough. Raises UsageError if none."""
        ...

    def batch(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        """A random batch, of ``shape`` exactly. ``rng``: fresh from ``default_rng((seed, step, ...))``; clips that
        stream from disk need to know the step, to have what comes next ready. Raises UsageError for windows that
        these clips or stills do not allow."""
        ...

    def report(self) -> list[str]:
        """Lines to print: what was found, what was left out and why, how much moves, how inputs are degraded."""
        ...

    def close(self) -> None:
        """End its threads. Safe to call twice; nothing can be drawn afterwards."""
        ...


class _Store(Protocol):
    """Clips as windows, from memory or from disk."""

    frame_count: int

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]: ...

    def windows(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Cut: ...

    def close(self) -> None: ...


class MixedSource:
    """A :class:`ClipSource` of clips and, where a stage asks for them, stills; both degraded alike."""

    def __init__(
        self, store: _Store, stills: Stills | None, degradation: Degradation, *, sets: list[DatasetReport], place: str
    ) -> None:
        self._store, self._stills, self._degradation = store, stills, degradation
        self._sets, self._place = sets, place

    @property
    def frame_count(self) -> int:
        """Frames of all clips, without what was left out; if they stream, as the files say."""
        return self._store.frame_count

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        """See :class:`ClipSource`."""
        return self._store.usable(stage, shape)

    def batch(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        """See :class:`ClipSource`. Of the windows, ``stage.stills_share`` (rounded) come last and from stills."""
        stills = round(stage.stills_share * shape.batch)
        cuts = []
        if stills < shape.batch:
            cuts.append(self._footage(stage, replace(shape, batch=shape.batch - stills), rng))
        if stills:
            cuts.append(self._wanted_stills().windows(replace(shape, batch=stills), rng))
        images = cuts[0].images if len(cuts) == 1 else torch.cat([each.images for each in cuts])
        times = cuts[0].times if len(cuts) == 1 else torch.cat([each.times for each in cuts])
        return Batch(self._degradation(images[:, :2], shape.patch, rng), images[:, 2:], times)

    def _footage(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Cut:
        """Windows of the clips, augmented as the stage says."""
        taken = replace(shape, size=taken_side(shape.size, stage.downsample, rng)) if stage.downsample > 1 else shape
        cut = seen_from_afar(self._store.windows(stage, taken, rng), shape.size)
        return recoloured(cut, stage.recolour, rng) if stage.recolour else cut

    def report(self) -> list[str]:
        """See :class:`ClipSource`."""
        lines = [line for each in self._sets for line in each.lines()]
        stills = [f"{len(self._stills.files)} photographs to set in motion"] if self._stills else []
        return [*lines, self._place, *stills, f"inputs: {self._degradation.description}"]

    def close(self) -> None:
        """See :class:`ClipSource`."""
        self._store.close()

    def _wanted_stills(self) -> Stills:
        if self._stills is None:
            raise no_stills_error()
        return self._stills


def no_stills_error() -> UsageError:
    """What to raise where a recipe wants photographs and there are none."""
    return UsageError(
        "The recipe takes a share of its windows from still photographs, and there are none.",
        hint="Name a folder of photographs with --stills, or set stills_share = 0 in a copy of the recipe.",
    )


def open_source(
    folders: Sequence[Path],
    device: torch.device,
    *,
    degradation: str = "clean",
    stills: Sequence[Path] = (),
    memory_bytes: int | None = None,
) -> ClipSource:
    """The clips of several folders (and the photographs in ``stills``) as one source of batches on ``device``.

    Clips that fit into ``memory_bytes`` (half of what is free on the device, without it) are decoded and screened
    now and stay there; others stream from disk. Raises UsageError where there is nothing to train on.
    """
    degrade, photographs = degradation_named(degradation, device), Stills(stills, device) if stills else None
    sets, clips = find_sets(folders)
    room = int(free_bytes(device) * MEMORY_SHARE) if memory_bytes is None else memory_bytes
    wanted = sum(clip.extent.bytes for clip in clips)
    size = f"{len(clips)} clips, {wanted / 2**30:.1f} GiB as bytes"
    if wanted <= room:
        store = load_clips(clips, device)
        return MixedSource(store, photographs, degrade, sets=sets, place=f"{size}: in memory ({device})")
    streaming = StreamingStore(clips, device, memory_bytes=room)
    streaming.sample()
    place = f"{size}, more than {room / 2**30:.1f} GiB: streamed from disk"
    return MixedSource(streaming, photographs, degrade, sets=sets, place=place)


def free_bytes(device: torch.device) -> int:
    """Memory of ``device`` that nobody uses now; of a CPU, the computer's."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        fields = (line.split() for line in meminfo.read_text().splitlines())
        return next(int(field[1]) * 1024 for field in fields if field[0] == "MemAvailable:")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return 4 << 30
