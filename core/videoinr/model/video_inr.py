"""VideoINR: a pair of frames as a function of continuous space and time (paper, section 3).

    s = f(x_s, x_t)                             eq. 1   VideoINR.query, one point at a time
    F_s(x) = f_s(z*, x - v*)                    eq. 2   spatial_feature   SpatialINR
    M(x, t) = f_t(t, F_s(x))                    eq. 4   motion_basis, motion   TemporalINR
    x' = x + M(x, t)                            eq. 5   Points.shifted
    F_st(x, t) = F_s(x')                        eq. 6   field_at, or a sampler of a map of F_s
    RGB from F_st, the latent feature, frames   3.4     colour   decoder, multi-scale aggregation
    all pixels of a frame from one map of F_s   3.5     render   frame synthesis

Here x is a position on the picture and t a time from 0 (first frame) to 1 (second frame). The encoder turns the pair
into the latent feature, one vector for each pixel of the source frames; v* is the position of the latent pixel nearest
to x and z* its vector. SpatialINR f_s, TemporalINR f_t and the decoder are SIREN heads (siren.py).

Three things differ from the letter of the paper:

- Eq. 4 names t and F_s only. The released heads also read the latent feature and the frames at x, and the decoder
  reads t; so do ours.
- *Latent feature* below means the encoder's feature with both frames appended as six channels: the heads read them
  together.
- M is two flows, one from x at time t to each source frame, and x' and F_st are therefore two, too.

The switches of :class:`~videoinr.model.config.ModelConfig` choose the form: with a motion prior and a blend of the
warped frames (the models that ship), without either (the paper's own model), or with less (its ablations, Table 4).

Positions and flows are in latent pixels, order (x, y), centre coordinates, whatever the size of the picture; maps are
channels last. Every method takes the pixels of some rectangle of some grid as
:class:`~videoinr.model.points.Points`: training renders whole patches and the viewer renders tiles by the same lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from videoinr.devices import half_type
from videoinr.geometry import Grid, Rect
from videoinr.model.config import ModelConfig
from videoinr.model.encoders import build_encoder
from videoinr.model.encoders.motion_prior import FrameFeatures, MotionPriorEncoder
from videoinr.model.encoders.path_bend import Outer
from videoinr.model.features import FieldSampler, MotionBasis, PairFeatures
from videoinr.model.head_inputs import (
    DECODER_FIELDS,
    DECODER_LATENTS,
    DECODER_TIME,
    SPATIAL_LATENT,
    SPATIAL_OFFSET,
    TEMPORAL_FIELD,
    TEMPORAL_LATENT,
    TEMPORAL_TIME,
)
from videoinr.model.maps import concat
from videoinr.model.ops import colour_from_table, has_kernels, render_fused, run_head, sample
from videoinr.model.points import Points
from videoinr.model.representation import Representation
from videoinr.model.siren import SirenHead
from videoinr.model.time_laws import along_path, blend_logit
from videoinr.model.warp import sample_bicubic


class VideoINR(Representation):
    """The encoder and the three heads that a config describes: ``spatial_head`` is f_s, ``temporal_head`` is f_t.

    :mod:`videoinr.model.head_inputs` lists the inputs of each head.
    """

    config: ModelConfig
    can_record_encoding = True

    def __init__(self, config: ModelConfig) -> None:
        """Make the model with freshly initialised weights."""
        super().__init__()
        self.config = config
        self.encoder = build_encoder(config.encoder)
        latent, spatial = config.encoder.feature_channels + 6, config.spatial_channels
        # A head that corrects a prior or a blend starts almost silent; one that answers alone, as SIREN prescribes.
        flow_gain = 0.1 if config.encoder.gives_motion_prior else 1.0
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

    @property
    def warps_frames(self) -> bool:
        """Whether pictures are made of the source frames, warped along M and blended."""
        return self.config.blend and self.config.flow

    def encode(
        self, frames: Tensor, *, half: bool = False, whole: Grid | None = None,
        frame_features: FrameFeatures | None = None, outer: Outer | None = None,
    ) -> PairFeatures:  # fmt: skip
        """Encode pairs of frames.

        Args:
            frames: [B, 2, 3, H, W] in 0 ... 1, any H and W.
            half: Run the encoder's convolutions in half precision (:func:`~videoinr.devices.half_type`) where
                :meth:`encodes_in_half` allows it; on a CPU all but each ``ExactConv``. The heads stay in float32.
            whole: The size of the frames that ``frames`` are a crop of, if they are one: a crop is searched as deep as
                its whole frames, so that both find the same motion.
            frame_features: For a motion-prior encoder: computes or remembers the finest features of single frames.
            outer: The frames beside the pairs; paths bend by them if the config has ``bend_channels``.

        Returns:
            All that decoding needs of the pairs.
        """
        with self.precision(frames.device, half=half):
            depth = None if whole is None else self.config.encoder.depth(whole.height, whole.width)
            feature, prior = self.latent(frames, depth, frame_features, outer)
        return self.project(frames, feature, prior)

    @property
    def bends_paths(self) -> bool:
        """Whether paths bend by the frames beside a pair (path_bend.py)."""
        return isinstance(self.encoder, MotionPriorEncoder) and self.encoder.bend is not None

    def precision(self, device: torch.device, *, half: bool) -> torch.autocast:
        """Return the context in which the encoder's convolutions run: in half precision if asked for and allowed."""
        return torch.autocast(device.type, half_type(device), enabled=half and self.encodes_in_half(device))

    def motion_prior(self, frames: Tensor, *, half: bool = False) -> Tensor | None:
        """Compute the flows at mid-time alone; see :meth:`Representation.motion_prior`."""
        if not isinstance(self.encoder, MotionPriorEncoder):
            return None
        with self.precision(frames.device, half=half):
            return self.encoder.flows(frames)

    def encodes_in_half(self, device: torch.device) -> bool:
        """Whether half precision suits the encoder on ``device``: on a CPU, bfloat16 is too coarse for some."""
        return device.type == "cuda" or self.config.encoder.tolerates_bfloat16

    def latent(
        self, frames: Tensor, depth: int | None = None, frame_features: FrameFeatures | None = None,
        outer: Outer | None = None,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """Run the encoder alone.

        Args:
            frames: [B, 2, 3, H, W] in 0 ... 1.
            depth: Levels of a motion-prior encoder's search; None: as its config says.
            frame_features, outer: See :meth:`encode`.

        Returns:
            Its feature [B, C, H, W], and its motion prior [B, 4 or 8, H, W] in latent pixels or None.
        """
        if outer is not None and isinstance(self.encoder, MotionPriorEncoder):
            return self.encoder.encode_beside(frames, outer, depth, frame_features)
        if self.config.encoder.gives_motion_prior:
            feature, prior = self.encoder(frames, depth, frame_features)
            return feature, prior
        return self.encoder(frames), None

    def project(self, frames: Tensor, feature: Tensor, prior: Tensor | None) -> PairFeatures:
        """Apply the heads' first layers to the latent feature, once for all positions and times.

        Args:
            frames: [B, 2, 3, H, W] in 0 ... 1.
            feature: The encoder's feature [B, C, H, W].
            prior: The encoder's motion prior [B, 4 or 8, H, W], latent pixels, if there is one.
        """
        # The CUDA decoder keeps most of the maps in half precision, and so computes them in it.
        is_compact = feature.dtype == torch.float16 and has_kernels(feature) and not torch.is_grad_enabled()
        dtype = torch.float16 if is_compact else torch.float32
        latent = concat((feature, frames.flatten(1, 2)), dtype).permute(0, 2, 3, 1)
        config, decoder, nothing = self.config, self.decoder_head.first, latent[..., :0]
        nearest_head = self.temporal_head if config.single_network else self.spatial_head
        bilinear = config.flow and not config.single_network
        return PairFeatures(
            frames=frames.float(),
            prior=nothing if prior is None else prior.permute(0, 2, 3, 1).contiguous(),
            spatial=nearest_head.first.project(SPATIAL_LATENT, latent).float(),
            temporal=self.temporal_head.first.project(TEMPORAL_LATENT, latent) if bilinear else nothing,
            colour_first=decoder.project(DECODER_LATENTS[0], latent) if config.multi_scale else nothing,
            colour_second=decoder.project(DECODER_LATENTS[1], latent) if config.multi_scale else nothing,
            model=self,
        )

    def spatial_feature(self, features: PairFeatures, points: Points) -> Tensor:
        """Evaluate F_s(x) = f_s(z*, x - v*) (eq. 2), which does not depend on time.

        With a single network there is no F_s. What is computed before t is known takes its place: the terms of z* and
        x - v* in the network's first layer.

        Args:
            features: The encoded pairs.
            points: The h x w pixels x of a rectangle.

        Returns:
            [B, h, w, spatial_channels].
        """
        return self._at_nearest(points.nearest(features.spatial, features.origin), points.offsets())

    def field_at(self, features: PairFeatures, points: Points, flow: Tensor) -> Tensor:
        """Evaluate F_s(x + M) (eq. 6) by the network itself, where :meth:`render` reads it from a map of F_s.

        A :data:`~videoinr.model.features.FieldSampler`, once ``features`` is given. Beyond the edges of the picture F_s
        is what it is at the edge.

        Args:
            features: The encoded pairs.
            points: The pixels x of a rectangle.
            flow: M, [B, h, w, 2] in latent pixels.

        Returns:
            [B, h, w, spatial_channels].
        """
        (height, width), (x, y) = features.latent_hw, points.shifted(flow)
        x, y = x.clamp(-0.5, width - 0.5), y.clamp(-0.5, height - 0.5)
        column, row = ((x + 0.5).floor().clamp(max=width - 1), (y + 0.5).floor().clamp(max=height - 1))
        pair = torch.arange(len(features.spatial), device=x.device)[:, None, None]
        nearest = features.spatial[pair, row.long(), column.long()]
        return self._at_nearest(nearest, 2 * torch.stack((x - column, y - row), -1))

    def _at_nearest(self, nearest: Tensor, offsets: Tensor) -> Tensor:
        """Compute F_s from the first layer's term of z* [B, h, w, S] and from 2 (x - v*) [B or 1, h, w, 2]."""
        if self.config.single_network:
            return nearest + self.temporal_head.first.project(SPATIAL_OFFSET, offsets)
        return run_head(self.spatial_head, nearest + self.spatial_head.first.project(SPATIAL_OFFSET, offsets))

    def motion_basis(self, features: PairFeatures, points: Points, spatial: Tensor) -> MotionBasis:
        """Compute the terms of M(x, t) that hold at every t.

        Args:
            features: The encoded pairs.
            points: The pixels x of a rectangle.
            spatial: F_s(x), as :meth:`spatial_feature` returned it.

        Returns:
            The terms of F_s(x) and of the latent feature at x in TemporalINR's first layer, and the motion prior at x.
        """
        prior = points.bilinear(features.prior, features.origin)
        if self.config.single_network or not self.config.flow:
            return MotionBasis(spatial, prior)
        field_term = self.temporal_head.first.project(TEMPORAL_FIELD, spatial)
        return MotionBasis(field_term + points.bilinear(features.temporal, features.origin), prior)

    def motion(self, basis: MotionBasis, t: Tensor) -> Tensor:
        """Compute M(x, t) = f_t(t, F_s(x)) (eq. 4), on top of the motion prior if the encoder gives one.

        With a prior P(x), the flow at mid-time, TemporalINR corrects even motion (time_laws.py):

            M(x, t) = P(x) (2t, 2t, 2 - 2t, 2 - 2t) + f_t(t, F_s(x))

        Where the frames beside the pair were read, too, the prior has four channels more, which bend the path.

        Args:
            basis: As :meth:`motion_basis` returned it.
            t: float32 in 0 ... 1: [B or 1, 1, 1, 1], or for each row [1, h, 1, 1] or column [1, 1, w, 1] its own.

        Returns:
            [B, h, w, 4]: flow (x, y) to the first frame, then (x, y) to the second, in latent pixels. Zeros if the
            config has no flow.
        """
        if not self.config.flow:
            return basis.first_sum.new_zeros((*basis.first_sum.shape[:3], 4))
        flow = run_head(self.temporal_head, basis.first_sum, self.temporal_head.first.project(TEMPORAL_TIME, t))
        return along_path(flow, basis.prior, t)

    def colour(
        self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, sample_field: FieldSampler
    ) -> Tensor:
        """Compute RGB from what both ends of the flow read (eq. 6 and multi-scale aggregation, section 3.4).

        The decoder reads t and, at x + M for either frame, F_s and the latent feature with the frames in it. It outputs
        RGB or, if the config says ``blend``, a residual r and the logit l by which the share of the first frame in a
        blend of the warped frames I_0, I_1 differs from that by time. M_0 and M_1 are the two flows of M:

            RGB(x, t) = s I_0(x + M_0) + (1 - s) I_1(x + M_1) + r,    s = sigmoid(l + logit(1 - t))

        Args:
            features: The encoded pairs.
            points: The pixels x of a rectangle.
            flow: M, as :meth:`motion` returned it.
            t: float32 in 0 ... 1: [B or 1, 1, 1, 1], or for each row [1, h, 1, 1] or column [1, 1, w, 1] its own.
            sample_field: Reads F_s where the flow leads.

        Returns:
            [B, h, w, 3], about 0 ... 1, not clamped.
        """
        fused = colour_from_table(self, features, points, flow, t, sample_field)
        if fused is not None:
            return fused
        out = self._decoded(features, points, flow, t, sample_field)
        return self._blend(features, points, flow, t, out) if self.config.blend else out

    def first_share(
        self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, sample_field: FieldSampler
    ) -> Tensor:
        """Compute the share of the first frame in the blend of both warped frames; :attr:`warps_frames` must hold.

        Args:
            features, points, flow, t, sample_field: as for :meth:`colour`.

        Returns:
            [B, h, w, 1] in 0 ... 1.
        """
        return _first_share(self._decoded(features, points, flow, t, sample_field), t)

    def _decoded(
        self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, sample_field: FieldSampler
    ) -> Tensor:
        """Evaluate the decoder: RGB [B, h, w, 3], or what :meth:`_blend` reads, [B, h, w, 4]."""
        head, config, terms = self.decoder_head, self.config, list[Tensor]()
        for index, latent in enumerate((features.colour_first, features.colour_second)):
            way = flow[..., 2 * index : 2 * index + 2]
            if not config.single_network:
                terms.append(head.first.project(DECODER_FIELDS[index], sample_field(points, way)))
            if config.multi_scale:
                terms.append(_sampled(features, latent, points, way))
        first_sum = terms[0]
        for term in terms[1:]:
            first_sum = first_sum.add_(term)
        return run_head(head, first_sum, head.first.project(DECODER_TIME, t))

    def _blend(self, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, out: Tensor) -> Tensor:
        """Add the decoder's residual ``out[..., :3]`` to the blend of both warped frames: [B, h, w, 3].

        ``out[..., 3]`` is added to the logit of the first frame's share by time (time_laws.py).
        """
        first, second = (
            sample_bicubic(features.frames[:, index], *points.shifted(flow[..., 2 * index : 2 * index + 2]))
            for index in range(2)
        )
        return torch.lerp(second, first, _first_share(out, t)) + out[..., :3]

    def query(self, features: PairFeatures, points: Points, t: Tensor) -> Tensor:
        """Compute s = f(x_s, x_t) (eq. 1) of each point by itself, as sections 3.1 to 3.4 say.

        F_s is evaluated by the network at x and at x + M, three times in all; :meth:`render` saves two of them.

        Args:
            features: The encoded pairs.
            points: The pixels x of a rectangle.
            t: float32 in 0 ... 1: [B or 1, 1, 1, 1], or for each row [1, h, 1, 1] or column [1, 1, w, 1] its own.

        Returns:
            RGB [B, h, w, 3], about 0 ... 1, not clamped.
        """
        basis = self.motion_basis(features, points, self.spatial_feature(features, points))
        return self.colour(features, points, self.motion(basis, t), t, partial(self.field_at, features))

    def render(self, features: PairFeatures, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Render whole frames (frame synthesis, section 3.5): one map of F_s, warped for every time.

        Memory grows with the grid. Training and evaluation call this; the viewer decodes regions (decode/).

        Args:
            features: B encoded pairs.
            grid: The size of the frames.
            times: Times in 0 ... 1, each float32 [B].

        Returns:
            For each time, float32 [B, 3, grid.height, grid.width], about 0 ... 1, not clamped.
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


def _first_share(out: Tensor, t: Tensor) -> Tensor:
    """Return the share of the first frame, [B, h, w, 1], from the decoder's output [B, h, w, 4]."""
    return torch.sigmoid(out[..., 3:] + blend_logit(t))


def _sampled(features: PairFeatures, latent: Tensor, points: Points, flow: Tensor) -> Tensor:
    """Sample ``latent``, one of the maps of ``features``, bilinearly where ``flow`` [B, h, w, 2] leads."""
    x, y = points.shifted(flow)
    height, width = features.latent_hw
    part = Rect(*features.origin, latent.shape[2], latent.shape[1])
    return sample(latent, x, y, part=None if part == Rect(0, 0, width, height) else part, whole=Grid(width, height))
