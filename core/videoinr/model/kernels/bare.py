"""Copies of convolutions in half precision and without their bias, for kernels that read the output and add the bias.

torch adds a bias in a pass of its own, which reads and writes the whole map. And autocast converts weights that need no
gradient again at every call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from videoinr.model.kernels.versions import version_of


@dataclass(frozen=True, eq=False)
class Bare:
    """A convolution without a bias, and the ``bias`` [D] float32 that a kernel adds. ``version``: see version_of."""

    version: tuple[int, ...]
    conv: nn.Conv2d
    bias: Tensor


_BARE: WeakKeyDictionary[nn.Conv2d, Bare] = WeakKeyDictionary()


def bare(layer: nn.Conv2d, dtype: torch.dtype, *, order: Callable[[Tensor], Tensor] = torch.clone) -> Bare:
    """Return the copy of ``layer``; it is made once, and again when the weights have changed.

    Args:
        layer: A 3x3 convolution with padding 1, stride 1 and a bias.
        dtype: The type of the copy's weights.
        order: Reorders the outputs of a tensor [D, ...] for the kernel; always the same function for a layer.
    """
    assert layer.bias is not None
    version, known = version_of(layer.weight, layer.bias), _BARE.get(layer)
    if known is None or known.version != version or known.conv.weight.dtype != dtype:
        weight = order(layer.weight.detach()).to(dtype).contiguous(memory_format=torch.channels_last)
        conv = nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1, bias=False, device="meta")
        conv.weight = nn.Parameter(weight, requires_grad=False)
        known = _BARE[layer] = Bare(version, conv, order(layer.bias.detach()).float())
    return known
