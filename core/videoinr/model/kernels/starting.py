"""Starts kernels that are compiled already without Triton's search for them.

To find a compiled kernel, Triton writes the types of all arguments down as a text, and looks that up: on a slow
processor it takes a tenth of a millisecond, longer than most kernels of an encoder run.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from torch import Tensor

_COMPILED: dict[tuple[Any, Hashable], Any] = {}
SIZES = ["pixels", "points", "height", "width", "out_height", "out_width"]
"""Integers of kernels that differ from clip to clip and from level to level. Triton compiles a kernel anew for
multiples of 16, and for 1, unless it is told not to: a clip of another size took seconds at first."""


def start(
    kernel: Any, kind: Hashable, grid: tuple[int, int, int], arguments: tuple[Any, ...], constants: dict[str, Any],
    **options: int,
) -> None:  # fmt: skip
    """Launch ``kernel``.

    Args:
        kernel: A kernel of Triton or Gluon.
        kind: Differs for any two launches that Triton compiles apart: the device, the types of the arguments, all
            constants and options, and :func:`form_of` the maps. Integers other than SIZES are not provided for.
        grid: The numbers of programs.
        arguments: The arguments that are no constants, in the order of the kernel's.
        constants: The other arguments, by name, in the same order; they follow all of ``arguments``.
        options: Triton's options.
    """
    compiled = _COMPILED.get((kernel, kind))
    if compiled is None:
        # Triton's interpreter, which tests use, returns nothing.
        _COMPILED[kernel, kind] = kernel[grid](*arguments, **constants, **options)
    else:
        compiled[grid](*arguments, *constants.values())


def form_of(argument: Tensor | tuple[Tensor | tuple[Tensor, ...], ...]) -> Hashable:
    """Return what Triton compiles maps for: whether their addresses are multiples of 16."""
    return argument.data_ptr() % 16 == 0 if isinstance(argument, Tensor) else tuple(map(form_of, argument))
