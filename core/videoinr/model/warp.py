"""Sampling a map at arbitrary positions: centre coordinates in the map's own pixels, borders extended.

One convention for every map and every scale: zero flow is the identity, and what lies outside reads the border.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.model import kernels


def sample(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Bilinear: [B, H, W, C] at x, y, each [B, h, w] -> [B, h, w, C]. Differentiable in all three."""
    if image.device.type == "cpu" and not torch.is_grad_enabled() and len(image) == 1:
        height, width = image.shape[1:3]
        columns, rows, weights = corners(x.flatten(), y.flatten(), height=height, width=width)
        return weighted_rows(image.view(height * width, -1), rows * width + columns, weights).view(*x.shape, -1)
    if kernels.serve(image):
        from videoinr.model.kernels import sample as fused

        return fused.sample(image, x, y)
    grid = unit_grid(x, y, height=image.shape[1], width=image.shape[2])
    sampled = F.grid_sample(image.permute(0, 3, 1, 2), grid, padding_mode="border", align_corners=False)
    return sampled.permute(0, 2, 3, 1)


def sample_bicubic(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Bicubic (a = -0.75): [B, C, H, W] at x, y, each [B, h, w] -> [B, h, w, C]; for pictures, not features."""
    grid = unit_grid(x, y, height=image.shape[2], width=image.shape[3])
    sampled = F.grid_sample(image, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return sampled.permute(0, 2, 3, 1)


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Bilinear backward warp: [B, C, H, W] read at x + flow, ``flow`` [B, 2, H, W] in pixels, order (x, y)."""
    height, width = image.shape[2:]
    x = torch.arange(width, device=flow.device) + flow[:, 0].float()
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1].float()
    if kernels.serve(image):
        return sample(image.permute(0, 2, 3, 1), x, y).permute(0, 3, 1, 2)
    grid = unit_grid(x, y, height=height, width=width)
    return F.grid_sample(image.float(), grid, padding_mode="border", align_corners=False).to(image.dtype)


def unit_grid(x: Tensor, y: Tensor, *, height: int, width: int) -> Tensor:
    """Positions x, y [B, h, w] (pixels, centre coordinates) as grid_sample wants them: [B, h, w, 2] in -1 ... 1."""
    # A flow that is not a number (training gone wrong) must become a bad picture, not a crash inside grid_sample.
    return torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), dim=-1).nan_to_num()


def corners(x: Tensor, y: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """The four neighbours of each position x, y (float32 [P], pixels, centre coordinates; borders extended).

    Returns columns and rows (int64 [P, 4]) and weights (float32 [P, 4]); order: top-left, top-right, bottom-left,
    bottom-right.
    """
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    right_weight, bottom_weight = x - left, y - top
    left_index, top_index = left.long(), top.long()
    right_index, bottom_index = (left_index + 1).clamp(max=width - 1), (top_index + 1).clamp(max=height - 1)
    columns = torch.stack((left_index, right_index, left_index, right_index), dim=-1)
    rows = torch.stack((top_index, top_index, bottom_index, bottom_index), dim=-1)
    horizontal = torch.stack((1 - right_weight, right_weight), dim=-1)
    vertical = torch.stack((1 - bottom_weight, bottom_weight), dim=-1)
    return columns, rows, (vertical[:, :, None] * horizontal[:, None, :]).flatten(1)


def weighted_rows(table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    """Sum of rows of ``table`` [R, C], picked by ``rows`` [P, K] and weighted by ``weights`` [P, K] -> [P, C].

    A bag of embeddings is exactly this, and on a CPU seven times as fast as grid_sample on the same numbers.
    """
    return F.embedding_bag(rows, table, mode="sum", per_sample_weights=weights)
