"""Whether a kernel that depends on the compiler and the GPU is right on this machine, and what it is compared with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import torch
import torch.nn.functional as F
import triton
from torch import Tensor

from videoinr.model.code_folder import private_folder

log = logging.getLogger(__name__)

_Key = TypeVar("_Key", bound=Hashable)


@cache
def is_hopper(device: torch.device) -> bool:
    """Whether ``device`` is a GPU of the kind that such kernels were written for and measured on."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) == (9, 0)


@cache
def multiprocessors(device: torch.device) -> int:
    """Return how many multiprocessors a GPU has."""
    return torch.cuda.get_device_properties(device).multi_processor_count


def is_verified(
    known: dict[_Key, bool], key: _Key, matches: Callable[[], bool], *, device: torch.device, sources: tuple[Path, ...]
) -> bool:  # fmt: skip
    """Return whether a kernel is right; False while a CUDA graph is recorded, which must not wait for an answer.

    Args:
        known: The answers so far; a new one is added.
        key: The kernel.
        matches: Runs the kernel and compares. What it raises means that the kernel cannot be used.
        device: Where it runs. For a GPU, a kernel that is right is noted, so that later processes start sooner.
        sources: The files that the kernel, and what it is verified by, are made from.
    """
    if key not in known:
        if torch.cuda.is_current_stream_capturing():
            return False
        note = _note(repr(key), device, sources)
        try:
            known[key] = (note is not None and note.exists()) or matches()
        except Exception as error:  # anything that another compiler or driver raises
            log.info("a kernel cannot be used: %s", key, exc_info=error)
            known[key] = False
        if known[key] and note is not None:
            with suppress(OSError):
                note.touch()
    return known[key]


def _note(kernel: str, device: torch.device, sources: tuple[Path, ...]) -> Path | None:
    """Return the file that exists if ``kernel`` was found right before; None where that cannot be known.

    Its name holds all that the kernel's machine code depends on: a driver only loads that.
    """
    text = _text(sources)
    if device.type != "cuda" or not text:
        return None
    about = (
        kernel,
        text,
        torch.cuda.get_device_name(device),
        torch.__version__,
        torch.version.cuda,
        triton.__version__,
    )
    try:
        folder = private_folder("cuda")
    except OSError:
        return None
    return folder / f"{sha256(repr(about).encode()).hexdigest()[:20]}.right"


@cache
def _text(sources: tuple[Path, ...]) -> bytes:
    """Return a hash of the files ``sources``; nothing if they cannot be read."""
    try:
        return sha256(b"".join(file.read_bytes() for file in sources)).digest()
    except OSError:
        return b""


def convolved(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve a small map in float32, whatever autocast says.

    torch's own convolution would load cuDNN, which takes 0.3 s and which nothing else needs where the kernels run.

    Args:
        x: [B, C, H, W].
        weight: [D, C, 3, 3].
        bias: [D].

    Returns:
        [B, D, H, W], float32; zeros lie around ``x``.
    """
    with torch.autocast(x.device.type, enabled=False):
        around = F.unfold(x.float(), 3, padding=1)
        out = torch.matmul(weight.float().flatten(1), around) + bias.float()[:, None]
    return out.view(len(x), len(weight), *x.shape[2:])
