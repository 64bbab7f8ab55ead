"""LPIPS, a learned distance that follows what people see (Zhang et al. 2018), by the package of its authors."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from videoinr.errors import UsageError

LEAST_SIDE_PX = 32
"""AlexNet has no output for smaller pictures."""
LPIPS_WORDS = "LPIPS = learned perceptual distance of the RGB frames (AlexNet, version 0.1; lower is better)"

Distance = Callable[[Tensor, Tensor], float]
"""Takes two pictures, RGB float32 [3, H, W] in 0 ... 1, and returns their distance, 0 for equal ones."""


@functools.lru_cache(maxsize=1)
def perceptual_distance(device: torch.device) -> Distance:
    """Return LPIPS, computed on ``device``.

    Raises:
        UsageError: the package lpips is not installed, or its network's weights are not there and cannot be fetched.
    """
    try:
        package = importlib.import_module("lpips")
    except ImportError as error:
        raise UsageError(
            f"LPIPS cannot be measured: the package {error.name or 'lpips'} is not installed.",
            hint="Run: pip install lpips torchvision (the torchvision that fits your torch).",
        ) from error
    try:
        # It asks torchvision in an outdated way.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network = package.LPIPS(net="alex", version="0.1", verbose=False).eval().requires_grad_(False).to(device)
    except Exception as error:
        raise UsageError(
            f"LPIPS cannot be measured: its network cannot be loaded: {error}",
            hint="Its weights are torchvision's alexnet-owt-7be5be79.pth. Be online once, or put the file into the "
            "folder hub/checkpoints of TORCH_HOME.",
        ) from error

    def distance(made: Tensor, truth: Tensor) -> float:
        with torch.inference_mode():
            return float(network(made[None].clamp(0, 1), truth[None], normalize=True))

    return distance
