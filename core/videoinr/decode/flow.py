"""Decodes the motion of an encoded pair: the flow from an instant to both source frames."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.geometry import Grid, Rect
from videoinr.model.representation import Features

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
    moment = features.at(grid, torch.full((1, 1, 1, 1), phase, device=features.frames.device))
    rows = []
    for band in bands(rect):
        token.check()
        points = moment.points(band)
        flow = moment.motion(moment.motion_basis(points, moment.spatial_feature(points)))
        rows.append(moment.latent_flow(points, flow))
    return torch.cat(rows, 1).view(rect.height, rect.width, 2, 2).permute(2, 0, 1, 3).contiguous()


def bands(rect: Rect) -> Iterator[Rect]:
    """Split ``rect`` into bands of whole rows that are computed at a time."""
    rows = max(1, _BAND_PX // rect.width)
    for top in range(rect.y, rect.bottom, rows):
        yield Rect(rect.x, top, rect.width, min(rows, rect.bottom - top))
