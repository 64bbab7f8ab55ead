"""Optical flow for the flicker measure: Lucas and Kanade's, iterated, from coarse to fine.

The measure asks of two pairs of pictures whether they move alike, so what matters is that the same estimator, with
no randomness and no learned weights, sees both. This one needs torch alone and gives the same anywhere.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.evaluation.metrics import gaussian, luma

WINDOW_SIGMA_PX = 3.0
COARSEST_SIDE_PX = 8
MAX_LEVELS = 6
ITERATIONS = 4
NOISE = 0.5 / 255
"""Gradients below half a level say nothing: there the flow of the coarser level stands."""


def flow_difference(first: Tensor, second: Tensor) -> float:
    """Mean over pixels of \\|dx\\| + \\|dy\\| between two flows [2, H, W], pixels: tOF of TecoGAN (Chu et al. 2020)."""
    return float((first - second).abs().sum(0).mean())


def optical_flow(first: Tensor, second: Tensor) -> Tensor:
    """Flow [2, H, W] (x, y), pixels, with second(p + flow(p)) = first(p), of two pictures [3, H, W] in 0 ... 1."""
    pyramid = _pyramid(torch.stack((luma(first), luma(second)))[:, None])
    flow = torch.zeros((1, 2, *pyramid[-1].shape[-2:]), device=first.device)
    for level in reversed(pyramid):
        coarse = _resized(flow, level.shape[-2], level.shape[-1])
        flow = _better(level[:1], level[1:], coarse, _refined(level[:1], level[1:], coarse))
    return flow[0]


def _pyramid(images: Tensor) -> list[Tensor]:
    """[2, 1, H, W] and its halves, finest first, down to a short side of about 8 pixels."""
    levels = [images.float()]
    count = min(MAX_LEVELS, 1 + int(math.log2(max(1, min(images.shape[-2:]) / COARSEST_SIDE_PX))))
    for _ in range(count - 1):
        height, width = ((side + 1) // 2 for side in levels[-1].shape[-2:])
        levels.append(F.interpolate(levels[-1], (height, width), mode="bilinear", antialias=True))
    return levels


def _resized(flow: Tensor, height: int, width: int) -> Tensor:
    """``flow`` on a grid of another size, its lengths in that grid's pixels."""
    ratios = flow.new_tensor([width / flow.shape[-1], height / flow.shape[-2]]).view(1, 2, 1, 1)
    return F.interpolate(flow, (height, width), mode="bilinear", align_corners=False) * ratios


def _refined(first: Tensor, second: Tensor, flow: Tensor) -> Tensor:
    """``flow`` after some Gauss-Newton steps at one level: each solves the 2 x 2 normal equations of its window."""
    dx, dy = _gradient(first)
    xx, xy, yy = _blurred(torch.cat((dx * dx, dx * dy, dy * dy), 1)).chunk(3, 1)
    xx, yy = xx + NOISE**2, yy + NOISE**2
    inverse = 1 / (xx * yy - xy * xy)
    for _ in range(ITERATIONS):
        moved, inside = _read_at(second, flow)
        error = (first - moved) * inside
        x, y = _blurred(torch.cat((dx * error, dy * error), 1)).chunk(2, 1)
        step = torch.cat((yy * x - xy * y, xx * y - xy * x), 1) * inverse
        # A linear model of the picture holds for about a pixel.
        flow = flow + step.clamp(-1, 1)
    return flow


def _better(first: Tensor, second: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """At each pixel the flow whose window fits better: a step too far must not be carried to the finer levels."""
    errors = [_blurred((first - _read_at(second, flow)[0]).square()) for flow in (one, other)]
    return torch.where(errors[1] <= errors[0], other, one)


def _gradient(image: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along x and y of [1, 1, H, W]."""
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    dx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    dy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return dx, dy


def _blurred(maps: Tensor) -> Tensor:
    """Gaussian mean of [1, C, H, W] over each pixel's window, borders extended."""
    radius = math.ceil(2.5 * WINDOW_SIGMA_PX)
    weights = gaussian(WINDOW_SIGMA_PX, radius).to(maps.device, maps.dtype)
    flat = maps.transpose(0, 1)
    rows = F.conv2d(F.pad(flat, (0, 0, radius, radius), mode="replicate"), weights.view(1, 1, -1, 1))
    both = F.conv2d(F.pad(rows, (radius, radius, 0, 0), mode="replicate"), weights.view(1, 1, 1, -1))
    return both.transpose(0, 1)


def _read_at(image: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """[1, 1, H, W] read bilinearly at p + flow, and 1 where that lies inside the picture, else 0."""
    height, width = image.shape[-2:]
    x = torch.arange(width, device=flow.device) + flow[:, 0]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    grid = torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), -1)
    moved = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
    return moved, (grid.abs() <= 1).all(-1)[:, None].float()
