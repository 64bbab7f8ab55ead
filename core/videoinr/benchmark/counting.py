"""Count the operations of torch code while it runs. On fake tensors this takes no time.

Operations are counted in torch's dispatcher, so the count always matches the code.
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
"""The code of bicubic interpolation in ``grid_sampler_2d``."""


@dataclass(frozen=True, slots=True)
class Work:
    """Numbers of operations.

    ``macs``: multiply-accumulates of matrix products and convolutions, deformable ones included. ``sines``: sine
    evaluations. ``gathered``: values read at positions given by indices, a flow or a sampling grid.
    """

    macs: int = 0
    sines: int = 0
    gathered: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.macs + other.macs, self.sines + other.sines, self.gathered + other.gathered)

    def __sub__(self, other: Work) -> Work:
        return Work(self.macs - other.macs, self.sines - other.sines, self.gathered - other.gathered)


class WorkCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Context manager that counts the work of the code inside it: ``with WorkCounter() as counter: ...; counter.work``.

    Must not be used under ``inference_mode``, where composite operations are dispatched as a whole and not counted.
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
    """Return the rule for a matrix product with the left factor at argument ``left``: outputs times its columns."""
    return lambda args, out: out.numel() * int(args[left].shape[-1])


def _macs_of_convolution(args: Sequence[Any], out: Tensor) -> int:
    """Return the MACs of a convolution. Its argument 1 is the weight [out channels, in channels, ...]."""
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
