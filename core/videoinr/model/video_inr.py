"""VideoINR: a pair of frames as a function of continuous space and time (paper, section 3).

    s = f(x_s, x_t)                                     eq. 1
    F_s(x) = f_s(z*, x - v*)                            eq. 2   SpatialINR, time-free
    M(x, t) = f_t(t, F_s(x))                            eq. 4   TemporalINR, two flows
    F_st(x, t) = F_s(x + M(x, t))                       eq. 6
    RGB from F_st, the latent feature and both frames   3.4     decoder

Eq. 4 names F_s alone: f_t also reads the latent feature and the frames at x, as the released heads do, and the
decoder t. The config's switches say what of this is there: a motion prior and a blend of the warped frames besides
(the shipped models), neither (the paper), or less (its ablations).

Every function takes :class:`~videoinr.model.points.Points`, the pixels of some rectangle of some grid: training
renders whole patches and the viewer renders tiles through the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from videoinr.devices import half_type
from videoinr.geometry import Grid
from videoinr.model.config import EncoderConfig, ModelConfig, MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.zooming_slowmo import ZoomingSlowMoEncoder
from videoinr.model.features import MotionBasis, PairFeatures
from videoinr.model.maps import concat
from videoinr.model.ops import render_fused, sample
from videoinr.model.points import Points
from videoinr.model.siren import SirenHead
from videoinr.model.warp import sample_bicubic

FieldSampler = Callable[[Points, Tensor], Tensor]
"""(points, flow [B, h, w, 2] in latent pixels) -> F_s(x + flow), [B, h, w, spatial_channels]."""


class VideoINR(nn.Module):
    """Encoder, SpatialINR, TemporalINR and decoder as one ``config`` describes them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = _encoder(config.encoder)
        latent, spatial = config.encoder.feature_channels + 6, config.spatial_channels
        # A head that corrects starts almost silent; one that answers by itself starts as SIREN prescribes.
        flow_gain = 0.1 if isinstance(config.encoder, MotionPriorConfig) else 1.0
        if config.single_network:
            self.temporal_head = SirenHead((latent, 2, 1), config.temporal_hidden, 4, last_gain=flow_gain)
        else:
            self.spatial_head = SirenHead((latent, 2), config.spatial_hidden, spatial)
        if config.flow and not config.single_network:
            self.temporal_head = SirenHead((spatial, latent, 1), config.temporal_hidden, 4, last_gain=flow_gain)
        field, seen = 0 if config.single_network else spatial, latent if config.multi_scale else 0
        outputs, colour_gain = (4, 0.1) if config.blend else (3, 1.0)
        decoder_inputs = (field, field, seen, seen, 1)
        self.decoder_head = SirenHead(decoder_inputs, config.decoder_hidden, outputs, last_gain=colour_gain)

    def encode(self, frames: Tensor, *, half: bool = False) -> PairFeatures:
        """Frames [B, 2, 3, H, W] in 0 ... 1, any H and W -> all that decoding needs of the pair.

        ``half``: the encoder's convolutions in half precision (:func:`~videoinr.devices.half_type`), where
        :func:`encodes_in_half` says so, on a CPU all but the exact ones. The heads stay in float32.
        """
        device = frames.device
        half = half and encodes_in_half(self.config.encoder, device)
        with torch.autocast(device.type, half_type(device), enabled=half):
            feature, prior = self.latent(frames)
        return self.project(frames, feature, prior)

    def latent(self, frames: Tensor) -> tuple[Tensor, Tensor | None]:
        """The encoder's feature [B, C, H, W] and, if it is of the kind that gives one, motion prior [B, 4, H, W]."""
        if isinstance(self.encoder, MotionPriorEncoder):
            feature, prior = self.encoder(frames)
            return feature, prior
        return self.encoder(frames), None

    def project(self, frames: Tensor, feature: Tensor, prior: Tensor | None) -> PairFeatures:
        """Apply the heads' first layers to the encoder's output (feature [B, C, H, W], prior [B, 4, H, W])."""
        latent = concat((feature, frames.flatten(1, 2)), torch.float32).permute(0, 2, 3, 1)
        config, decoder, nothing = self.config, self.decoder_head.first, latent[..., :0]
        nearest_head = self.temporal_head if config.single_network else self.spatial_head
        bilinear = config.flow and not config.single_network
        return PairFeatures(
            frames=frames.float(),
            prior=nothing if prior is None else prior.permute(0, 2, 3, 1).contiguous(),
            spatial=nearest_head.first.project(0, latent),
            temporal=self.temporal_head.first.project(1, latent) if bilinear else nothing,
            colour_first=decoder.project(2, latent) if config.multi_scale else nothing,
            colour_second=decoder.project(3, latent) if config.multi_scale else nothing,
        )

    def spatial_feature(self, features: PairFeatures, points: Points) -> Tensor:
        """F_s(x) = f_s(z*, x - v*) (eq. 2) -> [B, h, w, spatial_channels]. Knows no time.

        With a single network there is no F_s; what it knows before it is told t, its first layer's share of z* and
        x - v*, stands in its place.
        """
        return self._at_nearest(points.nearest(features.spatial), points.offsets())

    def field_at(self, features: PairFeatures, points: Points, flow: Tensor) -> Tensor:
        """F_s(x + M) as eq. 6 says, evaluated there and not read off a map -> [B, h, w, spatial_channels].

        ``flow``: [B, h, w, 2] latent pixels. A :data:`FieldSampler`, given ``features``. The field ends at the
        picture's edges: beyond them it is what it is at the edge.
        """
        (height, width), (x, y) = features.latent_hw, points.shifted(flow)
        x, y = x.clamp(-0.5, width - 0.5), y.clamp(-0.5, height - 0.5)
        column, row = ((x + 0.5).floor().clamp(max=width - 1), (y + 0.5).floor().clamp(max=height - 1))
        pair = torch.arange(len(features.spatial), device=x.device)[:, None, None]
        nearest = features.spatial[pair, row.long(), column.long()]
        return self._at_nearest(nearest, 2 * torch.stack((x - column, y - row), -1))

    def _at_nearest(self, nearest: Tensor, offsets: Tensor) -> Tensor:
        """F_s from the first layer's share of z* and 2 (x - v*), order (x, y)."""
        if self.config.single_network:
            return nearest + self.temporal_head.first.project(1, offsets)
        out: Tensor = self.spatial_head(nearest + self.spatial_head.first.project(1, offsets))
        return out

    def motion_basis(self, features: PairFeatures, points: Points, spatial: Tensor) -> MotionBasis:
        """All of M(x, t) that holds at every t: F_s(x)'s and the latent feature's share, and the motion prior."""
        prior = points.bilinear(features.prior)
        if self.config.single_network or not self.config.flow:
            return MotionBasis(spatial, prior)
        first_sum = self.temporal_head.first.project(0, spatial) + points.bilinear(features.temporal)
        return MotionBasis(first_sum, prior)

    def motion(self, basis: MotionBasis, t: Tensor) -> Tensor:
        """M(x, t) = f_t(t, F_s(x)) (eq. 4) on top of the motion prior, for ``t`` [B, 1, 1, 1] in 0 ... 1.

        -> [B, h, w, 4]: flow (x, y) to the first frame, then to the second, in latent pixels whatever the grid.
        The prior holds at mid-time and is taken to grow linearly away from each frame: 2t and 2(1 - t) of it.
        Without a prior f_t is all; without flow, all is zero.
        """
        if not self.config.flow:
            return basis.first_sum.new_zeros((*basis.first_sum.shape[:3], 4))
        flow: Tensor = self.temporal_head(basis.first_sum, self.temporal_head.first.project(2, t))
        if not basis.prior.shape[-1]:
            return flow
        growth = torch.cat((2 * t, 2 * t, 2 - 2 * t, 2 - 2 * t), -1)
        return torch.addcmul(flow, basis.prior, growth)

    def colour(
        self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, sample_field: FieldSampler
    ) -> Tensor:
        """RGB [B, h, w, 3] (about 0 ... 1, not clamped) from what the flow brings together (eq. 6, section 3.4).

        Multi-scale aggregation: besides F_s(x + M) the decoder reads the latent feature and the frames there. It
        answers with RGB or, if the config says blend, with a blend of the two warped frames and a residual on top.
        """
        head, config, shares = self.decoder_head, self.config, list[Tensor]()
        for index, latent in enumerate((features.colour_first, features.colour_second)):
            way = flow[..., 2 * index : 2 * index + 2]
            if not config.single_network:
                shares.append(head.first.project(index, sample_field(points, way)))
            if config.multi_scale:
                shares.append(sample(latent, *points.shifted(way)))
        first_sum = shares[0]
        for share in shares[1:]:
            first_sum = first_sum.add_(share)
        out: Tensor = head(first_sum, head.first.project(4, t))
        return self._blend(features, points, flow, t, out) if config.blend else out

    def _blend(self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, out: Tensor) -> Tensor:
        """The decoder's answer (residual and logit, [B, h, w, 4]) on top of the two warped frames."""
        first, second = (
            sample_bicubic(features.frames[:, index], *points.shifted(flow[..., 2 * index : 2 * index + 2]))
            for index in range(2)
        )
        first_share = torch.sigmoid(out[..., 3:] + torch.logit((1 - t).clamp(0.02, 0.98)))
        return torch.lerp(second, first, first_share) + out[..., :3]

    def query(self, features: PairFeatures, points: Points, t: Tensor) -> Tensor:
        """s = f(x_s, x_t) (eq. 1) of each point by itself -> RGB [B, h, w, 3]; ``t`` [B, 1, 1, 1].

        The form of sections 3.1 to 3.4: F_s is evaluated at x and once more at x + M. :meth:`render` is that of 3.5.
        """
        basis = self.motion_basis(features, points, self.spatial_feature(features, points))
        return self.colour(features, points, self.motion(basis, t), t, partial(self.field_at, features))

    def render(self, features: PairFeatures, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Whole frames [B, 3, grid.height, grid.width] at ``times`` (each [B]): frame synthesis, section 3.5.

        F_s is evaluated once on the grid and that map is warped for every time. Memory grows with the grid: for
        training and evaluation; the viewer decodes regions (decode/tiled_decoder.py).
        """
        fused = render_fused(self, features, grid, times)
        if fused is not None:
            return list(fused)
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


def encodes_in_half(encoder: EncoderConfig, device: torch.device) -> bool:
    """Whether half precision suits ``encoder``: on a CPU, bfloat16 would round Zooming SlowMo's offsets."""
    return device.type == "cuda" or isinstance(encoder, MotionPriorConfig)


def _encoder(config: EncoderConfig) -> MotionPriorEncoder | ZoomingSlowMoEncoder:
    return MotionPriorEncoder(config) if isinstance(config, MotionPriorConfig) else ZoomingSlowMoEncoder(config)
