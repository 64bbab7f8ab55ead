"""The network of the released VideoINR checkpoint, computed the slow and obvious way, for tests to compare with.

Functions over one flat dict of tensors with the released file's own names; nothing here comes from the program.
Every step follows the description of the released network: Zooming SlowMo's encoder, then three SIRENs, with its
conventions as they are (time in the spatial network, flow in output pixels on a lattice that counts corners, zeros
outside, frames enlarged four times before anything reads them, sides filled up with zeros to multiples of four).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = dict[str, Tensor]

CHANNELS = 64
GROUPS = 8
FRONT_BLOCKS = 5
BACK_BLOCKS = 40
OMEGA = 30


# ---- the layout of the file ----


def released_shapes() -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor of the released file, in its order: 442 of them."""
    return dict(_encoder_shapes()) | dict(_unused_shapes()) | dict(_head_shapes())


def zooming_slowmo_shapes() -> dict[str, tuple[int, ...]]:
    """The same of Zooming SlowMo's own released file: no heads."""
    return dict(_encoder_shapes()) | dict(_unused_shapes())


Shapes = Iterator[tuple[str, tuple[int, ...]]]


def _conv_shapes(name: str, inputs: int, outputs: int, kernel: int = 3) -> Shapes:
    yield f"{name}.weight", (outputs, inputs, kernel, kernel)
    yield f"{name}.bias", (outputs,)


def _block_shapes(name: str, count: int) -> Shapes:
    for k in range(count):
        yield from _conv_shapes(f"{name}.{k}.conv1", CHANNELS, CHANNELS)
        yield from _conv_shapes(f"{name}.{k}.conv2", CHANNELS, CHANNELS)


def _pyramid_shapes(prefix: str) -> Shapes:
    for level in (2, 3):
        for k in (1, 2):
            yield from _conv_shapes(f"{prefix}fea_L{level}_conv{k}", CHANNELS, CHANNELS)


def _align_shapes(prefix: str) -> Shapes:
    for way in (1, 2):
        for level in (3, 2, 1):
            yield from _conv_shapes(f"{prefix}L{level}_offset_conv1_{way}", 2 * CHANNELS, CHANNELS)
            if level == 3:
                yield from _conv_shapes(f"{prefix}L3_offset_conv2_{way}", CHANNELS, CHANNELS)
            else:
                yield from _conv_shapes(f"{prefix}L{level}_offset_conv2_{way}", 2 * CHANNELS, CHANNELS)
                yield from _conv_shapes(f"{prefix}L{level}_offset_conv3_{way}", CHANNELS, CHANNELS)
            yield from _conv_shapes(f"{prefix}L{level}_dcnpack_{way}", CHANNELS, CHANNELS)
            yield from _conv_shapes(f"{prefix}L{level}_dcnpack_{way}.conv_offset_mask", CHANNELS, GROUPS * 9 * 3)
            if level != 3:
                yield from _conv_shapes(f"{prefix}L{level}_fea_conv_{way}", 2 * CHANNELS, CHANNELS)


def _encoder_shapes() -> Shapes:
    yield from _conv_shapes("conv_first", 3, CHANNELS)
    yield from _block_shapes("feature_extraction", FRONT_BLOCKS)
    yield from _pyramid_shapes("")
    yield from _align_shapes("pcd_align.")
    yield from _conv_shapes("fusion", 2 * CHANNELS, CHANNELS, 1)
    lstm = "ConvBLSTM.forward_net."
    yield from _conv_shapes(f"{lstm}cell_list.0.conv", 2 * CHANNELS, 4 * CHANNELS)
    for state in ("pcd_h.", "pcd_c."):
        yield from _pyramid_shapes(lstm + state)
        yield from _align_shapes(f"{lstm}{state}pcd_align.")
        yield from _conv_shapes(f"{lstm}{state}fusion", 2 * CHANNELS, CHANNELS, 1)
    yield from _conv_shapes("ConvBLSTM.conv_1x1", 2 * CHANNELS, CHANNELS, 1)
    yield from _block_shapes("recon_trunk", BACK_BLOCKS)


def _unused_shapes() -> Shapes:
    yield from _conv_shapes("upconv1", CHANNELS, 4 * CHANNELS)
    yield from _conv_shapes("upconv2", CHANNELS, 4 * CHANNELS)
    yield from _conv_shapes("HRconv", CHANNELS, CHANNELS)
    yield from _conv_shapes("conv_last", CHANNELS, 3)


def _head_shapes() -> Shapes:
    for name, widths in (
        ("feat_imnet", (201, 64, 64, 256, 64)),
        ("flow_imnet", (263, 64, 64, 256, 4)),
        ("encode_imnet", (525, 64, 64, 256, 256, 3)),
    ):
        last = len(widths) - 2
        for k in range(last + 1):
            layer = f"{name}.net.{k}" if k == last else f"{name}.net.{k}.linear"
            yield f"{layer}.weight", (widths[k + 1], widths[k])
            yield f"{layer}.bias", (widths[k + 1],)


def random_weights(seed: int = 0) -> Weights:
    """Seeded weights in the released layout: offsets of a pixel, flows of some pixels, pictures with contrast."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(shape: tuple[int, ...], bound: float) -> Tensor:
        return (2 * torch.rand(shape, generator=generator) - 1) * bound

    return {name: uniform(shape, _bound(name, shape)) for name, shape in released_shapes().items()}


def _bound(name: str, shape: tuple[int, ...]) -> float:
    if name.endswith("bias"):
        return 0.5 if "conv_offset_mask" in name else 0.1
    inputs = shape[1] * (shape[2] * shape[3] if len(shape) == 4 else 1)
    if ".net.0." in name:
        return 6 / inputs  # six times SIREN's own: what they read must show
    if "_imnet" in name:
        # SIREN's own; the last layer of the flow makes pixels.
        gain = {"flow_imnet.net.3.weight": 40.0, "encode_imnet.net.4.weight": 12.0}.get(name, 1.0)
        return float(gain * (6 / inputs) ** 0.5 / OMEGA)
    narrow = 0.3 if "recon_trunk" in name or "feature_extraction" in name else 1.0
    return float(narrow * (6 / inputs) ** 0.5)


# ---- the encoder ----


def encode(weights: Weights, frames: Tensor) -> Tensor:
    """Frames [2, 3, H, W], H and W multiples of 4 -> feature [1, 192, H, W]: first, middle, second."""
    first, second = (
        _pyramid(weights, "", _front(weights, frames[:1])),
        _pyramid(weights, "", _front(weights, frames[1:])),
    )
    middle = _conv(weights, "fusion", _align_both(weights, "pcd_align.", first, second))
    maps = _both_directions(weights, [first[0], middle, second[0]])
    return torch.cat([_blocks(weights, "recon_trunk", BACK_BLOCKS, x) for x in maps], 1)


def _front(weights: Weights, frame: Tensor) -> Tensor:
    return _blocks(weights, "feature_extraction", FRONT_BLOCKS, _leaky(_conv(weights, "conv_first", frame)))


def _blocks(weights: Weights, name: str, count: int, x: Tensor) -> Tensor:
    for k in range(count):
        x = x + _conv(weights, f"{name}.{k}.conv2", F.relu(_conv(weights, f"{name}.{k}.conv1", x)))
    return x


def _pyramid(weights: Weights, prefix: str, x: Tensor) -> list[Tensor]:
    """Levels 1, 2, 3 of a feature: whole, half, quarter size."""
    levels = [x]
    for level in (2, 3):
        down = _leaky(_conv(weights, f"{prefix}fea_L{level}_conv1", levels[-1], stride=2))
        levels.append(_leaky(_conv(weights, f"{prefix}fea_L{level}_conv2", down)))
    return levels


def _align_both(weights: Weights, prefix: str, first: list[Tensor], second: list[Tensor]) -> Tensor:
    """The first aligned to the second with one set of weights, the second to the first with the other."""
    return torch.cat([_align(weights, prefix, 1, first, second), _align(weights, prefix, 2, second, first)], 1)


def _align(weights: Weights, prefix: str, way: int, moved: list[Tensor], still: list[Tensor]) -> Tensor:
    offset = feature = torch.empty(0)
    for level in (3, 2, 1):
        name = f"{prefix}L{level}"
        here, there = moved[level - 1], still[level - 1]
        mine = _leaky(_conv(weights, f"{name}_offset_conv1_{way}", torch.cat([here, there], 1)))
        if level == 3:
            offset = _leaky(_conv(weights, f"{name}_offset_conv2_{way}", mine))
            feature = _leaky(_deformable(weights, f"{name}_dcnpack_{way}", here, offset))
            continue
        both = torch.cat([mine, 2 * _twice_as_large(offset)], 1)
        offset = _leaky(
            _conv(weights, f"{name}_offset_conv3_{way}", _leaky(_conv(weights, f"{name}_offset_conv2_{way}", both)))
        )
        aligned = _deformable(weights, f"{name}_dcnpack_{way}", here, offset)
        feature = _conv(weights, f"{name}_fea_conv_{way}", torch.cat([aligned, _twice_as_large(feature)], 1))
        if level == 2:
            feature = _leaky(feature)
    return feature


def _both_directions(weights: Weights, maps: list[Tensor]) -> list[Tensor]:
    forward = _lstm(weights, maps)
    backward = _lstm(weights, maps[::-1])[::-1]
    return [_conv(weights, "ConvBLSTM.conv_1x1", torch.cat(both, 1)) for both in zip(forward, backward, strict=True)]


def _lstm(weights: Weights, maps: list[Tensor]) -> list[Tensor]:
    prefix = "ConvBLSTM.forward_net."
    hidden = cell = torch.zeros_like(maps[0])
    outputs = []
    for x in maps:
        hidden = _fused_with(weights, f"{prefix}pcd_h.", x, hidden)
        cell = _fused_with(weights, f"{prefix}pcd_c.", x, cell)
        gates = _conv(weights, f"{prefix}cell_list.0.conv", torch.cat([x, hidden], 1))
        let_in, keep, let_out, new = gates.chunk(4, 1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(let_in) * torch.tanh(new)
        hidden = torch.sigmoid(let_out) * torch.tanh(cell)
        outputs.append(hidden)
    return outputs


def _fused_with(weights: Weights, prefix: str, x: Tensor, state: Tensor) -> Tensor:
    aligned = _align_both(
        weights, f"{prefix}pcd_align.", _pyramid(weights, prefix, x), _pyramid(weights, prefix, state)
    )
    return _conv(weights, f"{prefix}fusion", aligned)


def _conv(weights: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = weights[f"{name}.weight"]
    return F.conv2d(x, weight, weights[f"{name}.bias"], stride=stride, padding=weight.shape[-1] // 2)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.1)


def _twice_as_large(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _deformable(weights: Weights, name: str, x: Tensor, looked_at: Tensor) -> Tensor:
    """Modulated deformable 3x3 convolution, tap by tap; offsets (y, x) and masks come from ``looked_at``."""
    height, width = x.shape[-2:]
    raw = _conv(weights, f"{name}.conv_offset_mask", looked_at)[0]
    offsets = raw[: GROUPS * 18].view(GROUPS, 9, 2, height, width)
    masks = torch.sigmoid(raw[GROUPS * 18 :]).view(GROUPS, 9, height, width)
    weight, size = weights[f"{name}.weight"], x.shape[1] // GROUPS
    rows = torch.arange(height).view(-1, 1).float()
    columns = torch.arange(width).view(1, -1).float()
    images = x[0].view(GROUPS, size, height, width).movedim(1, -1)
    out = weights[f"{name}.bias"].view(-1, 1, 1).expand(-1, height, width)
    for tap in range(9):
        y = rows + tap // 3 - 1 + offsets[:, tap, 0]
        at = columns + tap % 3 - 1 + offsets[:, tap, 1]
        values = _read(images, y, at) * masks[:, tap, :, :, None]
        kernel = weight[:, :, tap // 3, tap % 3].view(-1, GROUPS, size)
        out = out + torch.einsum("ogc,ghwc->ohw", kernel, values)
    return out[None]


def _read(images: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """[G, H, W, C] at fractional positions [G, h, w]: the four neighbours, weighted; there are zeros around."""
    height, width = images.shape[1:3]
    top, left = y.floor(), x.floor()
    group = torch.arange(len(images)).view(-1, 1, 1)
    total = torch.zeros(*y.shape, images.shape[-1])
    for row, row_weight in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, column_weight in ((left, 1 - (x - left)), (left + 1, x - left)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            value = images[group, row.clamp(0, height - 1).long(), column.clamp(0, width - 1).long()]
            total = total + value * (row_weight * column_weight * inside)[..., None]
    return total


# ---- the heads ----


def filled_up(frames: Tensor) -> Tensor:
    """[2, 3, h, w] with zeros at the right and at the bottom, up to multiples of four."""
    return F.pad(frames, (0, -frames.shape[3] % 4, 0, -frames.shape[2] % 4))


def render(weights: Weights, frames: Tensor, feature: Tensor, *, height: int, width: int, t: float) -> Tensor:
    """Frames [2, 3, h, w], filled up, and their ``feature`` [1, 192, h, w] -> the picture [3, height, width] at ``t``.

    ``height`` and ``width`` are whole multiples of h and w. Nothing is cut off.
    """
    pair = torch.cat([frames[0], frames[1]])[None]
    large = F.interpolate(pair, scale_factor=4, mode="bilinear", align_corners=False)
    centres = _centres(height, width)
    time = torch.full((1, 1, height, width), t)
    spatial = _spatial_network(weights, feature, large, centres, time)
    flow = _siren(
        weights, "flow_imnet", torch.cat([spatial, _bilinear(feature, centres), _bilinear(large, centres), time], 1)
    )
    ways = [_corner_lattice(height, width) + _in_units_of_corners(flow[:, k : k + 2]) for k in (0, 2)]
    warped = [_bilinear(image, way) for image in (spatial, feature, large) for way in ways]
    return _siren(weights, "encode_imnet", torch.cat([*warped, time], 1))[0]


def _spatial_network(weights: Weights, feature: Tensor, large: Tensor, centres: Tensor, time: Tensor) -> Tensor:
    height, width = feature.shape[-2:]
    positions = _centres(height, width).permute(0, 3, 1, 2)
    offset = centres.permute(0, 3, 1, 2) - _nearest(positions, centres)
    offset_y, offset_x = offset[:, 1:] * height, offset[:, :1] * width
    nearest = [_nearest(feature, centres), _nearest(large, centres)]
    return _siren(weights, "feat_imnet", torch.cat([*nearest, offset_y, offset_x, time], 1))


def _centres(height: int, width: int) -> Tensor:
    """Where pixel centres lie if the image spans -1 ... 1: [1, height, width, 2], order (x, y)."""
    y, x = (-1 + 1 / n + (2 / n) * torch.arange(n).float() for n in (height, width))
    return torch.stack((x.expand(height, -1), y[:, None].expand(-1, width)), -1)[None]


def _corner_lattice(height: int, width: int) -> Tensor:
    """The first pixel at -1 and the last at 1: [1, height, width, 2], order (x, y)."""
    y, x = torch.linspace(-1, 1, height), torch.linspace(-1, 1, width)
    return torch.stack((x.expand(height, -1), y[:, None].expand(-1, width)), -1)[None]


def _in_units_of_corners(flow: Tensor) -> Tensor:
    """[1, 2, h, w] output pixels (x, y) -> [1, h, w, 2] on the corner lattice."""
    height, width = flow.shape[-2:]
    return torch.stack((flow[:, 0] / ((width - 1) / 2), flow[:, 1] / ((height - 1) / 2)), -1)


def _nearest(image: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(image, grid, mode="nearest", padding_mode="zeros", align_corners=False)


def _bilinear(image: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _siren(weights: Weights, name: str, x: Tensor) -> Tensor:
    x, layer = x.movedim(1, -1), 0
    while f"{name}.net.{layer}.linear.weight" in weights:
        linear = f"{name}.net.{layer}.linear"
        x = torch.sin(OMEGA * F.linear(x, weights[f"{linear}.weight"], weights[f"{linear}.bias"]))
        layer += 1
    return F.linear(x, weights[f"{name}.net.{layer}.weight"], weights[f"{name}.net.{layer}.bias"]).movedim(-1, 1)
