"""What every kind of model offers to the code that encodes, caches and decodes pairs.

    Representation.encode(frames)  -> Features   a pair, encoded once
    Features.at(grid, t)           -> Moment     that pair at one time, on the grid of the picture
    Moment.spatial_feature, .motion_basis, .motion, .colour   the steps from there to RGB

Two kinds of model implement this: :class:`~videoinr.model.video_inr.VideoINR`, the paper's formulae, and
:class:`~videoinr.model.released.network.ReleasedVideoINR`, the network that the paper's authors released. Features know
the model that encoded them, so nobody can decode them with another one. building.py makes a model from its config.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn

from videoinr.geometry import Grid, Rect
from videoinr.model.config import ModelConfig
from videoinr.model.features import FieldSampler, PairFeatures
from videoinr.model.points import Points
from videoinr.model.released.config import ReleasedConfig

Config = ModelConfig | ReleasedConfig
"""What a model card stores of a model."""


class Moment(Protocol):
    """An encoded pair at one time on one grid.

    Decoding a rectangle goes through its methods in the order in which they stand here. F_s is evaluated on
    :attr:`grid`; a caller keeps F_s and the motion basis for other times if :attr:`is_time_free`.
    """

    @property
    def grid(self) -> Grid:
        """The grid on which F_s is evaluated: the picture's, or one that reaches past its right and lower edge."""

    @property
    def is_time_free(self) -> bool:
        """Whether F_s and the motion basis are the same at every time, as in the paper."""

    def points(self, rect: Rect) -> Points:
        """Return the pixels ``rect`` of :attr:`grid`."""

    def spatial_feature(self, points: Points) -> Tensor:
        """Evaluate F_s(x) (eq. 2): [B, h, w, spatial_channels]."""

    def motion_basis(self, points: Points, spatial: Tensor) -> tuple[Tensor, ...]:
        """Compute the terms of M(x, t) that hold as long as F_s does.

        Args:
            points: The pixels of a rectangle.
            spatial: F_s at these pixels, [B, h, w, spatial_channels].

        Returns:
            Some maps [B, h, w, C], which only :meth:`motion` understands.
        """

    def motion(self, basis: tuple[Tensor, ...]) -> Tensor:
        """Compute M(x, t) (eq. 4) from its basis.

        Returns:
            [B, h, w, 4]: flow (x, y) to the first frame, then (x, y) to the second, in the unit that
            :meth:`colour` reads (:meth:`latent_flow` converts it).
        """

    def colour(self, points: Points, flow: Tensor, sample_field: FieldSampler) -> Tensor:
        """Compute RGB from what both ends of the flow read (eq. 6, section 3.4).

        Args:
            points: The pixels of a rectangle.
            flow: What :meth:`motion` returned for them.
            sample_field: Reads F_s where the flow leads.

        Returns:
            [B, h, w, 3], about 0 ... 1, not clamped.
        """

    def latent_flow(self, points: Points, flow: Tensor) -> Tensor:
        """Convert a flow from the unit of :meth:`motion` to latent pixels.

        Args:
            points: The pixels of a rectangle.
            flow: What :meth:`motion` returned for them, [B, h, w, 4].

        Returns:
            [B, h, w, 4], latent pixels: (x, y) to the first frame, then (x, y) to the second.
        """


class Features(Protocol):
    """One or more encoded pairs: all that decoding needs of them."""

    @property
    def frames(self) -> Tensor:
        """The source frames, float32 [B, 2, 3, H, W] in 0 ... 1."""

    @property
    def latent_hw(self) -> tuple[int, int]:
        """Height and width of the latent feature, in latent pixels."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the features take."""

    def tensors(self) -> dict[str, Tensor]:
        """Return all maps by their names."""

    def clone(self) -> Features:
        """Return a copy with memory of its own."""

    def compact(self) -> Features:
        """Return the features in the form that takes the CUDA decoder the least time to read."""

    def in_float32(self) -> Features:
        """Return the features as the plain formulae need them; undoes :meth:`compact` but for its rounding."""

    def for_kernels(self) -> PairFeatures | None:
        """Return the maps that the CUDA decoder's kernels read; None for a model whose formulae are others."""

    def at(self, grid: Grid, t: Tensor) -> Moment:
        """Return the pairs at one time.

        Args:
            grid: The grid of the picture.
            t: float32 [B or 1, 1, 1, 1] in 0 ... 1; 0 is the first frame, 1 the second. If the moment is
                :attr:`~Moment.is_time_free`, also [1, h, 1, 1] or [1, 1, w, 1]: the times of the rows, or of the
                columns, of the one rectangle that is decoded.
        """

    def render(self, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Render whole frames, in memory that grows with the grid; the viewer decodes regions instead.

        Args:
            grid: The size of the frames.
            times: Times in 0 ... 1, each float32 [B].

        Returns:
            For each time, float32 [B, 3, grid.height, grid.width], about 0 ... 1, not clamped.
        """


class Representation(nn.Module, ABC):
    """A model that encodes pairs of frames as functions of continuous space and time."""

    config: Config
    encoder: nn.Module

    can_record_encoding: ClassVar[bool]
    """Whether encoding may be recorded as a CUDA graph (decode/cuda_encoder.py)."""

    @abstractmethod
    def encode(self, frames: Tensor, *, half: bool = False, whole: Grid | None = None) -> Features:
        """Encode pairs of frames.

        Args:
            frames: [B, 2, 3, H, W] in 0 ... 1, any H and W.
            half: Run the encoder's convolutions in half precision where :meth:`encodes_in_half` allows it.
            whole: The size of the frames that ``frames`` are a crop of, if they are one: a crop is searched as deep as
                its whole frames, so that both find the same motion.

        Returns:
            Features that keep a reference to this model.
        """

    def motion_prior(self, frames: Tensor, *, half: bool = False) -> Tensor | None:
        """Compute the flows at mid-time alone, for a small part of the cost of :meth:`encode`.

        Args:
            frames, half: As for :meth:`encode`.

        Returns:
            [B, 4, H, W]: flow (x, y) to the first frame, then (x, y) to the second, latent pixels. None if the model's
            encoder finds no motion by itself.
        """
        del frames, half
        return None

    @property
    def bends_paths(self) -> bool:
        """Whether the motion prior of a pair has eight channels where the frames beside the pair were read."""
        return False

    @property
    @abstractmethod
    def warps_frames(self) -> bool:
        """Whether pictures are made of the source frames, warped along M and blended.

        The features of such a model are :class:`~videoinr.model.features.PairFeatures`.
        """

    @abstractmethod
    def encodes_in_half(self, device: torch.device) -> bool:
        """Whether :meth:`encode` honours ``half`` on ``device``."""
