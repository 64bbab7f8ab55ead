"""SIREN heads: small networks with sine activations, whose first layer is linear in several named inputs.

The first layer commutes with nearest and bilinear sampling: it is a linear map of the channels, and sampling is a
linear map of the pixels. So the layer is applied to the latent feature once for each pair, at low resolution, and only
its narrow result is sampled at every pixel of the picture: the same numbers for a fraction of the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OMEGA = 30.0
"""Frequency factor of every sine: omega_0 of the SIREN paper, which VideoINR's section 4.1 does not change."""


class SplitLinear(nn.Linear):
    """A linear layer whose input is the concatenation of several inputs, and that can be applied to one at a time.

    The layer's output is the sum of :meth:`project` over all inputs, plus :attr:`bias`.
    """

    def __init__(self, widths: Sequence[int], out_features: int) -> None:
        """Make a layer for inputs of so many channels each."""
        super().__init__(sum(widths), out_features)
        self.edges = [sum(widths[:k]) for k in range(len(widths) + 1)]

    def weight_of(self, index: int) -> Tensor:
        """Return the weights of input ``index``: [out_features, widths[index]]."""
        return self.weight[:, self.edges[index] : self.edges[index + 1]]

    def project(self, index: int, x: Tensor) -> Tensor:
        """Return the term of one input, without the bias.

        Args:
            index: Which input, counted from 0.
            x: The input, [..., widths[index]].

        Returns:
            [..., out_features].
        """
        return F.linear(x, self.weight_of(index).to(x.dtype))


class SirenHead(nn.Module):
    """Sine layers and a linear last layer: [..., sum(inputs)] to [..., out_channels].

    With omega = :data:`OMEGA`, x_0 the concatenated inputs and L sine layers of widths ``hidden``:

        x_k = sin(omega (W_k x_(k-1) + b_k)),  k = 1 ... L;    output = W x_L + b

    Initialised as SIREN prescribes: the first layer uniform in +-1/n, later ones in +-sqrt(6/n)/omega, where n is the
    number of a layer's inputs.
    """

    def __init__(
        self, inputs: Sequence[int], hidden: Sequence[int], out_channels: int, *, last_gain: float = 1.0
    ) -> None:
        """Initialise the head.

        Args:
            inputs: Channels of each of the first layer's inputs.
            hidden: Widths of the sine layers, first to last.
            out_channels: Channels of the output.
            last_gain: Factor of the last layer's initial weights. If it is not 1, its bias starts at zero: for a head
                that learns a correction and must start almost silent.
        """
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
        """Run the head from the first layer's sum on.

        Args:
            first_sum: The first layer's output without its bias, [..., hidden[0]]: the sum of its inputs' terms.
            shift: One more term, which is the same at all pixels (that of the time); broadcasts with ``first_sum``.

        Returns:
            [..., out_channels].
        """
        # The factor omega is applied to the weights, which are few, and not to the pixels, which are many.
        bias = self.first.bias if shift is None else self.first.bias + shift
        x = _sine(torch.add(OMEGA * bias, first_sum, alpha=OMEGA))
        for layer in self.hidden:
            assert isinstance(layer, nn.Linear)
            x = _sine(F.linear(x, OMEGA * layer.weight, OMEGA * layer.bias))
        out: Tensor = self.last(x)
        return out


def _sine(x: Tensor) -> Tensor:
    """Return sin(x), computed in place where no gradient needs x."""
    return torch.sin(x) if torch.is_grad_enabled() else x.sin_()
