"""What is assumed of the time between two frames before the heads correct it: even motion, and a blend by time."""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST_SHARE = 0.02
"""The blend starts from shares of the two frames of 1 - t and t, but neither below this: their logits are finite."""
_MOST_MEAN, _MOST_TURN = 1 / 8, 3**0.5 / 216
"""The largest that t (1 - t) / 2 and t (1 - t) |t - 1/2| / 6, the factors of c1 and c2 in :func:`bend_of`, get."""


def prior_growth(t: Tensor) -> Tensor:
    """Return by what the motion prior is multiplied at time ``t``.

    The prior is the flow at mid-time. Motion is taken to be even, so that the flow to each frame grows linearly with
    the time since that frame: 2t times the prior for the first frame, 2(1 - t) times for the second.

    Args:
        t: [..., 1] in 0 ... 1.

    Returns:
        [..., 4]: the factor of the flow (x, y) to the first frame, then of the flow (x, y) to the second.
    """
    return torch.cat((2 * t, 2 * t, 2 - 2 * t, 2 - 2 * t), -1)


def bend_of(bend: Tensor, t: Tensor) -> Tensor:
    """Return what a bent path adds to the flows at time ``t``.

    Let x(-1), x(0), x(1), x(2) be the places of a point in four frames in a row, of which 0 and 1 are the pair's.
    Their second differences are aL = x(-1) - 2 x(0) + x(1) about the first frame and aR = x(0) - 2 x(1) + x(2) about
    the second; c1 = (aL + aR) / 2 is their mean and c2 = aR - aL their change. The cubic through the four places leaves
    the chord (1 - t) x(0) + t x(1), which even motion follows, by (Bessel's form of the interpolation)

        -offset(t),    offset(t) = t (1 - t) / 2 (c1 + (t - 1/2) / 3 c2)

    The flows lead from x(t) to the fixed places x(0) and x(1). What moves is their common start, so the offset is added
    to both. It is zero at t = 0 and 1: the frames themselves, and the seams between pairs, keep their places.

    Args:
        bend: [..., 4]: c1 (x, y), then c2 (x, y).
        t: [..., 1] in 0 ... 1.

    Returns:
        [..., 4]: the offset (x, y) twice, in the unit of ``bend``.
    """
    # Single products and sums, no addcmul: a CPU rounds these alike whether it takes strided numbers one by one or not.
    offset = t * (1 - t) / 2 * (bend[..., :2] + (t - 0.5) / 3 * bend[..., 2:])
    return torch.cat((offset, offset), -1)


def along_path(correction: Tensor, prior: Tensor, t: Tensor) -> Tensor:
    """Return the flows at time ``t``: those of a motion prior, and what the heads correct them by.

    Args:
        correction: [..., 4].
        prior: [..., 0, 4 or 8]: nothing, the flows at mid-time, or these and the bend of :func:`bend_of`.
        t: [..., 1] in 0 ... 1.

    Returns:
        [..., 4], like ``correction``.
    """
    if not prior.shape[-1]:
        return correction
    # Contiguous: how a CPU rounds an addcmul depends on whether it takes the numbers one by one.
    flow = torch.addcmul(correction, prior[..., :4].contiguous(), prior_growth(t))
    return flow + bend_of(prior[..., 4:], t) if prior.shape[-1] > 4 else flow


def reach_of_prior(prior: Tensor) -> tuple[list[float], list[float]]:
    """Return how far the flows of a motion prior lead between t = 0 and 1, without the heads' correction.

    Args:
        prior: [..., 0, 4 or 8]: nothing, the flows at mid-time, or these and the bend of :func:`bend_of`.

    Returns:
        A bound of the least and one of the greatest of the flows' four components, in the unit of ``prior``; the first
        not above zero, the second not below. Waits for a GPU.
    """
    if not prior.shape[-1]:
        return [0.0] * 4, [0.0] * 4
    ends = 2 * prior[..., :4]
    low, high = ends.clamp(max=0), ends.clamp(min=0)
    if prior.shape[-1] > 4:
        bend = prior[..., 4:].abs()
        offset = _MOST_MEAN * bend[..., :2] + _MOST_TURN * bend[..., 2:]
        offset = torch.cat((offset, offset), -1)
        low, high = low - offset, high + offset
    low, high = torch.stack((low.flatten(0, -2).amin(0), high.flatten(0, -2).amax(0))).tolist()
    return low, high


def blend_logit(t: Tensor) -> Tensor:
    """Return the logit of the first frame's share of a blend at time ``t`` (any shape) before the decoder corrects it.

    The share is 1 - t, but not below 0.02 or above 0.98.
    """
    return torch.logit((1 - t).clamp(_LEAST_SHARE, 1 - _LEAST_SHARE))
