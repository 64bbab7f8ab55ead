"""The names of tensors in the released files, and their names in this program.

VideoINR's and Zooming SlowMo's files use the same names for the encoder; the latter has no heads. Both hold four layers
that enlarge the picture (:data:`UNUSED`), which VideoINR never runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from videoinr.model.released.config import ReleasedConfig

UNUSED = ("upconv1", "upconv2", "HRconv", "conv_last")
_LEVELS = {3: "coarse", 2: "middle", 1: "fine"}
_COARSE_LAYERS = {"offset_conv1": "compare", "offset_conv2": "refine", "dcnpack": "deform"}
_FINER_LAYERS = {
    "offset_conv1": "compare",
    "offset_conv2": "join_guides",
    "offset_conv3": "refine",
    "dcnpack": "deform",
    "fea_conv": "join_maps",
}
_Pairs = Iterator[tuple[str, str]]
"""(name in the released file, name here)"""


def encoder_names(config: ReleasedConfig) -> dict[str, str]:
    """Return, by its released name, the name of every tensor of the encoder, in the order of the released file."""
    return dict(_of_tensors(_encoder_layers(config.encoder.front_blocks, config.encoder.back_blocks)))


def head_names(config: ReleasedConfig) -> dict[str, str]:
    """Return, by its released name, the name of every tensor of the three heads."""
    sizes = config.sizes
    heads = (
        ("feat_imnet", "spatial_head", len(sizes.spatial_hidden)),
        ("flow_imnet", "temporal_head", len(sizes.temporal_hidden)),
        ("encode_imnet", "decoder_head", len(sizes.decoder_hidden)),
    )
    return dict(_of_tensors(pair for head in heads for pair in _head_layers(*head)))


def unused_names() -> tuple[str, ...]:
    """Return the released names of the tensors that are never used."""
    return tuple(released for released, _ in _of_tensors((layer, layer) for layer in UNUSED))


def _of_tensors(layers: _Pairs) -> _Pairs:
    for released, ours in layers:
        for tensor in ("weight", "bias"):
            yield f"{released}.{tensor}", f"{ours}.{tensor}"


def _encoder_layers(front_blocks: int, back_blocks: int) -> _Pairs:
    yield "conv_first", "encoder.first"
    yield from _blocks("feature_extraction", "encoder.front", front_blocks)
    yield from _pyramid("", "encoder.")
    yield from _pair_alignment("", "encoder.interpolate.")
    lstm, recurrence = "ConvBLSTM.forward_net.", "encoder.recurrence."
    yield f"{lstm}cell_list.0.conv", f"{recurrence}gates"
    for state, alignment in (("pcd_h.", "align_hidden."), ("pcd_c.", "align_cell.")):
        yield from _pyramid(lstm + state, recurrence + alignment)
        yield from _pair_alignment(lstm + state, f"{recurrence}{alignment}align.")
    yield "ConvBLSTM.conv_1x1", f"{recurrence}merge"
    yield from _blocks("recon_trunk", "encoder.back", back_blocks)


def _blocks(released: str, ours: str, count: int) -> _Pairs:
    for k in range(count):
        yield f"{released}.{k}.conv1", f"{ours}.{k}.first"
        yield f"{released}.{k}.conv2", f"{ours}.{k}.second"


def _pyramid(released: str, ours: str) -> _Pairs:
    for level, size in ((2, "half"), (3, "quarter")):
        for k, layer in ((1, "shrink"), (2, "refine")):
            yield f"{released}fea_L{level}_conv{k}", f"{ours}pyramid.to_{size}.{layer}"


def _pair_alignment(released: str, ours: str) -> _Pairs:
    for way, direction in ((1, "first"), (2, "second")):
        for level, name in _LEVELS.items():
            for layer, here in (_COARSE_LAYERS if level == 3 else _FINER_LAYERS).items():
                pair = f"{released}pcd_align.L{level}_{layer}_{way}", f"{ours}{direction}.{name}.{here}"
                yield pair
                if layer == "dcnpack":
                    yield f"{pair[0]}.conv_offset_mask", f"{pair[1]}.offsets_and_masks"
    yield f"{released}fusion", f"{ours}fuse"


def _head_layers(released: str, ours: str, sine_layers: int) -> _Pairs:
    yield f"{released}.net.0.linear", f"{ours}.first"
    for k in range(1, sine_layers):
        yield f"{released}.net.{k}.linear", f"{ours}.hidden.{k - 1}"
    yield f"{released}.net.{sine_layers}", f"{ours}.last"
