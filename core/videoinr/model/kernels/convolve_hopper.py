"""The 3x3 convolutions of convolve.py on Hopper, in Gluon: in two thirds of their time, for the layers that it serves.

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
from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.hopper import (
    fence_async_shared,
    mbarrier,
    tma,
    warpgroup_mma,
    warpgroup_mma_wait,
)
from triton.experimental.gluon.nvidia.hopper import TensorDescriptor

from videoinr.model.convolution import joined

STRIP = 64
"""Columns of a worker's strip: the rows of one matrix product."""
LEAST_SUMS = 3 * 2**20
"""Pixels times outputs from which it is the faster one: below, the weights are not read often enough (H100)."""
KNOWN_TRITON = ("3.6",)
"""Versions of Triton that it ran under: Gluon is called experimental."""
_SHARED_BYTES = 227 * 1024
_BARRIER_BYTES = 1024
FILLED = 16
"""To a multiple of so many channels the last part is filled up."""
_BLOCKS = ((64, 32), (32, 32), (32, 16))
# Whole numbers that change with the clip: compiled for their values, each size would wait for the compiler.
_SIZES = ["channel", "items", "height", "rows", "strips"]
_TYPES = {torch.float16: gl.float16, torch.bfloat16: gl.bfloat16}


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _place(job, strip: gl.constexpr):  # type: ignore[no-untyped-def]
    """A worker's image, first column, first row, and the row behind its last; behind the last item, no rows."""
    item, items, height, rows, strips = job
    segments = (height + rows - 1) // rows
    first = ((item // strips) % segments) * rows
    last = gl.where(item < items, gl.minimum(first + rows, height), first - 2)
    return item // strips // segments, (item % strips) * strip, first, last


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _read(  # type: ignore[no-untyped-def]
    maps, ring, job,
    chunks: gl.constexpr, parts: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
):  # fmt: skip
    """The rows of the strip, the one above and the one below: each three times, a chunk of channels at a time."""
    slots, full, empty = ring
    image, column, first, last = _place(job, strip)
    count = 0
    for row in range(first - 1, last + 1):
        for step in range(3 * chunks):
            slot = count % stages
            mbarrier.wait(empty.index(slot), ((count // stages) & 1) ^ 1)
            mbarrier.expect(full.index(slot), strip * chunk * 2)
            x, channel = column + step // chunks - 1, (step % chunks) * chunk
            each: gl.constexpr = chunks * chunk // parts
            if parts == 1 or channel < each:
                tma.async_copy_global_to_shared(maps[0], [image, row, x, channel], full.index(slot), slots.index(slot))
            else:
                channel -= each
                tma.async_copy_global_to_shared(maps[1], [image, row, x, channel], full.index(slot), slots.index(slot))
            count += 1


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _read_with_weights(  # type: ignore[no-untyped-def]
    matrices, channel, weights, arrived, maps, ring, job,
    chunks: gl.constexpr, parts: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr,
):  # fmt: skip
    """As :func:`_read`, after the weights of all nine taps, which both workers wait for."""
    output = gl.program_id(1) * (wide + rest)
    mbarrier.expect(arrived, 9 * chunks * chunk * (wide + rest) * 2)
    for index in range(9 * chunks):
        tap, row = index // chunks, channel + (index % chunks) * chunk
        tma.async_copy_global_to_shared(matrices[0], [tap, row, output], arrived, weights[0].index(index))
        tma.async_copy_global_to_shared(matrices[1], [tap, row, output + wide], arrived, weights[1].index(index))
    _read(maps, ring, job, chunks, parts, chunk, stages, strip)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _write(out, add, sheet, job, strip: gl.constexpr, wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr):  # type: ignore[no-untyped-def]
    """Each row: lay what is added on the sheet, wait until the worker has done its part, and write the sheet."""
    block, other_block, laid, done = sheet
    image, column, first, last = _place(job, strip)
    output = gl.program_id(1) * (wide + rest)
    for row in range(first, last):
        if adds:
            mbarrier.expect(laid, strip * (wide + rest) * 2)
            tma.async_copy_global_to_shared(add[0], [image, row, column, output], laid, block)
            tma.async_copy_global_to_shared(add[1], [image, row, column, output + wide], laid, other_block)
        else:
            mbarrier.arrive(laid, count=1)
        mbarrier.wait(done, (row - first) & 1)
        tma.async_copy_shared_to_global(out[0], [image, row, column, output], block)
        tma.async_copy_shared_to_global(out[1], [image, row, column, output + wide], other_block)
        tma.store_wait(0)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _finish(  # type: ignore[no-untyped-def]
    sums, bias, slope, block, strip: gl.constexpr, outputs: gl.constexpr, adds: gl.constexpr, layout: gl.constexpr
):  # fmt: skip
    """Bias, what lies on a block of the sheet, and the activation of it all, in its place."""
    values = sums + gl.load(bias + gl.arange(0, outputs, layout=gl.SliceLayout(0, layout)))[None, :]
    place = block.reshape([strip, outputs])
    if adds:
        values += place.load(layout).to(gl.float32)
    place.store(gl.where(values > 0, values, values * slope).to(block.dtype))


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _added(sums, values, weights, index, chunk: gl.constexpr, outputs: gl.constexpr):  # type: ignore[no-untyped-def]
    """``sums`` and, as soon as it is there, the product of ``values`` and a chunk of the weights of a tap."""
    return warpgroup_mma(values, weights.index(index).reshape([chunk, outputs]), sums, is_async=True)


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _multiply(  # type: ignore[no-untyped-def]
    bias, slope, weights, arrived, ring, sheet, job,
    chunks: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr,
):  # fmt: skip
    """A worker: each row by the weights of three rows of taps, for the rows of output above it, here and below it."""
    slots, full, empty = ring
    block, other_block, laid, done = sheet
    layout: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [4, 1], [16, wide, 16])
    other_layout: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [4, 1], [16, rest, 16])
    left: gl.constexpr = gl.DotOperandLayout(0, layout, 2)
    other_left: gl.constexpr = gl.DotOperandLayout(0, other_layout, 2)
    _image, _column, first, last = _place(job, strip)
    bias += gl.program_id(1) * (wide + rest)
    mbarrier.wait(arrived, 0)
    count = 0
    above = gl.zeros([strip, wide], gl.float32, layout)
    here = gl.zeros([strip, wide], gl.float32, layout)
    other_above = gl.zeros([strip, rest], gl.float32, other_layout)
    other_here = gl.zeros([strip, rest], gl.float32, other_layout)
    for row in range(first - 1, last + 1):
        below = gl.zeros([strip, wide], gl.float32, layout)
        other_below = gl.zeros([strip, rest], gl.float32, other_layout)
        # Not unrolled: where sums change places behind a wait, LLVM copied them before it (Triton 3.6).
        for step in range(3 * chunks):
            slot = count % stages
            mbarrier.wait(full.index(slot), (count // stages) & 1)
            values = slots.index(slot).reshape([strip, chunk]).load(left)
            other_values = gl.convert_layout(values, other_left, assert_trivial=True)
            # For the output above, this row is the lower one: it takes the last of the taps.
            above = _added(above, values, weights[0], 6 * chunks + step, chunk, wide)
            here = _added(here, values, weights[0], 3 * chunks + step, chunk, wide)
            below = _added(below, values, weights[0], step, chunk, wide)
            other_above = _added(other_above, other_values, weights[1], 6 * chunks + step, chunk, rest)
            other_here = _added(other_here, other_values, weights[1], 3 * chunks + step, chunk, rest)
            other_below = _added(other_below, other_values, weights[1], step, chunk, rest)
            above, here, below, other_above, other_here, other_below = warpgroup_mma_wait(
                0, (above, here, below, other_above, other_here, other_below)
            )
            fence_async_shared()
            mbarrier.arrive(empty.index(slot), count=1)
            count += 1
        if row > first:
            mbarrier.wait(laid, (row - first - 1) & 1)
            _finish(above, bias, slope, block, strip, wide, adds, layout)
            _finish(other_above, bias + wide, slope, other_block, strip, rest, adds, other_layout)
            fence_async_shared()
            mbarrier.arrive(done, count=1)
        above, here = here, below
        other_above, other_here = other_here, other_below


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _ring(x, stages: gl.constexpr, strip: gl.constexpr, chunk: gl.constexpr):  # type: ignore[no-untyped-def]
    """Room for what is read ahead, and a barrier each for "it is here" and "it is used up"."""
    slots = gl.allocate_shared_memory(x.dtype, [stages, 1, 1, strip, chunk], x.layout)
    full = gl.allocate_shared_memory(gl.int64, [stages, 1], mbarrier.MBarrierLayout())
    empty = gl.allocate_shared_memory(gl.int64, [stages, 1], mbarrier.MBarrierLayout())
    for slot in gl.static_range(stages):
        mbarrier.init(full.index(slot), count=1)
        mbarrier.init(empty.index(slot), count=1)
    return slots, full, empty


@gluon.jit  # type: ignore[untyped-decorator, unused-ignore]
def _sheet(out, other_out, strip: gl.constexpr, wide: gl.constexpr, rest: gl.constexpr):  # type: ignore[no-untyped-def]
    """Room for a row of output, and a barrier each for "it is the worker's" and "it is the writer's"."""
    block = gl.allocate_shared_memory(out.dtype, [1, 1, strip, wide], out.layout)
    other_block = gl.allocate_shared_memory(out.dtype, [1, 1, strip, rest], other_out.layout)
    laid = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    done = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    mbarrier.init(laid, count=1)
    mbarrier.init(done, count=1)
    return block, other_block, laid, done


@gluon.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def _rolling_kernel(  # type: ignore[no-untyped-def]
    x, other_x, weight, other_weight, channel, out, other_out, add, other_add, bias, slope, items, height, rows, strips,
    chunks: gl.constexpr, parts: gl.constexpr, chunk: gl.constexpr, stages: gl.constexpr, strip: gl.constexpr,
    wide: gl.constexpr, rest: gl.constexpr, adds: gl.constexpr,
):  # fmt: skip
    weights = (
        gl.allocate_shared_memory(x.dtype, [9 * chunks, 1, chunk, wide], weight.layout),
        gl.allocate_shared_memory(x.dtype, [9 * chunks, 1, chunk, rest], other_weight.layout),
    )
    arrived = gl.allocate_shared_memory(gl.int64, [1], mbarrier.MBarrierLayout())
    mbarrier.init(arrived, count=1)
    ring, other_ring = _ring(x, stages, strip, chunk), _ring(x, stages, strip, chunk)
    sheet, other_sheet = _sheet(out, other_out, strip, wide, rest), _sheet(out, other_out, strip, wide, rest)
    job = (2 * gl.program_id(0), items, height, rows, strips)
    other_job = (2 * gl.program_id(0) + 1, items, height, rows, strips)
    matrices, maps, outs, adding = (weight, other_weight), (x, other_x), (out, other_out), (add, other_add)
    gl.warp_specialize(
        [
            (_multiply, (bias, slope, weights, arrived, ring, sheet, job,
                         chunks, chunk, stages, strip, wide, rest, adds)),
            (_multiply, (bias, slope, weights, arrived, other_ring, other_sheet, other_job,
                         chunks, chunk, stages, strip, wide, rest, adds)),
            (_read_with_weights, (matrices, channel, weights, arrived, maps, ring, job,
                                  chunks, parts, chunk, stages, strip, wide, rest)),
            (_read, (maps, other_ring, other_job, chunks, parts, chunk, stages, strip)),
            (_write, (outs, adding, sheet, job, strip, wide, rest, adds)),
            (_write, (outs, adding, other_sheet, other_job, strip, wide, rest, adds)),
        ],
        [4, 1, 1, 1, 1], [232, 24, 24, 24, 24],
    )  # fmt: skip


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


def serves(widths: tuple[int, ...], outputs: int, x: Tensor, dtype: torch.dtype, *, adds: bool) -> bool:
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
    parts = (*whole, joined((last,), last.dtype, multiple=FILLED))
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
    _rolling_kernel[(triton.cdiv(items, 2), groups)](
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
