"""Decodes the blend mask of an encoded pair: the share of the first frame where both warped frames are mixed."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.flow import bands, moment_at, motion_at
from videoinr.geometry import Grid, Rect
from videoinr.model.features import PairFeatures, PairMoment
from videoinr.model.latent import LatentMoment, LatentPair
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.representation import Features
from videoinr.model.warp import box_read

MOST_FIELD_PX = 2**18
"""The most pixels at which F_s is evaluated at a time: where the flow leads farther, a part of the pixels is."""


def mixes_frames(features: Features) -> bool:
    """Return whether the model of ``features`` mixes both warped frames: whether there is a blend mask."""
    return isinstance(features, PairFeatures | LatentPair) and features.model.config.blend


@torch.inference_mode()
def decode_first_share(features: Features, phase: float, token: CancelToken, *, grid: Grid, rect: Rect) -> Tensor:
    """Decode the share of the first frame in the blend of both warped frames (section 3.4).

    Args:
        features: One pair, in float32, for which :func:`mixes_frames` holds.
        phase: t, from 0 (first frame) to 1 (second frame).
        token: Cancels the work between bands of rows.
        grid: The grid of the pixels.
        rect: The pixels of the grid.

    Returns:
        float32 [rect.height, rect.width] in 0 ... 1, on the device of ``features``; the rest is the second frame's.

    Raises:
        Cancelled: ``token`` was cancelled.
        OutsidePartError: latent pixels are needed that were not encoded.
    """
    moment = moment_at(features, grid, phase)
    assert isinstance(moment, PairMoment | LatentMoment)
    rows = []
    for band in bands(rect):
        token.check()
        rows.append(_share(moment, band, token))
    return torch.cat(rows)


def _share(moment: PairMoment | LatentMoment, rect: Rect, token: CancelToken) -> Tensor:
    points = moment.points(rect)
    flow = motion_at(moment, points)
    fields = [_reached(moment, points, flow[..., way : way + 2]) for way in (0, 2)]
    if max(box.area for box in fields) > MOST_FIELD_PX and rect.area > 1:
        token.check()
        dim = 0 if rect.height >= rect.width else 1
        return torch.cat([_share(moment, half, token) for half in _halves(rect)], dim)
    share = moment.first_share(points, flow, partial(_field_at, moment))
    return share.view(rect.height, rect.width)


def _field_at(moment: PairMoment | LatentMoment, points: Points, flow: Tensor) -> Tensor:
    """Read F_s(x + M) from a map of F_s on the grid, as the decoder does (section 3.5)."""
    box = _reached(moment, points, flow)
    field = moment.spatial_feature(moment.points(box))
    return sample(field, *points.shifted_on_grid(flow), part=box, whole=moment.grid)


def _reached(moment: PairMoment | LatentMoment, points: Points, flow: Tensor) -> Rect:
    """Return the pixels of the grid that bilinear reads at x + M read; ``flow``: [1, h, w, 2]."""
    return box_read(*points.shifted_on_grid(flow), moment.grid)


def _halves(rect: Rect) -> tuple[Rect, Rect]:
    """Return both halves of ``rect``, which has two pixels or more, across its longer side."""
    if rect.height >= rect.width:
        middle = rect.y + rect.height // 2
        return (
            Rect.from_edges(rect.x, rect.y, rect.right, middle),
            Rect.from_edges(rect.x, middle, rect.right, rect.bottom),
        )
    middle = rect.x + rect.width // 2
    return (
        Rect.from_edges(rect.x, rect.y, middle, rect.bottom),
        Rect.from_edges(middle, rect.y, rect.right, rect.bottom),
    )
