"""A 3x3 convolution with all that follows it, in one pass over channels-last maps, in Triton.

What an encoder costs beside its products is carrying maps to device memory and back: for the bias, for the activation,
for the sum with what came in. Here a program keeps its pixels' sums in registers, through one product for each tap and
chunk of channels, and all that follows is done before they are written. For inference alone; training needs the maps
in between.
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

MAX_ELEMENTS = 2**31 - 1
"""Of any map that it reads or writes: it counts in 32 bits."""
TAPS = 9


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
    x, weight, bias, add, out, pixels, height, width, out_height, out_width,
    channels: tl.constexpr, outputs: tl.constexpr, chunks: tl.constexpr, chunk: tl.constexpr,
    wide: tl.constexpr, rest: tl.constexpr, stride: tl.constexpr, slope: tl.constexpr, adds: tl.constexpr,
    run: tl.constexpr, stages: tl.constexpr,
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
    for step in tl.range(9 * chunks, num_stages=stages):
        tap, first = step // chunks, (step % chunks) * chunk
        down, right = tap // 3 - 1, tap % 3 - 1
        y, x_there = row + down, column + right
        there = inside & (y >= 0) & (y < height) & (x_there >= 0) & (x_there < width)
        read = (origin + down * width + right)[:, None] * channels + (first + channel)[None, :]
        values = tl.load(x + read, mask=there[:, None] & (first + channel < channels)[None, :], other=0.0)
        factors = weight + (step * chunk + channel)[:, None] * (wide + rest)
        sums = tl.dot(values, tl.load(factors + output[None, :]), sums)
        if rest:
            more_sums = tl.dot(values, tl.load(factors + more[None, :]), more_sums)
    finish(sums, pixel, inside, output, bias, add, out, outputs, slope, adds)
    if rest:
        finish(more_sums, pixel, inside, more, bias, add, out, outputs, slope, adds)


@dataclass(frozen=True, eq=False)
class Packed:
    """A layer's weights as the kernel reads them: [tap * channels, outputs], padded with zeros; the bias float32."""

    version: tuple[int, ...]
    weight: Tensor
    bias: Tensor
    chunks: int
    wide: int
    rest: int


_PACKED: WeakKeyDictionary[nn.Module, Packed] = WeakKeyDictionary()


def serves(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether :func:`convolve` can take the place of ``layer`` on ``x``."""
    columns = max(layer.in_channels, layer.out_channels)
    return (
        (layer.kernel_size, layer.padding, layer.dilation, layer.groups) == ((3, 3), (1, 1), (1, 1), 1)
        and layer.stride in ((1, 1), (2, 2))
        and layer.in_channels >= 8  # Of the frames' three, seven eighths of each product would be zeros.
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
    """leaky(layer(x)) + add -> [B, D, H', W'] of ``dtype``, channels last, for a ``layer`` that :func:`serves`.

    x is the channels of ``parts`` one after the other, each [B, C, H, W]; ``add`` is like the result; all are taken as
    ``dtype``. ``slope``: what becomes of values below zero (0: ReLU, 1: nothing). Sums and the activation are float32.
    """
    x = _joined([part.to(dtype).contiguous(memory_format=torch.channels_last) for part in parts])
    stride, (batch, channels, height, width) = layer.stride[0], x.shape
    size = (height + stride - 1) // stride, (width + stride - 1) // stride
    plan = plan or plan_for(layer, batch * size[0] * size[1])
    ready = packed(layer, dtype, plan.chunk)
    shape = (batch, layer.out_channels, *size)
    out = torch.empty(shape, dtype=dtype, device=x.device, memory_format=torch.channels_last)
    other = x if add is None else add.to(dtype).contiguous(memory_format=torch.channels_last)
    pixels = batch * size[0] * size[1]
    _convolve_kernel[(triton.cdiv(pixels, plan.run),)](
        x, ready.weight, ready.bias, other, out, pixels, height, width, *size,
        channels=channels, outputs=layer.out_channels, chunks=ready.chunks, chunk=plan.chunk,
        wide=ready.wide, rest=ready.rest, stride=stride, slope=slope, adds=add is not None,
        run=plan.run, stages=plan.stages, num_warps=plan.warps,
    )  # fmt: skip
    return out


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Their channels one after the other, and zeros up to a multiple of eight: a pixel is then whole 16-byte words."""
    first, channels = parts[0], sum(part.shape[1] for part in parts)
    if len(parts) == 1 and channels % 8 == 0:
        return first
    shape = (len(first), -(-channels // 8) * 8, *first.shape[2:])
    out = torch.empty(shape, dtype=first.dtype, device=first.device, memory_format=torch.channels_last)
    out[:, channels:] = 0
    begin = 0
    for part in parts:
        # Not torch.cat: of channels-last maps on an H100 it took 8.9 of the 14.9 ms in which lite encoded 960x540.
        out[:, begin : begin + part.shape[1]] = part
        begin += part.shape[1]
    return out


def plan_for(layer: nn.Conv2d, pixels: int) -> Plan:
    """A fast way for ``layer`` at so many output ``pixels``, as ``benchmarks.gpu_encode --sweep`` found on an H100."""
    channels, outputs = layer.in_channels, layer.out_channels
    if channels % 32 and channels % 16 == 0:
        return Plan(run=128, chunk=16, warps=4, stages=4)  # 48: a third of chunks of 32 would be zeros
    if (outputs <= 48 and channels >= 64) or (pixels < 2**17 and channels > 128):
        return Plan(run=128, chunk=64, warps=4, stages=3)
    if 64 < outputs < 96:
        return Plan(run=256, chunk=32, warps=8, stages=3)
    return Plan(run=128, chunk=32, warps=4, stages=4)


def packed(layer: nn.Module, dtype: torch.dtype, chunk: int) -> Packed:
    """The weights of a 3x3 convolution, made anew only when they have changed."""
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    changes = 0 if weight.is_inference() else weight._version + bias._version
    version = (changes, weight.data_ptr(), bias.data_ptr(), chunk)
    known = _PACKED.get(layer)
    if known is None or known.version != version or known.weight.dtype != dtype:
        known = _PACKED[layer] = _pack(weight, bias, version, dtype, chunk)
    return known


def _pack(weight: Tensor, bias: Tensor, version: tuple[int, ...], dtype: torch.dtype, chunk: int) -> Packed:
    outputs, channels = weight.shape[:2]
    wide, rest = _blocks(outputs)
    chunks = triton.cdiv(channels, chunk)
    by_tap = weight.detach().permute(2, 3, 1, 0)
    padded = F.pad(by_tap, (0, wide + rest - outputs, 0, chunks * chunk - channels))
    return Packed(
        version=version,
        weight=padded.reshape(TAPS * chunks * chunk, wide + rest).to(dtype).contiguous(),
        bias=F.pad(bias.detach().float(), (0, wide + rest - outputs)),
        chunks=chunks,
        wide=wide,
        rest=rest,
    )


def _blocks(outputs: int) -> tuple[int, int]:
    """Two powers of two, the second perhaps 0, that hold ``outputs`` with little left over."""
    whole = max(16, int(triton.next_power_of_2(outputs)))
    half = whole // 2
    rest = max(16, int(triton.next_power_of_2(outputs - half))) if outputs > half else 0
    return (whole, 0) if rest in (0, half) or half < 16 else (half, rest)
