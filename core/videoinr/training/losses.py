"""The loss of the paper (section 4.1)."""

from __future__ import annotations

from torch import Tensor


def charbonnier(prediction: Tensor, target: Tensor, *, epsilon: float = 1e-3) -> Tensor:
    """Mean of sqrt(d^2 + epsilon^2) over all values of the difference d: a scalar."""
    loss: Tensor = ((prediction - target).square() + epsilon**2).sqrt().mean()
    return loss
