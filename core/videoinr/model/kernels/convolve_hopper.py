"""The 3x3 convolutions of convolve.py on Hopper: in two thirds of their time, for the layers that it supports.

What limits convolve.py is the second cache: for every 128 pixels its programs read nine taps of their channels, and all
weights. Here a multiprocessor reads the weights once, and two workers share them. Each walks down a strip of 64
columns; a row that it meets is multiplied for the three rows of output that it touches, so that a row is read three
times, for the left, the middle and the right taps, and not nine times. Beside each worker one warp reads ahead, by the
tensor memory accelerator, which also gives the zeros around a map, and another one writes.

Sums are kept as two blocks of outputs, since blocks are powers of two: 96 outputs are 64 and 32. A layer whose weights
do not fit into shared memory is done in steps: some of the parts of its input after the other, or of its outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import torch
import torch.nn.functional as F
import triton
from torch import Tensor
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.nvidia.hopper import TensorDescriptor

from videoinr.model.kernels.convolve_hopper_kernels import rolling_kernel
from videoinr.model.maps import concat

STRIP = 64
"""Columns of a worker's strip: the rows of one matrix product."""
LEAST_SUMS = 3 * 2**20
"""Pixels times outputs from which it is the faster one: below, the weights are not read often enough (H100)."""
FILLED = 16
"""To a multiple of so many channels the last part is filled up."""
KNOWN_TRITON = ("3.6",)
"""Versions of Triton that it ran under: Gluon is called experimental."""
_SHARED_BYTES = 227 * 1024
_BARRIER_BYTES = 1024
_BLOCKS = ((64, 32), (32, 32), (32, 16))
_TYPES = {torch.float16: gl.float16, torch.bfloat16: gl.bfloat16}


@dataclass(frozen=True)
class Shape:
    """What is done in one launch: ``parts`` maps of ``channels`` each to ``outputs`` channels."""

    channels: int
    parts: int
    outputs: int

    @cached_property
    def chunk(self) -> int:
        """Channels of one product, 0 if they do not fall into chunks."""
        return next((size for size in (64, 32, 16) if self.channels % size == 0), 0)

    @cached_property
    def blocks(self) -> tuple[int, int] | None:
        """Outputs of the two blocks of a program, which together are all outputs or an equal part of them."""
        return next((pair for pair in _BLOCKS if self.outputs % sum(pair) == 0 and self.stages(sum(pair)) >= 3), None)

    def stages(self, outputs: int) -> int:
        """Chunks that a worker has room for beside the weights of so many ``outputs`` and two sheets."""
        kept = 2 * outputs * (9 * self.parts * self.channels + 2 * STRIP)
        return min(4, (_SHARED_BYTES - _BARRIER_BYTES - kept) // (4 * STRIP * self.chunk)) if self.chunk else 0


@cache
def steps(widths: tuple[int, ...], outputs: int) -> tuple[Shape, ...]:
    """The launches for an input whose parts have so many channels; none if there is a part that does not suit.

    The last part may have any number of channels: it is filled up to a multiple of 16.
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


def supports(widths: tuple[int, ...], outputs: int, x: Tensor, dtype: torch.dtype, *, adds: bool) -> bool:
    """Whether :func:`convolve` can take the place of a layer on maps like ``x`` [B, C, H, W], and gains by it.

    That it computes the right thing is tried once for each kernel that is compiled, on a map of a few rows.
    """
    return (
        dtype in _TYPES
        and len(x) * x.shape[2] * x.shape[3] * outputs >= LEAST_SUMS
        and _suits(x.device)
        and bool(steps(widths, outputs))
        and all(
            _is_right(shape, dtype, x.device, adds or number > 0) for number, shape in enumerate(steps(widths, outputs))
        )
    )


def convolve(
    parts: Sequence[Tensor], weight: Tensor, bias: Tensor, *, slope: float = 1.0, add: Tensor | None = None
) -> Tensor:
    """leaky(conv(x) + add) -> [B, outputs, H, W], channels last, of the type of the ``parts`` [B, C, H, W].

    Those and ``add`` are channels last, too. ``weight`` [9, all C, outputs], tap by tap, the last part's channels
    filled up with zeros to a multiple of FILLED; ``bias`` [outputs] float32. ``slope``: what becomes of values below 0.
    """
    *whole, last = parts
    parts = (*whole, concat((last,), last.dtype, multiple=FILLED))
    launches, taken, channel = steps(tuple(part.shape[1] for part in parts), weight.shape[2]), 0, 0
    for number, shape in enumerate(launches):
        mine = parts[taken : taken + shape.parts]
        is_last = number == len(launches) - 1
        add = _launch(shape, mine, weight, channel, bias, add, slope=slope if is_last else 1.0)
        bias = torch.zeros_like(bias)  # of the first step alone
        taken, channel = taken + shape.parts, channel + shape.parts * shape.channels
    assert add is not None
    return add


def _launch(
    shape: Shape,
    parts: Sequence[Tensor],
    weight: Tensor,
    channel: int,
    bias: Tensor,
    add: Tensor | None,
    *,
    slope: float,
) -> Tensor:
    """One step: as :func:`convolve`, of parts whose weights begin at ``channel``."""
    assert shape.blocks is not None
    x, (wide, rest) = parts[0], shape.blocks
    batch, _, height, width = x.shape
    size = (batch, shape.outputs, height, width)
    out = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    strips, groups = triton.cdiv(width, STRIP), shape.outputs // (wide + rest)
    workers = 2 * _multiprocessors(x.device) // groups
    rows = triton.cdiv(height, min(height, max(1, workers // (batch * strips))))
    items = batch * strips * triton.cdiv(height, rows)
    maps = [_strip_of(part, shape.chunk) for part in parts]
    blocks = [_layout((1, shape.chunk, outputs), x.dtype) for outputs in shape.blocks]
    adding = [None if add is None else _strip_of(add, outputs) for outputs in shape.blocks]
    rolling_kernel[(triton.cdiv(items, 2), groups)](
        maps[0], maps[1] if shape.parts == 2 else None,
        *(TensorDescriptor.from_tensor(weight, block, layout) for block, layout in blocks), channel,
        *(_strip_of(out, outputs) for outputs in shape.blocks), *adding, bias, float(slope),
        items, height, rows, strips,
        chunks=shape.parts * shape.channels // shape.chunk, parts=shape.parts, chunk=shape.chunk,
        stages=shape.stages(wide + rest), strip=STRIP, wide=wide, rest=rest, adds=add is not None,
        num_warps=4, maxnreg=168,
    )  # fmt: skip
    return out


def _strip_of(map_: Tensor, channels: int) -> Any:
    """How the kernel reads and writes ``map_`` [B, C, H, W], channels last: so many channels of a row of a strip."""
    batch, pitch, height, width = map_.shape
    # Not the tensor's own strides: those of a side of length 1 may be anything.
    strides = [height * width * pitch, width * pitch, pitch, 1]
    block, layout = _layout((1, 1, STRIP, channels), map_.dtype)
    return TensorDescriptor(map_, [batch, height, width, pitch], strides, block, layout)


@cache
def _layout(block: tuple[int, ...], dtype: torch.dtype) -> tuple[list[int], Any]:
    """``block`` itself, and how it lies in shared memory."""
    return list(block), gl.NVMMASharedLayout.get_default_for(list(block), _TYPES[dtype])


@cache
def _suits(device: torch.device) -> bool:
    """Whether ``device`` is a Hopper, and Triton of a version under which no barrier was ever waited for in vain."""
    is_hopper = device.type == "cuda" and torch.cuda.get_device_capability(device) == (9, 0)
    return is_hopper and triton.__version__.rpartition(".")[0] in KNOWN_TRITON


@cache
def _multiprocessors(device: torch.device) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count


_RIGHT: dict[tuple[Shape, torch.dtype, bool], bool] = {}


def _is_right(shape: Shape, dtype: torch.dtype, device: torch.device, adds: bool) -> bool:
    """Whether the kernel agrees with torch's convolution; not, while a graph is recorded that must not wait for it."""
    key = (shape, dtype, adds)
    if key not in _RIGHT:
        if torch.cuda.is_current_stream_capturing():
            return False
        try:
            _RIGHT[key] = _agrees(shape, dtype, device, adds)
        except Exception:  # whatever another compiler or driver makes of it
            _RIGHT[key] = False
    return _RIGHT[key]


def _agrees(shape: Shape, dtype: torch.dtype, device: torch.device, adds: bool) -> bool:
    generator = torch.Generator(device).manual_seed(0)

    def random(*size: int) -> Tensor:
        values = torch.randn(size, generator=generator, device=device, dtype=torch.float32).to(dtype)
        return values.contiguous(memory_format=torch.channels_last) if len(size) == 4 else values

    parts = [random(2, shape.channels, 5, STRIP + 3) for _ in range(shape.parts)]
    channels = shape.parts * shape.channels
    weight = random(9, channels, shape.outputs) * (9 * channels) ** -0.5
    bias, add = random(shape.outputs).float(), random(2, shape.outputs, 5, STRIP + 3) if adds else None
    found = _launch(shape, parts, weight, 0, bias, add, slope=0.1).float()
    by_output = weight.view(3, 3, channels, shape.outputs).permute(3, 2, 0, 1)
    wanted = F.conv2d(torch.cat(parts, 1).float(), by_output.float(), bias, padding=1)
    wanted = F.leaky_relu(wanted if add is None else wanted + add.float(), 0.1)
    return bool((found - wanted).abs().max() < 0.1)
