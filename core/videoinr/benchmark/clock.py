"""Measure times and peak memory on any device."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
"""The value that resets the peak resident set size on Linux (see proc(5))."""


@dataclass(frozen=True, slots=True)
class Peak:
    """Peak resident set size of the process, and peak memory of torch on the first GPU, bytes. None: not known."""

    ram_bytes: int | None
    cuda_bytes: int | None


def secs(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes, seconds, including the device work that it queues."""
    _wait_for_devices()
    started = time.perf_counter()
    work()
    _wait_for_devices()
    return time.perf_counter() - started


def _wait_for_devices() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    if torch.backends.mps.is_available():
        torch.mps.synchronize()


def begin_peaks() -> None:
    """Reset the peaks where possible: of this process on Linux, of torch on CUDA."""
    with contextlib.suppress(OSError):  # Not Linux, or not permitted: the peak then counts from the program's start.
        _CLEAR.write_text(_RESET_PEAK)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_now() -> Peak:
    """Return the peaks since :func:`begin_peaks`. Except on Linux, the resident set's is since the program's start."""
    return Peak(_peak_ram_bytes(), torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None)


def _peak_ram_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    if _STATUS.is_file():
        peaks = (line.split()[1] for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        for kibibytes in peaks:
            return int(kibibytes) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
