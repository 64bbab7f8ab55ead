"""VideoINR: a pair of frames as a function of continuous space and time (paper, section 3).

    s = f(x_s, x_t)                                     eq. 1
    F_s(x) = f_s(z*, x - v*)                            eq. 2   SpatialINR, time-free
    M(x, t) = f_t(t, F_s(x))                            eq. 4   TemporalINR, two flows
    F_st(x, t) = F_s(x + M(x, t))                       eq. 6
    RGB from F_st, the latent feature and both frames   3.4     decoder

Every function takes :class:`~videoinr.model.points.Points`, the pixels of some rectangle of some grid: training
renders whole patches and the viewer renders tiles through the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from videoinr.geometry import Grid
from videoinr.model.config import ModelConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.points import Points
from videoinr.model.siren import SirenHead
from videoinr.model.warp import sample, sample_bicubic

FieldSampler = Callable[[Points, Tensor], Tensor]
"""(points, flow [B, h, w, 2] in latent pixels) -> F_s(x + flow), [B, h, w, spatial_channels]."""


@dataclass(frozen=True, eq=False)
class PairFeatures:
    """What is known of a pair once it is encoded; all that decoding needs. Channels last, float32.

    The first layers of the heads are already applied to the latent feature and both frames (see siren.py):
    ``spatial`` [B, H, W, S], ``temporal`` [B, H, W, T], ``colour_first`` and ``colour_second`` [B, H, W, D]; S, T,
    D being the heads' first widths. ``prior`` [B, H, W, 4]: flow from mid-time to each frame, latent pixels.
    ``frames`` [B, 2, 3, H, W] in 0 ... 1.
    """

    frames: Tensor
    prior: Tensor
    spatial: Tensor
    temporal: Tensor
    colour_first: Tensor
    colour_second: Tensor

    @property
    def latent_hw(self) -> tuple[int, int]:
        """Height and width of the latent feature: those of the clip."""
        return self.spatial.shape[1], self.spatial.shape[2]

    @property
    def nbytes(self) -> int:
        """Memory it holds, bytes."""
        return sum(getattr(self, field.name).nbytes for field in fields(self))


@dataclass(frozen=True, eq=False)
class MotionBasis:
    """The part of the flow at some points that does not depend on time (see :meth:`VideoINR.motion`)."""

    first_sum: Tensor
    prior: Tensor


class VideoINR(nn.Module):
    """Encoder, SpatialINR, TemporalINR and decoder as one ``config`` describes them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = MotionPriorEncoder(config.encoder)
        latent, spatial = config.encoder.feature_channels + 6, config.spatial_channels
        self.spatial_head = SirenHead((latent, 2), config.spatial_hidden, spatial)
        self.temporal_head = SirenHead((spatial, latent, 1), config.temporal_hidden, 4, last_gain=0.1)
        decoder_inputs = (spatial, spatial, latent, latent, 1)
        self.decoder_head = SirenHead(decoder_inputs, config.decoder_hidden, 4, last_gain=0.1)

    def encode(self, frames: Tensor) -> PairFeatures:
        """Frames [B, 2, 3, H, W] in 0 ... 1, any H and W -> all that decoding needs of the pair."""
        feature, prior = self.encoder(frames)
        return self.project(frames, feature, prior)

    def project(self, frames: Tensor, feature: Tensor, prior: Tensor) -> PairFeatures:
        """Apply the heads' first layers to the encoder's output (feature [B, C, H, W], prior [B, 4, H, W])."""
        latent = torch.cat((feature.float(), frames.flatten(1, 2).float()), 1).permute(0, 2, 3, 1)
        return PairFeatures(
            frames=frames.float(),
            prior=prior.permute(0, 2, 3, 1).contiguous(),
            spatial=self.spatial_head.first.project(0, latent),
            temporal=self.temporal_head.first.project(1, latent),
            colour_first=self.decoder_head.first.project(2, latent),
            colour_second=self.decoder_head.first.project(3, latent),
        )

    def spatial_feature(self, features: PairFeatures, points: Points) -> Tensor:
        """F_s(x) = f_s(z*, x - v*) (eq. 2) -> [B, h, w, spatial_channels]. Knows no time."""
        nearest = points.nearest(features.spatial)
        out: Tensor = self.spatial_head(nearest + self.spatial_head.first.project(1, points.offsets()))
        return out

    def motion_basis(self, features: PairFeatures, points: Points, spatial: Tensor) -> MotionBasis:
        """All of M(x, t) that holds at every t: F_s(x)'s and the latent feature's share, and the motion prior."""
        first_sum = self.temporal_head.first.project(0, spatial) + points.bilinear(features.temporal)
        return MotionBasis(first_sum, points.bilinear(features.prior))

    def motion(self, basis: MotionBasis, t: Tensor) -> Tensor:
        """M(x, t) = f_t(t, F_s(x)) (eq. 4) on top of the motion prior, for ``t`` [B, 1, 1, 1] in 0 ... 1.

        -> [B, h, w, 4]: flow (x, y) to the first frame, then to the second, in latent pixels whatever the grid.
        The prior holds at mid-time and is taken to grow linearly away from each frame: 2t and 2(1 - t) of it.
        """
        correction = self.temporal_head(basis.first_sum + self.temporal_head.first.project(2, t))
        grown = torch.cat((2 * t * basis.prior[..., :2], 2 * (1 - t) * basis.prior[..., 2:]), -1)
        return grown.add(correction)

    def colour(
        self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, sample_field: FieldSampler
    ) -> Tensor:
        """RGB [B, h, w, 3] (about 0 ... 1, not clamped) from what the flow brings together (eq. 6, section 3.4).

        Multi-scale aggregation: besides F_s(x + M) the decoder reads the latent feature and the frames there. It
        answers with a blend of the two warped frames and a residual on top.
        """
        head = self.decoder_head
        first_sum = head.first.project(4, t)
        warped = []
        for index, latent in enumerate((features.colour_first, features.colour_second)):
            way = flow[..., 2 * index : 2 * index + 2]
            x, y = points.shifted(way)
            first_sum = first_sum + head.first.project(index, sample_field(points, way)) + sample(latent, x, y)
            warped.append(sample_bicubic(features.frames[:, index], x, y))
        out = head(first_sum)
        first_share = torch.sigmoid(out[..., 3:] + torch.logit((1 - t).clamp(0.02, 0.98)))
        blend: Tensor = torch.lerp(warped[1], warped[0], first_share) + out[..., :3]
        return blend

    def render(self, features: PairFeatures, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Whole frames [B, 3, grid.height, grid.width] at ``times`` (each [B]): frame synthesis, section 3.5.

        F_s is evaluated once on the grid and that map is warped for every time. Memory grows with the grid: for
        training and evaluation; the viewer decodes regions (region_decoder.py).
        """
        points = Points.make(grid.rect, grid, latent_hw=features.latent_hw, device=features.spatial.device)
        spatial = self.spatial_feature(features, points)
        basis = self.motion_basis(features, points, spatial)

        def sample_field(points: Points, flow: Tensor) -> Tensor:
            return sample(spatial, *points.shifted_on_grid(flow))

        frames = []
        for time in times:
            t = time.view(-1, 1, 1, 1)
            flow = self.motion(basis, t)
            frames.append(self.colour(features, points, flow, t, sample_field).permute(0, 3, 1, 2))
        return frames
