"""Refines the flows that were found on a small copy of two frames, by the difference of the frames at a larger size.

The flows stay as coarse as they are; their values become finer than a pixel of the small copy. Steps:

1. A few Gauss-Newton steps (Lucas and Kanade, symmetric in both frames): both frames are warped to mid-time, and each
   window of the flows moves by what their gradients say reduces their difference.
2. A window keeps its old flow unless the new one makes the frames clearly more alike, and alike at all: what is hidden
   in one of them has no right flow.
3. A window in which hardly anything moves gets a flow of zero if that makes the frames more alike: warping would only
   blur what is at rest.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.model.warp import positions_along, sample_bicubic

STEPS = 2
WINDOW = 3
"""Side of a window, in pixels of the flows' map."""
DAMPING = 1e-4
"""Added to the squared gradients, (0 ... 2) squared: where there is hardly any texture, the flow hardly moves."""
MOST_STEP_PX = 1.0
"""The longest step, pixels of the larger frames: the difference is linear in the flow only so far."""
CLEARLY = 1.1
"""How many times smaller the difference must become for a new flow to be kept."""
ALIKE = 0.1
"""A new flow is kept only if the frames then differ by less than this on average, in 0 ... 1."""
STILL = 0.02
"""A window is still only if the frames, not warped, differ there by less than this on average, in 0 ... 1,"""
STILL_PX = 4.0
"""and if the flow found at first is shorter than this, pixels of the larger frames."""

_LUMA = (0.299, 0.587, 0.114)


def luma(planes: Tensor) -> Tensor:
    """Return the luma (BT.601 weights) of uint8 pictures [B, 3, H, W]: float32 [B, 1, H, W] in 0 ... 1."""
    weights = torch.tensor(_LUMA, device=planes.device).view(1, 3, 1, 1) / 255
    return (planes * weights).sum(1, keepdim=True)


def refined(prior: Tensor, frames: Tensor, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    """Refine the flows from mid-time to two frames.

    Args:
        prior: [1, 4, h, w], flow (x, y) to the first frame, then to the second, in pixels of its own map.
        frames: the luma of both frames, [2, 1, H, W] in 0 ... 1, H and W at least h and w.
        steps: Gauss-Newton steps, at least one.

    Returns:
        The refined flows, like ``prior``, and [1, 1, h, w]: 1 where nothing moves and 0 elsewhere.
    """
    (height, width), (h, w) = frames.shape[-2:], prior.shape[-2:]
    per_pixel = prior.new_tensor((width / w, height / h)).view(1, 2, 1, 1)
    found = torch.cat((prior[:, :2], prior[:, 2:])) * per_pixel
    moved, warped = found, _warped(frames, found)
    old = _difference(warped, (h, w))
    for _ in range(steps):
        moved = moved + _step(warped, (h, w))
        warped = _warped(frames, moved)
    new = _difference(warped, (h, w))
    is_better = (CLEARLY * new < old) & (new < ALIKE)
    least = torch.where(is_better, new, old)
    at_rest = _difference(frames, (h, w))
    is_slow = found[:1].norm(dim=1, keepdim=True) < STILL_PX
    still = ((at_rest <= least) & (at_rest < STILL) & is_slow).float()
    best = torch.where(is_better, moved, found) * (1 - still)
    return torch.cat((best / per_pixel).chunk(2), 1), still


def _step(warped: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the Gauss-Newton step of both flows, [2, 2, h, w] of ``size``, pixels of the ``warped`` frames."""
    error = (warped[0] - warped[1])[0]
    mean = F.pad((warped[0] + warped[1])[None], (1, 1, 1, 1), mode="replicate")[0, 0]
    x, y = (mean[1:-1, 2:] - mean[1:-1, :-2]) / 2, (mean[2:, 1:-1] - mean[:-2, 1:-1]) / 2
    products = torch.stack((x * x, x * y, y * y, x * error, y * error))[None]
    xx, xy, yy, xe, ye = _window_means(products, size)[0]
    xx, yy = xx + DAMPING, yy + DAMPING
    determinant = xx * yy - xy * xy
    step = torch.stack((yy * xe - xy * ye, xx * ye - xy * xe))[None] / determinant
    step = step * (MOST_STEP_PX / step.norm(dim=1, keepdim=True).clamp(min=MOST_STEP_PX))
    return torch.cat((-step, step))


def _warped(frames: Tensor, flow: Tensor) -> Tensor:
    """Warp each frame [2, 1, H, W] along its own flow [2, 2, h, w] (pixels of the frames), bicubically."""
    dense = F.interpolate(flow, frames.shape[-2:], mode="bilinear", align_corners=False)
    return sample_bicubic(frames, *positions_along(dense)).permute(0, 3, 1, 2)


def _difference(pair: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the mean absolute difference of two frames [2, 1, H, W] in each window: [1, 1, h, w]."""
    return _window_means((pair[:1] - pair[1:]).abs(), size)


def _window_means(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Average maps [1, C, H, W] over windows around each pixel of a map of ``size``: [1, C, h, w]."""
    return F.avg_pool2d(F.interpolate(maps, size, mode="area"), WINDOW, 1, WINDOW // 2, count_include_pad=False)
