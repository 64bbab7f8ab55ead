"""Which device computes, and how much memory each cache and chunk may take there."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from videoinr.errors import DeviceError

MIB = 2**20


@dataclass(frozen=True, slots=True)
class ComputeProfile:
    """How an engine spends a device.

    ``tile_side``: pixels, the side of the chunks that are decoded at a time. ``feature_bytes``: for encoded pairs.
    ``tile_bytes``: for continuous features and motion of pixels seen before.
    """

    device: torch.device
    tile_side: int
    feature_bytes: int
    tile_bytes: int

    @property
    def device_name(self) -> str:
        """The device in a user's words."""
        if self.device.type == "cuda":
            return f"{torch.cuda.get_device_name(self.device)} ({self.device})"
        return {"cpu": f"CPU, {torch.get_num_threads()} threads", "mps": "Apple GPU"}.get(
            self.device.type, str(self.device)
        )


def available_devices() -> tuple[str, ...]:
    """Names that :func:`pick_device` takes, the best first."""
    cuda = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    return (*cuda, *mps, "cpu")


def pick_device(name: str | None) -> torch.device:
    """The device called ``name`` (``cuda`` means ``cuda:0``), or the best there is. Raises DeviceError if absent."""
    available = available_devices()
    wanted = {None: available[0], "cuda": "cuda:0"}.get(name, name)
    if wanted not in available:
        raise DeviceError(f"There is no device {name!r} here.", hint=f"Available: {', '.join(available)}.")
    return torch.device(wanted)


def profile_for(device: torch.device) -> ComputeProfile:
    """Chunk size and cache budgets that suit ``device`` and its memory."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return ComputeProfile(device, tile_side=512, feature_bytes=free // 8, tile_bytes=free // 8)
    # A tile of 64 x 64 keeps a head's activations within a core's cache; caches take a small part of the memory,
    # which other programs need too (and, on an Apple GPU, share).
    budget = min(1024 * MIB, max(128 * MIB, _ram_bytes() // 16))
    return ComputeProfile(device, tile_side=64, feature_bytes=budget, tile_bytes=budget)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that a device's memory, or the computer's, did not suffice."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # The CPU allocator has no class of its own for this.
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def _ram_bytes() -> int:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 8192 * MIB
