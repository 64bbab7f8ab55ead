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
