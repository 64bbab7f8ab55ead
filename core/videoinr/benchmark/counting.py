"""What a piece of torch code has to compute, counted while it runs; with tensors that hold no numbers, at once.

Counted where torch hands each operation to a device, so whatever a model is written in, as long as it is torch, is
counted as it is and not as somebody remembers it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_Rule = Callable[[Sequence[Any], Tensor], int]
_BICUBIC = 2
"""How ``grid_sampler_2d`` writes bicubic."""


@dataclass(frozen=True, slots=True)
class Work:
    """``macs``: multiply-accumulates of convolutions and matrix products, those of a deformable convolution included.

    ``sines``: evaluated. ``gathered``: numbers read at places that a flow or the grid chooses.
    """

    macs: int = 0
    sines: int = 0
    gathered: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.macs + other.macs, self.sines + other.sines, self.gathered + other.gathered)


class WorkCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """``with WorkCounter() as counter: ...``, then :attr:`work`.

    Not under ``inference_mode``: composite operations would arrive whole, and uncounted.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.work = Work()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = str(func.overloadpacket).removeprefix("aten.").removesuffix("_")
        counts = (rules[name](args, out) if name in rules else 0 for rules in (_MACS, _SINES, _GATHERED))
        self.work += Work(*counts)
        return out


def _macs_of_product(left: int) -> _Rule:
    """Of a matrix product whose left factor is argument number ``left``: each number out sums over its columns."""
    return lambda args, out: out.numel() * int(args[left].shape[-1])


def _macs_of_convolution(args: Sequence[Any], out: Tensor) -> int:
    """Argument 1 of every convolution: [out channels, in channels, ...]."""
    weight: Tensor = args[1]
    return out.numel() * math.prod(weight.shape[1:])


def _numbers(args: Sequence[Any], out: Tensor) -> int:
    return out.numel()


def _neighbours_read(args: Sequence[Any], out: Tensor) -> int:
    return out.numel() * (16 if args[2] == _BICUBIC else 4)


_MACS: dict[str, _Rule] = {
    "mm": _macs_of_product(0),
    "bmm": _macs_of_product(0),
    "addmm": _macs_of_product(1),
    "baddbmm": _macs_of_product(1),
    "convolution": _macs_of_convolution,
    "torchvision.deform_conv2d": _macs_of_convolution,
}
_SINES: dict[str, _Rule] = {"sin": _numbers}
_GATHERED: dict[str, _Rule] = {
    "index_select": _numbers,
    "index": _numbers,
    "embedding_bag": lambda args, out: args[1].numel() * int(args[0].shape[-1]),
    "grid_sampler_2d": _neighbours_read,
}
