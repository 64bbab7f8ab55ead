"""Decodes the motion of an encoded pair: the flow from an instant to both source frames."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.geometry import Grid, Rect
from videoinr.model.features import PairFeatures
from videoinr.model.points import Points
from videoinr.model.released.lattice import on_map
from videoinr.model.released.network import ReleasedFeatures, ReleasedMoment, ReleasedVideoINR
from videoinr.model.representation import Features, Representation
from videoinr.model.video_inr import VideoINR

_BAND_PX = 2**15
"""Pixels that are computed at a time; the token is checked between bands of so many."""


@torch.inference_mode()
def decode_flow(model: Representation, features: Features, phase: float, token: CancelToken) -> Tensor:
    """Decode M(x, t) (eq. 4) at the centre of every clip pixel.

    Args:
        model: the model that encoded ``features``.
        features: one pair, in float32.
        phase: t, from 0 (first frame) to 1 (second frame).
        token: cancels the work between bands of rows.

    Returns:
        float32 [2, height, width, 2] of the clip's size, on the device of ``features``: the flow to the first frame
        and to the second, each (x, y) in latent pixels. The pixel at x at time t shows what the first frame shows at
        x + flow[0] and what the second frame shows at x + flow[1].

    Raises:
        Cancelled: ``token`` was cancelled.
    """
    height, width = features.frames.shape[-2:]
    t = torch.full((1, 1, 1, 1), phase, device=features.frames.device)
    rows = []
    for band in _bands(Grid(width, height)):
        token.check()
        rows.append(_band_flow(model, features, Grid(width, height), band, t))
    return torch.cat(rows, 1).view(height, width, 2, 2).permute(2, 0, 1, 3).contiguous()


def _band_flow(model: Representation, features: Features, grid: Grid, band: Rect, t: Tensor) -> Tensor:
    """Return the flows of the pixels ``band``: [1, height, width, 4], order (x, y) to the first frame, then second."""
    if isinstance(model, ReleasedVideoINR):
        assert isinstance(features, ReleasedFeatures)
        return _released_flow(model, features.at(grid, t), band)
    assert isinstance(model, VideoINR)
    assert isinstance(features, PairFeatures)
    points = Points.make(band, grid, latent_hw=features.latent_hw, device=t.device)
    basis = model.motion_basis(features, points, model.spatial_feature(features, points))
    return model.motion(basis, t)


def _released_flow(model: ReleasedVideoINR, moment: ReleasedMoment, band: Rect) -> Tensor:
    """Return how far from each pixel the released network reads, as its lattice counts, in latent pixels."""
    points, lattice = moment.points(band), moment.lattice
    flow = model.motion_basis(moment, points, model.spatial_feature(moment, points))
    height, width = moment.latent_hw
    columns, rows = points.columns.index, points.rows.index[:, None]
    moved = [
        on_map(axis.moved(index, flow[..., channel]), size) - on_map(axis.centres(index), size)
        for channel, (axis, index, size) in enumerate(
            2 * ((lattice.columns, columns, width), (lattice.rows, rows, height))
        )
    ]
    return torch.stack(moved, -1)


def _bands(grid: Grid) -> Iterator[Rect]:
    rows = max(1, _BAND_PX // grid.width)
    for top in range(0, grid.height, rows):
        yield Rect(0, top, grid.width, min(rows, grid.height - top))
