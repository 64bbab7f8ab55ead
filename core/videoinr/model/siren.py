"""SIREN heads: small networks with sine activations whose first layer is linear in named inputs.

The first linear map commutes with nearest and bilinear sampling, because both are linear and act on space while it
acts on channels. So what a head reads from the latent feature is projected once per pair at low resolution, and
only the narrow result is sampled: the same numbers for a fraction of the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OMEGA = 30.0
"""Frequency factor of every sine (SIREN's omega_0; paper, section 4.1 names SIRENs without changing it)."""


class SplitLinear(nn.Linear):
    """A linear map of several inputs laid side by side, that can be applied to one of them at a time.

    ``project(k, x)`` is the share of input ``k``; the shares of all inputs plus :attr:`bias` make the whole.
    """

    def __init__(self, widths: Sequence[int], out_features: int) -> None:
        super().__init__(sum(widths), out_features)
        self.edges = [sum(widths[:k]) for k in range(len(widths) + 1)]

    def part(self, index: int) -> Tensor:
        """The weights of input ``index``: [out_features, widths[index]]."""
        return self.weight[:, self.edges[index] : self.edges[index + 1]]

    def project(self, index: int, x: Tensor) -> Tensor:
        """[..., widths[index]] -> [..., out_features], without the bias."""
        return F.linear(x, self.part(index))


class SirenHead(nn.Module):
    """Sine layers ``hidden`` wide and a linear last one: [..., sum(inputs)] -> [..., out_channels].

    Initialised as SIREN prescribes: the first layer uniform in +-1/n, later ones in +-sqrt(6/n)/omega. With
    ``last_gain`` the last layer starts that much smaller and without bias, for a head that learns a correction.
    """

    def __init__(
        self, inputs: Sequence[int], hidden: Sequence[int], out_channels: int, *, last_gain: float = 1.0
    ) -> None:
        super().__init__()
        self.widths = tuple(hidden)
        self.first = SplitLinear(inputs, hidden[0])
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(hidden))
        self.last = nn.Linear(hidden[-1], out_channels)
        self._initialise(last_gain)

    def _initialise(self, last_gain: float) -> None:
        with torch.no_grad():
            bound = 1 / self.first.in_features
            self.first.weight.uniform_(-bound, bound)
            self.first.bias.zero_()
            for layer in (*self.hidden, self.last):
                assert isinstance(layer, nn.Linear)
                bound = math.sqrt(6 / layer.in_features) / OMEGA
                layer.weight.uniform_(-bound, bound)
            if last_gain != 1.0:
                self.last.weight.mul_(last_gain)
                self.last.bias.zero_()

    def forward(self, first_sum: Tensor, shift: Tensor | None = None) -> Tensor:
        """[..., hidden[0]], the summed shares of the first layer without its bias -> [..., out_channels].

        ``shift``: what else belongs to the sum and is alike at all points (the share of the time).
        """
        # The factor goes onto the weights, which are few, and not onto the points, which are many.
        bias = self.first.bias if shift is None else self.first.bias + shift
        x = _sine(torch.add(OMEGA * bias, first_sum, alpha=OMEGA))
        for layer in self.hidden:
            assert isinstance(layer, nn.Linear)
            x = _sine(F.linear(x, OMEGA * layer.weight, OMEGA * layer.bias))
        out: Tensor = self.last(x)
        return out


def _sine(x: Tensor) -> Tensor:
    """sin(x), in x's own memory where nobody will ask for x again."""
    return torch.sin(x) if torch.is_grad_enabled() else x.sin_()
