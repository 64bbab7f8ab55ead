"""Cut windows out of a flat tensor of bytes on its device.

There are no loader processes: a step of a small model takes a few milliseconds, faster than the CPU could make batches.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoinr.training.data.windows import Windows


def upload(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """Copy a small array to ``device`` without waiting for the copy."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def cut(flat: Tensor, windows: Windows, size: int) -> tuple[Tensor, Tensor]:
    """Cut out windows, rotated and flipped as drawn.

    One transfer to the device, and one index per pixel instead of one per byte.

    Args:
        flat: The store's bytes, uint8 [N].
        windows: Where the windows' pixels are.
        size: Side of the windows, pixels.

    Returns:
        (images float32 [B, 2 + E + K, 3, size, size] in 0 ... 1, times float32 [B, K] in 0 ... 1).
    """
    images = windows.firsts.shape[1]
    arrays = (windows.firsts, windows.row_steps, windows.column_steps, windows.lengths, windows.inside)
    packed = upload(np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1), flat.device)
    firsts, (rows, columns, lengths) = packed[:, :images], packed[:, images : images + 3, None].unbind(1)
    inside = packed[:, images + 3 :]
    side = torch.arange(size, device=flat.device)
    within = (side * rows)[:, :, None] + (side * columns)[:, None, :]
    index = firsts[:, :, None, None] + within[:, None]
    pixels = flat.as_strided((len(flat) - 2, 3), (1, 1))[index]
    # The divisor lies on the device: for a Python number, CUDA multiplies by its reciprocal, which rounds differently.
    white = torch.full((), 255.0, device=flat.device)
    return pixels.permute(0, 1, 4, 2, 3).contiguous().float().div_(white), inside.float().div_(lengths)
