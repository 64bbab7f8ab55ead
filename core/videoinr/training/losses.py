"""The loss of the paper (section 4.1)."""

from __future__ import annotations

from torch import Tensor

from videoinr.training.recipe import Stage

REFERENCE_SCALE = 4.0
"""The space scale at which ``area`` weighting gives a step the weight 1."""


def charbonnier(prediction: Tensor, target: Tensor, *, epsilon: float = 1e-3) -> Tensor:
    """Return the Charbonnier loss, a scalar: the mean of sqrt(d^2 + epsilon^2) over all differences d."""
    loss: Tensor = ((prediction - target).square() + epsilon**2).sqrt().mean()
    return loss


def step_weight(stage: Stage, size: int) -> float:
    """Return the loss weight of a step with targets of ``size`` pixels (see :attr:`Stage.loss_weight`)."""
    return 1.0 if stage.loss_weight == "even" else (REFERENCE_SCALE * stage.patch / size) ** 2


def flow_error(prior: Tensor, truth: Tensor, *, epsilon: float = 0.01) -> Tensor:
    """Return the mean error of a motion prior, LR pixels, a scalar. Pixels without a known flow count as 0.

    Args:
        prior: [B, 4, H, W].
        truth: The true flow and where it is known, [B, 6, H, W], see data/still_flow.py.
        epsilon: Length below which the error is quadratic, LR pixels.
    """
    error = (prior.float() - truth[:, :4]).view(len(prior), 2, 2, *prior.shape[2:]).square().sum(2)
    mean: Tensor = (((error + epsilon**2).sqrt() - epsilon) * truth[:, 4:]).mean()
    return mean
