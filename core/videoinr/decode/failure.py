"""Measures where a pair's motion was not found: the expected error of the picture in the middle of the pair.

The expected error of a point is

    D + min(G (STILL_PX + PATH_SHARE M), S)

with D the difference of the two frames warped to mid-time, G the local gradient and S the local contrast of them, and M
the length of the motion from frame to frame. D is what the two frames tell: the search found no motion that explains
both. The second term is what they cannot tell: the place is uncertain, the more so the farther things move, because the
path between the frames need not be straight. A wrong place costs its gradient, and at most its contrast.

All of it is computed from what encoding already has, on frames of about LINES lines. The measure was chosen among
twenty by rank correlation with the true error (tests/benchmarks/NOTES.md, tests/benchmarks/rank_failure.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.decode.flow import moment_at, motion_at
from videoinr.geometry import Grid
from videoinr.model.latent import LatentPair
from videoinr.model.ops import warp
from videoinr.model.representation import Features
from videoinr.model.time_laws import bend_of
from videoinr.types import PairFailure

LINES = 88
"""Lines of the frames that are compared, about."""
STILL_PX, PATH_SHARE = 0.05, 0.2
"""By how much a place is uncertain: pixels of the compared frames where nothing moves, and share of the motion."""
NEAR_PX, AROUND_PX = 5, 7
"""Sides of the windows of means and of contrast, pixels of the compared frames."""
MOST_DB = 99.0


@dataclass(frozen=True, eq=False)
class FailureMaps:
    """A measured failure on the model's device; see :class:`~videoinr.types.PairFailure`.

    Attributes:
        error: float32 [rows, columns].
        cell_px: Clip pixels along the side of a cell.
        square: float32 scalar: the mean of the squared error.
    """

    error: Tensor
    cell_px: int
    square: Tensor

    @property
    def expected_db(self) -> float:
        """The expected PSNR, dB. Waits for a GPU."""
        square = float(self.square)
        return MOST_DB if square <= 0 else min(MOST_DB, -10 * math.log10(square))

    @property
    def value(self) -> PairFailure:
        """The measure as plain values. Waits for a GPU."""
        return PairFailure(self.error.cpu().numpy().copy(), self.cell_px, self.expected_db)


@torch.inference_mode()
def measure_failure(features: Features) -> FailureMaps:
    """Measure one encoded pair.

    Args:
        features: One pair, in any form.

    Returns:
        The expected error. Nothing waits for a GPU until a value is read.
    """
    frames = features.frames[0]
    cell_px = max(1, round(min(frames.shape[-2:]) / LINES))
    small = F.avg_pool2d(frames.float(), cell_px)
    flow = _mid_flow(features, cell_px)
    first, second = warp(small[:1], flow[:, :2]), warp(small[1:], flow[:, 2:])
    both = torch.cat((first, second))
    difference = _mean((first - second).abs().mean(1, keepdim=True), NEAR_PX)
    gradient = _mean(_gradient(both).mean((0, 1))[None, None], NEAR_PX)
    spread = _mean(both.square(), AROUND_PX) - _mean(both, AROUND_PX).square()
    contrast = spread.clamp(min=0).sqrt().mean((0, 1))
    motion = (flow[:, 2:] - flow[:, :2]).norm(dim=1, keepdim=True)
    error = difference + torch.minimum(gradient * (STILL_PX + PATH_SHARE * motion), contrast)
    return FailureMaps(error[0, 0], cell_px, error.square().mean())


def _mid_flow(features: Features, cell_px: int) -> Tensor:
    """Return the flow from mid-time to both frames, [1, 4, rows, columns], in cells."""
    found = _flow_of_prior(features)
    if found is not None:
        return F.avg_pool2d(found.permute(0, 3, 1, 2).float(), cell_px) / cell_px
    height, width = (side // cell_px for side in features.frames.shape[-2:])
    if isinstance(features, LatentPair) and features.coarse is not None:
        # Only a part of the frame was encoded; the search's state above its finest level covers all of it.
        flow = features.coarse.flow.float()
        flow = F.interpolate(flow, (height, width), mode="area") * (height / flow.shape[-2])
        if features.bend is not None:
            offset = _offset(features.bend.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            flow = flow + F.interpolate(offset, (height, width), mode="area") / cell_px
        return flow
    grid = Grid(width, height)
    moment = moment_at(features.in_float32(), grid, 0.5)
    points = moment.points(grid.rect)
    return moment.latent_flow(points, motion_at(moment, points)).permute(0, 3, 1, 2) / cell_px


def _flow_of_prior(features: Features) -> Tensor | None:
    """Return the flow at mid-time [1, H, W, 4] of the motion prior of whole frames, or None where there is none."""
    if isinstance(features, LatentPair):
        is_whole, prior = features.part.rect == features.grid.rect, features.prior
    else:
        pair = features.for_kernels()
        if pair is None:
            return None
        is_whole, prior = True, pair.prior
    if not is_whole or not prior.shape[-1]:
        return None
    flow = prior[..., :4]
    return flow + _offset(prior[..., 4:]) if prior.shape[-1] > 4 else flow


def _offset(bend: Tensor) -> Tensor:
    """Return what a bend [1, h, w, 4] adds to the flow at mid-time."""
    return bend_of(bend, bend.new_full((1,), 0.5))


def _gradient(maps: Tensor) -> Tensor:
    """Return the length of the gradient of [B, C, H, W] by central differences, border replicated."""
    padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    dx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    dy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return torch.hypot(dx, dy)


def _mean(maps: Tensor, side: int) -> Tensor:
    """Return the means of [B, C, H, W] over windows of ``side`` x ``side`` pixels, inside the picture."""
    return F.avg_pool2d(maps, side, 1, side // 2, count_include_pad=False)
