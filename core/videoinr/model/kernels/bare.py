"""Convolutions that torch computes and a kernel reads: in half precision, and without the bias, which the kernel adds.

Torch adds a bias in a pass of its own, which carries the map to device memory and back; and what it has cast for
autocast it forgets, where weights ask for no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from videoinr.model.kernels.convolve import version_of


@dataclass(frozen=True, eq=False)
class Bare:
    """A convolution without its ``bias``, which is float32."""

    version: tuple[int, ...]
    conv: nn.Conv2d
    bias: Tensor


_BARE: WeakKeyDictionary[nn.Conv2d, Bare] = WeakKeyDictionary()


def bare(layer: nn.Conv2d, dtype: torch.dtype, *, order: Callable[[Tensor], Tensor] = torch.clone) -> Bare:
    """``layer``, a 3x3 convolution that keeps the size, with weights of ``dtype``; made anew only when they change.

    ``order``: its outputs (of a tensor [D, ...]) as the kernel wants them; always the same for a layer.
    """
    assert layer.bias is not None
    version, known = version_of(layer.weight, layer.bias), _BARE.get(layer)
    if known is None or known.version != version or known.conv.weight.dtype != dtype:
        weight = order(layer.weight.detach()).to(dtype).contiguous(memory_format=torch.channels_last)
        conv = nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1, bias=False, device="meta")
        conv.weight = nn.Parameter(weight, requires_grad=False)
        known = _BARE[layer] = Bare(version, conv, order(layer.bias.detach()).float())
    return known
