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
    ``tile_bytes``: for continuous features and motion of pixels seen before. ``workers``: threads that share the
    chunks of a picture, 0 for none besides the engine's own. ``half_encoder``: encode in :func:`half_type`, where the
    device computes in it.
    """

    device: torch.device
    tile_side: int
    feature_bytes: int
    tile_bytes: int
    workers: int = 0
    half_encoder: bool = False

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
        half = torch.cuda.is_bf16_supported(including_emulation=False)
        return ComputeProfile(device, 512, feature_bytes=free // 8, tile_bytes=free // 8, half_encoder=half)
    # A tile of 128 x 128 takes a core about 10 ms: short enough to be cancelled between, long enough that the workers
    # seldom wait for Python's lock. Caches take a small part of the memory, which other programs need too (and, on an
    # Apple GPU, share).
    budget = min(1024 * MIB, max(128 * MIB, _ram_bytes() // 16))
    if device.type == "mps":
        return ComputeProfile(device, 128, feature_bytes=budget, tile_bytes=budget)
    workers, half = torch.get_num_threads(), _cpu_multiplies_bfloat16()
    return ComputeProfile(device, 128, feature_bytes=budget, tile_bytes=budget, workers=workers, half_encoder=half)


def half_type(device: torch.device) -> torch.dtype:
    """What half precision is there: float16 on CUDA, three bits finer than bfloat16, in which alone CPUs are fast."""
    return torch.float16 if device.type == "cuda" else torch.bfloat16


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that a device's memory, or the computer's, did not suffice."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # The CPU allocator has no class of its own for this.
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def _cpu_multiplies_bfloat16() -> bool:
    """Whether the processor multiplies matrices of it: vectors of it alone (AVX-512) are slower than float32.

    A rule and no measurement, which might fall out otherwise in the export's process than in the window's.
    """
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(able.get("amx_bf16"))


def _ram_bytes() -> int:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 8192 * MIB
