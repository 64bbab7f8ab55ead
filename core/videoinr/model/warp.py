"""Sampling a map at arbitrary positions, in plain torch.

One convention holds for every map and every scale: positions are in pixels of the map, centre coordinates (0 is the
centre of the first pixel), so a flow of zero is the identity; positions outside read the border. ops.py chooses
between the functions here and the CUDA kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.geometry import Grid, Rect

_POSITIONS = 2**17
"""Positions that a table is read at in one go: their indices and weights take some 200 bytes for each."""


class Placement(NamedTuple):
    """Which pixels of a whole map an image and a flow hold.

    ``image``: those of the image that is read; ``flow``: those that the flow belongs to; ``whole``: the whole map.
    """

    image: Rect
    flow: Rect
    whole: Grid


def sample_as_table(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample one image bilinearly, as a weighted sum of rows: the fastest way on a CPU, without gradients.

    Args:
        image: [1, H, W, C].
        x: [1, h, w], pixels of ``image``.
        y: Like ``x``.

    Returns:
        [1, h, w, C].
    """
    whole = Grid(image.shape[2], image.shape[1])
    return sample_placed(image, x, y, Placement(whole.rect, whole.rect, whole))


def sample_placed(image: Tensor, x: Tensor, y: Tensor, place: Placement) -> Tensor:
    """Sample a part of one map as :func:`sample_as_table` would sample the whole map, to the bit.

    Args:
        image: [1, h, w, C], the pixels ``place.image`` of the map.
        x: [1, rows, columns], pixels of the whole map; all inside the image, or outside the map.
        y: Like ``x``.
        place: Where the image lies.

    Returns:
        [1, rows, columns, C].
    """
    table = image.reshape(place.image.area, -1).contiguous()
    flat_x, flat_y = x.flatten(), y.flatten()
    if len(flat_x) <= _POSITIONS:
        return _read_placed(table, flat_x, flat_y, place).view(*x.shape, -1)
    out, table = table.new_empty((len(flat_x), table.shape[1])), table.float()  # Once, not for each part.
    for begin in range(0, len(flat_x), _POSITIONS):
        some = slice(begin, begin + _POSITIONS)
        out[some] = _read_placed(table, flat_x[some], flat_y[some], place)
    return out.view(*x.shape, -1)


def _read_placed(table: Tensor, x: Tensor, y: Tensor, place: Placement) -> Tensor:
    """Read the positions x and y [P] of a map, of which ``table`` [R, C] holds a part: [P, C]."""
    part, whole = place.image, place.whole
    columns, rows, weights = corners(x, y, height=whole.height, width=whole.width)
    if part != whole.rect:
        columns, rows = columns.sub_(part.x).clamp_(0, part.width - 1), rows.sub_(part.y).clamp_(0, part.height - 1)
    return weighted_rows(table, rows.mul_(part.width).add_(columns), weights)


def sample_bilinear(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample ``image`` bilinearly.

    Args:
        image: [B, H, W, C].
        x: [B, h, w], pixels of ``image``.
        y: Like ``x``.

    Returns:
        [B, h, w, C], differentiable.
    """
    grid = unit_grid(x, y, height=image.shape[1], width=image.shape[2])
    sampled = F.grid_sample(image.permute(0, 3, 1, 2), grid, padding_mode="border", align_corners=False)
    return sampled.permute(0, 2, 3, 1)


def sample_bicubic(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample ``image`` bicubically (a = -0.75); for frames, not features.

    Args:
        image: [B, C, H, W], channels first, unlike the maps that :func:`sample_bilinear` reads.
        x: [B, h, w], pixels of ``image``.
        y: Like ``x``.

    Returns:
        [B, h, w, C], differentiable.
    """
    grid = unit_grid(x, y, height=image.shape[2], width=image.shape[3])
    sampled = F.grid_sample(image, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return sampled.permute(0, 2, 3, 1)


def positions_along(flow: Tensor, left: int = 0, top: int = 0) -> tuple[Tensor, Tensor]:
    """Return x and y (each [B, H, W], pixels) of every pixel moved by ``flow`` [B, 2, H, W] (pixels, x then y).

    ``left`` and ``top``: the column and row of the flow's first pixel.
    """
    height, width = flow.shape[2:]
    x = torch.arange(left, left + width, device=flow.device) + flow[:, 0].float()
    y = torch.arange(top, top + height, device=flow.device)[:, None] + flow[:, 1].float()
    return x, y


def unit_grid(x: Tensor, y: Tensor, *, height: int, width: int) -> Tensor:
    """Convert positions from pixels to the -1 ... 1 of ``grid_sample`` (``align_corners=False``).

    Args:
        x: [B, h, w], pixels of the map.
        y: Like ``x``.
        height: Of the map.
        width: Of the map.

    Returns:
        [B, h, w, 2], order (x, y).
    """
    # NaN in a flow (a training that diverges) must become a bad picture and not a crash inside grid_sample.
    return torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), dim=-1).nan_to_num()


def box_read(x: Tensor, y: Tensor, size: Grid) -> Rect:
    """Return the pixels of a map that bilinear reads at positions read, as the least box around them.

    Args:
        x: Positions of any shape, pixels of the map (centre coordinates); those outside read the border.
        y: Positions of any shape, like ``x``.
        size: The size of the map.
    """
    edges = []
    for positions, side in ((x, size.width), (y, size.height)):
        low, high = (min(max(float(edge), 0.0), side - 1.0) for edge in torch.aminmax(positions.nan_to_num()))
        edges.append((int(low), min(side, int(high) + 2)))
    (left, right), (top, bottom) = edges
    return Rect.from_edges(left, top, right, bottom)


def corners(x: Tensor, y: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Find the four neighbours of each position in a map of ``height`` x ``width``.

    Args:
        x: float32 [P], pixels.
        y: Like ``x``.
        height: Of the map.
        width: Of the map.

    Returns:
        Columns and rows (int64 [P, 4]) and bilinear weights (float32 [P, 4]); order: top-left, top-right,
        bottom-left, bottom-right.
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
    """Return weighted sums of rows of a table.

    This is ``embedding_bag``, which on a CPU takes a seventh of the time of ``grid_sample`` on the same numbers.

    Args:
        table: [R, C], float32 or half precision.
        rows: int64 [P, K], which rows are summed.
        weights: float32 [P, K].

    Returns:
        [P, C], the table's type. The sums are float32: weights of bfloat16, which has 8 bits, would not sum to 1.
    """
    sums = F.embedding_bag(rows, table.to(weights.dtype), mode="sum", per_sample_weights=weights)
    return sums.to(table.dtype)
