"""What a viewport costs on CUDA: ``evaluate_field`` once, and ``draw`` at every instant.

An instant is three kernels, because registers allow no fewer: the flow, what the decoder answers to what lies at both
ends of it, and the blend. They go through the picture in bands, so that what they hand each other stays in the
GPU's second-level cache.

Positions come as one number for each column and row, computed from whole pixel indices (model/points.py), so a pixel
reads the same in every rectangle that holds it. The factor 30 of the sines is already on the weights, which are padded
with zeros to powers of two: a channel that is not there is sin(0) = 0 all the way and needs no mask.

Half precision is what F_s and the latent maps are kept in and what matrix products take; sums, the sines' arguments,
the sines themselves, flows, positions and colours are float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
import triton
from torch import Tensor, nn

from videoinr.geometry import Grid, Rect
from videoinr.model.kernels.decode_kernels import blend_kernel, colour_kernel, field_kernel, motion_kernel
from videoinr.model.points import Points
from videoinr.model.siren import OMEGA, SirenHead

if TYPE_CHECKING:
    from videoinr.model.video_inr import PairFeatures, VideoINR

MAX_ELEMENTS = 2**31 - 1
"""Of any map that these kernels read: they count in 32 bits."""
BAND_PX = 2**20
"""Pixels of a band: flow and answer take 16 bytes each."""
_BLOCK_WIDTH = 16
"""A program's pixels lie in a block this wide: whole sectors of output, and neighbours share what they read."""
_FIELD_RUN, _MOTION_RUN, _COLOUR_RUN, _BLEND_RUN = 64, 128, 32, 128
"""Pixels of a program: as many as its registers hold without spilling (compiled for sm_90)."""
_FIELD_WARPS, _MOTION_WARPS, _COLOUR_WARPS, _BLEND_WARPS = 4, 4, 2, 4
"""Warps of a program. For the colour not four or more on 64 pixels or more: on Hopper the program of Triton 3.6 then
reads past its shared memory (compute-sanitizer, at the product of a hidden layer). Two on 32 is also the fastest."""


@dataclass(frozen=True, eq=False)
class HeadWeights:
    """A head's weights as the kernels take them: transposed, times 30 where a sine follows, padded with zeros.

    ``entry`` are the first layer's for what it reads in the kernel (F_s, or the offset within a latent pixel),
    ``time`` those for the time. ``hidden`` [layers * wide, wide] and ``last``
    [wide, wide_out] are float16, the biases float32.
    """

    entry: Tensor
    bias: Tensor
    time: Tensor
    hidden: Tensor
    hidden_bias: Tensor
    last: Tensor
    last_bias: Tensor
    layers: int

    @classmethod
    def make(cls, head: SirenHead, *, entry: Tensor, time: Tensor | None = None) -> HeadWeights:
        """``entry``: [..., width, inputs], of the first layer; ``time`` [width, 1]."""
        wide, wide_out = padded_width(head.widths[0]), padded_width(head.last.out_features)
        last, bias = (
            _padded(head.last.weight.t(), wide, wide_out).half(),
            _padded(OMEGA * head.first.bias[None], 1, wide),
        )
        hidden, hidden_bias = [last], [bias]  # never read where there is no hidden layer
        for layer in head.hidden:
            assert isinstance(layer, nn.Linear)
            hidden.append(_padded(OMEGA * layer.weight.t(), wide, wide).half())
            hidden_bias.append(_padded(OMEGA * layer.bias[None], 1, wide))
        return cls(
            entry=_padded(OMEGA * entry.transpose(-1, -2), entry.shape[-1], wide),
            bias=bias,
            time=bias if time is None else _padded(OMEGA * time.t(), 1, wide),
            hidden=torch.cat(hidden[1:] or hidden),
            hidden_bias=torch.cat(hidden_bias[1:] or hidden_bias),
            last=last,
            last_bias=_padded(head.last.bias[None], 1, wide_out),
            layers=len(head.hidden),
        )

    @property
    def tail(self) -> tuple[Tensor, ...]:
        """What comes behind the first layer, in the kernels' order."""
        return self.hidden, self.hidden_bias, self.last, self.last_bias


@dataclass(frozen=True, eq=False)
class DecodeWeights:
    """The three heads, and how many channels F_s has in memory."""

    spatial: HeadWeights
    temporal: HeadWeights
    decoder: HeadWeights
    field_channels: int

    @classmethod
    def make(cls, model: VideoINR) -> DecodeWeights:
        """Of a model that ``render_cuda.can_render`` accepts, on the model's device."""
        channels = padded_width(model.config.spatial_channels)
        temporal, decoder = model.temporal_head.first, model.decoder_head.first
        both = torch.stack((_inputs(decoder.part(0), channels), _inputs(decoder.part(1), channels)))
        return cls(
            spatial=HeadWeights.make(model.spatial_head, entry=model.spatial_head.first.part(1)),
            temporal=_halved(model.temporal_head, _inputs(temporal.part(0), channels), temporal.part(2)),
            decoder=_halved(model.decoder_head, both, decoder.part(4)),
            field_channels=channels,
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
    field_kernel[_programs(box.width, box.height, _FIELD_RUN)](
        latent, points.columns.position, points.rows.position, head.entry, head.bias, *head.tail, values,
        box.width, box.height, *features.latent_hw,
        pitch=latent.shape[-1], wide=head.bias.shape[-1], wide_out=channels, layers=head.layers,
        **_options(_FIELD_RUN, _FIELD_WARPS),
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
    motion_kernel[_programs(part.width, part.height, _MOTION_RUN)](
        field.values, _contiguous(features.temporal), _contiguous(features.prior), *positions,
        temporal.entry, temporal.bias, temporal.time, *temporal.tail, canvas.flow, canvas.shortfall, *places,
        **_widths(temporal, features.temporal, channels), **_options(_MOTION_RUN, _MOTION_WARPS),
    )  # fmt: skip
    colour_kernel[_programs(part.width, part.height, _COLOUR_RUN)](
        field.values, _contiguous(features.colour_first), _contiguous(features.colour_second), canvas.flow, *positions,
        decoder.entry, decoder.bias, decoder.time, *decoder.tail[:3], canvas.answer, *places,
        **_widths(decoder, features.colour_first, channels), **_options(_COLOUR_RUN, _COLOUR_WARPS),
    )  # fmt: skip
    blend_kernel[_programs(part.width, part.height, _BLEND_RUN)](
        canvas.flow, canvas.answer, decoder.last_bias, _contiguous(features.frames), *positions,
        canvas.rgbx.view(torch.int32), *shape, height, width, **_options(_BLEND_RUN, _BLEND_WARPS),
    )  # fmt: skip


def _parts(band: Rect, rows: int) -> Iterator[Rect]:
    """``band`` in slices of at most ``rows`` rows."""
    for y in range(band.y, band.bottom, rows):
        yield Rect(band.x, y, band.width, min(rows, band.bottom - y))


def _programs(columns: int, rows: int, run: int) -> tuple[int]:
    return (triton.cdiv(columns, _BLOCK_WIDTH) * triton.cdiv(rows, run // _BLOCK_WIDTH),)


def _options(run: int, warps: int) -> dict[str, Any]:
    return {"block_width": _BLOCK_WIDTH, "run": run, "num_warps": warps, "num_stages": 1, "enable_fp_fusion": True}


def _widths(head: HeadWeights, latent: Tensor, channels: int) -> dict[str, int]:
    wide, answers = head.last.shape
    return {
        "spatial": channels, "pitch": latent.shape[-1], "wide": wide, "answers": answers, "layers": head.layers
    }  # fmt: skip


def _contiguous(map_: Tensor) -> Tensor:
    # Not made so here: a recorded launch would read the copy long after it is gone.
    assert map_.is_contiguous()
    assert len(map_) == 1
    return map_


def _halved(head: SirenHead, entry: Tensor, time: Tensor) -> HeadWeights:
    whole = HeadWeights.make(head, entry=entry, time=time)
    return replace(whole, entry=whole.entry.half())


def _inputs(part: Tensor, channels: int) -> Tensor:
    """[width, inputs], padded to ``channels`` inputs."""
    return F.pad(part, (0, channels - part.shape[1]))


def _padded(matrix: Tensor, rows: int, columns: int) -> Tensor:
    """[..., m, n] with zeros to the right and below: [..., rows, columns], float32, contiguous."""
    missing = (0, columns - matrix.shape[-1], 0, rows - matrix.shape[-2])
    return F.pad(matrix.detach().float(), missing).contiguous()
