"""What is assumed of the time between two frames before the heads correct it: even motion, and a blend by time."""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST_SHARE = 0.02
"""The blend starts from shares of the two frames of 1 - t and t, but neither below this: their logits are finite."""


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


def blend_logit(t: Tensor) -> Tensor:
    """Return the logit of the first frame's share of a blend at time ``t`` (any shape) before the decoder corrects it.

    The share is 1 - t, but not below 0.02 or above 0.98.
    """
    return torch.logit((1 - t).clamp(_LEAST_SHARE, 1 - _LEAST_SHARE))
