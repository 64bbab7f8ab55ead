"""Modulated deformable convolution: its parameters, and its computation in plain torch.

Each of the nine taps of a 3x3 kernel reads the map where an offset says, bilinearly, and is weighted by a mask. The
code here runs on any device and has gradients; ops.py says where torchvision or a CUDA kernel takes its place.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAPS = 9
"""Taps of a 3x3 kernel, row by row."""
CPU_BAND_BYTES = 8 * 2**20
"""Bytes read for one band of rows on a CPU: about the size of its caches. Twice as fast as all rows at once."""
GPU_BAND_BYTES = 256 * 2**20
"""Bytes read for one band of rows on other devices: few launches, bounded memory."""


class DeformableParameters(nn.Module):
    """The parameters of a deformable convolution, ``channels`` to ``channels``.

    At first no tap is moved and every mask is 1/2.
    """

    def __init__(self, channels: int, groups: int) -> None:
        """Initialise for ``groups`` groups of channels, each of which has offsets and masks of its own."""
        super().__init__()
        self.groups = groups
        self.offsets_and_masks = nn.Conv2d(channels, 3 * TAPS * groups, 3, 1, 1)
        self.weight = nn.Parameter(torch.empty(channels, channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(channels))
        bound = (channels * TAPS) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.zeros_(self.offsets_and_masks.weight)
        nn.init.zeros_(self.offsets_and_masks.bias)  # type: ignore[arg-type]


def plain_deformable_conv(
    x: Tensor,
    offsets: Tensor,
    masks: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    product: torch.dtype | None = None,
    band_bytes: int = CPU_BAND_BYTES,
) -> Tensor:
    """Compute a deformable convolution, one band of rows at a time.

    Args:
        x, offsets, masks, weight, bias: As of :func:`videoinr.model.ops.deformable_conv`.
        product: The type of the factors of the matrix product; without it, the type of ``x``.
        band_bytes: How much the taps of one band may read.

    Returns:
        [B, D, H, W]. Taps outside ``x`` read zeros. Differentiable in all five tensors.
    """
    batch, channels, height, width = x.shape
    bytes_per_row = 4 * batch * channels * TAPS * width
    rows = max(1, band_bytes // bytes_per_row)
    product = product or x.dtype
    kernel = weight.flatten(1).to(product)
    bands = []
    for top in range(0, height, rows):
        band = slice(top, min(top + rows, height))
        read = _read_taps(x, offsets[:, :, band], masks[:, :, band], top=top, dtype=product)
        bands.append(torch.matmul(kernel, read).view(batch, len(kernel), -1, width))
    return (bands[0] if len(bands) == 1 else torch.cat(bands, 2)) + bias[:, None, None]


def _read_taps(x: Tensor, offsets: Tensor, masks: Tensor, *, top: int, dtype: torch.dtype) -> Tensor:
    """Read the taps of the n rows from ``top`` on, times their masks.

    ``offsets`` is [B, G * 18, n, W], ``masks`` [B, G * 9, n, W]. Returns [B, C * 9, n * W] of ``dtype``.
    """
    batch, _, height, width = x.shape
    groups, rows = masks.shape[1] // TAPS, masks.shape[2]
    tap = torch.arange(TAPS, device=x.device)[:, None, None]
    columns = torch.arange(width, device=x.device) + tap % 3
    lines = torch.arange(top, top + rows, device=x.device)[:, None] + tap // 3
    moved = offsets.reshape(batch * groups, TAPS, 2, rows, width)
    # Pixel p of n lies at (2p + 1) / n - 1. The terms that need no gradient are computed on one row and one column.
    unit_x = torch.add((2 * columns - 1) / width - 1, moved[:, :, 1], alpha=2 / width)
    unit_y = torch.add((2 * lines - 1) / height - 1, moved[:, :, 0], alpha=2 / height)
    grid = torch.stack((unit_x, unit_y), -1).view(batch * groups, TAPS * rows, width, 2)
    maps = x.reshape(batch * groups, -1, height, width)
    read = F.grid_sample(maps, grid, padding_mode="zeros", align_corners=False).to(dtype)
    weights = masks.to(dtype).reshape(batch * groups, 1, TAPS, rows, width)
    read = read.view(batch * groups, -1, TAPS, rows, width) * weights
    return read.view(batch, -1, rows * width)
