"""Sources of batches: clips in memory or on disk, mixed with photographs in synthetic motion."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.text.phrases import format_count
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.augmentation import downsampled, draw_crop_side, recoloured
from videoinr.training.data.clip_store import Batch, Cut
from videoinr.training.data.coded_footage import DESCRIPTION, OUTER_STRETCH_FRAMES, STRETCH_FRAMES
from videoinr.training.data.coded_store import CodedStore
from videoinr.training.data.dataset_report import DatasetReport
from videoinr.training.data.degradation import CODED, Degradation, degradation_named
from videoinr.training.data.loading import find_sets, load_clips
from videoinr.training.data.pixels import upload
from videoinr.training.data.pools import seed_and_step
from videoinr.training.data.stills import Stills
from videoinr.training.data.streaming import StreamingStore
from videoinr.training.data.windows import draw_kept
from videoinr.training.recipe import Stage, no_stills_error

CODED_SHARE = 0.6
"""Share of the windows of clips that are coded, so that about half of all windows are."""
MEMORY_SHARE = 0.5
"""Share of the device's free memory that clips may take. The rest is for the training step."""


class ClipSource(Protocol):
    """A source of batches. A batch depends only on the clips and on its random generator."""

    @property
    def frame_count(self) -> int:
        """Number of frames in all clips."""
        ...

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        """Return the numbers of the runs (clips, if they stream) that are long and large enough. Raises UsageError."""
        ...

    def batch(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        """Draw a batch.

        Args:
            stage: How windows are drawn and augmented.
            shape: The batch's sizes.
            rng: A new generator made by ``default_rng((seed, step, ...))``. Streaming sources read the step from it
                and prefetch the data of later steps.

        Returns:
            A batch of exactly ``shape``.

        Raises:
            UsageError: No clip or photograph is large or long enough.
        """
        ...

    def report(self) -> list[str]:
        """Return lines of text: the dataset reports, where clips are kept, and the degradation."""
        ...

    def close(self) -> None:
        """End the source's threads. May be called twice. No batch can be drawn afterwards."""
        ...


class _Store(Protocol):
    """A store of clips that windows are drawn from: in memory or streamed from disk."""

    frame_count: int

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]: ...

    def windows(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Cut: ...

    def close(self) -> None: ...


class MixedSource:
    """A :class:`ClipSource` that mixes windows of clips and of photographs, as the stage says, and degrades both."""

    def __init__(
        self, store: _Store, stills: Stills | None, degradation: Degradation, *, sets: list[DatasetReport], place: str,
        coded: CodedStore | None = None,
    ) -> None:  # fmt: skip
        """Make a source. ``coded``: makes :data:`CODED_SHARE` of the windows of clips; None: all are degraded alike."""
        self._store, self._stills, self._degradation = store, stills, degradation
        self._sets, self._place, self._coded = sets, place, coded

    @property
    def frame_count(self) -> int:
        """Number of frames in all clips: after screening, or as the files say if they stream."""
        return self._store.frame_count

    def usable(self, stage: Stage, shape: BatchShape) -> list[int]:
        """See :class:`ClipSource`."""
        return self._store.usable(stage, shape)

    def batch(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        """See :class:`ClipSource`. The last ``stage.stills_share`` of the windows, rounded, are from photographs."""
        if self._coded is not None and self._coded.serves(shape):
            batch = self._with_coded(self._coded, stage, shape, rng)
        else:
            batch = self._degraded(stage, shape, rng)
        if batch.valid is None:
            return batch
        # Drawn last, so that the windows are those of a model that reads its pair alone.
        kept = upload(draw_kept(len(batch.valid), rng), batch.valid.device)
        return replace(batch, valid=batch.valid * kept)

    def _with_coded(self, store: CodedStore, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        """Draw a batch whose first windows are coded."""
        count = round(CODED_SHARE * (1 - stage.stills_share) * shape.batch)
        coded = store.windows(stage, replace(shape, batch=count), seed_and_step(rng)[1], rng)
        rest = self._degraded(stage, replace(shape, batch=shape.batch - count), rng)
        flow = None if rest.flow is None else torch.cat([rest.flow.new_zeros((count, *rest.flow.shape[1:])), rest.flow])
        low, targets = torch.cat([coded.low, rest.low]), torch.cat([coded.targets, rest.targets])
        return Batch(low, targets, torch.cat([coded.times, rest.times]), flow, _valid_of((coded, rest)))

    def _degraded(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Batch:
        stills = round(stage.stills_share * shape.batch)
        cuts = []
        if stills < shape.batch:
            cuts.append(self._footage(stage, replace(shape, batch=shape.batch - stills), rng))
        if stills:
            wanted, moved = replace(shape, batch=stills), self._wanted_stills()
            with_flow = stage.flow_weight > 0
            cuts.append(moved.windows(wanted, rng, power=stage.stills_power, with_flow=with_flow))
        images = cuts[0].images if len(cuts) == 1 else torch.cat([each.images for each in cuts])
        times = cuts[0].times if len(cuts) == 1 else torch.cat([each.times for each in cuts])
        inputs, flow = cuts[0].inputs, None
        low = self._degradation(images[:, :inputs], shape.patch, rng)
        if stage.flow_weight:
            flow = _flow_of(cuts, low)
        return Batch(low, images[:, inputs:], times, flow, _valid_of(cuts))

    def _footage(self, stage: Stage, shape: BatchShape, rng: np.random.Generator) -> Cut:
        """Draw windows from the clips, and augment them as the stage says."""
        side = draw_crop_side(shape.size, stage.downsample, rng) if stage.downsample > 1 else shape.size
        cut = downsampled(self._store.windows(stage, replace(shape, size=side), rng), shape.size)
        return recoloured(cut, stage.recolour, rng) if stage.recolour else cut

    def report(self) -> list[str]:
        """See :class:`ClipSource`."""
        lines = [line for each in self._sets for line in each.lines()]
        stills = [f"{len(self._stills.files)} photographs for synthetic motion"] if self._stills else []
        coded = [f"{CODED_SHARE:.0%} of the windows of clips at whole scales: {DESCRIPTION}"] if self._coded else []
        return [*lines, self._place, *stills, f"inputs: {self._degradation.description}", *coded]

    def close(self) -> None:
        """See :class:`ClipSource`."""
        self._store.close()
        if self._coded is not None:
            self._coded.close()

    def _wanted_stills(self) -> Stills:
        if self._stills is None:
            raise no_stills_error()
        return self._stills


def _flow_of(cuts: Sequence[Cut], low: Tensor) -> Tensor:
    """Return the cuts' true flows, concatenated: [B, 6, P, P]. Windows of clips have none, so theirs are zeros."""
    shape = (6, *low.shape[-2:])
    flows = (low.new_zeros((len(each.times), *shape)) if each.flow is None else each.flow for each in cuts)
    return torch.cat(list(flows))


def _valid_of(parts: Sequence[Cut | Batch]) -> Tensor | None:
    """Return which frames beside their pairs the parts have, concatenated: [B, 2]; None: they have none at all."""
    valid = [each.valid for each in parts if each.valid is not None]
    return torch.cat(valid) if valid else None


def open_source(
    folders: Sequence[Path],
    device: torch.device,
    *,
    degradation: str = "clean",
    stills: Sequence[Path] = (),
    memory_bytes: int | None = None,
    outer: bool = False,
) -> ClipSource:
    """Open clips and photographs as a source of batches.

    Clips that fit into the memory are decoded and screened now, and stay on the device. Others stream from disk.

    Args:
        folders: Folders of clips.
        device: Where batches are made.
        degradation: One of :data:`~videoinr.training.data.degradation.NAMES`.
        stills: Folders of photographs.
        memory_bytes: The most that clips may take on the device; None: half of its free memory.
        outer: Whether batches will be drawn with ``BatchShape.outer``: stretches that are coded are then longer.

    Returns:
        The source. Close it after use.

    Raises:
        UsageError: There is nothing to train on, or no such degradation.
    """
    is_coded = degradation == CODED
    degrade, photographs = degradation_named(degradation, device), Stills(stills, device) if stills else None
    sets, clips = find_sets(folders)
    room = int(free_bytes(device) * MEMORY_SHARE) if memory_bytes is None else memory_bytes
    wanted = sum(clip.extent.bytes for clip in clips)
    size = f"{format_count(len(clips), 'clip')}, {wanted / 2**30:.1f} GiB as bytes"
    if wanted <= room:
        store = load_clips(clips, device)
        frames = OUTER_STRETCH_FRAMES if outer else STRETCH_FRAMES
        coded = CodedStore(store.flat, store.runs, stretch_frames=frames) if is_coded else None
        return MixedSource(store, photographs, degrade, sets=sets, place=f"{size}: in memory ({device})", coded=coded)
    if is_coded:
        raise UsageError(
            f"The clips take {wanted / 2**30:.1f} GiB, more than the {room / 2**30:.1f} GiB of memory that they may; "
            f"the degradation {CODED!r} does not stream.", hint="Give fewer or smaller clips.",
        )  # fmt: skip
    streaming = StreamingStore(clips, device, memory_bytes=room)
    streaming.sample()
    place = f"{size}, more than {room / 2**30:.1f} GiB: streamed from disk"
    return MixedSource(streaming, photographs, degrade, sets=sets, place=place)


def free_bytes(device: torch.device) -> int:
    """Return the free memory of ``device``, bytes; for a CPU, that of the machine."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        fields = (line.split() for line in meminfo.read_text().splitlines())
        return next(int(field[1]) * 1024 for field in fields if field[0] == "MemAvailable:")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return 4 << 30
