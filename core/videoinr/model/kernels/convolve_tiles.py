"""3x3 convolutions of maps with few channels, in CUDA C++: in a quarter to three quarters of convolve.py's time.

Triton's blocks have powers of two of everything, so there 24 channels cost as much as 32, squared; each of the nine
taps is read on its own; and a program that waits for its values multiplies nothing. Here a block of threads keeps all
weights in shared memory and walks over tiles of the output. While it multiplies one piece of a tile's input, the
next piece is copied into the other half of a buffer. Each value is read from there three times, for the left, middle
and right taps, and each time multiplied for the three output rows that it contributes to.

The source is convolve_tiles.cu; each layer's shape is compiled apart, because all of its loops are unrolled. Each
compiled kernel is first verified against a plain one. A layer whose weights do not fit is left to others.

Precision: factors are float16 or bfloat16, sums, bias and activation float32.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from videoinr.model.kernels.cuda_source import CudaFunction, compiled
from videoinr.model.kernels.motion_step import words
from videoinr.model.kernels.verifying import convolved, is_hopper, is_verified, multiprocessors
from videoinr.model.kernels.versions import version_of
from videoinr.model.maps import concat

WORD = 8
"""Channels of a block: 16 bytes. The channels of each input, and the outputs, are padded to whole blocks."""
LEAST_PIXELS = 2**13
"""Output pixels from which it is faster than convolve.py (H200)."""
ROWS, COLUMNS = 4, 16
"""The pixels that a warp computes."""
_SIDE = 2
_MOST_SUMS = 6
"""Blocks of outputs of one warp; the sums of more do not fit into its registers beside the weights of a step."""
_PIECE_BLOCKS = (6, 4, 3)
_SHARED_BYTES = 227 * 1024 - 512
_TYPES = {torch.float16: "f16", torch.bfloat16: "bf16"}
_SOURCE = Path(__file__).with_suffix(".cu")


@dataclass(frozen=True, slots=True)
class Part:
    """Some channels of an input: ``count`` blocks from block ``begin`` on, in one piece of what is copied at a time."""

    input: int
    begin: int
    count: int
    piece: int


@dataclass(frozen=True)
class Plan:
    """How the work is divided.

    Attributes:
        down: Warps below one another in a tile; there are two side by side.
        split: Groups of warps that share the pixels of a tile, each for some of the outputs.
        resident: Blocks of threads of a multiprocessor for which registers are provided.
        parts: The pieces of the input, in order.
    """

    down: int
    split: int
    resident: int
    parts: tuple[Part, ...]

    @property
    def tile(self) -> tuple[int, int]:
        """The height and width of a tile."""
        return ROWS * self.down, COLUMNS * _SIDE

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return 32 * _SIDE * self.down * self.split

    @cached_property
    def piece_blocks(self) -> list[int]:
        """Blocks of channels of each piece."""
        pieces = range(self.parts[-1].piece + 1)
        return [sum(part.count for part in self.parts if part.piece == piece) for piece in pieces]

    def shared_bytes(self, outputs: int) -> int:
        """Return the shared memory of a block of threads: weights, both halves of the buffer, and staging memory."""
        (height, width), blocks = self.tile, -(-outputs // WORD)
        steps = sum(count // 2 * 3 + count % 2 * 2 for count in self.piece_blocks)
        weights = steps * 6 * blocks * WORD
        buffer = (height + 2) * (width + 2) * max(count | 1 for count in self.piece_blocks)
        mine = blocks // self.split
        staged = height * width * self.split * (mine if mine % 8 else mine + 1)
        return 16 * (weights + 2 * buffer + staged)


@dataclass(frozen=True)
class Form:
    """What a kernel is compiled for: the channels of each input, the outputs, and whether a map is added."""

    widths: tuple[int, ...]
    outputs: int
    adds: bool

    @cached_property
    def plan(self) -> Plan | None:
        """The plan found fastest on an H200; None if the layer is too large."""
        blocks = -(-self.outputs // WORD)
        if self.outputs % 4:
            return None
        for down, split, resident in ((2, 1, 3 if self.adds else 4),) if blocks <= 3 else ((4, 1, 1), (2, 2, 1)):
            for most in _PIECE_BLOCKS:
                plan = Plan(down, split, resident, _parts_of([-(-width // WORD) for width in self.widths], most))
                fits = resident * plan.shared_bytes(self.outputs) <= _SHARED_BYTES
                # Groups of warps write whole blocks.
                divides = split == 1 or self.outputs % (split * WORD) == 0
                if divides and blocks // split <= _MOST_SUMS and fits:
                    return plan
        return None

    def source(self, dtype: torch.dtype) -> str:
        """Return the kernel's source for maps of ``dtype``."""
        plan = self.plan
        assert plan is not None
        numbers = {
            "INPUTS": len(self.widths), "PARTS": len(plan.parts), "PIECES": len(plan.piece_blocks),
            "OUTPUTS": self.outputs, "ADDS": int(self.adds), "SIDE": _SIDE, "DOWN": plan.down, "SPLIT": plan.split,
            "RESIDENT": plan.resident,
        }  # fmt: skip
        tables = {
            "input_of": [part.input for part in plan.parts], "begin_of": [part.begin for part in plan.parts],
            "blocks_of": [part.count for part in plan.parts], "piece_of": [part.piece for part in plan.parts],
            "width_of": [-(-self.widths[part.input] // WORD) for part in plan.parts],
        }  # fmt: skip
        lines = [f'#define TYPE "{_TYPES[dtype]}"']
        lines += [f"constexpr int {name} = {number};" for name, number in numbers.items()]
        for name, values in tables.items():
            chosen = "".join(f"k == {k} ? {value} : " for k, value in enumerate(values[:-1]))
            lines.append(f"constexpr int {name}(int k) {{ return {chosen}{values[-1]}; }}")
        return "\n".join((*lines, _SOURCE.read_text(encoding="utf-8")))


def _parts_of(blocks: Sequence[int], most: int) -> tuple[Part, ...]:
    """Divide inputs of so many ``blocks`` into as few pieces of at most ``most`` as possible, of nearly equal size."""
    total = sum(blocks)
    size = -(-total // -(-total // most))
    parts, done = list[Part](), 0
    for number, count in enumerate(blocks):
        begin = 0
        while begin < count:
            room = min(count - begin, size - done % size)
            parts.append(Part(number, begin, room, done // size))
            begin, done = begin + room, done + room
    return tuple(parts)


def supports(layer: nn.Conv2d, widths: tuple[int, ...], x: Tensor, dtype: torch.dtype, *, adds: bool) -> bool:
    """Whether :func:`convolve` can compute ``layer``, and faster than convolve.py.

    Args:
        layer: A convolution.
        widths: The channels of each input.
        x: A map of the inputs' batch, height and width [B, C, H, W].
        dtype: The type of the maps.
        adds: Whether a map is added.
    """
    return (
        dtype in _TYPES
        and (layer.kernel_size, layer.stride) == ((3, 3), (1, 1))
        and len(x) * x.shape[2] * x.shape[3] >= LEAST_PIXELS
        and is_hopper(x.device)
        and (form := _form(widths, layer.out_channels, adds)).plan is not None
        and _is_verified(form, dtype, x.device)
    )


def convolve(
    layer: nn.Conv2d, inputs: Sequence[Tensor], *, slope: float, add: Tensor | None, dtype: torch.dtype, out: Tensor
) -> Tensor:
    """Compute activation(layer(x)) + add.

    Args:
        layer: A layer that :func:`supports`.
        inputs: Maps [B, Ck, H, W] whose channels, concatenated, are x.
        slope: Slope of the activation for negative values: 0 is ReLU, 1 no activation.
        add: [B, D, H, W] of ``dtype``, channels last, added after the activation.
        dtype: The type that inputs and weights are converted to.
        out: Where to write, [B, D, H, W] of ``dtype``, channels last without gaps.

    Returns:
        ``out``.
    """
    form = _form(tuple(one.shape[1] for one in inputs), layer.out_channels, add is not None)
    maps = [_words(one, dtype) for one in inputs]
    ready = _packed(layer, form, dtype)
    _launch(form, maps, ready.weight, ready.bias, slope, add, out)
    return out


def _words(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return ``x`` [B, C, H, W] in whole words, channels last."""
    return words(x, dtype, WORD) if x.shape[1] < WORD else concat((x,), dtype, multiple=WORD)


def _launch(
    form: Form, maps: Sequence[Tensor], weight: Tensor, bias: Tensor, slope: float, add: Tensor | None, out: Tensor
) -> None:
    plan, function = form.plan, _function(form, out.dtype, out.device)
    assert plan is not None
    (batch, _, height, width), (tile_height, tile_width) = out.shape, plan.tile
    across = -(-width // tile_width)
    tiles = batch * -(-height // tile_height) * across
    addresses = [one.data_ptr() for one in (*maps, weight, bias, out if add is None else add, out)]
    # struct Job of the source, which has no padding.
    job = struct.pack(f"{len(addresses)}Q5if", *addresses, batch, height, width, across, tiles, slope)
    function.launch(min(tiles, function.resident * multiprocessors(out.device)), job)


@cache
def _form(widths: tuple[int, ...], outputs: int, adds: bool) -> Form:
    return Form(widths, outputs, adds)


@cache
def _function(form: Form, dtype: torch.dtype, device: torch.device) -> CudaFunction:
    assert form.plan is not None
    source, capability = form.source(dtype), torch.cuda.get_device_capability(device)
    load = partial(
        CudaFunction, name="convolve", device=device, threads=form.plan.threads,
        shared_bytes=form.plan.shared_bytes(form.outputs),
    )  # fmt: skip
    try:
        return load(compiled(source, capability))
    except RuntimeError:
        return load(compiled(source, capability, anew=True))


@dataclass(frozen=True, eq=False)
class _Packed:
    """A layer's weights as :func:`pack` orders them, and its bias [outputs, padded] float32."""

    version: tuple[int, ...]
    weight: Tensor
    bias: Tensor


_PACKED: WeakKeyDictionary[nn.Module, dict[tuple[Form, torch.dtype], _Packed]] = WeakKeyDictionary()
"""All are kept, because a recorded CUDA graph continues to read what it was recorded with."""


def _packed(layer: nn.Conv2d, form: Form, dtype: torch.dtype) -> _Packed:
    """Return the layer's weights for ``form``; packed anew only when they change."""
    known, key, version = _PACKED.setdefault(layer, {}), (form, dtype), version_of(layer.weight, layer.bias)
    if key not in known or known[key].version != version:
        weight = layer.weight.detach()
        bias = weight.new_zeros(form.outputs) if layer.bias is None else layer.bias.detach()
        padded = F.pad(bias.float(), (0, -form.outputs % WORD))
        known[key] = _Packed(version, pack(weight, form).to(dtype).contiguous(), padded)
    return known[key]


def pack(weight: Tensor, form: Form) -> Tensor:
    """Order a layer's weights as the kernel reads them.

    Args:
        weight: [outputs, channels, 3, 3].
        form: The layer's form.

    Returns:
        By step, row of taps, half of a step's 16 channels, output, channel: [steps, 3, 2, outputs, 8], outputs padded
        to whole blocks. The steps of a piece are those of each pair of blocks, for the left, middle and right taps;
        a block that is left over has two steps, of the left and middle taps, and of the right ones and zeros.
    """
    plan = form.plan
    assert plan is not None
    outputs = -(-form.outputs // WORD) * WORD
    inputs = [
        F.pad(one, (0, 0, 0, 0, 0, -one.shape[1] % WORD, 0, outputs - form.outputs))
        for one in torch.split(weight, list(form.widths), 1)
    ]
    found = []
    for piece in range(len(plan.piece_blocks)):
        mine = [part for part in plan.parts if part.piece == piece]
        chosen = [inputs[part.input][:, WORD * part.begin : WORD * (part.begin + part.count)] for part in mine]
        # [block, column of taps, row of taps, output, channel]
        by_block = torch.cat(chosen, 1).reshape(outputs, -1, WORD, 3, 3).permute(1, 4, 3, 0, 2)
        pairs = len(by_block) // 2
        whole = by_block[: 2 * pairs].reshape(pairs, 2, 3, 3, outputs, WORD).permute(0, 2, 3, 1, 4, 5)
        found.append(whole.reshape(-1, 3, 2, outputs, WORD))
        if len(by_block) % 2:
            rest = F.pad(by_block[-1], (0, 0, 0, 0, 0, 0, 0, 1)).reshape(2, 2, 3, outputs, WORD)
            found.append(rest.transpose(1, 2))
    return torch.cat(found).contiguous()


_VERIFIED: dict[tuple[Form, torch.dtype, torch.device], bool] = {}


def _is_verified(form: Form, dtype: torch.dtype, device: torch.device) -> bool:
    return is_verified(
        _VERIFIED, (form, dtype, device), lambda: _matches_torch(form, dtype, device), device=device,
        sources=(_SOURCE, Path(__file__)),
    )  # fmt: skip


def _matches_torch(form: Form, dtype: torch.dtype, device: torch.device) -> bool:
    generator = torch.Generator(device).manual_seed(0)

    def random(*size: int) -> Tensor:
        values = torch.randn(size, generator=generator, device=device, dtype=torch.float32).to(dtype)
        return values.contiguous(memory_format=torch.channels_last) if len(size) == 4 else values

    size = (19, COLUMNS * _SIDE + 3)
    inputs = [random(2, width, *size) for width in form.widths]
    channels = sum(form.widths)
    weight, bias = random(form.outputs, channels, 3, 3) * (9 * channels) ** -0.5, random(form.outputs).float()
    add = random(2, form.outputs, *size) if form.adds else None
    found = random(2, form.outputs, *size)
    maps = [_words(one, dtype) for one in inputs]
    padded = F.pad(bias, (0, -form.outputs % WORD))
    _launch(form, maps, pack(weight, form).contiguous(), padded, 0.1, add, found)
    wanted = F.leaky_relu(convolved(torch.cat(inputs, 1), weight, bias), 0.1)
    return bool((found.float() - (wanted if add is None else wanted + add.float())).abs().max() < 0.1)
