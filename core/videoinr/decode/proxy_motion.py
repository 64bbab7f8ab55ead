"""The motion of a pair of frames, found on a proxy: a small copy of both.

The whole model costs seconds for a pair of large frames on a CPU. On a proxy of some 14,000 pixels it costs a tenth of
a second, whatever the frames' size. What is wanted of it is not the picture but the flows and the share of each frame
in the blend; frame_warp.py applies them to the frames at their own size.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.decode.motion_refinement import luma, refined
from videoinr.geometry import Grid, LinePhases
from videoinr.images import shrink
from videoinr.model.features import PairFeatures, PairMoment
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.representation import Representation
from videoinr.model.time_laws import bend_of, prior_growth

PROXY_PX = 14_000
"""Pixels of a proxy: a quarter of the lines of frames of 640x352."""
REFINING_PX = 230_000
"""Pixels of the copy of the frames on which the flows are refined: all of 640x352."""
KEY_PHASES = 8
"""The model's heads are evaluated at so many times of a pair, and at its end; a drag then costs no evaluation."""
QUICKER = 4
"""How many times fewer pixels both have where the motion is wanted quickly."""
QUICK_STEPS = 1
"""Steps of the refinement there: a second one is worth 0.04 dB, a third nothing."""


def size_within(clip: Grid, pixels: int) -> Grid:
    """Return the largest size of ``clip``'s shape with about ``pixels`` pixels, no larger than ``clip``."""
    return clip.scaled(min(1.0, math.sqrt(pixels / clip.rect.area)))


@dataclass(frozen=True, eq=False)
class MotionMaps:
    """The motion of a pair at one time, on the proxy's pixels, channels last.

    Attributes:
        flow: [1, h, w, 4]: flow (x, y) to the first frame, then to the second, in pixels of the proxy.
        share: [1, h, w, 1] in 0 ... 1: the first frame's share in the blend.
    """

    flow: Tensor
    share: Tensor

    def bent(self, bend: Tensor, frames: Grid, t: Tensor) -> MotionMaps:
        """Return the motion along paths that bend.

        Args:
            bend: [1, 4, h, w] of whole frames at any size, in pixels of the frames (time_laws.py).
            frames: The frames' size.
            t: The time, 0 ... 1: [1, 1, 1, 1], or for each row [1, h, 1, 1] or column [1, 1, w, 1] its own.
        """
        height, width = self.flow.shape[1:3]
        small = F.interpolate(bend, (height, width), mode="bilinear", antialias=True)
        scale = bend.new_tensor([width / frames.width, height / frames.height]).repeat(2)
        return replace(self, flow=self.flow + bend_of(small.permute(0, 2, 3, 1) * scale, t))


class PairMotion(ABC):
    """The motion of a pair of frames at every time between them.

    Attributes:
        still: [1, h, w, 1], 1 where nothing moves, 0 elsewhere.
    """

    still: Tensor

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of all maps together."""

    @abstractmethod
    def at(self, phase: float) -> MotionMaps:
        """Return the motion at ``phase``, 0 (first frame) ... 1 (second frame)."""

    @torch.inference_mode()
    def at_lines(self, lines: LinePhases, grid: Grid) -> MotionMaps:
        """Return the motion at the phases of ``lines``, lines of ``grid``: that of each of the proxy's own lines."""
        along = 2 if lines.is_sideways else 1
        count, whole = self.still.shape[along], grid.width if lines.is_sideways else grid.height
        phases = lines.spread(whole, count)
        maps = [self.at(phase) for phase in phases]
        return MotionMaps(
            torch.cat([one.flow.narrow(along, line, 1) for line, one in enumerate(maps)], along),
            torch.cat([one.share.narrow(along, line, 1) for line, one in enumerate(maps)], along),
        )


@dataclass(frozen=True, eq=False)
class PriorMotion(PairMotion):
    """The motion prior alone: it grows linearly with the time since each frame, and the frames are blended by time.

    Attributes:
        prior: [1, h, w, 4], as the encoder found it and the refinement left it; zeros where nothing moves.
        still: see :class:`PairMotion`.
    """

    prior: Tensor
    still: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of both maps."""
        return self.prior.nbytes + self.still.nbytes

    @torch.inference_mode()
    def at(self, phase: float) -> MotionMaps:
        """Return the motion at ``phase``, 0 (first frame) ... 1 (second frame)."""
        growth = prior_growth(torch.tensor([phase], dtype=torch.float64)).to(self.prior)
        return MotionMaps(self.prior * growth, torch.full_like(self.still, 1 - phase))


@dataclass(frozen=True, eq=False)
class ProxyMotion(PairMotion):
    """What the model's heads say of the motion, on the motion prior.

    Attributes:
        features: the encoded proxy.
        spatial: F_s at the proxy's pixels, [1, h, w, C].
        basis: the terms of M(x, t) that hold at every t.
        still: [1, h, w, 1], 1 where nothing moves, 0 elsewhere.
        keys: the motion at the phases asked for so far, of KEY_PHASES: flows and shares change smoothly with time.
    """

    features: PairFeatures
    spatial: Tensor
    basis: tuple[Tensor, ...]
    still: Tensor
    keys: dict[int, MotionMaps] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of all maps together."""
        keys = 5 * (KEY_PHASES + 1) * self.still.nbytes
        return self.features.nbytes + keys + sum(one.nbytes for one in (self.spatial, self.still, *self.basis))

    @torch.inference_mode()
    def at(self, phase: float) -> MotionMaps:
        """Return the motion at ``phase``, 0 (first frame) ... 1 (second frame), read between two key phases."""
        before = min(int(phase * KEY_PHASES), KEY_PHASES - 1)
        weight = phase * KEY_PHASES - before
        one, other = self._key(before), self._key(before + 1)
        return MotionMaps(torch.lerp(one.flow, other.flow, weight), torch.lerp(one.share, other.share, weight))

    def _key(self, number: int) -> MotionMaps:
        if number not in self.keys:
            self.keys[number] = self._evaluated(number / KEY_PHASES)
        return self.keys[number]

    def _evaluated(self, phase: float) -> MotionMaps:
        moment, points = _moment(self.features, phase)
        flow = moment.motion(self.basis) * (1 - self.still)
        share = moment.first_share(points, flow, lambda at, way: sample(self.spatial, *at.shifted_on_grid(way)))
        return MotionMaps(flow, torch.lerp(share, torch.full_like(share, 1 - phase), self.still))


@torch.inference_mode()
def find_motion(model: Representation, planes: Tensor, clip: Grid, *, half: bool, quick: bool = False) -> PairMotion:
    """Find the motion between two frames.

    Args:
        model: a model that warps frames (:attr:`~videoinr.model.representation.Representation.warps_frames`).
        planes: both frames, uint8 [2, 3, H, W], on the model's device.
        clip: their size.
        half: run the encoder in half precision where it may.
        quick: take less than a third of the time: a smaller proxy, and the motion prior alone if the encoder gives one.
    """
    fewer = QUICKER if quick else 1
    proxy = (shrink(planes, size_within(clip, PROXY_PX // fewer)).float() / 255)[None]
    frames = luma(shrink(planes, size_within(clip, REFINING_PX // fewer)))
    prior = model.motion_prior(proxy, half=half) if quick else None
    if prior is not None:
        prior, still = refined(prior, frames, QUICK_STEPS)
        return PriorMotion(prior.permute(0, 2, 3, 1).contiguous(), still.permute(0, 2, 3, 1))
    features = model.encode(proxy, half=half)
    assert isinstance(features, PairFeatures)
    still = features.spatial.new_zeros((*features.spatial.shape[:3], 1))
    if features.prior.shape[-1]:
        prior, still = refined(features.prior.permute(0, 3, 1, 2), frames)
        features = replace(features, prior=prior.permute(0, 2, 3, 1).contiguous())
        still = still.permute(0, 2, 3, 1)
    moment, points = _moment(features, 0.5)
    spatial = moment.spatial_feature(points)
    return ProxyMotion(features, spatial, tuple(moment.motion_basis(points, spatial)), still)


def _moment(features: PairFeatures, phase: float) -> tuple[PairMoment, Points]:
    """Return the encoded proxy at ``phase``, and all its pixels."""
    height, width = features.latent_hw
    grid = Grid(width, height)
    moment = features.at(grid, torch.full((1, 1, 1, 1), phase, device=features.spatial.device))
    return moment, moment.points(grid.rect)
