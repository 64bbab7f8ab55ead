"""Decodes the motion of an encoded pair: the flow from an instant to both source frames."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.geometry import Grid, Rect
from videoinr.model.points import Points
from videoinr.model.representation import Features, Moment

_BAND_PX = 2**15
"""Pixels that are computed at a time; the token is checked between bands of so many."""


@torch.inference_mode()
def decode_flow(
    features: Features, phase: float, token: CancelToken, *, grid: Grid | None = None, rect: Rect | None = None
) -> Tensor:
    """Decode M(x, t) (eq. 4) at the centre of every clip pixel, or of the pixels of another grid.

    Args:
        features: One pair, in float32.
        phase: t, from 0 (first frame) to 1 (second frame).
        token: Cancels the work between bands of rows.
        grid: The grid of the pixels; None is the clip's own.
        rect: The pixels of the grid; None is all of them.

    Returns:
        float32 [2, height, width, 2] of the size of ``rect``, on the device of ``features``: the flow to the first
        frame and to the second, each (x, y) in latent pixels whatever the grid. The pixel at x at time t shows what the
        first frame shows at x + flow[0] and what the second frame shows at x + flow[1].

    Raises:
        Cancelled: ``token`` was cancelled.
    """
    height, width = features.frames.shape[-2:]
    grid = grid or Grid(width, height)
    rect = rect or grid.rect
    moment = moment_at(features, grid, phase)
    rows = []
    for band in bands(rect):
        token.check()
        points = moment.points(band)
        rows.append(moment.latent_flow(points, motion_at(moment, points)))
    return torch.cat(rows, 1).view(rect.height, rect.width, 2, 2).permute(2, 0, 1, 3).contiguous()


def moment_at(features: Features, grid: Grid, phase: float) -> Moment:
    """Return one encoded pair at ``phase``, 0 (first frame) ... 1 (second frame), on ``grid``."""
    return features.at(grid, torch.full((1, 1, 1, 1), phase, device=features.frames.device))


def motion_at(moment: Moment, points: Points) -> Tensor:
    """Compute M(x, t) (eq. 4) at ``points`` without anything that is kept of them: [1, h, w, 4], see Moment.motion."""
    return moment.motion(moment.motion_basis(points, moment.spatial_feature(points)))


def bands(rect: Rect) -> Iterator[Rect]:
    """Split ``rect`` into bands of whole rows that are computed at a time."""
    rows = max(1, _BAND_PX // rect.width)
    for top in range(rect.y, rect.bottom, rows):
        yield Rect(rect.x, top, rect.width, min(rows, rect.bottom - top))
