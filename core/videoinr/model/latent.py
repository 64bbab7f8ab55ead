"""An encoded pair as its latent feature: a third of the memory of the projected maps, which are made part by part.

:class:`~videoinr.model.features.PairFeatures` holds the latent feature after the first layer of each head: five maps.
For large frames these take gigabytes. A :class:`LatentPair` keeps the latent feature itself, perhaps of a part of the
frame only, and projects what a tile reads. The maps that every instant reads again, those of the decoder, are kept for
a region of the frame (projected_regions.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.images import tensor_from_planes
from videoinr.model.encoders.motion_prior_bands import EncodedPart
from videoinr.model.encoders.path_bend import CoarseSearch
from videoinr.model.features import FieldSampler, MotionBasis, PairFeatures, PairModel, TimeFreeMoment
from videoinr.model.head_inputs import DECODER_LATENTS, SPATIAL_LATENT, TEMPORAL_LATENT
from videoinr.model.ops import resize
from videoinr.model.points import Points
from videoinr.model.projected_regions import BLOCK, OutsidePartError, ProjectedRegions, blocks_over
from videoinr.model.warp import box_read

_KERNEL_PX = 2**18
"""Latent pixels that are projected at a time for the CUDA kernels: in float32 they take some 250 MB for ``base``."""


@dataclass(frozen=True, eq=False)
class LatentPair:
    """One encoded pair. A :class:`~videoinr.model.representation.Features`.

    Attributes:
        planes: The source frames [1, 2, 3, H, W], float32 in 0 ... 1, or uint8: a quarter of the memory.
        part: The encoded pixels: latent feature (float32, or float16 on CUDA) and motion prior.
        coarse: The state of the search from which other pixels can be encoded; None if all are.
        model: The model that encoded the pair, and whose heads decode it.
        regions: Keeps the projected maps.
        bend: How the paths of whole frames bend, at half the size, [1, 4, h, w]; None: they are straight.
    """

    planes: Tensor
    part: EncodedPart
    coarse: CoarseSearch | None
    model: PairModel
    regions: ProjectedRegions
    bend: Tensor | None = None

    @property
    def frames(self) -> Tensor:
        """The source frames as what decodes them reads them: float32 [1, 2, 3, H, W] in 0 ... 1."""
        return self.regions.frames(self)

    @property
    def latent_hw(self) -> tuple[int, int]:
        """Height and width of the latent feature of whole frames, in latent pixels."""
        return self.planes.shape[3], self.planes.shape[4]

    @property
    def grid(self) -> Grid:
        """The size of the frames."""
        return Grid(self.planes.shape[4], self.planes.shape[3])

    @property
    def prior(self) -> Tensor:
        """The motion prior of the encoded part, [1, h, w, 4 or 8]."""
        return self.part.prior

    @property
    def nbytes(self) -> int:
        """Bytes that the pair takes, without what ``regions`` keeps: projected maps and frames as floats."""
        more = sum(one.nbytes for one in (self.coarse, self.bend) if one is not None)
        return sum(one.nbytes for one in self.tensors().values()) + more

    def tensors(self) -> dict[str, Tensor]:
        """Return the frames and the maps of the encoded part by their names."""
        return {"frames": self.planes, "feature": self.part.feature, "prior": self.part.prior}

    def clone(self) -> LatentPair:
        """Return a copy with memory of its own."""
        part = replace(self.part, feature=self.part.feature.clone(), prior=self.part.prior.clone())
        return replace(self, planes=self.planes.clone(), part=part)

    def bent(self, bend: Tensor) -> LatentPair:
        """Return the pair with paths that bend: ``bend`` [1, 4, h, w] is of whole frames, at half the size."""
        rows, columns = self.part.rect.slices
        whole = resize(bend, (self.latent_hw[0], self.latent_hw[1]))[..., rows, columns].permute(0, 2, 3, 1)
        prior = torch.cat((self.part.prior[..., :4], whole), -1)
        return replace(self, part=replace(self.part, prior=prior), bend=bend)

    def compact(self) -> LatentPair:
        """Return the pair, whose latent feature has the type that suits the device already."""
        return self

    def in_float32(self) -> LatentPair:
        """Return the pair: whatever is projected from it is float32."""
        return self

    def for_kernels(self) -> PairFeatures | None:
        """Return None: the kernels read projected maps (:meth:`projected`)."""
        return None

    def at(self, grid: Grid, t: Tensor) -> LatentMoment:
        """Return the pair at time ``t`` on ``grid``; see :meth:`videoinr.model.representation.Features.at`."""
        return LatentMoment(self, grid, t)

    def render(self, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Render whole frames; see :meth:`videoinr.model.representation.Features.render`."""
        return self.projected(self.grid.rect).render(grid, times)

    def projected(self, rect: Rect, *, colour: bool = True, view: bool = True) -> PairFeatures:
        """Return the projected maps of the latent pixels ``rect``; raises OutsidePartError.

        Args:
            rect: Latent pixels.
            colour: Project for the decoder's head.
            view: Project for SpatialINR and TemporalINR.
        """
        frames, model = self.frames, self.model
        nothing = frames.new_empty((1, rect.height, rect.width, 0))
        config, maps = model.config, [nothing] * 4
        if view:
            single = config.single_network
            head = model.temporal_head if single else model.spatial_head
            weights = [head.first.weight_of(SPATIAL_LATENT)]
            if config.flow and not single:
                weights.append(model.temporal_head.first.weight_of(TEMPORAL_LATENT))
            maps[: len(weights)] = self._project(weights, rect)
        if colour and config.multi_scale:
            maps[2:] = self._project([model.decoder_head.first.weight_of(index) for index in DECODER_LATENTS], rect)
        prior = self.part.prior
        if prior.shape[-1]:
            rows, columns = rect.relative_to(self.part.rect).slices
            prior = prior[:, rows, columns].contiguous()
        return PairFeatures(
            frames=frames, prior=prior, spatial=maps[0], temporal=maps[1], colour_first=maps[2],
            colour_second=maps[3], model=model, origin=(rect.x, rect.y),
        )  # fmt: skip

    def kernel_maps(self, rect: Rect) -> PairFeatures:
        """Return the maps of the latent pixels ``rect`` that the CUDA kernels read at every time, in half precision.

        Frames and prior are those of ``rect``, too. :meth:`kernel_spatial` gives the map for F_s.
        """
        model, whole = self.model, rect == self.grid.rect
        rows, columns = rect.slices
        weights = [model.temporal_head.first.weight_of(TEMPORAL_LATENT)]
        weights += [model.decoder_head.first.weight_of(index) for index in DECODER_LATENTS]
        maps = [self.frames.new_empty((1, rect.height, rect.width, len(one)), dtype=torch.float16) for one in weights]
        count = max(1, _KERNEL_PX // rect.width)
        for top in range(0, rect.height, count):
            latent = self._latent(Rect(rect.x, rect.y + top, rect.width, min(count, rect.height - top)))
            for one, weight in zip(maps, weights, strict=True):
                one[0, top : top + len(latent)] = F.linear(latent.half(), weight.half())
        return PairFeatures(
            frames=self.frames if whole else self.frames[..., rows, columns].contiguous(),
            prior=self.part.prior if whole else self.part.prior[:, rows, columns].contiguous(),
            spatial=self.frames.new_empty((1, rect.height, rect.width, 0)),
            temporal=maps[0], colour_first=maps[1], colour_second=maps[2], model=model, origin=(rect.x, rect.y),
        )  # fmt: skip

    def kernel_spatial(self, rect: Rect) -> PairFeatures:
        """Return the map from which the CUDA kernel evaluates F_s, of the latent pixels ``rect``; no other map."""
        nothing = self.frames.new_empty((1, rect.height, rect.width, 0))
        spatial = F.linear(self._latent(rect), self.model.spatial_head.first.weight_of(SPATIAL_LATENT))[None]
        return PairFeatures(
            frames=self.frames, prior=nothing, spatial=spatial, temporal=nothing, colour_first=nothing,
            colour_second=nothing, model=self.model, origin=(rect.x, rect.y),
        )  # fmt: skip

    def _latent(self, rect: Rect) -> Tensor:
        """Return the latent feature with the frames' channels, float32 [h, w, C + 6]; all of it must be encoded."""
        rows, columns = rect.slices
        frames = tensor_from_planes(self.planes[0].flatten(0, 1)[:, rows, columns]).permute(1, 2, 0)
        return torch.cat((self.part.feature[0, rows, columns].float(), frames), -1)

    def project_blocks(self, weights: Sequence[Tensor], blocks: Rect) -> list[Tensor]:
        """Project whole blocks.

        Args:
            weights: For each result, [outputs, C + 6].
            blocks: Columns and rows of blocks.

        Returns:
            For each of ``weights``, float32 [1, BLOCK * blocks.height, BLOCK * blocks.width, outputs]. Pixels that were
            not encoded have no meaning.
        """
        rect = Rect(BLOCK * blocks.x, BLOCK * blocks.y, BLOCK * blocks.width, BLOCK * blocks.height)
        channels = self.part.feature.shape[-1] + 6
        latent = self.planes.new_zeros((rect.height, rect.width, channels), dtype=torch.float32)
        there = rect.intersection(self.part.rect)
        if there is not None:
            to, source, frame = there.relative_to(rect).slices, there.relative_to(self.part.rect).slices, there.slices
            latent[to][..., :-6] = self.part.feature[0][source]
            planes = self.planes[0].flatten(0, 1)[:, frame[0], frame[1]]
            latent[to][..., -6:] = tensor_from_planes(planes).permute(1, 2, 0)
        split = latent.view(blocks.height, BLOCK, blocks.width, BLOCK, channels).transpose(1, 2)
        rows = split.reshape(-1, BLOCK * BLOCK, channels)
        found = []
        for weight in weights:
            out = torch.bmm(rows, weight.t().expand(len(rows), -1, -1))
            out = out.view(blocks.height, blocks.width, BLOCK, BLOCK, -1).transpose(1, 2)
            found.append(out.reshape(1, rect.height, rect.width, -1))
        return found

    def _project(self, weights: Sequence[Tensor], rect: Rect) -> list[Tensor]:
        if not self.part.rect.contains(rect):
            raise OutsidePartError(rect)
        blocks = blocks_over(rect)
        inside = rect.relative_to(Rect(BLOCK * blocks.x, BLOCK * blocks.y, 1, 1)).slices
        return [one[:, inside[0], inside[1]].contiguous() for one in self.project_blocks(weights, blocks)]


@dataclass(frozen=True, eq=False, slots=True)
class LatentMoment(TimeFreeMoment):
    """A latent pair at one time on one grid. A :class:`~videoinr.model.representation.Moment`; see there."""

    features: LatentPair
    grid: Grid
    t: Tensor

    def points(self, rect: Rect) -> Points:
        """Return the pixels ``rect`` of the grid."""
        return Points.make(rect, self.grid, latent_hw=self.features.latent_hw, device=self.features.planes.device)

    def spatial_feature(self, points: Points) -> Tensor:
        """Evaluate F_s(x) (eq. 2)."""
        part = self.features.projected(self._around(points), colour=False)
        return part.model.spatial_feature(part, points)

    def motion_basis(self, points: Points, spatial: Tensor) -> MotionBasis:
        """Compute the terms of M(x, t) that hold at every t; see :meth:`PairModel.motion_basis`."""
        part = self.features.projected(self._around(points), colour=False)
        return part.model.motion_basis(part, points, spatial)

    def motion(self, basis: tuple[Tensor, ...]) -> Tensor:
        """Compute M(x, t) (eq. 4)."""
        return self.features.model.motion(MotionBasis(*basis), self.t)

    def colour(self, points: Points, flow: Tensor, sample_field: FieldSampler) -> Tensor:
        """Compute RGB (eq. 6, section 3.4); see :meth:`PairModel.colour`."""
        rect = _reached(points, flow, self.features.grid)
        part = self.features.regions.colour(self.features, rect)
        return part.model.colour(part, points, flow, self.t, sample_field)

    def first_share(self, points: Points, flow: Tensor, sample_field: FieldSampler) -> Tensor:
        """Compute the share of the first frame in the blend of both warped frames: [1, h, w, 1] in 0 ... 1."""
        part = self.features.projected(_reached(points, flow, self.features.grid), view=False)
        return part.model.first_share(part, points, flow, self.t, sample_field)

    def _around(self, points: Points) -> Rect:
        """Return the latent pixels that a bilinear read of ``points`` reads."""
        edges = []
        for axis in (points.columns, points.rows):
            before, after, _ = axis.neighbours()
            edges.append((int(before[0]), int(after[-1]) + 1))
        (left, right), (top, bottom) = edges
        return Rect.from_edges(left, top, right, bottom)


def _reached(points: Points, flow: Tensor, grid: Grid) -> Rect:
    """Return the latent pixels that bilinear reads at both ends of ``flow`` [1, h, w, 4] read."""
    flow = flow.nan_to_num()
    first, second = points.shifted(flow[..., :2]), points.shifted(flow[..., 2:])
    return box_read(torch.stack((first[0], second[0])), torch.stack((first[1], second[1])), grid)
