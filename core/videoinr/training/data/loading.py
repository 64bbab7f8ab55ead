"""Load clips into memory: several threads decode and screen them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoinr.clip.extent import Extent, extent_of
from videoinr.clip.footage import Crop, read_stretch
from videoinr.errors import InputError, UsageError, VideoInrError
from videoinr.training.data.clip_store import ClipStore
from videoinr.training.data.dataset_report import DatasetReport
from videoinr.training.data.layouts import find_training_clips
from videoinr.training.data.screening import Run, Screened, screen
from videoinr.training.data.windows import StoredRun

THREADS = min(16, 2 * (os.cpu_count() or 4))
"""Decoding also waits for the disk, so there are more threads than CPU cores."""


@dataclass(frozen=True, eq=False)
class FoundClip:
    """A clip that can be opened. ``extent``: its size as the file says. ``report``: its folder's dataset report."""

    path: Path
    extent: Extent
    report: DatasetReport


@dataclass(frozen=True, eq=False)
class Footage:
    """A stretch of frames, uint8 [T, H, W, 3], and the result of its screening."""

    pixels: NDArray[np.uint8]
    screened: Screened


def find_sets(folders: Sequence[Path]) -> tuple[list[DatasetReport], list[FoundClip]]:
    """Return a dataset report for each of ``folders``, and all their clips. Raises InputError if none can be opened."""
    sets = [DatasetReport(folder, find_training_clips(folder)) for folder in folders]
    found = []
    with ThreadPoolExecutor(THREADS) as threads:
        for each in sets:
            for path, extent in zip(each.clips, threads.map(_extent_or_none, each.clips), strict=True):
                if extent is None:
                    each.count(path, None)
                else:
                    found.append(FoundClip(path, extent, each))
    if not found:
        raise InputError(f"None of the clips in {', '.join(map(str, folders))} can be read.")
    return sets, found


def footage_of(clip: FoundClip, start: int = 0, count: int | None = None, crop: Crop | None = None) -> Footage | None:
    """Read and screen frames of ``clip``. Returns None if it cannot be read."""
    try:
        stretch = read_stretch(clip.path, start, count, crop)
        return Footage(stretch.pixels, screen(stretch))
    except (VideoInrError, OSError):
        return None


def load_clips(clips: Sequence[FoundClip], device: torch.device) -> ClipStore:
    """Load all runs of ``clips`` into one store.

    Args:
        clips: The clips. Their dataset reports are updated.
        device: Where the store's bytes are kept.

    Returns:
        The store.

    Raises:
        UsageError: Screening left nothing.
    """
    flat = torch.empty(sum(clip.extent.bytes for clip in clips), dtype=torch.uint8, device=device)
    runs, used = list[StoredRun](), 0
    for run, pixels in _runs_in(clips):
        if used + pixels.size > len(flat):  # A clip has more frames than its file said.
            flat = torch.cat([flat[:used], flat.new_empty(pixels.size + len(flat) // 8)])
        flat[used : used + pixels.size] = torch.from_numpy(pixels).flatten().to(device)
        runs.append(stored_run(used, pixels, run))
        used += pixels.size
    if not runs:
        raise nothing_left_error()
    return ClipStore(flat[:used], runs)


def nothing_left_error() -> UsageError:
    """Return the error for clips of which screening left nothing."""
    return UsageError(
        "Screening left no frames of the clips: all are static, repeated, or in shots of fewer than three frames.",
        hint="Use footage with motion, and with three or more frames between cuts.",
    )


def _runs_in(clips: Sequence[FoundClip]) -> Iterator[tuple[Run, NDArray[np.uint8]]]:
    with ThreadPoolExecutor(THREADS) as threads:
        for clip, footage in zip(clips, threads.map(footage_of, clips), strict=True):
            clip.report.count(clip.path, footage.screened if footage else None)
            if footage is not None:
                for run in footage.screened.runs:
                    yield run, pixels_of(run, footage.pixels)


def stored_run(offset: int, pixels: NDArray[np.uint8], run: Run) -> StoredRun:
    """Return the entry of ``run`` in a store, with its first byte at ``offset``."""
    frames, height, width, _ = pixels.shape
    return StoredRun(offset, frames, height, width, run.motion)


def pixels_of(run: Run, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frames of ``run`` as one contiguous array."""
    return np.ascontiguousarray(pixels[run.frames.start : run.frames.stop : run.frames.step])


def _extent_or_none(path: Path) -> Extent | None:
    try:
        return extent_of(path)
    except (VideoInrError, OSError):
        return None
