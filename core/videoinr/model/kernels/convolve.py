"""A 3x3 or 1x1 convolution, its bias, activation and residual sum in one pass over channels-last maps, in Triton.

Apart from its products, an encoder spends its time on moving maps to device memory and back: for the bias, for the
activation and for the residual sum. Here a program accumulates its pixels' sums in registers, one product for each tap
and chunk of channels, and applies all of that before it writes them. Several inputs are read as if concatenated.
For inference only, because training needs the maps in between.

Precision: factors have the type of the maps, sums, bias and activation are float32. Float32 maps, which only tests use,
are multiplied by IEEE 754 (input_precision="ieee") and give torch's float32 result (with TF32 off) to 1e-5.
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

from videoinr.model.kernels.starting import SIZES, form_of, start
from videoinr.model.kernels.versions import version_of
from videoinr.model.maps import concat

try:
    from videoinr.model.kernels import convolve_hopper
except ImportError:  # a Triton without Gluon, or with an incompatible one
    convolve_hopper = None  # type: ignore[assignment]
try:
    from videoinr.model.kernels import convolve_tiles
except ImportError:  # torch's build brings no NVRTC, or no binding of it
    convolve_tiles = None  # type: ignore[assignment]

MAX_ELEMENTS = 2**31 - 1
"""The largest number of elements of a map that the kernel reads or writes: its indices have 32 bits."""
_NARROW = 48
"""Outputs up to which convolve_tiles.py is faster than convolve_hopper.py (H200)."""
_WORD = 8
"""Channels read by one load of 16 bytes; the channels of each input are padded to a multiple."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Launch parameters: output pixels of a program, channels of one product, warps, and loads in flight."""

    run: int = 128
    chunk: int = 32
    warps: int = 4
    stages: int = 3


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def finish(  # type: ignore[no-untyped-def]
    sums, pixel, inside, output, bias, add, out,
    outputs: tl.constexpr, slope: tl.constexpr, adds: tl.constexpr,
):  # fmt: skip
    """Add the bias to a program's ``sums`` [run, outputs], apply the activation, add ``add``, and write them."""
    sums += tl.load(bias + output)[None, :]
    if slope != 1.0:
        sums = tl.where(sums > 0, sums, sums * slope)
    place = pixel[:, None] * outputs + output[None, :]
    mask = inside[:, None] & (output < outputs)[None, :]
    if adds:
        sums += tl.load(add + place, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + place, sums.to(out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def _convolve_kernel(  # type: ignore[no-untyped-def]
    inputs, weight, bias, add, out, pixels, height, width, out_height, out_width,
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
        source, pitch, begin = inputs[0], widths[0], 0
        for k in tl.static_range(1, len(widths)):
            behind = piece >= begins[k]
            source, pitch = tl.where(behind, inputs[k], source), tl.where(behind, widths[k], pitch)
            begin = tl.where(behind, begins[k], begin)
        first = (piece - begin) * chunk
        read = (origin + down * width + right)[:, None] * pitch + (first + channel)[None, :]
        values = tl.load(source + read, mask=there[:, None] & (first + channel < pitch)[None, :], other=0.0)
        factors = weight + (step * chunk + channel)[:, None] * (wide + rest)
        sums = tl.dot(values, tl.load(factors + output[None, :]), sums, input_precision="ieee")
        if rest:
            more_sums = tl.dot(values, tl.load(factors + more[None, :]), more_sums, input_precision="ieee")
    finish(sums, pixel, inside, output, bias, add, out, outputs, slope, adds)
    if rest:
        finish(more_sums, pixel, inside, more, bias, add, out, outputs, slope, adds)


@dataclass(frozen=True, eq=False)
class Packed:
    """A layer's weights in the form that the kernel reads: ``weight`` [tap * channels, outputs], ``bias`` float32.

    Outputs are padded with zeros to ``wide`` + ``rest``, and the channels of each input to whole chunks: ``chunks`` in
    all; ``begins`` holds the number of each input's first chunk.
    """

    version: tuple[int, ...]
    weight: Tensor
    bias: Tensor
    chunks: int
    begins: tuple[int, ...]
    wide: int
    rest: int


Form = tuple[torch.dtype, int, tuple[int, ...]]
"""What weights are packed for: the type, the channels of a chunk, and the channels of each input."""
_PACKED: WeakKeyDictionary[nn.Module, dict[Form, Packed]] = WeakKeyDictionary()
"""All forms are kept, because a recorded CUDA graph continues to read the one that it was recorded with."""


def supports(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether :func:`convolve` can compute ``layer`` on inputs of the size of ``x`` [B, C, H, W]."""
    columns = max(layer.in_channels, layer.out_channels)
    return (
        (layer.kernel_size, layer.padding) in (((3, 3), (1, 1)), ((1, 1), (0, 0)))
        and (layer.dilation, layer.groups) == ((1, 1), 1)
        and layer.stride in ((1, 1), (2, 2))
        and layer.out_channels <= 128  # More sums do not fit into a program's registers.
        and len(x) * columns * x.shape[2] * x.shape[3] <= MAX_ELEMENTS
    )


def convolve(
    layer: nn.Conv2d,
    inputs: Sequence[Tensor],
    *,
    slope: float = 1.0,
    add: Tensor | None = None,
    dtype: torch.dtype = torch.float16,
    plan: Plan | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Compute activation(layer(x)) + add.

    Args:
        layer: A layer that :func:`supports`.
        inputs: Maps [B, Ck, H, W] whose channels, concatenated, are x.
        slope: Slope of the activation for negative values: 0 is ReLU, 1 no activation.
        add: [B, D, H', W'], added after the activation.
        dtype: The type that inputs, weights and ``add`` are converted to.
        plan: Launch parameters, :func:`plan_for`'s by default.
        out: Where to write, [B, D, H', W'] of ``dtype``, channels last without gaps: a map, or rows of a single one.

    Returns:
        ``out``, or a new map like it.
    """
    widths = tuple(one.shape[1] for one in inputs)
    add = add if add is None else add.to(dtype).contiguous(memory_format=torch.channels_last)
    if plan is None and _use_hopper(layer, inputs[0], widths, dtype, slope=slope, adds=add is not None):
        ready = packed(layer, dtype, convolve_hopper.FILLED, widths)
        matrices = ready.weight.view(9, -1, layer.out_channels)
        maps = [concat((one,), dtype) for one in inputs]
        return convolve_hopper.convolve(maps, matrices, ready.bias, slope=slope, add=add, out=out)
    stride, (batch, _, height, width) = layer.stride[0], inputs[0].shape
    size = (height + stride - 1) // stride, (width + stride - 1) // stride
    pixels = batch * size[0] * size[1]
    if out is None:
        shape = (batch, layer.out_channels, *size)
        out = torch.empty(shape, dtype=dtype, device=inputs[0].device, memory_format=torch.channels_last)
    if plan is None and _use_tiles(layer, inputs[0], widths, dtype, adds=add is not None):
        return convolve_tiles.convolve(layer, inputs, slope=slope, add=add, dtype=dtype, out=out)
    plan = plan or plan_for(layer, pixels, max(widths))
    ready = packed(layer, dtype, plan.chunk, widths)
    maps = [concat((one,), dtype, multiple=_WORD) for one in inputs]
    arguments = (
        tuple(maps), ready.weight, ready.bias, out if add is None else add, out, pixels, height, width, *size,
    )  # fmt: skip
    constants = {
        "widths": tuple(one.shape[1] for one in maps), "begins": ready.begins, "outputs": layer.out_channels,
        "chunks": ready.chunks, "chunk": plan.chunk, "side": layer.kernel_size[0], "wide": ready.wide,
        "rest": ready.rest, "stride": stride, "slope": slope, "adds": add is not None, "run": plan.run,
        "stages": plan.stages,
    }  # fmt: skip
    kind = (dtype, out.device, plan, *constants.values(), form_of(arguments[:5]))
    start(
        _convolve_kernel, kind, (triton.cdiv(pixels, plan.run), 1, 1), arguments, constants, num_warps=plan.warps
    )  # fmt: skip
    return out


def convolve_or_torch(layer: nn.Conv2d, *maps: Tensor, dtype: torch.dtype) -> Tensor:
    """Convolve ``maps``, concatenated and converted to ``dtype``, by the kernel or, if unsupported, by torch."""
    maps = tuple(one.to(dtype) for one in maps)
    if supports(layer, maps[0]):
        return convolve(layer, maps, dtype=dtype)
    out: Tensor = layer(concat(maps) if len(maps) > 1 else maps[0])
    return out


def _use_hopper(
    layer: nn.Conv2d, x: Tensor, widths: tuple[int, ...], dtype: torch.dtype, *, slope: float, adds: bool
) -> bool:
    """Whether to use convolve_hopper.py."""
    return (
        convolve_hopper is not None
        and (layer.kernel_size, layer.stride) == ((3, 3), (1, 1))
        and layer.out_channels > _NARROW
        and convolve_hopper.supports(widths, layer.out_channels, x, dtype, adds=adds, slope=slope)
    )


def _use_tiles(layer: nn.Conv2d, x: Tensor, widths: tuple[int, ...], dtype: torch.dtype, *, adds: bool) -> bool:
    """Whether to use convolve_tiles.py."""
    return convolve_tiles is not None and convolve_tiles.supports(layer, widths, x, dtype, adds=adds)


def plan_for(layer: nn.Conv2d, pixels: int, widest: int) -> Plan:
    """Return launch parameters found fast on an H100 by ``benchmarks.gpu_encode --sweep``.

    Narrow inputs stay separate even where each fills only three quarters of its chunks: concatenating lite's takes 50
    to 80 % longer.

    Args:
        layer: The layer.
        pixels: The number of output pixels.
        widest: The channels of the widest input.
    """
    channels, outputs = layer.in_channels, layer.out_channels
    if widest <= 32 < channels:
        return Plan(run=128, chunk=32, warps=4, stages=4)
    if pixels < 2**14 and widest % 64 == 0:
        # With runs of 128, so few pixels would leave half of the GPU without a program.
        return Plan(run=64, chunk=64, warps=4, stages=3)
    if channels <= 16 or (channels % 32 and channels % 16 == 0):
        return Plan(run=128, chunk=16, warps=4, stages=4)  # 48: a third of chunks of 32 would be zeros
    if (outputs <= 48 and channels >= 64) or (pixels < 2**17 and channels > 128):
        return Plan(run=128, chunk=64, warps=4, stages=3)
    if 64 < outputs < 96:
        return Plan(run=256, chunk=32, warps=8, stages=3)
    return Plan(run=128, chunk=32, warps=4, stages=4)


def packed(layer: nn.Module, dtype: torch.dtype, chunk: int, widths: tuple[int, ...]) -> Packed:
    """Return a convolution's weights, packed for inputs of ``widths`` channels; packed anew only when they change."""
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    assert bias is None or isinstance(bias, Tensor)
    forms, form, version = _PACKED.setdefault(layer, {}), (dtype, chunk, widths), version_of(weight, bias)
    if form not in forms or forms[form].version != version:
        forms[form] = _pack(weight, weight.new_zeros(len(weight)) if bias is None else bias, version, form)
    return forms[form]


def _pack(weight: Tensor, bias: Tensor, version: tuple[int, ...], form: Form) -> Packed:
    outputs, (dtype, chunk, widths) = len(weight), form
    wide, rest = _blocks(outputs)
    counts = [triton.cdiv(width, chunk) for width in widths]
    by_tap = F.pad(weight.detach().permute(2, 3, 1, 0), (0, wide + rest - outputs))
    by_input = zip(torch.split(by_tap, list(widths), 2), counts, strict=True)
    whole = torch.cat([F.pad(one, (0, 0, 0, count * chunk - one.shape[2])) for one, count in by_input], 2)
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
    """Return two powers of two, the second possibly 0, whose sum holds ``outputs`` with little to spare."""
    whole = max(16, int(triton.next_power_of_2(outputs)))
    half = whole // 2
    rest = max(16, int(triton.next_power_of_2(outputs - half))) if outputs > half else 0
    return (whole, 0) if rest in (0, half) or half < 16 else (half, rest)
