"""A model as three graphs of standard operations, for runtimes without torch.

    encoder   frames                        -> the maps of the encoded pair        once for a pair
    field     those maps                    -> F_s and the motion basis on a grid  once for a pair
    instant   t, frames, maps, F_s, basis   -> the picture                         once for each instant

The sizes of the frames and of the grid are fixed: the depth of the encoder's search depends on them, and runtimes plan
a graph of fixed sizes better. Warps and deformable convolutions become ONNX's GridSample, whatever this machine would
use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from videoinr.geometry import Grid
from videoinr.model.features import MotionBasis, PairFeatures
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.video_inr import VideoINR

MAPS = ("prior", "spatial", "temporal", "colour_first", "colour_second")
FIELD = ("field", "basis")
BASIS_PRIOR = "basis_prior"


@dataclass(frozen=True)
class Graph:
    """One graph: its module, an example of its inputs, and the names of inputs and outputs in their order."""

    name: str
    module: nn.Module
    example: tuple[Tensor, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class _Encoder(nn.Module):
    """Frames [1, 2, 3, H, W] in 0 ... 1 to the maps ``names``, channels last."""

    def __init__(self, model: VideoINR, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Encode the pair."""
        features = self.model.encode(frames)
        return tuple(getattr(features, name) for name in self.names)


class _OnGrid(nn.Module):
    """What the two graphs of a grid have in common: the maps that the model has, by name."""

    def __init__(self, model: VideoINR, grid: Grid, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.grid, self.names = model, grid, tuple(names)

    def features(self, frames: Tensor, maps: Sequence[Tensor]) -> PairFeatures:
        """Put the pair together; maps that the graph does not read have no channels."""
        nothing = frames.new_zeros((1, *frames.shape[-2:], 0))
        given = {name: one for name, one in zip(self.names, maps, strict=True) if name in MAPS}
        prior, spatial, temporal, colour_first, colour_second = (given.get(name, nothing) for name in MAPS)
        return PairFeatures(
            frames=frames, prior=prior, spatial=spatial, temporal=temporal, colour_first=colour_first,
            colour_second=colour_second, model=self.model,
        )  # fmt: skip

    def points(self, frames: Tensor) -> Points:
        """Return all pixels of the grid."""
        height, width = frames.shape[-2:]
        return Points.make(self.grid.rect, self.grid, latent_hw=(height, width), device=frames.device)


class _Field(_OnGrid):
    """Frames, which give the size only, and maps of the pair to F_s and the motion basis at the grid's pixels."""

    def __init__(self, model: VideoINR, grid: Grid, names: Sequence[str], size: Grid) -> None:
        super().__init__(model, grid, names)
        self.size = size

    def forward(self, *maps: Tensor) -> tuple[Tensor, ...]:
        """Compute what holds at every time."""
        frames = maps[0].new_zeros((1, 2, 3, self.size.height, self.size.width))
        features, points = self.features(frames, maps), self.points(frames)
        field = self.model.spatial_feature(features, points)
        basis = self.model.motion_basis(features, points, field)
        return (field, basis.first_sum, *((basis.prior,) if basis.prior.shape[-1] else ()))


class _Instant(_OnGrid):
    """The time [1], the frames and the maps ``names`` to the picture [1, 3, height, width] in 0 ... 1."""

    def forward(self, t: Tensor, frames: Tensor, *maps: Tensor) -> Tensor:
        """Decode one instant."""
        given = dict(zip(self.names, maps, strict=True))
        field, first_sum = given["field"], given["basis"]
        features, points = self.features(frames, maps), self.points(frames)
        t = t.view(1, 1, 1, 1)
        flow = self.model.motion(MotionBasis(first_sum, given.get(BASIS_PRIOR, first_sum[..., :0])), t)

        def sample_field(points: Points, flow: Tensor) -> Tensor:
            return sample(field, *points.shifted_on_grid(flow))

        colour = self.model.colour(features, points, flow, t, sample_field)
        return colour.permute(0, 3, 1, 2).clamp(0, 1)


def graphs_of(model: VideoINR, size: Grid, grid: Grid) -> list[Graph]:
    """Return the graphs of ``model`` for frames of ``size`` and pictures of ``grid``, in the order of their use."""
    frames = example_frames(size)
    with torch.no_grad():
        features = model.encode(frames)
        have = tuple(name for name in MAPS if getattr(features, name).shape[-1])
        encoder = Graph("encoder", _Encoder(model, have), (frames,), ("frames",), have)
        read = tuple(name for name in have if name in ("prior", "spatial", "temporal"))
        field = _Field(model, grid, read, size)
        maps = tuple(getattr(features, name) for name in read)
        made = field(*maps)
    outputs = (*FIELD, BASIS_PRIOR)[: len(made)]
    colours = tuple(name for name in have if name.startswith("colour"))
    names, values = (*colours, *outputs), (*(getattr(features, name) for name in colours), *made)
    instant = _Instant(model, grid, names)
    return [
        encoder,
        Graph("field", field, maps, read, outputs),
        Graph("instant", instant, (torch.tensor([0.375]), frames, *values), ("t", "frames", *names), ("picture",)),
    ]


def example_frames(size: Grid) -> Tensor:
    """Return a pair with motion and texture, [1, 2, 3, height, width] in 0 ... 1."""
    x, y = torch.arange(size.width), torch.arange(size.height)[:, None]
    frames = []
    for shift in (0, 2):
        waves = ((x - shift) / 5, (y + shift) / 7, (x + y - shift) / 11)
        frames.append(torch.stack([0.5 + 0.4 * torch.sin(wave.expand(size.height, size.width)) for wave in waves]))
    return torch.stack(frames)[None]
