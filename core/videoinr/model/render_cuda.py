"""Frame synthesis (section 3.5) on CUDA: :meth:`VideoINR.render` in a few fused kernels for all times at once.

The formulae are those of video_inr.py. The heads' first layers commute with sampling (siren.py), which is used here to
the end: F_s is projected once to what the decoder's first layer reads of it, and each time only gathers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.geometry import Grid
from videoinr.model.features import PairFeatures, PairHeads
from videoinr.model.head_inputs import DECODER_FIELDS, DECODER_TIME, SPATIAL_OFFSET, TEMPORAL_FIELD, TEMPORAL_TIME
from videoinr.model.kernels.blend import blend
from videoinr.model.kernels.gather import gather
from videoinr.model.kernels.sample import sample
from videoinr.model.kernels.siren import fits, siren
from videoinr.model.points import Points
from videoinr.model.siren import SirenHead
from videoinr.model.time_laws import along_path, blend_logit


def can_render(heads: PairHeads, features: PairFeatures) -> bool:
    """Return whether these kernels can render ``features`` with ``heads``.

    They need a motion prior, a blend, no ablation, heads that are narrow enough, and features in float32.

    Args:
        heads: The model's heads.
        features: B encoded pairs.
    """
    config = heads.config
    whole = config.blend and config.flow and config.multi_scale and not config.single_network
    if not whole or not features.prior.shape[-1]:
        return False
    narrow = all(
        fits(head.widths, head.last.out_features)
        for head in (heads.spatial_head, heads.temporal_head, heads.decoder_head)
    )
    return features.spatial.dtype == torch.float32 and narrow


def render(heads: PairHeads, features: PairFeatures, grid: Grid, times: Sequence[Tensor]) -> Tensor:
    """Render whole frames, with gradients.

    Args:
        heads: The heads of a model that :func:`can_render` accepts.
        features: B encoded pairs.
        grid: The size of the frames.
        times: K times in 0 ... 1, each float32 [B].

    Returns:
        float32 [K, B, 3, grid.height, grid.width], about 0 ... 1, not clamped.
    """
    points = Points.make(grid.rect, grid, latent_hw=features.latent_hw, device=features.spatial.device)
    t = torch.stack(list(times))[..., None]
    spatial = _spatial_feature(heads, features, points)
    flow = _motion(heads, features, points, spatial, t)
    first = heads.decoder_head.first
    fine = F.linear(spatial, torch.cat([first.weight_of(index) for index in DECODER_FIELDS]))
    first_sum = gather(fine, torch.cat((features.colour_first, features.colour_second), -1), flow)
    shift = (first.bias + first.project(DECODER_TIME, t)).flatten(0, 1)[None]
    answer = _run(heads.decoder_head, first_sum.flatten(0, 1), shift).view(*flow.shape)
    return blend(answer, flow, blend_logit(t[..., 0]), features.frames)


def _run(head: SirenHead, base: Tensor, shift: Tensor) -> Tensor:
    """Run a head at the points ``base`` [B, rows, columns, C] under K shifts [K, B, C] of its first layer.

    Returns:
        [K, B, rows, columns, outputs].
    """
    hidden = [(layer.weight, layer.bias) for layer in head.hidden]
    out = siren(base.flatten(1, 2), shift, hidden, (head.last.weight, head.last.bias))  # type: ignore[arg-type]
    return out.view(*out.shape[:2], *base.shape[1:3], -1)


def _spatial_feature(heads: PairHeads, features: PairFeatures, points: Points) -> Tensor:
    """Evaluate F_s (eq. 2): [B, H, W, spatial_channels]."""
    first = heads.spatial_head.first
    at = (points.columns.nearest_position(), points.rows.nearest_position())
    base = _on_lattice(features.spatial, *at) + first.project(SPATIAL_OFFSET, points.offsets())
    return _run(heads.spatial_head, base, first.bias.expand(1, len(base), -1))[0]


def _motion(heads: PairHeads, features: PairFeatures, points: Points, spatial: Tensor, t: Tensor) -> Tensor:
    """Compute M (eq. 4) at ``t`` [K, B, 1]: [K, B, H, W, 4], latent pixels."""
    first = heads.temporal_head.first
    at = (points.columns.position, points.rows.position)
    base = first.project(TEMPORAL_FIELD, spatial) + _on_lattice(features.temporal, *at)
    correction = _run(heads.temporal_head, base, first.bias + first.project(TEMPORAL_TIME, t))
    return along_path(correction, _on_lattice(features.prior, *at), t[:, :, None, None])


def _on_lattice(latent: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample ``latent`` [B, h, w, C] bilinearly where columns x [W] and rows y [H] cross: [B, H, W, C]."""
    shape = (len(latent), len(y), len(x))
    return sample(latent, x.expand(shape), y[:, None].expand(shape))
