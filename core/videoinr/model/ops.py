"""The operations of the model that have several backends, and the choice among them.

This is the only file of the package that asks which backend there is. Four are known:

- plain torch: on every device, with gradients;
- the Triton kernels of ``kernels/``: on CUDA. Those of the heads have gradients; those of the encoders' layers are for
  inference under autocast, since training needs the maps between the steps that they join;
- native/: the heads, and the warping of frames, in C, for inference on a CPU where there is a C compiler;
- torchvision: its deformable convolution, where torchvision is installed (it is not a dependency).

The kernels are imported where they are used: Triton takes a while to import, and a CPU has no use for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from videoinr.geometry import Grid, Rect
from videoinr.model import kernels
from videoinr.model.deformable import (
    CPU_BAND_BYTES,
    GPU_BAND_BYTES,
    TAPS,
    DeformableParameters,
    plain_deformable_conv,
)
from videoinr.model.features import FieldSampler, PairFeatures, PairHeads
from videoinr.model.field_table import TableSampler
from videoinr.model.head_inputs import DECODER_TIME
from videoinr.model.maps import activated, concat
from videoinr.model.native import build as native
from videoinr.model.points import Points
from videoinr.model.propagation import ERROR_WINDOW, NEIGHBOUR_MARGIN, plain_propagated
from videoinr.model.siren import SirenHead
from videoinr.model.time_laws import blend_logit
from videoinr.model.warp import (
    Placement,
    positions_along,
    sample_as_table,
    sample_bilinear,
    sample_placed,
    unit_grid,
)

if TYPE_CHECKING:
    from videoinr.model.native.warp import WarpedRows


def has_kernels(tensor: Tensor) -> bool:
    """Whether the Triton kernels can be used on ``tensor``'s device."""
    return kernels.is_available(tensor)


def is_on_cpu(tensor: Tensor) -> bool:
    """Whether ``tensor`` lies in the CPU's memory."""
    return tensor.device.type == "cpu"


def convolve(
    layer: nn.Conv2d, *maps: Tensor, slope: float = 1.0, add: Tensor | None = None, out: Tensor | None = None
) -> Tensor:
    """Compute activation(layer(x)) + add; in one kernel where CUDA infers in half precision.

    Args:
        layer: A convolution of C channels to D.
        maps: Maps [B, Ck, H, W]; their channels, concatenated, are x: C is the sum of all Ck.
        slope: Slope of the activation for negative values; 0 is ReLU, 1 no activation.
        add: [B, D, H', W'], added last.
        out: Where to write the result, during inference: rows of a map [1, D, H', W'] in the channels-last format.

    Returns:
        [B, D, H', W'].
    """
    dtype = kernels.half_inference(maps[0])
    if dtype is not None:
        from videoinr.model.kernels import convolve as kernel

        if kernel.supports(layer, maps[0]):
            return kernel.convolve(layer, maps, slope=slope, add=add, dtype=dtype, out=out)
    found = activated(layer(concat(maps) if len(maps) > 1 else maps[0]), slope)
    if add is not None:
        return torch.add(add, found, out=out)
    return found if out is None else out.copy_(found)


def resize(x: Tensor, size: tuple[int, int], *, gain: float = 1.0) -> Tensor:
    """Resize ``x`` bilinearly (``align_corners=False``).

    Args:
        x: [B, C, H, W].
        size: (height, width) of the result.
        gain: Factor of the result.

    Returns:
        [B, C, height, width].
    """
    if kernels.half_inference(x) is not None:
        from videoinr.model.kernels import resize as kernel

        return kernel.resize(x, size, gain=gain)
    if is_on_cpu(x) and not torch.is_grad_enabled():
        # In this format, and in no other, the rows of a part have the bits of the rows of the whole map.
        x = x.contiguous(memory_format=torch.channels_last)
    out = F.interpolate(x, size, mode="bilinear", align_corners=False)
    return out if gain == 1.0 else gain * out


def propagated(first: Tensor, second: Tensor, flow: Tensor, distances: Sequence[int]) -> Tensor:
    """Replace each point's flow by a neighbour's where that makes the warped features of both frames more alike.

    An upsampled flow mixes two motions at the edge of a moving object. A neighbour has the right flow for such a point.

    Args:
        first: The first frame's feature [B, C, H, W].
        second: The second frame's feature [B, C, H, W].
        flow: [B, 4, H, W], like a motion prior, in pixels of this level.
        distances: Distances of the neighbours, pixels; there are four neighbours at each distance.

    Returns:
        The flow, [B, 4, H, W].
    """
    if kernels.is_available(first) and not torch.is_grad_enabled():
        from videoinr.model.kernels import propagate as kernel

        if len(distances) <= kernel.MOST_DISTANCES:
            return kernel.propagate(first, second, flow, distances, window=ERROR_WINDOW, margin=NEIGHBOUR_MARGIN)
    return plain_propagated(first, second, flow, distances, sample)


def finish_motion_step(made: Tensor, flow: Tensor, *, slope: float) -> tuple[Tensor, Tensor]:
    """Return the refined flow and the activated hidden map of a step of the motion search.

    Args:
        made: The last layer's output [B, 4 + hidden, H, W]: what the flow changes by, and the hidden map.
        flow: The flow before, float32 [B, 4, H, W].
        slope: Slope of the activation for negative values.

    Returns:
        The flow, float32 [B, 4, H, W], and the hidden map [B, hidden, H, W].
    """
    if kernels.half_inference(made) is not None:
        from videoinr.model.kernels import motion_step as kernel

        return kernel.finish(made, flow, slope=slope)
    return flow + made[:, :4].float(), activated(made[:, 4:], slope)


def lstm_step(gates: nn.Conv2d, entering: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Advance a ConvLSTM by one step.

    Args:
        gates: A 3x3 convolution of 2C channels to 4C: input gate, forget gate, output gate, candidate.
        entering: The step's input [B, C, H, W].
        hidden: The hidden state before the step [B, C, H, W].
        cell: The cell state before the step [B, C, H, W].

    Returns:
        The new hidden state and the new cell state, each [B, C, H, W].
    """
    dtype = kernels.half_inference(cell)
    if dtype is not None:
        from videoinr.model.kernels import lstm as kernel

        return kernel.advance(gates, entering, hidden, cell, dtype=dtype)
    enter, keep, leave, candidate = convolve(gates, entering, hidden).chunk(4, 1)
    cell = keep.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
    return leave.sigmoid() * cell.tanh(), cell


def deformable_layer(layer: DeformableParameters, x: Tensor, guide: Tensor, *, slope: float = 1.0) -> Tensor:
    """Apply a deformable convolution whose offsets and masks come from ``guide``, and the activation.

    Args:
        layer: The parameters, for C channels.
        x: [B, C, H, W].
        guide: [B, C, H, W].
        slope: Slope of the activation for negative values.

    Returns:
        [B, C, H, W].
    """
    dtype = kernels.half_inference(x)
    if dtype is not None:
        from videoinr.model.kernels import deform as kernel

        if kernel.supports(x, layer.groups):
            return kernel.deform(layer, x, guide, groups=layer.groups, slope=slope, dtype=dtype)
    moves = convolve(layer.offsets_and_masks, guide)
    offsets, masks = moves.tensor_split((2 * TAPS * layer.groups,), 1)
    return activated(deformable_conv(x, offsets, masks.sigmoid(), layer.weight, layer.bias), slope)


def deformable_conv(x: Tensor, offsets: Tensor, masks: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute a 3x3 deformable convolution with stride 1 and padding 1, by torchvision or plain torch.

    Under autocast only what the taps read is rounded to half precision, like the input of any other convolution;
    rounded positions would move the taps.

    Args:
        x: [B, C, H, W].
        offsets: [B, G * 18, H, W], pixels; by group, then tap, then (y, x).
        masks: [B, G * 9, H, W] in 0 ... 1; by group, then tap.
        weight: [D, C, 3, 3].
        bias: [D].

    Returns:
        [B, D, H, W], float32. Taps outside ``x`` read zeros. Differentiable in all five tensors.
    """
    kind = x.device.type
    product = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
    x, offsets, weight, bias = x.float(), offsets.float(), weight.float(), bias.float()
    with torch.autocast(kind, enabled=False):
        # torch.compile can fuse plain torch with its surroundings. And torchvision's gradients, replayed in a CUDA
        # graph, ended in an illegal memory access (torch 2.11, H200): training on CUDA uses plain torch.
        trains = torch.is_grad_enabled() and weight.requires_grad and x.is_cuda
        operator = None if trains or torch.compiler.is_compiling() else _torchvision_operator()
        if operator is not None:
            answer: Tensor = operator(x, offsets, weight, bias, padding=1, mask=masks.float())
            return answer
        band_bytes = CPU_BAND_BYTES if kind == "cpu" else GPU_BAND_BYTES
        return plain_deformable_conv(x, offsets, masks, weight, bias, product=product, band_bytes=band_bytes)


def deformable_conv_source() -> str:
    """Return the name of the library that computes deformable convolutions: ``torchvision`` or ``torch``."""
    return "torch" if _torchvision_operator() is None else "torchvision"


@cache
def _torchvision_operator() -> Callable[..., Any] | None:
    try:
        operator: Callable[..., Any] = importlib.import_module("torchvision.ops").deform_conv2d
    except (ImportError, RuntimeError, OSError, AttributeError):  # not installed, or built for another torch
        return None
    return operator


def sample(image: Tensor, x: Tensor, y: Tensor, *, part: Rect | None = None, whole: Grid | None = None) -> Tensor:
    """Sample ``image`` bilinearly; positions outside read the border.

    Args:
        image: [B, H, W, C].
        x: [B, h, w], pixels of ``image``, centre coordinates.
        y: Like ``x``.
        part: If given, ``image`` is this rectangle of a map of the size ``whole``, and x and y are pixels of that map,
            inside the rectangle or outside the map.
        whole: See ``part``.

    Returns:
        [B, h, w, C]. Differentiable in all three.
    """
    on_cpu = _reads_as_table(image)
    if part is not None and whole is not None:
        if on_cpu:
            return sample_placed(image, x, y, Placement(part, part, whole))
        x, y = x.clamp(0, whole.width - 1) - part.x, y.clamp(0, whole.height - 1) - part.y
    elif on_cpu:
        return sample_as_table(image, x, y)
    if kernels.is_available(image):
        from videoinr.model.kernels import sample as kernel

        return kernel.sample(image, x, y)
    return sample_bilinear(image, x, y)


def _reads_as_table(image: Tensor) -> bool:
    """Whether ``image`` is read by ``embedding_bag``, which neither training nor an exported graph can use."""
    infers = not torch.is_grad_enabled() and not torch.compiler.is_compiling()
    return infers and is_on_cpu(image) and len(image) == 1


def warp(image: Tensor, flow: Tensor, place: Placement | None = None) -> Tensor:
    """Warp ``image`` backwards: read it bilinearly at x + ``flow``. Positions outside read the border.

    On a CPU, without gradients, a part of a pair's warped map is the same whatever else is computed, to the bit.

    Args:
        image: [B, C, H, W].
        flow: [B, 2, h, w], pixels of ``image``, order (x, y).
        place: Which pixels of a larger map the image and the flow are; None: all of one map of H x W.

    Returns:
        [B, C, h, w].
    """
    if place is None:
        whole = Grid(image.shape[3], image.shape[2])
        place = Placement(whole.rect, whole.rect, whole)
    if kernels.half_inference(image) is not None:
        from videoinr.model.kernels import warp as kernel

        start_of = place.image.x, place.image.y
        return kernel.warp(image, flow, at=(place.flow.x, place.flow.y), start_of=start_of)
    x, y = positions_along(flow, place.flow.x, place.flow.y)
    if _reads_as_table(image):
        # NaN in a flow must become a bad picture and not an index outside the map.
        x, y = x.nan_to_num_(), y.nan_to_num_()
        # The order of additions in a read depends on the memory format; channels last is that of the encoders.
        sampled = sample_placed(image.permute(0, 2, 3, 1).float().contiguous(), x, y, place)
        return sampled.permute(0, 3, 1, 2).to(image.dtype)
    if (place.image.x, place.image.y) != (0, 0):
        x, y = x - place.image.x, y - place.image.y
    if kernels.is_available(image):
        return sample(image.permute(0, 2, 3, 1), x, y).permute(0, 3, 1, 2)
    grid = unit_grid(x, y, height=image.shape[2], width=image.shape[3])
    return F.grid_sample(image.float(), grid, padding_mode="border", align_corners=False).to(image.dtype)


def render_fused(heads: PairHeads, features: PairFeatures, grid: Grid, times: Sequence[Tensor]) -> Tensor | None:
    """Render whole frames in fused kernels, with gradients, where there are kernels for these heads.

    Args:
        heads: The model's heads.
        features: B encoded pairs.
        grid: The size of the frames.
        times: K times in 0 ... 1, each [B].

    Returns:
        Frames [K, B, 3, grid.height, grid.width]; None where the plain formulae are to be used.
    """
    if not kernels.is_available(features.spatial):
        return None
    from videoinr.model import render_cuda

    return render_cuda.render(heads, features, grid, times) if render_cuda.can_render(heads, features) else None


def run_head(head: SirenHead, first_sum: Tensor, shift: Tensor | None = None) -> Tensor:
    """Run a head from its first layer's sum on; see :meth:`~videoinr.model.siren.SirenHead.forward`."""
    if _runs_natively(head, first_sum) and (shift is None or _is_by_line(shift, first_sum)):
        from videoinr.model.native import heads

        return heads.run_head(heads.packed(head), first_sum, shift)
    out: Tensor = head(first_sum, shift)
    return out


def colour_from_table(
    heads: PairHeads, features: PairFeatures, points: Points, flow: Tensor, t: Tensor, sampler: FieldSampler
) -> Tensor | None:
    """Compute RGB in one pass over a tile's pixels, where F_s lies in a table on a CPU; None elsewhere.

    See :meth:`videoinr.model.video_inr.VideoINR.colour` for the arguments and the result.
    """
    config, head = heads.config, heads.decoder_head
    is_whole = config.blend and config.multi_scale and config.flow and not config.single_network
    maps = (flow, features.colour_first, features.colour_second, features.frames)
    if not (is_whole and isinstance(sampler, TableSampler) and _runs_natively(head, *maps) and len(flow) == 1):
        return None
    field = sampler.reached(points, flow)
    if field.table.shape[-1] % 8 or field.table.shape[-1] > 64 or field.side & (field.side - 1):
        return None
    if not all(each.is_contiguous() for each in maps[1:]):
        return None
    from videoinr.model.native import heads as native

    shift = head.first.project(DECODER_TIME, t)
    return native.colour(native.packed(head), features, points, flow, shift, blend_logit(t), field)


def warped_rows(frames: Sequence[Tensor], maps: Tensor | None, rect: Rect, grid: Grid) -> WarpedRows | None:
    """Return what draws a picture warped from bytes in one pass over its rows on a CPU; None elsewhere.

    See :class:`~videoinr.model.native.warp.WarpedRows` for the arguments.
    """
    if not all(is_on_cpu(frame) and frame.dtype == torch.uint8 for frame in frames) or native.library() is None:
        return None
    from videoinr.model.native.warp import WarpedRows

    return WarpedRows(frames, maps, rect, grid)


def _is_by_line(shift: Tensor, first_sum: Tensor) -> bool:
    """Return whether ``shift`` is the same for all pixels, or for those of a row or a column of one rectangle."""
    if shift.numel() == shift.shape[-1]:
        return True
    rows, columns = first_sum.shape[-3:-1] if first_sum.dim() == 4 and len(first_sum) == 1 else (0, 0)
    return shift.shape[:-1] in ((1, rows, 1), (1, 1, columns))


def prepare_cpu() -> None:
    """Compile what a CPU uses here (:func:`run_head` and what follows it), unless an earlier process did."""
    native.library()


def _runs_natively(head: SirenHead, *tensors: Tensor) -> bool:
    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        return False
    if not all(is_on_cpu(each) and each.dtype == torch.float32 for each in tensors):
        return False
    from videoinr.model.native import heads

    return native.library() is not None and heads.fits(head)
