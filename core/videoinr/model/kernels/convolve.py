"""A convolution, 3x3 or 1x1, with all that follows it, in one pass over channels-last maps, in Triton.

What an encoder costs beside its products is carrying maps to device memory and back: for the bias, for the activation,
for the sum with what came in. Here a program keeps its pixels' sums in registers, through one product for each tap and
chunk of channels, and all that follows is done before they are written. What comes in in parts is read where it is.
For inference alone; training needs the maps in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from torch import Tensor, nn

from videoinr.model.maps import concat

try:
    from videoinr.model.kernels import convolve_hopper
except ImportError:  # a Triton without Gluon, or with another one
    convolve_hopper = None  # type: ignore[assignment]

MAX_ELEMENTS = 2**31 - 1
"""Of any map that it reads or writes: it counts in 32 bits."""
_WORD = 8
"""Channels that are read at once, 16 bytes: parts are filled up to whole ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a program goes about it: its output pixels, the channels of one product, warps, and loads under way."""

    run: int = 128
    chunk: int = 32
    warps: int = 4
    stages: int = 3


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def finish(  # type: ignore[no-untyped-def]
    sums, pixel, inside, output, bias, add, out,
    outputs: tl.constexpr, slope: tl.constexpr, adds: tl.constexpr,
):  # fmt: skip
    """Write a program's ``sums`` [run, outputs]: bias, activation, and what is added."""
    sums += tl.load(bias + output)[None, :]
    if slope != 1.0:
        sums = tl.where(sums > 0, sums, sums * slope)
    place = pixel[:, None] * outputs + output[None, :]
    mask = inside[:, None] & (output < outputs)[None, :]
    if adds:
        sums += tl.load(add + place, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + place, sums.to(out.dtype.element_ty), mask=mask)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _convolve_kernel(  # type: ignore[no-untyped-def]
    parts, weight, bias, add, out, pixels, height, width, out_height, out_width,
    widths: tl.constexpr, begins: tl.constexpr, outputs: tl.constexpr, chunks: tl.constexpr, chunk: tl.constexpr,
    side: tl.constexpr, wide: tl.constexpr, rest: tl.constexpr, stride: tl.constexpr, slope: tl.constexpr,
    adds: tl.constexpr, run: tl.constexpr, stages: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * run + tl.arange(0, run)
    inside = pixel < pixels
    line = pixel // out_width
    column, row = (pixel % out_width) * stride, (line % out_height) * stride
    origin = ((line // out_height) * height + row) * width + column
    channel, output = tl.arange(0, chunk), tl.arange(0, wide)
    sums = tl.zeros((run, wide), tl.float32)
    if rest:  # Blocks are powers of two: 96 outputs are a block of 64 and one of 32, which read the same pixels.
        more = wide + tl.arange(0, rest)
        more_sums = tl.zeros((run, rest), tl.float32)
    for step in tl.range(side * side * chunks, num_stages=stages):
        tap, piece = step // chunks, step % chunks
        down, right = tap // side - side // 2, tap % side - side // 2
        y, x_there = row + down, column + right
        there = inside & (y >= 0) & (y < height) & (x_there >= 0) & (x_there < width)
        part, pitch, begin = parts[0], widths[0], 0
        for k in tl.static_range(1, len(widths)):
            behind = piece >= begins[k]
            part, pitch = tl.where(behind, parts[k], part), tl.where(behind, widths[k], pitch)
            begin = tl.where(behind, begins[k], begin)
        first = (piece - begin) * chunk
        read = (origin + down * width + right)[:, None] * pitch + (first + channel)[None, :]
        values = tl.load(part + read, mask=there[:, None] & (first + channel < pitch)[None, :], other=0.0)
        factors = weight + (step * chunk + channel)[:, None] * (wide + rest)
        sums = tl.dot(values, tl.load(factors + output[None, :]), sums, input_precision="ieee")
        if rest:
            more_sums = tl.dot(values, tl.load(factors + more[None, :]), more_sums, input_precision="ieee")
    finish(sums, pixel, inside, output, bias, add, out, outputs, slope, adds)
    if rest:
        finish(more_sums, pixel, inside, more, bias, add, out, outputs, slope, adds)


@dataclass(frozen=True, eq=False)
class Packed:
    """A layer's weights as the kernel reads them: [tap * channels, outputs]; the bias float32.

    Zeros fill up the outputs, and the channels of each part of the input to whole chunks, of which ``begins`` are the
    numbers of each part's first.
    """

    version: tuple[int, ...]
    weight: Tensor
    bias: Tensor
    chunks: int
    begins: tuple[int, ...]
    wide: int
    rest: int


Form = tuple[torch.dtype, int, tuple[int, ...]]
"""What they are packed for: the type, the channels of a chunk, and those of each part of the input."""
_PACKED: WeakKeyDictionary[nn.Module, dict[Form, Packed]] = WeakKeyDictionary()
"""All forms are kept: a recorded CUDA graph goes on reading the one that it was recorded with."""


def supports(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether :func:`convolve` can take the place of ``layer`` on ``x``."""
    columns = max(layer.in_channels, layer.out_channels)
    return (
        (layer.kernel_size, layer.padding) in (((3, 3), (1, 1)), ((1, 1), (0, 0)))
        and (layer.dilation, layer.groups) == ((1, 1), 1)
        and layer.stride in ((1, 1), (2, 2))
        and layer.out_channels <= 128  # More sums than that do not fit a program's registers.
        and len(x) * columns * x.shape[2] * x.shape[3] <= MAX_ELEMENTS
    )


def convolve(
    layer: nn.Conv2d,
    parts: Sequence[Tensor],
    *,
    slope: float = 1.0,
    add: Tensor | None = None,
    dtype: torch.dtype = torch.float16,
    plan: Plan | None = None,
) -> Tensor:
    """leaky(layer(x)) + add -> [B, D, H', W'] of ``dtype``, channels last, for a ``layer`` that :func:`supports`.

    x is the channels of ``parts`` one after the other, each [B, C, H, W]; ``add`` is like the result; all are taken as
    ``dtype``. ``slope``: what becomes of values below zero (0: ReLU, 1: nothing). Sums and the activation are float32.
    """
    widths = tuple(part.shape[1] for part in parts)
    add = add if add is None else add.to(dtype).contiguous(memory_format=torch.channels_last)
    if plan is None and _rolls(layer, parts[0], widths, dtype, slope=slope, adds=add is not None):
        ready = packed(layer, dtype, convolve_hopper.FILLED, widths)
        matrices = ready.weight.view(9, -1, layer.out_channels)
        maps = [concat((part,), dtype) for part in parts]
        return convolve_hopper.convolve(maps, matrices, ready.bias, slope=slope, add=add)
    stride, (batch, _, height, width) = layer.stride[0], parts[0].shape
    size = (height + stride - 1) // stride, (width + stride - 1) // stride
    pixels = batch * size[0] * size[1]
    plan = plan or plan_for(layer, pixels, max(widths))
    ready = packed(layer, dtype, plan.chunk, widths)
    maps = [concat((part,), dtype, multiple=_WORD) for part in parts]
    shape = (batch, layer.out_channels, *size)
    out = torch.empty(shape, dtype=dtype, device=maps[0].device, memory_format=torch.channels_last)
    _convolve_kernel[(triton.cdiv(pixels, plan.run),)](
        tuple(maps), ready.weight, ready.bias, out if add is None else add, out, pixels, height, width, *size,
        widths=tuple(one.shape[1] for one in maps), begins=ready.begins, outputs=layer.out_channels,
        chunks=ready.chunks, chunk=plan.chunk, side=layer.kernel_size[0], wide=ready.wide, rest=ready.rest,
        stride=stride, slope=slope, adds=add is not None, run=plan.run, stages=plan.stages, num_warps=plan.warps,
    )  # fmt: skip
    return out


def convolve_or_torch(layer: nn.Conv2d, *maps: Tensor, dtype: torch.dtype) -> Tensor:
    """Convolve ``maps``, concatenated and taken as ``dtype``, by the kernel or, where it cannot, by torch."""
    maps = tuple(one.to(dtype) for one in maps)
    if supports(layer, maps[0]):
        return convolve(layer, maps, dtype=dtype)
    out: Tensor = layer(concat(maps) if len(maps) > 1 else maps[0])
    return out


def _rolls(
    layer: nn.Conv2d, x: Tensor, widths: tuple[int, ...], dtype: torch.dtype, *, slope: float, adds: bool
) -> bool:
    """Whether it is left to convolve_hopper.py, where what is added is added before the activation."""
    return (
        convolve_hopper is not None
        and (layer.kernel_size, layer.stride) == ((3, 3), (1, 1))
        and (slope == 1.0 or not adds)
        and convolve_hopper.supports(widths, layer.out_channels, x, dtype, adds=adds)
    )


def plan_for(layer: nn.Conv2d, pixels: int, widest: int) -> Plan:
    """A fast way for ``layer`` at so many output ``pixels``, as ``benchmarks.gpu_encode --sweep`` found on an H100.

    ``widest``: the channels of the widest part of its input. Narrow parts stay apart even where each fills its chunks
    by three quarters: joined, lite's take by half to four fifths longer.
    """
    channels, outputs = layer.in_channels, layer.out_channels
    if widest <= 32 < channels:
        return Plan(run=128, chunk=32, warps=4, stages=4)
    if pixels < 2**14 and widest % 64 == 0:
        # Of so few pixels, runs of 128 would leave half of the card without a program.
        return Plan(run=64, chunk=64, warps=4, stages=3)
    if channels <= 16 or (channels % 32 and channels % 16 == 0):
        return Plan(run=128, chunk=16, warps=4, stages=4)  # 48: a third of chunks of 32 would be zeros
    if (outputs <= 48 and channels >= 64) or (pixels < 2**17 and channels > 128):
        return Plan(run=128, chunk=64, warps=4, stages=3)
    if 64 < outputs < 96:
        return Plan(run=256, chunk=32, warps=8, stages=3)
    return Plan(run=128, chunk=32, warps=4, stages=4)


def packed(layer: nn.Module, dtype: torch.dtype, chunk: int, widths: tuple[int, ...]) -> Packed:
    """The weights of a convolution whose input's parts have ``widths``, made anew only when they have changed."""
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    assert bias is None or isinstance(bias, Tensor)
    forms, form, version = _PACKED.setdefault(layer, {}), (dtype, chunk, widths), version_of(weight, bias)
    if form not in forms or forms[form].version != version:
        forms[form] = _pack(weight, weight.new_zeros(len(weight)) if bias is None else bias, version, form)
    return forms[form]


def version_of(weight: Tensor, bias: Tensor | None) -> tuple[int, ...]:
    """Another one whenever either has changed."""
    known = (weight,) if bias is None else (weight, bias)
    changes = 0 if weight.is_inference() else sum(one._version for one in known)
    return (changes, *(one.data_ptr() for one in known))


def _pack(weight: Tensor, bias: Tensor, version: tuple[int, ...], form: Form) -> Packed:
    outputs, (dtype, chunk, widths) = len(weight), form
    wide, rest = _blocks(outputs)
    counts = [triton.cdiv(width, chunk) for width in widths]
    by_tap = F.pad(weight.detach().permute(2, 3, 1, 0), (0, wide + rest - outputs))
    parts = zip(torch.split(by_tap, list(widths), 2), counts, strict=True)
    whole = torch.cat([F.pad(part, (0, 0, 0, count * chunk - part.shape[2])) for part, count in parts], 2)
    return Packed(
        version=version,
        weight=whole.reshape(-1, wide + rest).to(dtype).contiguous(),
        bias=F.pad(bias.detach().float(), (0, wide + rest - outputs)),
        chunks=sum(counts),
        begins=tuple(sum(counts[:k]) for k in range(len(counts))),
        wide=wide,
        rest=rest,
    )


def _blocks(outputs: int) -> tuple[int, int]:
    """Two powers of two, the second perhaps 0, that hold ``outputs`` with little left over."""
    whole = max(16, int(triton.next_power_of_2(outputs)))
    half = whole // 2
    rest = max(16, int(triton.next_power_of_2(outputs - half))) if outputs > half else 0
    return (whole, 0) if rest in (0, half) or half < 16 else (half, rest)
