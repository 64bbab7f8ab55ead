"""Whether a kernel that depends on the compiler and the GPU is right on this machine, and what it is compared with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from functools import cache
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

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


def is_verified(known: dict[_Key, bool], key: _Key, matches: Callable[[], bool]) -> bool:
    """Return whether a kernel is right; False while a CUDA graph is recorded, which must not wait for an answer.

    Args:
        known: The answers so far; a new one is added.
        key: The kernel.
        matches: Runs the kernel and compares. What it raises means that the kernel cannot be used.
    """
    if key not in known:
        if torch.cuda.is_current_stream_capturing():
            return False
        try:
            known[key] = matches()
        except Exception as error:  # anything that another compiler or driver raises
            log.info("a kernel cannot be used: %s", key, exc_info=error)
            known[key] = False
    return known[key]


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
