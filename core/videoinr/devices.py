"""The device that computes, and the memory that each cache and chunk may take there."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import torch

from videoinr.errors import DeviceError, DeviceLostError, UnknownDeviceError, UsageError, is_out_of_memory
from videoinr.text.plain import printable

MIB = 2**20
LEAST_WORK_BYTES = 16 * MIB
"""Below this, the halos of an encoder's bands cost more than they save."""

_LOST_SIGNS = ("CUDA error", "[CUDA]: ", "CUDNN_STATUS", "CUBLAS_STATUS", "device-side assert", "Metal error")
"""Words of errors after which a GPU answers no call of this process any more."""

CUDA_WORK_BYTES = 512 * MIB
"""On a GPU, bands are as large as its kernels need to be efficient."""


@dataclass(frozen=True, slots=True)
class ComputeProfile:
    """How an engine uses a device.

    Attributes:
        device: where the model runs.
        tile_side: the side of the square chunks that are decoded at a time, pixels.
        feature_bytes: budget of the cache of encoded pairs.
        tile_bytes: budget of the cache of spatial features and motion of decoded pixels.
        workers: threads that share the chunks of a picture; 0 means the engine's own thread alone.
        half_encoder: encode in :func:`half_type`, which the device computes in natively.
        work_bytes: what the encoder's maps of one band of rows may take.
        kept_bytes: what it keeps of the frames' features from band to band; None: as much as ``work_bytes``.
        region_bytes: budget of the projected maps of large frames' regions (model/latent.py); None: ``tile_bytes``.
        pair_bytes: what an encoded pair of large frames may take; a picture that needs more of the pair is encoded and
            decoded in pieces. None: as much as it needs.
    """

    device: torch.device
    tile_side: int
    feature_bytes: int
    tile_bytes: int
    workers: int = 0
    half_encoder: bool = False
    work_bytes: int = 192 * MIB
    region_bytes: int | None = None
    pair_bytes: int | None = None
    kept_bytes: int | None = None

    @property
    def device_name(self) -> str:
        """The device, in a user's words."""
        if self.device.type == "cuda":
            return f"{torch.cuda.get_device_name(self.device)} ({self.device})"
        return {"cpu": f"CPU, {torch.get_num_threads()} threads", "mps": "Apple GPU"}.get(
            self.device.type, str(self.device)
        )


def available_devices() -> tuple[str, ...]:
    """Return the names that :func:`pick_device` takes, the fastest first."""
    cuda = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    return (*cuda, *mps, "cpu")


def pick_device(name: str | None) -> torch.device:
    """Return the device ``name`` (``cuda`` means ``cuda:0``), or the fastest one for None.

    Raises:
        UnknownDeviceError: this machine has no such device.
    """
    available = available_devices()
    if name is None:
        return torch.device(available[0])
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in available:
        raise UnknownDeviceError(f"There is no device {name!r} here.", hint=f"Available: {', '.join(available)}.")
    return torch.device(wanted)


def profile_for(device: torch.device, *, memory_bytes: int | None = None) -> ComputeProfile:
    """Return the chunk size and the cache budgets for ``device``.

    Args:
        device: where the model runs.
        memory_bytes: the budget. On a CPU: of all caches, the encoder's bands of rows and the pair in use, together; of
            more than the computer has, all it has is used. On a GPU: of both caches; bands, one pair and the last
            frames come on top. None chooses it from the memory of the device.

    Raises:
        UsageError: ``memory_bytes`` is negative.
    """
    profile = _default_profile(device)
    if memory_bytes is None:
        return profile
    if memory_bytes < 0:
        raise UsageError(f"A memory budget of {memory_bytes} bytes makes no sense.", hint="Give 0 or more bytes.")
    if device.type != "cuda":
        # The cache of tiles is allocated at once, and a budget like 1T means "as much as you like".
        memory_bytes = min(memory_bytes, _ram_bytes())
    work_bytes = min(profile.work_bytes, max(LEAST_WORK_BYTES, memory_bytes // 8))
    if device.type == "cuda":
        half = memory_bytes // 2
        return replace(profile, feature_bytes=half, tile_bytes=memory_bytes - half, work_bytes=work_bytes)
    # Bands take two eighths, and motion drafts three eighths of what the pairs may take (render/motion_drafts.py).
    pairs = 2 * memory_bytes // 5
    return replace(
        profile, feature_bytes=pairs, pair_bytes=pairs, tile_bytes=memory_bytes // 9, region_bytes=memory_bytes // 12,
        work_bytes=work_bytes,
    )  # fmt: skip


def _default_profile(device: torch.device) -> ComputeProfile:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        half = torch.cuda.is_bf16_supported(including_emulation=False)
        return ComputeProfile(
            device, 512, feature_bytes=free // 8, tile_bytes=free // 8, half_encoder=half, work_bytes=CUDA_WORK_BYTES,
            kept_bytes=free // 3,
        )  # fmt: skip
    # A tile of 128 x 128 takes a core about 10 ms: short enough to cancel between tiles, long enough that the workers
    # seldom wait for Python's lock. Caches take a small share of the memory, which other programs need too (and, on
    # an Apple GPU, share).
    budget = min(384 * MIB, max(128 * MIB, _ram_bytes() // 16))
    if device.type == "mps":
        return ComputeProfile(device, 128, feature_bytes=budget, tile_bytes=budget)
    workers, half = torch.get_num_threads(), _cpu_multiplies_bfloat16()
    return ComputeProfile(device, 128, feature_bytes=budget, tile_bytes=budget, workers=workers, half_encoder=half)


def half_type(device: torch.device) -> torch.dtype:
    """Return the half-precision type of ``device``: float16 on CUDA, which is finer, and bfloat16 on a CPU."""
    return torch.float16 if device.type == "cuda" else torch.bfloat16


def is_lost(error: BaseException) -> bool:
    """Return whether ``error`` means that a GPU stopped working: reset, unplugged, or stopped by a faulty kernel."""
    if not isinstance(error, RuntimeError) or is_out_of_memory(error):
        return False
    return any(sign in str(error) for sign in _LOST_SIGNS)


@contextmanager
def current(device: torch.device) -> Iterator[None]:
    """Make ``device`` the current one of CUDA while the block runs. Triton and CUDA graphs use no other."""
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        yield


def wait_idly(device: torch.device) -> None:
    """Wait until ``device`` has done what this thread launched on it, and leave the core to others meanwhile.

    Where torch itself waits for CUDA, to copy a value, it keeps a core busy: beside an export, whose encoders need all.
    """
    if device.type == "cuda":
        event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(device))
        event.synchronize()


@contextmanager
def computing_on(device: torch.device, name: str) -> Iterator[None]:
    """Make ``device`` the current one, and turn the error of one that stopped working into a DeviceLostError.

    Args:
        device: where the block computes.
        name: the device, in a user's words. It is known beforehand, as a lost device does not tell its name.
    """
    try:
        with current(device):
            yield
    except RuntimeError as error:
        if not is_lost(error):
            raise
        reason = printable((str(error).splitlines() or [""])[0]).rstrip(".")
        raise DeviceLostError(
            f"{name} stopped working ({reason}).",
            hint="Go on with the CPU (--device cpu), or start the program again.",
        ) from error


@contextmanager
def short_of_memory(profile: ComputeProfile, purpose: str) -> Iterator[None]:
    """Turn an allocator's error inside the context into a DeviceError.

    Args:
        profile: the device.
        purpose: what the memory was to suffice for: "to encode frames of 640x360".
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        other = "a smaller model, or use --device cpu" if profile.device.type != "cpu" else "a smaller size or region"
        raise DeviceError(
            f"The memory of {profile.device_name} does not suffice {purpose}.",
            hint=f"Close other programs, give caches less (--memory), or choose {other}.",
        ) from error


def return_free_memory() -> None:
    """Give memory that was freed back to the operating system.

    glibc keeps freed blocks of up to 32 MiB for later: after the encoder's bands, hundreds of megabytes that nobody
    uses. Does nothing with other C libraries.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _cpu_multiplies_bfloat16() -> bool:
    """Return whether the processor multiplies matrices of bfloat16 (AMX); with AVX-512 alone float32 is faster.

    A fixed rule, not a measurement: the export's process must decide as the window's does.
    """
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(able.get("amx_bf16"))


def _ram_bytes() -> int:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 8192 * MIB
