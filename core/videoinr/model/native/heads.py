"""The heads of :class:`~videoinr.model.video_inr.VideoINR` on a CPU, each tile in one pass (tile.c).

The formulae are those of ``SirenHead.forward`` and ``VideoINR.colour``, which stay the reference: tests compare both.
What differs is the order of additions, and the sine, a polynomial of degree 9 that is off by 5e-9 plus rounding.
"""

from __future__ import annotations

import ctypes
from ctypes import c_float, c_int32, c_void_p
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from videoinr.model.field_table import FieldTable
from videoinr.model.native.build import library
from videoinr.model.siren import OMEGA, SirenHead

if TYPE_CHECKING:
    from videoinr.model.features import PairFeatures
    from videoinr.model.points import Points

_WIDEST, _DEEPEST = 64, 6


class _Head(ctypes.Structure):
    _fields_ = (
        ("layers", c_int32),
        ("widths", c_int32 * (_DEEPEST + 2)),
        ("weights", c_void_p * (_DEEPEST + 1)),
        ("biases", c_void_p * (_DEEPEST + 1)),
        ("first_bias", c_void_p),
        ("lines", c_int32),
        ("line_px", c_int32),
        ("omega", c_float),
    )


class _Tile(ctypes.Structure):
    _fields_ = (
        *((name, c_int32) for name in (
            "width", "height", "latent_width", "latent_height", "grid_width", "grid_height",
            "map_x", "map_y", "map_width", "map_height", "side_bits", "pages_wide", "field_channels",
        )),
        *((name, c_float) for name in ("pixels_per_latent_x", "pixels_per_latent_y")),
        *((name, c_void_p) for name in (
            "share_logit", "column_index", "row_index", "column_position", "row_position", "flow", "table", "page",
        )),
        *((name, c_void_p * 2) for name in ("latent", "project", "frames")),
        ("out", c_void_p),
    )  # fmt: skip


class PackedHead:
    """The layers of a head as tile.c reads them: transposed, times omega, outputs padded to eight."""

    def __init__(self, head: SirenHead) -> None:
        """Copy the head's weights; they must not change afterwards."""
        layers = list[tuple[Tensor, Tensor]]()
        for each in head.hidden:
            assert isinstance(each, nn.Linear)
            layers.append((OMEGA * each.weight, OMEGA * each.bias))
        self.outputs = head.last.out_features
        padding = -self.outputs % 8
        last = (torch.nn.functional.pad(head.last.weight, (0, 0, 0, padding)),
                torch.nn.functional.pad(head.last.bias, (0, padding)))  # fmt: skip
        self._weights = [weight.detach().t().contiguous().float() for weight, _ in [*layers, last]]
        self._biases = [bias.detach().contiguous().float() for _, bias in [*layers, last]]
        widths = [*head.widths, self.outputs + padding]
        self._first_bias = OMEGA * head.first.bias.detach()
        self.widths = tuple(head.widths)
        inputs = len(head.first.edges) - 1
        self.project = [head.first.weight_of(index).detach().t().contiguous() for index in range(min(2, inputs))]
        """The first layer's weights of its first two inputs: of the decoder, F_s at either end of the flow."""
        self._made = _Head(
            layers=len(layers),
            widths=(c_int32 * (_DEEPEST + 2))(*widths),
            weights=(c_void_p * (_DEEPEST + 1))(*(each.data_ptr() for each in self._weights)),
            biases=(c_void_p * (_DEEPEST + 1))(*(each.data_ptr() for each in self._biases)),
            omega=OMEGA,
        )

    def at(self, shift: Tensor | None, width: int = 1) -> tuple[_Head, Tensor]:
        """Return the head with one more term of the first sum (SirenHead.forward), and the memory that it refers to.

        Args:
            shift: One value a channel; or [1, h, 1, channels] or [1, 1, w, channels], a value for each row or column.
            width: The pixels of a row.
        """
        bias = self._first_bias
        if shift is not None:
            bias = (bias + OMEGA * shift.reshape(-1, shift.shape[-1])).contiguous()
        made = _Head.from_buffer_copy(self._made)
        made.first_bias, made.lines = bias.data_ptr(), bias.numel() // bias.shape[-1]
        made.line_px = width if shift is not None and shift.dim() == 4 and shift.shape[1] > 1 else 1
        return made, bias


def fits(head: SirenHead) -> bool:
    """Return whether tile.c has room for the head's layers."""
    widths = (*head.widths, head.last.out_features)
    return len(head.hidden) <= _DEEPEST and max(widths) <= _WIDEST and not any(width % 8 for width in head.widths)


_PACKED: WeakKeyDictionary[SirenHead, tuple[tuple[tuple[int, int], ...], PackedHead]] = WeakKeyDictionary()


def packed(head: SirenHead) -> PackedHead:
    """Return the head as C reads it; made anew after its weights changed."""
    try:
        state = tuple((each.data_ptr(), each._version) for each in head.parameters())
    except RuntimeError:  # Weights that were made in inference mode do not count their changes.
        return PackedHead(head)
    known = _PACKED.get(head)
    if known is None or known[0] != state:
        known = _PACKED[head] = state, PackedHead(head)
    return known[1]


def run_head(packed: PackedHead, first_sum: Tensor, shift: Tensor | None) -> Tensor:
    """Run a head; see :meth:`videoinr.model.siren.SirenHead.forward` for the arguments and the result.

    Args:
        packed: The head.
        first_sum: float32 [..., widths[0]] on the CPU.
        shift: See :meth:`PackedHead.at`; None: nothing.
    """
    first_sum = first_sum.contiguous()
    out = first_sum.new_empty((*first_sum.shape[:-1], packed.outputs))
    head, _bias = packed.at(shift, first_sum.shape[-2] if first_sum.dim() > 1 else 1)
    count = first_sum.numel() // packed.widths[0]
    made = library()
    assert made is not None
    made.videoinr_head(ctypes.byref(head), first_sum.data_ptr(), count, out.data_ptr(), packed.outputs)
    return out


def colour(
    packed: PackedHead, features: PairFeatures, points: Points, flow: Tensor, shift: Tensor, share_logit: Tensor,
    field: FieldTable,
) -> Tensor:  # fmt: skip
    """Compute the colours of a tile; see :meth:`videoinr.model.video_inr.VideoINR.colour`.

    Args:
        packed: The decoder.
        features: One encoded pair, on the CPU.
        points: The pixels x of a rectangle.
        flow: M, [1, h, w, 4].
        shift: The time's term of the decoder's first layer; see :meth:`PackedHead.at`.
        share_logit: The logit of the first frame's share of the blend before the decoder's correction, for each time.
        field: Every tile that the flow reaches.

    Returns:
        [1, h, w, 3], about 0 ... 1, not clamped.
    """
    flow, share_logit = flow.contiguous(), share_logit.contiguous()
    height, width = flow.shape[1:3]
    head, _bias = packed.at(shift, width)
    out = flow.new_empty((1, height, width, 3))
    (latent_height, latent_width), (grid_height, grid_width) = features.latent_hw, field.grid_hw
    kept: list[Tensor] = [features.colour_first, features.colour_second, features.frames]
    pair: Any = c_void_p * 2
    tile = _Tile(
        width=width, height=height, latent_width=latent_width, latent_height=latent_height,
        grid_width=grid_width, grid_height=grid_height, side_bits=field.side.bit_length() - 1,
        map_x=features.origin[0], map_y=features.origin[1], map_width=features.colour_first.shape[2],
        map_height=features.colour_first.shape[1],
        pages_wide=field.page.shape[1], field_channels=field.table.shape[-1],
        pixels_per_latent_x=points.columns.pixels_per_latent, pixels_per_latent_y=points.rows.pixels_per_latent,
        share_logit=share_logit.data_ptr(),
        column_index=points.columns.index.data_ptr(), row_index=points.rows.index.data_ptr(),
        column_position=points.columns.position.data_ptr(), row_position=points.rows.position.data_ptr(),
        flow=flow.data_ptr(), table=field.table.data_ptr(), page=field.page.data_ptr(),
        latent=pair(*(each.data_ptr() for each in kept[:2])),
        project=pair(*(each.data_ptr() for each in packed.project)),
        frames=pair(*(kept[2][0, index].data_ptr() for index in range(2))),
        out=out.data_ptr(),
    )  # fmt: skip
    made = library()
    assert made is not None
    made.videoinr_colour(ctypes.byref(head), ctypes.byref(tile))
    return out
