"""What the model passes from step to step: an encoded pair, that pair at one time, and the time-free terms of its flow.

Coordinates: a *latent pixel* is one pixel of the latent feature, which has the size of the source frames. All maps are
channels last, [B, H, W, C], but for the frames, which are [B, 2, 3, H, W].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Protocol, Self

import torch
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.model.config import ModelConfig
from videoinr.model.points import Points
from videoinr.model.siren import SirenHead

FieldSampler = Callable[[Points, Tensor], Tensor]
"""(points, flow [B, h, w, 2] in latent pixels, order (x, y)) -> F_s at the points moved by the flow (eq. 6),
[B, h, w, spatial_channels]. Training, tiles and queries of single points each bring one."""


class MotionBasis(NamedTuple):
    """The terms of M(x, t) (eq. 4) that hold at every t, at the pixels of some rectangle.

    ``first_sum`` [B, h, w, T]: what F_s(x) and the latent feature contribute to TemporalINR's first layer.
    ``prior`` [B, h, w, 4 or 8]: the encoder's motion prior, latent pixels; no channels where the encoder gives none.
    """

    first_sum: Tensor
    prior: Tensor


class PairHeads(Protocol):
    """The heads of a :class:`~videoinr.model.video_inr.VideoINR`: all that the CUDA kernels read of it."""

    @property
    def config(self) -> ModelConfig:
        """Sizes and switches of the model."""

    @property
    def spatial_head(self) -> SirenHead:
        """SpatialINR, f_s (eq. 2); a model with a single network has none."""

    @property
    def temporal_head(self) -> SirenHead:
        """TemporalINR, f_t (eq. 4); a model without flow has none."""

    @property
    def decoder_head(self) -> SirenHead:
        """The decoder (section 3.4)."""


class PairModel(PairHeads, Protocol):
    """The formulae of a :class:`~videoinr.model.video_inr.VideoINR`; see there."""

    def spatial_feature(self, features: PairFeatures, points: Points) -> Tensor:
        """Evaluate F_s(x) (eq. 2).

        Args:
            features: The encoded pairs.
            points: The h x w pixels x of a rectangle.

        Returns:
            [B, h, w, spatial_channels]; see :meth:`videoinr.model.video_inr.VideoINR.spatial_feature`.
        """

    def motion_basis(self, features: PairFeatures, points: Points, spatial: Tensor) -> MotionBasis:
        """Compute the terms of M(x, t) (eq. 4) that hold at every t.

        Args:
            features: The encoded pairs.
            points: The h x w pixels x of a rectangle.
            spatial: F_s(x), [B, h, w, spatial_channels].

        Returns:
            What :meth:`motion` reads; see :meth:`videoinr.model.video_inr.VideoINR.motion_basis`.
        """

    def motion(self, basis: MotionBasis, t: Tensor) -> Tensor:
        """Compute M(x, t) = f_t(t, F_s(x)) (eq. 4).

        Args:
            basis: As :meth:`motion_basis` returned it.
            t: float32 in 0 ... 1: [B or 1, 1, 1, 1], or for each row [1, h, 1, 1] or column [1, 1, w, 1] its own.

        Returns:
            [B, h, w, 4]: flow (x, y) to the first frame, then (x, y) to the second, in latent pixels.
        """

    def colour(
        self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, sample_field: FieldSampler
    ) -> Tensor:
        """Compute RGB from what both ends of the flow read (eq. 6, section 3.4).

        Args:
            features: The encoded pairs.
            points: The h x w pixels x of a rectangle.
            flow: M, as :meth:`motion` returned it.
            t: float32 in 0 ... 1: [B or 1, 1, 1, 1], or for each row [1, h, 1, 1] or column [1, 1, w, 1] its own.
            sample_field: Reads F_s where the flow leads.

        Returns:
            [B, h, w, 3], about 0 ... 1, not clamped.
        """

    def first_share(
        self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, sample_field: FieldSampler
    ) -> Tensor:
        """Compute the share of the first frame in the blend of both warped frames: [B, h, w, 1].

        See :meth:`videoinr.model.video_inr.VideoINR.first_share`.
        """

    def render(self, features: PairFeatures, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Render whole frames (section 3.5); see :meth:`videoinr.model.video_inr.VideoINR.render`."""


@dataclass(frozen=True, eq=False)
class EncodedMaps:
    """The maps of encoded pairs, by name: what they take, and a copy of them. Channels last, [B, H, W, C]."""

    MAP_NAMES: ClassVar[tuple[str, ...]]

    spatial: Tensor
    """The term of z* in SpatialINR's first layer, [B, H, W, S]; its H and W are those of the latent feature."""

    @property
    def latent_hw(self) -> tuple[int, int]:
        """Height and width of the latent feature, in latent pixels."""
        return self.spatial.shape[1], self.spatial.shape[2]

    @property
    def nbytes(self) -> int:
        """Bytes of all maps together."""
        return sum(one.nbytes for one in self.tensors().values())

    def tensors(self) -> dict[str, Tensor]:
        """Return all maps by their names."""
        return {name: getattr(self, name) for name in self.MAP_NAMES}

    def clone(self) -> Self:
        """Return a copy with memory of its own."""
        return replace(self, **{name: one.clone() for name, one in self.tensors().items()})


@dataclass(frozen=True, eq=False)
class PairFeatures(EncodedMaps):
    """B encoded pairs: all that decoding needs of them. A :class:`~videoinr.model.representation.Features`.

    The first layers of the heads are already applied to the latent feature and the frames (siren.py says why that is
    allowed); S, T and D are the heads' first hidden widths. A map that the config makes no use of, or that its
    encoder does not give, has no channels.

    Attributes:
        frames: The source frames, float32 [B, 2, 3, H, W] in 0 ... 1.
        prior: Motion prior [B, H, W, 4]: flow from mid-time to the first frame (x, y), then to the second (x, y),
            in latent pixels. Or [B, H, W, 8], if the encoder also read the frames beside the pair: then the bend of the
            path, c1 (x, y) and c2 (x, y) of :func:`videoinr.model.time_laws.bend_of`.
        spatial: The latent feature's term of SpatialINR's first layer [B, H, W, S]; not F_s, which also needs x - v*.
        temporal: The latent feature's term of TemporalINR's first layer [B, H, W, T].
        colour_first: Its term of the decoder's first layer, where the flow to the first frame leads [B, H, W, D].
        colour_second: The same for the second frame [B, H, W, D].
        model: The model that encoded the pairs, and whose heads decode them.
        origin: (x, y) of the first latent pixel of the maps. They may hold a rectangle of the frame only; ``frames``
            are always whole.

    All maps are float32, except ``temporal``, ``colour_first`` and ``colour_second`` after :meth:`compact`.
    """

    MAP_NAMES = ("frames", "prior", "spatial", "temporal", "colour_first", "colour_second")

    frames: Tensor
    prior: Tensor
    temporal: Tensor
    colour_first: Tensor
    colour_second: Tensor
    model: PairModel
    origin: tuple[int, int] = (0, 0)

    @property
    def latent_hw(self) -> tuple[int, int]:
        """Height and width of the latent feature of whole frames, in latent pixels."""
        return self.frames.shape[-2], self.frames.shape[-1]

    def compact(self) -> PairFeatures:
        """Return the pairs with the maps that the CUDA decoder reads most often in half precision.

        That is, ``temporal``, ``colour_first`` and ``colour_second``, which every time reads at four corners for
        either end of the flow. ``spatial``, read once for a view, and ``prior``, which positions depend on, stay
        float32. The compact form of the compact form is itself.
        """
        return self._with_maps(torch.float16)

    def in_float32(self) -> PairFeatures:
        """Return the pairs with all maps in float32, as the plain formulae need them."""
        return self._with_maps(torch.float32)

    def _with_maps(self, dtype: torch.dtype) -> PairFeatures:
        names = ("temporal", "colour_first", "colour_second")
        return replace(self, **{name: getattr(self, name).to(dtype) for name in names})

    def for_kernels(self) -> PairFeatures:
        """Return the pairs: the CUDA decoder's kernels compute the formulae of :class:`VideoINR`."""
        return self

    def at(self, grid: Grid, t: Tensor) -> PairMoment:
        """Return the pairs at time ``t`` on ``grid``; see :meth:`videoinr.model.representation.Features.at`."""
        return PairMoment(self, grid, t)

    def render(self, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Render whole frames; see :meth:`videoinr.model.representation.Features.render`."""
        return self.model.render(self, grid, times)


class TimeFreeMoment:
    """What moments of our own models have in common: F_s holds at every time, and flow is in latent pixels."""

    __slots__ = ()

    @property
    def is_time_free(self) -> bool:
        """True: neither F_s nor the motion basis depends on t."""
        return True

    def latent_flow(self, points: Points, flow: Tensor) -> Tensor:
        """Return ``flow`` [B, h, w, 4], which is in latent pixels already."""
        del points
        return flow


@dataclass(frozen=True, eq=False, slots=True)
class PairMoment(TimeFreeMoment):
    """Encoded pairs at one time on one grid. A :class:`~videoinr.model.representation.Moment`; see there."""

    features: PairFeatures
    grid: Grid
    t: Tensor

    def points(self, rect: Rect) -> Points:
        """Return the pixels ``rect`` of the grid."""
        latent_hw, device = self.features.latent_hw, self.features.spatial.device
        return Points.make(rect, self.grid, latent_hw=latent_hw, device=device)

    def spatial_feature(self, points: Points) -> Tensor:
        """Evaluate F_s(x) (eq. 2)."""
        return self.features.model.spatial_feature(self.features, points)

    def motion_basis(self, points: Points, spatial: Tensor) -> MotionBasis:
        """Compute the terms of M(x, t) that hold at every t; see :meth:`PairModel.motion_basis`."""
        return self.features.model.motion_basis(self.features, points, spatial)

    def motion(self, basis: tuple[Tensor, ...]) -> Tensor:
        """Compute M(x, t) (eq. 4)."""
        return self.features.model.motion(MotionBasis(*basis), self.t)

    def colour(self, points: Points, flow: Tensor, sample_field: FieldSampler) -> Tensor:
        """Compute RGB (eq. 6, section 3.4); see :meth:`PairModel.colour`."""
        return self.features.model.colour(self.features, points, flow, self.t, sample_field)

    def first_share(self, points: Points, flow: Tensor, sample_field: FieldSampler) -> Tensor:
        """Compute the share of the first frame in the blend of both warped frames: [B, h, w, 1] in 0 ... 1."""
        return self.features.model.first_share(self.features, points, flow, self.t, sample_field)
