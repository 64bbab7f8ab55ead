"""3x3 convolutions on Hopper GPUs, for the layers that it supports, in two thirds of convolve.py's time.

convolve.py is limited by the second-level cache: for every 128 pixels a program reads nine taps of the inputs and all
weights. Here a multiprocessor reads the weights once, and two workers share them. Each worker moves down a strip of 64
columns and multiplies each input row for the three output rows that it contributes to, so a row is read three times,
for the left, middle and right taps, instead of nine times. Beside each worker one warp reads ahead by the tensor memory
accelerator, which also supplies the zeros around a map, and another one writes.

Blocks are powers of two, so sums are kept as two blocks of outputs: 96 outputs are 64 and 32. A layer whose weights do
not fit into shared memory takes several launches, each for some of its inputs or some of its outputs.

Precision: factors are float16 or bfloat16, sums float32. float32 maps are not supported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
import triton
from torch import Tensor
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.nvidia.hopper import TensorDescriptor

from videoinr.model.kernels.convolve_hopper_kernels import rolling_kernel
from videoinr.model.kernels.starting import start
from videoinr.model.kernels.verifying import convolved, is_hopper, is_verified, multiprocessors
from videoinr.model.maps import concat

STRIP = 64
"""Columns of a worker's strip, which are the rows of one matrix product."""
LEAST_SUMS = 3 * 2**20
"""Pixels times outputs from which it is faster than convolve.py (H100); below, weights are not reused enough."""
BEFORE, AFTER = 1, 2
"""When a map is added: before the activation, or after it."""
FILLED = 16
"""The channels of the last input are padded to a multiple of this."""
KNOWN_TRITON = ("3.6",)
"""Versions of Triton that the kernel has run under; Gluon, Triton's lower layer, is experimental."""
_SHARED_BYTES = 227 * 1024
_BARRIER_BYTES = 1024
_BLOCKS = ((64, 32), (32, 32), (32, 16))
_TYPES = {torch.float16: gl.float16, torch.bfloat16: gl.bfloat16}


@dataclass(frozen=True)
class Shape:
    """The work of one launch: ``inputs`` maps of ``channels`` each to ``outputs`` channels."""

    channels: int
    inputs: int
    outputs: int

    @cached_property
    def chunk(self) -> int:
        """Return the channels of one product, or 0 if ``channels`` is not a multiple of any chunk."""
        return next((size for size in (64, 32, 16) if self.channels % size == 0), 0)

    @cached_property
    def blocks(self) -> tuple[int, int] | None:
        """Return the outputs of a program's two blocks, whose sum divides ``outputs``; None if no pair fits."""
        return next((pair for pair in _BLOCKS if self.outputs % sum(pair) == 0 and self.stages(sum(pair)) >= 3), None)

    def stages(self, outputs: int) -> int:
        """Return the chunks a worker can buffer, beside the weights of ``outputs`` and two output buffers."""
        kept = 2 * outputs * (9 * self.inputs * self.channels + 2 * STRIP)
        return min(4, (_SHARED_BYTES - _BARRIER_BYTES - kept) // (4 * STRIP * self.chunk)) if self.chunk else 0


@cache
def launches_for(widths: tuple[int, ...], outputs: int) -> tuple[Shape, ...]:
    """Return the launches for inputs of ``widths`` channels; none if one of them is not supported.

    The last input may have any number of channels: it is padded to a multiple of FILLED.
    """
    *whole, last = widths
    widths, found = (*whole, -(-last // FILLED) * FILLED), list[Shape]()
    for width in widths:
        one, two = Shape(width, 1, outputs), Shape(width, 2, outputs)
        if one.blocks is None:
            return ()
        if found and found[-1] == one and two.blocks == one.blocks:
            found[-1] = two
        else:
            found.append(one)
    return tuple(found)


def adding(number: int, count: int, *, adds: bool) -> int:
    """Return when launch ``number`` of ``count`` adds: never (0), BEFORE, or, a single launch, AFTER the activation."""
    if number == 0 and not adds:
        return 0
    return AFTER if count == 1 else BEFORE


def supports(
    widths: tuple[int, ...], outputs: int, x: Tensor, dtype: torch.dtype, *, adds: bool, slope: float = 1.0
) -> bool:
    """Whether :func:`convolve` can compute a layer, and faster than convolve.py.

    Each kernel that is compiled is first verified against torch's convolution on a map of a few rows.

    Args:
        widths: The channels of each input.
        outputs: The channels of the output.
        x: A map of the inputs' batch, height and width [B, C, H, W].
        dtype: The type of the maps.
        adds: Whether a map is added to the output.
        slope: Slope of the activation; if it is not 1, a layer that takes several launches cannot add a map.
    """
    launches = launches_for(widths, outputs)
    return (
        dtype in _TYPES
        and len(x) * x.shape[2] * x.shape[3] * outputs >= LEAST_SUMS
        and _is_known(x.device)
        and bool(launches)
        and (slope == 1.0 or not adds or len(launches) == 1)
        and all(
            _is_verified(shape, dtype, x.device, adding(number, len(launches), adds=adds))
            for number, shape in enumerate(launches)
        )
    )


def convolve(
    inputs: Sequence[Tensor],
    weight: Tensor,
    bias: Tensor,
    *,
    slope: float = 1.0,
    add: Tensor | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Compute activation(conv(x)) + add.

    Args:
        inputs: Maps [B, Ck, H, W], channels last, whose channels, concatenated, are x.
        weight: [9, sum of all Ck, outputs], by tap; the last input's channels are zero-padded to a multiple of FILLED.
        bias: [outputs] float32.
        slope: Slope of the activation for negative values: 0 is ReLU, 1 no activation.
        add: [B, outputs, H, W], channels last, added after the activation.
        out: Where to write, [B, outputs, H, W] of the type of the inputs, channels last and without gaps.

    Returns:
        ``out``, or a new map like it.
    """
    *whole, last = inputs
    inputs = (*whole, concat((last,), last.dtype, multiple=FILLED))
    launches, taken, channel = launches_for(tuple(one.shape[1] for one in inputs), weight.shape[2]), 0, 0
    for number, shape in enumerate(launches):
        mine = inputs[taken : taken + shape.inputs]
        is_last = number == len(launches) - 1
        once = bias if number == 0 else torch.zeros_like(bias)
        end, target = (slope, out) if is_last else (1.0, None)
        adds = adding(number, len(launches), adds=add is not None)
        add = _launch(shape, mine, weight, channel, once, add, adds=adds, slope=end, out=target)
        taken, channel = taken + shape.inputs, channel + shape.inputs * shape.channels
    assert add is not None
    return add


def _launch(
    shape: Shape,
    inputs: Sequence[Tensor],
    weight: Tensor,
    channel: int,
    bias: Tensor,
    add: Tensor | None,
    *,
    adds: int,
    slope: float = 1.0,
    out: Tensor | None = None,
) -> Tensor:
    """Launch the kernel once, as :func:`convolve`, for inputs whose weights begin at ``channel``.

    ``adds``: 0, or whether to add ``add`` BEFORE or AFTER the activation.
    """
    assert shape.blocks is not None
    x, (wide, rest) = inputs[0], shape.blocks
    batch, _, height, width = x.shape
    if out is None:
        size = (batch, shape.outputs, height, width)
        out = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    strips, groups = triton.cdiv(width, STRIP), shape.outputs // (wide + rest)
    workers = 2 * multiprocessors(x.device) // groups
    rows = triton.cdiv(height, min(height, max(1, workers // (batch * strips))))
    items = batch * strips * triton.cdiv(height, rows)
    maps = [_strip_of(one, shape.chunk) for one in inputs]
    blocks = [_layout((1, shape.chunk, outputs), x.dtype) for outputs in shape.blocks]
    adding = [None if add is None else _strip_of(add, outputs) for outputs in shape.blocks]
    start(
        rolling_kernel,
        (shape, x.dtype, adds, x.device),
        (triton.cdiv(items, 2), groups, 1),
        (
            maps[0], maps[1] if shape.inputs == 2 else None,
            *(TensorDescriptor.from_tensor(weight, block, layout) for block, layout in blocks), channel,
            *(_strip_of(out, outputs) for outputs in shape.blocks), *adding, bias, float(slope),
            items, height, rows, strips,
        ),
        {
            "chunks": shape.inputs * shape.channels // shape.chunk, "inputs": shape.inputs, "chunk": shape.chunk,
            "stages": shape.stages(wide + rest), "strip": STRIP, "wide": wide, "rest": rest, "adds": adds,
        },
        num_warps=4, maxnreg=168,
    )  # fmt: skip
    return out


def _strip_of(map_: Tensor, channels: int) -> Any:
    """Describe the blocks by which the kernel accesses ``map_`` [B, C, H, W]: ``channels`` of a row of a strip."""
    batch, pitch, height, width = map_.shape
    # Not the tensor's own strides: those of a dimension of length 1 are arbitrary.
    strides = [height * width * pitch, width * pitch, pitch, 1]
    block, layout = _layout((1, 1, STRIP, channels), map_.dtype)
    return TensorDescriptor(map_, [batch, height, width, pitch], strides, block, layout)


@cache
def _layout(block: tuple[int, ...], dtype: torch.dtype) -> tuple[list[int], Any]:
    """Return ``block`` and its layout in shared memory."""
    return list(block), gl.NVMMASharedLayout.get_default_for(list(block), _TYPES[dtype])


@cache
def _is_known(device: torch.device) -> bool:
    """Whether ``device`` is a Hopper GPU and Triton has a known version; under others a barrier might deadlock."""
    return is_hopper(device) and triton.__version__.rpartition(".")[0] in KNOWN_TRITON


_VERIFIED: dict[tuple[Shape, torch.dtype, int], bool] = {}


def _is_verified(shape: Shape, dtype: torch.dtype, device: torch.device, adds: int) -> bool:
    return is_verified(
        _VERIFIED, (shape, dtype, adds), lambda: _matches_torch(shape, dtype, device, adds), device=device,
        sources=(Path(__file__), Path(__file__).with_name("convolve_hopper_kernels.py")),
    )  # fmt: skip


def _matches_torch(shape: Shape, dtype: torch.dtype, device: torch.device, adds: int) -> bool:
    generator = torch.Generator(device).manual_seed(0)

    def random(*size: int) -> Tensor:
        values = torch.randn(size, generator=generator, device=device, dtype=torch.float32).to(dtype)
        return values.contiguous(memory_format=torch.channels_last) if len(size) == 4 else values

    inputs = [random(2, shape.channels, 5, STRIP + 3) for _ in range(shape.inputs)]
    channels = shape.inputs * shape.channels
    weight = random(9, channels, shape.outputs) * (9 * channels) ** -0.5
    bias, add = random(shape.outputs).float(), random(2, shape.outputs, 5, STRIP + 3) if adds else None
    found = _launch(shape, inputs, weight, 0, bias, add, adds=adds, slope=0.1).float()
    by_output = weight.view(3, 3, channels, shape.outputs).permute(3, 2, 0, 1)
    wanted = convolved(torch.cat(inputs, 1), by_output, bias)
    if add is not None and adds == BEFORE:
        wanted = wanted + add.float()
    wanted = F.leaky_relu(wanted, 0.1)
    if add is not None and adds == AFTER:
        wanted = wanted + add.float()
    return bool((found - wanted).abs().max() < 0.1)
