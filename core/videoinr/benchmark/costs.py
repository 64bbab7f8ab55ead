"""Count the work, memory traffic and memory of each step for a model and a size, by running the model on fake tensors.

The model runs as in training, with torch operations only, so that the engine's optimisations do not hide work from the
count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from videoinr.benchmark.counting import Work, WorkCounter
from videoinr.geometry import Grid
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.released.network import ReleasedFeatures
from videoinr.model.representation import Config, build

_CPU = torch.device("cpu")
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


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs for one model, clip size and grid.

    ``encode``: of a pair. ``view``: once for a view. ``instant``: for every instant of the view. ``feature_bytes`` and
    ``view_bytes``: the memory kept for a pair, and for a view of the whole grid.
    """

    encode: Cost
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
        model: Any = build(config).requires_grad_(False)
        frames = torch.empty((1, 2, 3, clip.height, clip.width))
        with WorkCounter() as encoding:
            features = model.encode(frames)
        weights = sum(parameter.nbytes for parameter in model.parameters())
        encode = Cost(clip.rect.area, encoding.work, frames.nbytes + weights + features.nbytes)
        return [Costs(encode, features.nbytes, *_decode(model, features, grid)) for grid in grids]


def _decode(model: Any, features: Any, grid: Grid) -> tuple[Cost, Cost, int]:
    """Return the costs of a view and of an instant, and the bytes kept for the view."""
    t = torch.empty((1, 1, 1, 1))
    # A released network's view data depends on the time, so it is computed anew for every instant.
    timeless = not isinstance(features, ReleasedFeatures)
    seen = features if timeless else features.at(grid, t)
    field_grid = grid if timeless else seen.grid
    points = _points(seen, grid)
    with WorkCounter() as viewing:
        spatial = model.spatial_feature(seen, _points(seen, field_grid))
        basis = model.motion_basis(seen, points, spatial[:, : grid.height, : grid.width])
    with WorkCounter() as rendering:
        flow = model.motion(basis, t)
        model.colour(seen, points, flow, t, lambda points, way: sample(spatial, *points.shifted_on_grid(way)))
    pixels, held = grid.rect.area, _nbytes(spatial) + _nbytes(basis)
    view = Cost(pixels, viewing.work, held)
    instant = Cost(pixels, rendering.work, held + _RGBX_BYTES * pixels)
    return (view, instant, held) if timeless else (Cost(pixels, Work(), 0), view + instant, held)


def _points(seen: Any, grid: Grid) -> Points:
    return Points.make(grid.rect, grid, latent_hw=seen.latent_hw, device=_CPU)


def _nbytes(value: Any) -> int:
    """Return the bytes of a tensor, or of all tensors in a dataclass."""
    if isinstance(value, Tensor):
        return value.nbytes
    return sum(_nbytes(getattr(value, field.name)) for field in fields(value)) if is_dataclass(value) else 0
