"""Count the work, memory traffic and memory of each step for a model and a size, by running the model on fake tensors.

The model runs as in training, with torch operations only, so that the engine's optimisations do not hide work from the
count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from videoinr.benchmark.counting import Work, WorkCounter
from videoinr.geometry import Grid
from videoinr.model.building import build
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.path_bend import Outer
from videoinr.model.ops import sample
from videoinr.model.representation import Config, Features, Representation
from videoinr.model.video_inr import VideoINR

_RGBX_BYTES = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """The least cost of a step. ``pixels``: those of the clip for encoding, of the output picture for decoding.

    ``moved_bytes``: bytes that are read or written at least once. Encoding: frames, weights and features. Decoding: the
    data kept for the view and the picture; the features are small in comparison and not counted.
    """

    pixels: int
    work: Work
    moved_bytes: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.pixels, self.work + other.work, self.moved_bytes + other.moved_bytes)

    def to_dict(self) -> dict[str, float]:
        """Return plain values for JSON."""
        work, pixels = self.work, self.pixels
        return {
            "pixels": pixels,
            "macs": work.macs,
            "macs_per_pixel": work.macs / pixels,
            "sines": work.sines,
            "sines_per_pixel": work.sines / pixels,
            "gathered_values_per_pixel": work.gathered / pixels,
            "moved_bytes": self.moved_bytes,
        }


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs for one model, clip size and grid.

    ``encode``: of a pair, after the pair before it; of a model whose paths bend, with what bends them.
    ``encode_alone``: of a pair alone, for which such a model also searches both pairs beside it. ``view``: once for a
    view. ``instant``: for every instant of the view. ``feature_bytes`` and ``view_bytes``: the memory kept for a pair,
    and for a view of the whole grid.
    """

    encode: Cost
    encode_alone: Cost
    feature_bytes: int
    view: Cost
    instant: Cost
    view_bytes: int

    @property
    def first(self) -> Cost:
        """The cost of a view's first picture."""
        return self.view + self.instant


def costs_of(config: Config, clip: Grid, grids: Iterable[Grid]) -> list[Costs]:
    """Count the costs of a model.

    Args:
        config: The model's configuration.
        clip: The size of the clip, pixels.
        grids: The output grids, each decoded as a whole.

    Returns:
        The costs for each of ``grids``.
    """
    with FakeTensorMode(), torch.enable_grad():
        model = build(config).requires_grad_(False)
        frames = torch.empty((1, 2, 3, clip.height, clip.width))
        features, works, reads = _encode(model, frames)
        weights = sum(parameter.nbytes for parameter in model.parameters())
        moved = reads * frames.nbytes + weights + features.nbytes
        encode, alone = (Cost(clip.rect.area, work, moved) for work in works)
        return [Costs(encode, alone, features.nbytes, *_decode(features, grid)) for grid in grids]


def _encode(model: Representation, frames: Tensor) -> tuple[Features, tuple[Work, Work], int]:
    """Return the features, the work of a pair after others and of one alone, and how many pairs of frames it reads."""
    encoder = model.encoder
    if not isinstance(model, VideoINR) or not isinstance(encoder, MotionPriorEncoder) or not model.bends_paths:
        with WorkCounter() as encoding:
            plain = model.encode(frames)
        return plain, (encoding.work, encoding.work), 1
    beside = frames[:, 0]
    with WorkCounter() as encoding:
        features = model.encode(frames, outer=Outer(beside, beside))
    with WorkCounter() as searching:
        encoder.outline(frames)
    # In a row, the search of a neighbour is the beginning of its own encoding.
    return features, (encoding.work - searching.work - searching.work, encoding.work), 2


def _decode(features: Features, grid: Grid) -> tuple[Cost, Cost, int]:
    """Return the costs of a view and of an instant of it, and the bytes that the view holds."""
    moment = features.at(grid, torch.empty((1, 1, 1, 1)))
    points = moment.points(grid.rect)
    with WorkCounter() as viewing:
        spatial = moment.spatial_feature(moment.points(moment.grid.rect))
        basis = moment.motion_basis(points, spatial[:, : grid.height, : grid.width])
    with WorkCounter() as rendering:
        flow = moment.motion(basis)
        moment.colour(points, flow, lambda points, way: sample(spatial, *points.shifted_on_grid(way)))
    pixels, held = grid.rect.area, spatial.nbytes + sum(one.nbytes for one in basis)
    view = Cost(pixels, viewing.work, held)
    instant = Cost(pixels, rendering.work, held + _RGBX_BYTES * pixels)
    # What depends on time has to be computed anew for each instant.
    return (view, instant, held) if moment.is_time_free else (Cost(pixels, Work(), 0), view + instant, held)
