"""Decodes viewports on CUDA for the viewer: ``evaluate_field`` once for a viewport, ``draw`` for each instant.

An instant takes three kernels, because the registers do not suffice for fewer: one for the flow, one for the decoder's
output on the samples at both ends of the flow, and one for the blend, if the model has one. They process the picture in
bands, so that their intermediate results stay in the GPU's second-level cache.

Layers of up to 64 channels are computed whole. The paper's heads end in one or two layers of 256: a program computes
some channels of the first of them at a time and adds their contribution to the next layer's sums at once.

Positions are one number for each column and each row, computed from whole pixel indices (model/points.py), so a pixel
has the same position in every rectangle that contains it. The weights include the factor 30 of the sines and are padded
with zeros to powers of two: an absent channel is sin(0) = 0 throughout and needs no mask.

Precision: F_s, the latent maps, the values interpolated from them and the factors of matrix products are float16; sums,
the sines and their arguments, flows, positions and colours are float32. The picture is within 0.75 of an 8-bit level of
the plain code's in float32 before rounding, of which the rounding to 8 bits is 0.5; F_s and the flow are within 4e-3 of
their largest value. tests/core/test_kernels_decode.py asserts these bounds.
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
"""The largest number of elements of a map that these kernels read: their indices have 32 bits."""
BAND_PX = 2**21
"""Pixels of a band; for each, the flow and the decoder's answer take 16 bytes."""
_BLOCK_WIDTH = 16
"""Width of the block of pixels that a program takes: it writes whole sectors, and neighbours share what they read."""
_MAX_WIDTH, _MAX_BROAD_WIDTH, _MAX_BROAD_LAYERS = 64, 256, 2


@dataclass(frozen=True, slots=True)
class Plan:
    """The launch parameters of a kernel.

    ``run``: pixels of a program, as many as its registers hold without spilling (compiled for sm_90). ``warps``: warps
    of a program. For broad layers, ``chunk``: the channels computed at a time, and ``stages``: the loads in flight.
    """

    run: int
    warps: int
    chunk: int = 64
    stages: int = 1


_FIELD, _MOTION, _COLOUR, _BLEND = Plan(64, 4), Plan(128, 4), Plan(32, 2), Plan(128, 4)
_FULL_COLOUR = Plan(64, 4)
"""For layers of 64 channels; those of 48, which leave a quarter of their tiles empty, are 5 % faster with _COLOUR."""
_BROAD_FIELD, _BROAD_MOTION, _BROAD_COLOUR = Plan(64, 4, stages=2), Plan(64, 4, stages=2), Plan(64, 4, stages=2)
_MIXED = Plan(32, 2, chunk=32)
"""For heads whose matrices have different layouts in shared memory. With four warps or more, Hopper multiplies directly
from shared memory, where matrices of 16, of 32 and of 64 or more columns have three different layouts. If a program has
several, ptxas 12.8 (Triton 3.6) may compute the addresses of all but one from a register that was never written: the
picture is then slightly wrong, or the program reads past its memory."""
_WARPGROUP, _LAID_TOGETHER = 4, 64


@dataclass(frozen=True, eq=False)
class HeadWeights:
    """A head's weights in the form that the kernels read: transposed, times 30 where a sine follows, zero-padded.

    ``entry`` are the first layer's weights for the input that the kernel itself computes (F_s, or the offset within a
    latent pixel), ``time`` those for the time. ``hidden`` holds the matrices of ``layers`` layers as wide as the first
    and of ``broad_layers`` wider ones, row by row, one after the other, in float16; ``last`` [width, answers] is also
    float16. The biases are float32.
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
        """Convert ``head``'s weights; ``entry`` [..., width, inputs] and ``time`` [width, 1] are of its first layer."""
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
            hidden=torch.cat(hidden or [last]),  # a placeholder, never read, if there is no hidden layer
            hidden_bias=torch.cat(hidden_bias or [bias]),
            last=last,
            last_bias=_padded(head.last.bias[None], 1, answers),
            layers=len(hidden) - broad_layers,
            broad_layers=broad_layers,
            plan=plan,
        )

    @property
    def tail(self) -> tuple[Tensor, ...]:
        """Return the weights behind the first layer, in the order of the kernels' arguments."""
        return self.hidden, self.hidden_bias, self.last, self.last_bias


@dataclass(frozen=True, eq=False)
class DecodeWeights:
    """The weights of the three heads; ``field_channels``: channels of F_s in memory; ``blends``: config.blend."""

    spatial: HeadWeights
    temporal: HeadWeights
    decoder: HeadWeights
    field_channels: int
    blends: bool

    @classmethod
    def make(cls, model: PairHeads) -> DecodeWeights:
        """Convert the weights of a model that :func:`can_draw` accepts, on its device."""
        channels = padded_width(model.config.spatial_channels)
        spatial, temporal, decoder = model.spatial_head, model.temporal_head, model.decoder_head
        field_plan, motion_plan = _plan(spatial, _FIELD, _BROAD_FIELD), _plan(temporal, _MOTION, _BROAD_MOTION)
        colour_plan = _plan(decoder, _COLOUR if decoder.widths[0] < _MAX_WIDTH else _FULL_COLOUR, _BROAD_COLOUR)
        here = _inputs(temporal.first.weight_of(0), channels)
        both = torch.stack([_inputs(decoder.first.weight_of(way), channels) for way in range(2)])
        return cls(
            spatial=HeadWeights.make(spatial, field_plan, entry=spatial.first.weight_of(1)),
            temporal=_halved(HeadWeights.make(temporal, motion_plan, entry=here, time=temporal.first.weight_of(2))),
            decoder=_halved(HeadWeights.make(decoder, colour_plan, entry=both, time=decoder.first.weight_of(4))),
            field_channels=channels,
            blends=model.config.blend,
        )


@dataclass(frozen=True, eq=False)
class Field:
    """F_s at the pixels ``box`` of a grid: ``values`` float16 [box.height, box.width, field_channels].

    ``maps``: the projected maps of the latent pixels that ``box`` covers, if the pair is kept as its latent feature.
    """

    box: Rect
    values: Tensor
    maps: PairFeatures | None = None


@dataclass(frozen=True, eq=False)
class Canvas:
    """The buffers that the pictures of one viewport are drawn into; their addresses are fixed, for CUDA graphs.

    ``columns`` and ``rows``: the position of each, in lattice pixels, counted from the latent pixel ``origin``, the
    first of the maps that are read. ``time`` float32 [1]: read by the kernels. ``rgbx``: uint8
    [rect.height, rect.width, 4]. ``shortfall`` int32 [4]: by how many pixels the flow left the field's box at the
    left, top, right and bottom; unless all four are 0, the picture is invalid. ``flow`` and ``answer``:
    intermediate results of one band.
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
    origin: tuple[int, int] = (0, 0)

    @classmethod
    def make(
        cls, grid: Grid, rect: Rect, *, latent_hw: tuple[int, int], device: torch.device,
        origin: tuple[int, int] = (0, 0),
    ) -> Canvas:  # fmt: skip
        """Allocate the buffers for ``rect`` of ``grid``; ``latent_hw`` is that of whole frames."""
        points = Points.make(rect, grid, latent_hw=latent_hw, device=device)
        px = min(rect.area, max(BAND_PX, rect.width))
        return cls(
            grid=grid,
            rect=rect,
            latent_hw=latent_hw,
            columns=points.columns.position - origin[0],
            rows=points.rows.position - origin[1],
            time=torch.zeros(1, device=device),
            rgbx=torch.empty((rect.height, rect.width, 4), dtype=torch.uint8, device=device),
            shortfall=torch.zeros(4, dtype=torch.int32, device=device),
            flow=torch.empty((px, 4), device=device),
            answer=torch.empty((px, 4), device=device),
            origin=origin,
        )


def can_draw(model: PairHeads, features: PairFeatures) -> bool:
    """Whether these kernels can draw ``features``; the paper's ablations and wider heads they cannot."""
    return features.spatial.dtype == torch.float32 and can_draw_model(model)


def can_draw_model(model: PairHeads) -> bool:
    """Whether these kernels can draw the pairs that ``model`` encodes."""
    config = model.config
    if config.single_network or not (config.flow and config.multi_scale):
        return False
    heads = (model.spatial_head, model.temporal_head, model.decoder_head)
    return all(_fits(head) for head in heads)


def _fits(head: SirenHead) -> bool:
    broad = _broad_layers(head.widths)
    return (
        max(head.widths[0], head.last.out_features) <= _MAX_WIDTH
        and broad <= _MAX_BROAD_LAYERS
        and len(set(head.widths[len(head.widths) - broad :])) <= 1
        and max(head.widths) <= _MAX_BROAD_WIDTH
    )


def _broad_layers(widths: Sequence[int]) -> int:
    """Return the number of layers that follow those as wide as the first."""
    return sum(1 for _ in dropwhile(lambda width: width == widths[0], widths))


def padded_width(width: int) -> int:
    """Return the channels that a layer of ``width`` has in the kernels: a power of two, 16 at least."""
    return max(16, int(triton.next_power_of_2(width)))


def evaluate_field(weights: DecodeWeights, features: PairFeatures, grid: Grid, box: Rect) -> Field:
    """Evaluate F_s (eq. 2) at the pixels ``box`` of ``grid``.

    The maps of ``features`` may hold a rectangle of the frame only (its ``origin``), but all that ``box`` reads.

    Args:
        weights: The model's weights.
        features: One encoded pair on the same device; ``spatial`` is float32.
        grid: The virtual full-frame grid.
        box: A rectangle of ``grid``.
    """
    latent = _contiguous(features.spatial)
    points = Points.make(box, grid, latent_hw=features.latent_hw, device=latent.device)
    head, channels = weights.spatial, weights.field_channels
    values = torch.empty((box.height, box.width, channels), dtype=torch.float16, device=latent.device)
    columns, rows = points.columns.position - features.origin[0], points.rows.position - features.origin[1]
    field_kernel[_programs(box, head.plan)](
        latent, columns, rows, head.entry, head.bias, *head.tail, values, box.width, box.height, *latent.shape[1:3],
        spatial=channels, pitch=latent.shape[-1], **_form(head),
    )  # fmt: skip
    return Field(box, values)


def draw(weights: DecodeWeights, features: PairFeatures, field: Field, canvas: Canvas, band: Rect) -> None:
    """Launch the kernels that draw some rows of a viewport at the time ``canvas.time``.

    Returns before they have run, and does not wait: whether the picture is valid is written to ``canvas.shortfall``.

    Args:
        weights: The model's weights.
        features: One encoded pair, compact or in float32. Its maps and its frames may hold a rectangle of the frame
            only: the one that starts at ``canvas.origin``.
        field: F_s of the same pair on ``canvas.grid``.
        canvas: The buffers to draw into.
        band: Rows of ``canvas.rect``, as wide as it, inside ``field.box``.
    """
    canvas.shortfall.zero_()
    for rows in _slices(band, len(canvas.flow) // canvas.rect.width):
        _draw_slice(weights, features, field, canvas, rows)


def _draw_slice(weights: DecodeWeights, features: PairFeatures, field: Field, canvas: Canvas, rows: Rect) -> None:
    temporal, decoder, channels = weights.temporal, weights.decoder, weights.field_channels
    (height, width), grid, box = features.latent_hw, canvas.grid, field.box
    whole_height, whole_width = canvas.latent_hw
    positions, shape = (canvas.columns, canvas.rows, canvas.time), (rows.y - canvas.rect.y, rows.width, rows.height)
    places = (
        *shape, rows.x, rows.y, grid.width, grid.height, box.x, box.y, box.width, box.height,
        height, width, grid.width / whole_width, grid.height / whole_height,
    )  # fmt: skip
    motion_kernel[_programs(rows, temporal.plan)](
        field.values, _contiguous(features.temporal), _contiguous(features.prior), *positions,
        temporal.entry, temporal.bias, temporal.time, *temporal.tail, canvas.flow, canvas.shortfall, *places,
        spatial=channels, pitch=features.temporal.shape[-1], prior_channels=features.prior.shape[-1],
        **_form(temporal),
    )  # fmt: skip
    rgbx = canvas.rgbx.view(torch.int32)
    colour_kernel[_programs(rows, decoder.plan)](
        field.values, _contiguous(features.colour_first), _contiguous(features.colour_second), canvas.flow, *positions,
        decoder.entry, decoder.bias, decoder.time, *decoder.tail, canvas.answer, rgbx, *places,
        spatial=channels, pitch=features.colour_first.shape[-1], blends=weights.blends, **_form(decoder),
    )  # fmt: skip
    if weights.blends:
        blend_kernel[_programs(rows, _BLEND)](
            canvas.flow, canvas.answer, decoder.last_bias, _contiguous(features.frames), *positions,
            rgbx, *shape, height, width, **_options(_BLEND),
        )  # fmt: skip


def _slices(band: Rect, rows: int) -> Iterator[Rect]:
    """Split ``band`` into slices of at most ``rows`` rows."""
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
        "chunk": min(head.plan.chunk, broad), "answers": answers, **_options(head.plan),
    }  # fmt: skip


def _contiguous(map_: Tensor) -> Tensor:
    # No .contiguous() here: a recorded CUDA graph would read the copy after its memory has been freed.
    assert map_.is_contiguous()
    assert len(map_) == 1
    return map_


def _halved(weights: HeadWeights) -> HeadWeights:
    return replace(weights, entry=weights.entry.half())


def _plan(head: SirenHead, narrow: Plan, broad: Plan) -> Plan:
    return broad if _broad_layers(head.widths) else narrow


def _inputs(part: Tensor, channels: int) -> Tensor:
    """Pad weights [width, inputs] with zeros to ``channels`` inputs."""
    return F.pad(part, (0, channels - part.shape[1]))


def _padded(matrix: Tensor, rows: int, columns: int) -> Tensor:
    """Pad [..., m, n] with zeros to the right and below: [..., rows, columns], float32, contiguous."""
    missing = (0, columns - matrix.shape[-1], 0, rows - matrix.shape[-2])
    return F.pad(matrix.detach().float(), missing).contiguous()
