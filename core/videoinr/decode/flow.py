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
def decode_flow(features: Features, phase: float, token: CancelToken) -> Tensor:
    """Decode M(x, t) (eq. 4) at the centre of every clip pixel.

    Args:
        features: One pair, in float32.
        phase: t, from 0 (first frame) to 1 (second frame).
        token: Cancels the work between bands of rows.

    Returns:
        float32 [2, height, width, 2] of the clip's size, on the device of ``features``: the flow to the first frame
        and to the second, each (x, y) in latent pixels. The pixel at x at time t shows what the first frame shows at
        x + flow[0] and what the second frame shows at x + flow[1].

    Raises:
        Cancelled: ``token`` was cancelled.
    """
    height, width = features.frames.shape[-2:]
    grid = Grid(width, height)
    moment = features.at(grid, torch.full((1, 1, 1, 1), phase, device=features.frames.device))
    rows = []
    for band in _bands(grid):
        token.check()
        points = moment.points(band)
        flow = moment.motion(moment.motion_basis(points, moment.spatial_feature(points)))
        rows.append(moment.latent_flow(points, flow))
    return torch.cat(rows, 1).view(height, width, 2, 2).permute(2, 0, 1, 3).contiguous()


def _bands(grid: Grid) -> Iterator[Rect]:
    """Split ``grid`` into bands of whole rows."""
    rows = max(1, _BAND_PX // grid.width)
    for top in range(0, grid.height, rows):
        yield Rect(0, top, grid.width, min(rows, grid.height - top))
