"""Frame synthesis (section 3.5) on CUDA: the formulae of video_inr.py, joined into a few kernels for all instants.

The first linear maps of the heads commute with sampling (see siren.py). Here that is used to the end: F_s is
projected once to what the decoder reads of it, and every instant only gathers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.geometry import Grid
from videoinr.model.features import PairFeatures, PairHeads
from videoinr.model.kernels.blend import blend
from videoinr.model.kernels.gather import gather
from videoinr.model.kernels.sample import sample
from videoinr.model.kernels.siren import fits, siren
from videoinr.model.points import Points
from videoinr.model.siren import SirenHead


def can_render(model: PairHeads, features: PairFeatures) -> bool:
    """Whether these kernels can stand in for :meth:`VideoINR.render`'s plain path."""
    config = model.config
    whole = config.blend and config.flow and config.multi_scale and not config.single_network
    if not whole or not features.prior.shape[-1]:
        return False  # the paper's own form, and its ablations
    heads = (model.spatial_head, model.temporal_head, model.decoder_head)
    narrow = all(fits(head.widths, head.last.out_features) for head in heads)
    return features.spatial.dtype == torch.float32 and narrow


def render(model: PairHeads, features: PairFeatures, grid: Grid, times: Sequence[Tensor]) -> Tensor:
    """Frames [K, B, 3, grid.height, grid.width] at K ``times`` (each [B]), as :meth:`VideoINR.render`."""
    points = Points.make(grid.rect, grid, latent_hw=features.latent_hw, device=features.spatial.device)
    t = torch.stack(list(times))[..., None]
    spatial = _spatial_feature(model, features, points)
    flow = _motion(model, features, points, spatial, t)
    first = model.decoder_head.first
    fine = F.linear(spatial, torch.cat((first.part(0), first.part(1))))
    first_sum = gather(fine, torch.cat((features.colour_first, features.colour_second), -1), flow)
    shift = (first.bias + first.project(4, t)).flatten(0, 1)[None]
    answer = _run(model.decoder_head, first_sum.flatten(0, 1), shift).view(*flow.shape)
    prior_logit = torch.logit((1 - t[..., 0]).clamp(0.02, 0.98))
    return blend(answer, flow, prior_logit, features.frames)


def _run(head: SirenHead, base: Tensor, shift: Tensor) -> Tensor:
    """The head at [B, rows, columns, C] points, under K shifts [K, B, C] -> [K, B, rows, columns, outputs]."""
    hidden = [(layer.weight, layer.bias) for layer in head.hidden]
    out = siren(base.flatten(1, 2), shift, hidden, (head.last.weight, head.last.bias))  # type: ignore[arg-type]
    return out.view(*out.shape[:2], *base.shape[1:3], -1)


def _spatial_feature(model: PairHeads, features: PairFeatures, points: Points) -> Tensor:
    """Eq. 2 -> [B, H, W, spatial_channels]."""
    first = model.spatial_head.first
    at = (points.columns.nearest_position(), points.rows.nearest_position())
    base = _on_lattice(features.spatial, *at) + first.project(1, points.offsets())
    return _run(model.spatial_head, base, first.bias.expand(1, len(base), -1))[0]


def _motion(model: PairHeads, features: PairFeatures, points: Points, spatial: Tensor, t: Tensor) -> Tensor:
    """Eq. 4 at ``t`` [K, B, 1] -> [K, B, H, W, 4], lattice pixels."""
    first = model.temporal_head.first
    at = (points.columns.position, points.rows.position)
    base = first.project(0, spatial) + _on_lattice(features.temporal, *at)
    correction = _run(model.temporal_head, base, first.bias + first.project(2, t))
    growth = torch.cat((2 * t, 2 * t, 2 - 2 * t, 2 - 2 * t), -1)[:, :, None, None]
    return torch.addcmul(correction, _on_lattice(features.prior, *at), growth)


def _on_lattice(latent: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """[B, h, w, C] bilinearly at every column position of x [W] and row position of y [H] -> [B, H, W, C]."""
    shape = (len(latent), len(y), len(x))
    return sample(latent, x.expand(shape), y[:, None].expand(shape))
