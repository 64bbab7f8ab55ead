"""Cuts windows out of one flat tensor of bytes, on the device that it lies on.

No loader processes: a step of a small model takes a few milliseconds, and nothing on the CPU side could keep up.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoinr.training.data.windows import Windows


def upload(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """A small array on ``device``, without waiting for it to get there."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def cut(flat: Tensor, windows: Windows, size: int) -> tuple[Tensor, Tensor]:
    """-> (images float32 [B, 2 + K, 3, size, size] in 0 ... 1, times float32 [B, K]).

    ``flat``: uint8 [N]. One transfer, and an index for every pixel (not every byte), which also turns and flips.
    """
    images = windows.firsts.shape[1]
    parts = (windows.firsts, windows.row_steps, windows.column_steps, windows.lengths, windows.inside)
    packed = upload(np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1), flat.device)
    firsts, (rows, columns, lengths) = packed[:, :images], packed[:, images : images + 3, None].unbind(1)
    inside = packed[:, images + 3 :]
    side = torch.arange(size, device=flat.device)
    within = (side * rows)[:, :, None] + (side * columns)[:, None, :]
    index = firsts[:, :, None, None] + within[:, None]
    pixels = flat.as_strided((len(flat) - 2, 3), (1, 1))[index]
    # The divisor lies on the device: for a Python number, CUDA multiplies by its reciprocal, which rounds differently.
    white = torch.full((), 255.0, device=flat.device)
    return pixels.permute(0, 1, 4, 2, 3).contiguous().float().div_(white), inside.float().div_(lengths)
