"""What each step has to compute, move and hold, for one model and one size: from the model itself, run without numbers.

It runs as in training, where all it does is torch's own: what an engine has at hand to be faster is to be measured
against that, and not to hide work from the count.
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
    """What a step costs at least. ``pixels``: those it works on, of the clip for encoding, else of the picture.

    ``moved_bytes``: read or written once at least: encoding, the frames, the weights and the features; decoding,
    what is kept of a view, and the picture. Of the features nothing is counted there: they are small beside it.
    """

    pixels: int
    work: Work
    moved_bytes: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.pixels, self.work + other.work, self.moved_bytes + other.moved_bytes)


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one model, clip size and grid.

    ``view``: once for a view, whatever the time; ``instant``: for every instant of it. ``feature_bytes`` and
    ``view_bytes``: what stays in memory of a pair, and of a view of all of the grid.
    """

    encode: Cost
    feature_bytes: int
    view: Cost
    instant: Cost
    view_bytes: int

    @property
    def first(self) -> Cost:
        """The first picture of a view."""
        return self.view + self.instant


def costs_of(config: Config, clip: Grid, grids: Iterable[Grid]) -> list[Costs]:
    """Of the model that ``config`` describes, for a pair of ``clip`` pixels decoded to all of each of ``grids``."""
    with FakeTensorMode(), torch.enable_grad():
        model: Any = build(config).requires_grad_(False)
        frames = torch.empty((1, 2, 3, clip.height, clip.width))
        with WorkCounter() as encoding:
            features = model.encode(frames)
        weights = sum(parameter.nbytes for parameter in model.parameters())
        encode = Cost(clip.rect.area, encoding.work, frames.nbytes + weights + features.nbytes)
        return [Costs(encode, features.nbytes, *_decode(model, features, grid)) for grid in grids]


def _decode(model: Any, features: Any, grid: Grid) -> tuple[Cost, Cost, int]:
    """The costs of a view and of an instant of it, and the bytes that the view holds."""
    t = torch.empty((1, 1, 1, 1))
    # What a released network knows of a view holds for one instant only: all of it is paid for each time.
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
    """Of a tensor, or of all tensors in a frozen value."""
    if isinstance(value, Tensor):
        return value.nbytes
    return sum(_nbytes(getattr(value, field.name)) for field in fields(value)) if is_dataclass(value) else 0
