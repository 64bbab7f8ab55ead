"""What a viewport costs on CUDA: ``evaluate_field`` once, and ``draw`` at every instant.

An instant is three kernels, because registers allow no fewer: the flow, what the decoder answers to what lies at both
ends of it, and the blend, where there is one. They go through the picture in bands, so that what they hand each other
stays in the GPU's second-level cache.

Layers up to 64 wide are computed whole. The paper's heads end in one or two of 256: of the first of them a program
holds some channels at a time and adds their share to what follows at once.

Positions come as one number for each column and row, computed from whole pixel indices (model/points.py), so a pixel
reads the same in every rectangle that holds it. The factor 30 of the sines is already on the weights, which are padded
with zeros to powers of two: a channel that is not there is sin(0) = 0 all the way and needs no mask.

Half precision is what F_s and the latent maps are kept in, what is read between their pixels, and what matrix products
take; their sums, the sines' arguments, the sines themselves, flows, positions and colours are float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile, pairwise
from typing import Any

import torch
import torch.nn.functional as F
import triton
from torch import Tensor, nn

from videoinr.geometry import Grid, Rect
from videoinr.model.features import PairFeatures, PairHeads
from videoinr.model.kernels.decode_kernels import blend_kernel, colour_kernel, field_kernel, motion_kernel
from videoinr.model.points import Points
from videoinr.model.siren import OMEGA, SirenHead

MAX_ELEMENTS = 2**31 - 1
"""Of any map that these kernels read: they count in 32 bits."""
BAND_PX = 2**21
"""Pixels of a band: flow and answer take 16 bytes each."""
_BLOCK_WIDTH = 16
"""A program's pixels lie in a block this wide: whole sectors of output, and neighbours share what they read."""
_MAX_WIDTH, _MAX_BROAD_WIDTH, _MAX_BROAD_LAYERS = 64, 256, 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How a program goes about it: its pixels, as many as its registers hold without spilling (compiled for sm_90),
    and warps; of a broad layer, the channels at a time and the loads under way."""

    run: int
    warps: int
    part: int = 64
    stages: int = 1


_FIELD, _MOTION, _COLOUR, _BLEND = Plan(64, 4), Plan(128, 4), Plan(32, 2), Plan(128, 4)
_FULL_COLOUR = Plan(64, 4)
"""For layers that fill their tiles; 48 of 64 channels are a twentieth faster the other way."""
_BROAD_FIELD, _BROAD_MOTION, _BROAD_COLOUR = Plan(64, 4, stages=2), Plan(64, 4, stages=2), Plan(64, 4, stages=2)
_MIXED = Plan(32, 2, part=32)
"""For matrices of different layouts. From four warps on Hopper multiplies straight from shared memory, where 16, 32 and
64 or more columns are laid out in three ways; of all but one of them ptxas 12.8 (Triton 3.6) may compute the address
from a register that it never wrote. The picture is then slightly wrong, or the program reads past its memory."""
_WARPGROUP, _LAID_TOGETHER = 4, 64


@dataclass(frozen=True, eq=False)
class HeadWeights:
    """A head's weights as the kernels take them: transposed, times 30 where a sine follows, padded with zeros.

    ``entry`` are the first layer's for what it reads in the kernel (F_s, or the offset within a latent pixel),
    ``time`` those for the time. ``hidden``: the matrices of ``layers`` layers as wide as the first and of
    ``broad_layers`` wider ones, row by row and one after the other, float16, like ``last`` [width, answers]; the
    biases are float32.
    """

    entry: Tensor
    bias: Tensor
    time: Tensor
    hidden: Tensor
    hidden_bias: Tensor
    last: Tensor
    last_bias: Tensor
    layers: int
    broad_layers: int
    plan: Plan

    @classmethod
    def make(cls, head: SirenHead, plan: Plan, *, entry: Tensor, time: Tensor | None = None) -> HeadWeights:
        """``entry``: [..., width, inputs], of the first layer; ``time`` [width, 1]."""
        widths = [padded_width(width) for width in head.widths]
        answers = padded_width(head.last.out_features)
        if plan.warps >= _WARPGROUP:
            answers = max(answers, widths[0])
            layouts = {min(columns, _LAID_TOGETHER) for columns in (*widths, answers)}
            plan = plan if len(layouts) == 1 else _MIXED
        bias = _padded(OMEGA * head.first.bias[None], 1, widths[0])
        last = _padded(head.last.weight.t(), widths[-1], answers).half()
        hidden, hidden_bias = list[Tensor](), list[Tensor]()
        for layer, (rows, columns) in zip(head.hidden, pairwise(widths), strict=True):
            assert isinstance(layer, nn.Linear)
            hidden.append(_padded(OMEGA * layer.weight.t(), rows, columns).half().flatten())
            hidden_bias.append(_padded(OMEGA * layer.bias[None], 1, columns)[0])
        broad_layers = _broad_layers(head.widths)
        return cls(
            entry=_padded(OMEGA * entry.transpose(-1, -2), entry.shape[-1], widths[0]),
            bias=bias,
            time=bias if time is None else _padded(OMEGA * time.t(), 1, widths[0]),
            hidden=torch.cat(hidden or [last]),  # never read where there is no hidden layer
            hidden_bias=torch.cat(hidden_bias or [bias]),
            last=last,
            last_bias=_padded(head.last.bias[None], 1, answers),
            layers=len(hidden) - broad_layers,
            broad_layers=broad_layers,
            plan=plan,
        )

    @property
    def tail(self) -> tuple[Tensor, ...]:
        """What comes behind the first layer, in the kernels' order."""
        return self.hidden, self.hidden_bias, self.last, self.last_bias


@dataclass(frozen=True, eq=False)
class DecodeWeights:
    """The three heads, how many channels F_s has in memory, and whether the decoder's answer corrects a blend."""

    spatial: HeadWeights
    temporal: HeadWeights
    decoder: HeadWeights
    field_channels: int
    blends: bool

    @classmethod
    def make(cls, model: PairHeads) -> DecodeWeights:
        """Of a model that :func:`can_draw` accepts, on the model's device."""
        channels = padded_width(model.config.spatial_channels)
        spatial, temporal, decoder = model.spatial_head, model.temporal_head, model.decoder_head
        field_plan, motion_plan = _plan(spatial, _FIELD, _BROAD_FIELD), _plan(temporal, _MOTION, _BROAD_MOTION)
        colour_plan = _plan(decoder, _COLOUR if decoder.widths[0] < _MAX_WIDTH else _FULL_COLOUR, _BROAD_COLOUR)
        here = _inputs(temporal.first.part(0), channels)
        both = torch.stack([_inputs(decoder.first.part(way), channels) for way in range(2)])
        return cls(
            spatial=HeadWeights.make(spatial, field_plan, entry=spatial.first.part(1)),
            temporal=_halved(HeadWeights.make(temporal, motion_plan, entry=here, time=temporal.first.part(2))),
            decoder=_halved(HeadWeights.make(decoder, colour_plan, entry=both, time=decoder.first.part(4))),
            field_channels=channels,
            blends=model.config.blend,
        )


@dataclass(frozen=True, eq=False)
class Field:
    """F_s of the pixels ``box`` of a grid: ``values`` float16 [box.height, box.width, field_channels]."""

    box: Rect
    values: Tensor


@dataclass(frozen=True, eq=False)
class Canvas:
    """Where the pictures of one viewport are drawn: memory that stays in place, so that its use can be recorded.

    ``columns`` and ``rows``: position of each, lattice pixels. ``time`` float32 [1] is read by the kernels. ``rgbx``
    uint8 [rect.height, rect.width, 4]. ``shortfall`` int32 [4]: by how many pixels the flow left the field's box at
    the left, top, right and bottom (0: not at all); where it did, the picture is not to be used.
    """

    grid: Grid
    rect: Rect
    latent_hw: tuple[int, int]
    columns: Tensor
    rows: Tensor
    time: Tensor
    rgbx: Tensor
    shortfall: Tensor
    flow: Tensor
    answer: Tensor

    @classmethod
    def make(cls, grid: Grid, rect: Rect, *, latent_hw: tuple[int, int], device: torch.device) -> Canvas:
        """A blank one for ``rect`` of ``grid``."""
        points = Points.make(rect, grid, latent_hw=latent_hw, device=device)
        px = min(rect.area, max(BAND_PX, rect.width))
        return cls(
            grid=grid,
            rect=rect,
            latent_hw=latent_hw,
            columns=points.columns.position,
            rows=points.rows.position,
            time=torch.zeros(1, device=device),
            rgbx=torch.empty((rect.height, rect.width, 4), dtype=torch.uint8, device=device),
            shortfall=torch.zeros(4, dtype=torch.int32, device=device),
            flow=torch.empty((px, 4), device=device),
            answer=torch.empty((px, 4), device=device),
        )


def can_draw(model: PairHeads, features: PairFeatures) -> bool:
    """Whether these kernels draw what ``model`` renders of ``features``: not the paper's ablations, nor wide heads."""
    config = model.config
    if config.single_network or not (config.flow and config.multi_scale):
        return False
    heads = (model.spatial_head, model.temporal_head, model.decoder_head)
    return features.spatial.dtype == torch.float32 and all(_fits(head) for head in heads)


def _fits(head: SirenHead) -> bool:
    broad = _broad_layers(head.widths)
    return (
        max(head.widths[0], head.last.out_features) <= _MAX_WIDTH
        and broad <= _MAX_BROAD_LAYERS
        and len(set(head.widths[len(head.widths) - broad :])) <= 1
        and max(head.widths) <= _MAX_BROAD_WIDTH
    )


def _broad_layers(widths: Sequence[int]) -> int:
    """How many layers are left behind those as wide as the first."""
    return sum(1 for _ in dropwhile(lambda width: width == widths[0], widths))


def padded_width(width: int) -> int:
    """Channels that ``width`` of them take in the kernels."""
    return max(16, int(triton.next_power_of_2(width)))


def compacted(features: PairFeatures) -> PairFeatures:
    """With the maps that every instant reads at four corners for each end of the flow in half precision.

    Reading them is most of an instant's time. What is read once for a viewport (``spatial``) and what positions
    follow from (``prior``) stays float32. Compacted twice is compacted once.
    """
    return _with_maps(features, torch.float16)


def restored(features: PairFeatures) -> PairFeatures:
    """Float32 throughout, as the plain path wants it."""
    return _with_maps(features, torch.float32)


def _with_maps(features: PairFeatures, dtype: torch.dtype) -> PairFeatures:
    names = ("temporal", "colour_first", "colour_second")
    return replace(features, **{name: getattr(features, name).to(dtype) for name in names})


def evaluate_field(weights: DecodeWeights, features: PairFeatures, grid: Grid, box: Rect) -> Field:
    """F_s (eq. 2) of the pixels ``box`` of ``grid``; one pair, float32 features, on one device."""
    latent = _contiguous(features.spatial)
    points = Points.make(box, grid, latent_hw=features.latent_hw, device=latent.device)
    head, channels = weights.spatial, weights.field_channels
    values = torch.empty((box.height, box.width, channels), dtype=torch.float16, device=latent.device)
    field_kernel[_programs(box, head.plan)](
        latent, points.columns.position, points.rows.position, head.entry, head.bias, *head.tail, values,
        box.width, box.height, *features.latent_hw,
        spatial=channels, pitch=latent.shape[-1], **_form(head),
    )  # fmt: skip
    return Field(box, values)


def draw(weights: DecodeWeights, features: PairFeatures, field: Field, canvas: Canvas, band: Rect) -> None:
    """The rows ``band`` of ``canvas`` (a part of its rectangle as wide as it, inside ``field.box``) at its time.

    Only launches; raises nothing about the outcome: see ``Canvas.shortfall``.
    """
    canvas.shortfall.zero_()
    for part in _parts(band, len(canvas.flow) // canvas.rect.width):
        _draw_part(weights, features, field, canvas, part)


def _draw_part(weights: DecodeWeights, features: PairFeatures, field: Field, canvas: Canvas, part: Rect) -> None:
    temporal, decoder, channels = weights.temporal, weights.decoder, weights.field_channels
    (height, width), grid, box = features.latent_hw, canvas.grid, field.box
    positions, shape = (canvas.columns, canvas.rows, canvas.time), (part.y - canvas.rect.y, part.width, part.height)
    places = (
        *shape, part.x, part.y, grid.width, grid.height, box.x, box.y, box.width, box.height,
        height, width, grid.width / width, grid.height / height,
    )  # fmt: skip
    motion_kernel[_programs(part, temporal.plan)](
        field.values, _contiguous(features.temporal), _contiguous(features.prior), *positions,
        temporal.entry, temporal.bias, temporal.time, *temporal.tail, canvas.flow, canvas.shortfall, *places,
        spatial=channels, pitch=features.temporal.shape[-1], has_prior=features.prior.shape[-1] > 0,
        **_form(temporal),
    )  # fmt: skip
    rgbx = canvas.rgbx.view(torch.int32)
    colour_kernel[_programs(part, decoder.plan)](
        field.values, _contiguous(features.colour_first), _contiguous(features.colour_second), canvas.flow, *positions,
        decoder.entry, decoder.bias, decoder.time, *decoder.tail, canvas.answer, rgbx, *places,
        spatial=channels, pitch=features.colour_first.shape[-1], blends=weights.blends, **_form(decoder),
    )  # fmt: skip
    if weights.blends:
        blend_kernel[_programs(part, _BLEND)](
            canvas.flow, canvas.answer, decoder.last_bias, _contiguous(features.frames), *positions,
            rgbx, *shape, height, width, **_options(_BLEND),
        )  # fmt: skip


def _parts(band: Rect, rows: int) -> Iterator[Rect]:
    """``band`` in slices of at most ``rows`` rows."""
    for y in range(band.y, band.bottom, rows):
        yield Rect(band.x, y, band.width, min(rows, band.bottom - y))


def _programs(rect: Rect, plan: Plan) -> tuple[int]:
    return (triton.cdiv(rect.width, _BLOCK_WIDTH) * triton.cdiv(rect.height, plan.run // _BLOCK_WIDTH),)


def _options(plan: Plan) -> dict[str, Any]:
    return {
        "block_width": _BLOCK_WIDTH, "run": plan.run, "num_warps": plan.warps, "num_stages": plan.stages,
        "enable_fp_fusion": True,
    }  # fmt: skip


def _form(head: HeadWeights) -> dict[str, Any]:
    broad, answers = head.last.shape
    return {
        "wide": head.bias.shape[-1], "layers": head.layers, "broad": broad, "broad_layers": head.broad_layers,
        "part": min(head.plan.part, broad), "answers": answers, **_options(head.plan),
    }  # fmt: skip


def _contiguous(map_: Tensor) -> Tensor:
    # Not made so here: a recorded launch would read the copy long after it is gone.
    assert map_.is_contiguous()
    assert len(map_) == 1
    return map_


def _halved(weights: HeadWeights) -> HeadWeights:
    return replace(weights, entry=weights.entry.half())


def _plan(head: SirenHead, narrow: Plan, broad: Plan) -> Plan:
    return broad if _broad_layers(head.widths) else narrow


def _inputs(part: Tensor, channels: int) -> Tensor:
    """[width, inputs], padded to ``channels`` inputs."""
    return F.pad(part, (0, channels - part.shape[1]))


def _padded(matrix: Tensor, rows: int, columns: int) -> Tensor:
    """[..., m, n] with zeros to the right and below: [..., rows, columns], float32, contiguous."""
    missing = (0, columns - matrix.shape[-1], 0, rows - matrix.shape[-2])
    return F.pad(matrix.detach().float(), missing).contiguous()
