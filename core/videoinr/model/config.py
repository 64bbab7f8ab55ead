"""The sizes and switches of a model, as frozen values that a model card stores."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from videoinr.errors import ModelError
from videoinr.model.card_file import check_sizes
from videoinr.text.plain import printable


@dataclass(frozen=True, slots=True)
class MotionPriorConfig:
    """Sizes of :class:`~videoinr.model.encoders.motion_prior.MotionPriorEncoder`."""

    frame_channels: int
    """Channels of the feature of each frame, at every level of the pyramid."""
    motion_channels: int
    """Channels of the hidden map that each level passes to the next finer one."""
    feature_channels: int
    """Channels of the encoder's output."""
    front_blocks: int = 3
    """Residual blocks on each frame before the pyramid."""
    trunk_blocks: int = 8
    """Residual blocks on the fused feature."""
    levels: int = 4
    """Levels with weights of their own; the coarsest of them is ``2 ** (levels - 1)`` times smaller than the frames."""
    coarsest_lines: int = 0
    """Approximate lines of the coarsest level: the search has more levels on larger frames, see :meth:`depth`.
    0: ``levels`` levels on frames of every size."""
    propagation: tuple[int, ...] = ()
    """Distances, pixels of a level, of the neighbours whose flow a point may take on the downsampled frames' levels of
    a quarter of the frames' size and smaller; empty: each point keeps its own flow."""
    bend_channels: int = 0
    """Width of the network that bends the paths by the frames beside the pair (path_bend.py); 0: paths are straight."""
    match_radius: int = 0
    """Most motion from mid-time to a frame, pixels of the level, that is found by comparing all motions (matching.py);
    0: motion is not matched."""
    flow_limit: int = 0
    """Longest flow, pixels of a level along each axis, that convolutions are told of; 0: any. It is about the longest
    that training showed them."""
    kind: str = "motion_prior"

    gives_motion_prior: ClassVar[bool] = True
    """Whether the encoder returns (feature, motion prior) instead of the feature alone."""
    tolerates_bfloat16: ClassVar[bool] = True
    """Whether the encoder may run in bfloat16, which is what half precision means on a CPU."""

    def depth(self, height: int, width: int) -> int:
        """Return the number of levels of the search on frames of ``height`` x ``width`` pixels."""
        if not self.coarsest_lines:
            return self.levels
        lines = min(height, width) / 2 ** (self.levels - 1)
        return self.levels + max(0, round(math.log2(lines / self.coarsest_lines)))


@dataclass(frozen=True, slots=True)
class ZoomingSlowMoConfig:
    """Sizes of :class:`~videoinr.model.encoders.zooming_slowmo.ZoomingSlowMoEncoder`; the defaults are the paper's."""

    channels: int = 64
    """Channels of every map inside the encoder, a multiple of ``groups``."""
    groups: int = 8
    """Groups of channels; those of a group share the offsets of a deformable convolution."""
    front_blocks: int = 5
    """Residual blocks on each frame before the pyramid."""
    back_blocks: int = 40
    """Residual blocks on each of the three maps that the ConvLSTM outputs."""
    kind: str = "zooming_slowmo"

    gives_motion_prior: ClassVar[bool] = False
    """Whether the encoder returns (feature, motion prior) instead of the feature alone."""
    tolerates_bfloat16: ClassVar[bool] = False
    """Whether the encoder may run in bfloat16; here, it would round the offsets of deformable convolutions."""

    @property
    def feature_channels(self) -> int:
        """Channels of the latent feature: the maps of the first frame, mid-time and the second frame."""
        return 3 * self.channels

    def depth(self, height: int, width: int) -> int:
        """Return the number of levels of the alignment, which is the same for frames of every size."""
        del height, width
        return 3


EncoderConfig = MotionPriorConfig | ZoomingSlowMoConfig
"""The sizes of an encoder. Each kind names itself by ``kind`` in a model card and has ``feature_channels``."""
_CONFIG_BY_KIND: dict[str, type[EncoderConfig]] = {
    "motion_prior": MotionPriorConfig,
    "zooming_slowmo": ZoomingSlowMoConfig,
}
_ADDED = ("bend_channels", "match_radius", "flow_limit")
"""Values of MotionPriorConfig that older cards lack. At 0, the model is as it was without them."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The encoder, the hidden widths of the three SIREN heads (first layer to last), and the switches.

    The switches' defaults are those of the shipped models. The paper's own model has ``blend`` off, and each of its
    ablations (Table 4) changes one switch more.
    """

    encoder: EncoderConfig
    spatial_channels: int
    """Channels of the continuous spatial feature F_s (paper, eq. 2)."""
    spatial_hidden: tuple[int, ...]
    temporal_hidden: tuple[int, ...]
    decoder_hidden: tuple[int, ...]
    blend: bool = True
    """On: the decoder outputs a residual on a blend of the two warped frames. Off: it outputs RGB (section 3.4)."""
    flow: bool = True
    """Off: nothing is warped and features are read at x itself (the paper's -f); there is no TemporalINR."""
    multi_scale: bool = True
    """Off: the decoder reads the warped F_s alone, neither the latent feature nor the frames (the paper's -m)."""
    single_network: bool = False
    """One network f(z*, x - v*, t) gives the flow, which warps the latent feature and the frames only; there is no
    SpatialINR (the paper's -s). ``spatial_channels`` is then the width of its first layer: see VideoINR."""

    def to_dict(self) -> dict[str, Any]:
        """Return a form that JSON can store; :meth:`from_dict` is its inverse."""
        data = asdict(self)
        for name in _ADDED:  # As in the cards and journals from before there were any.
            if not data["encoder"].get(name, 1):
                del data["encoder"][name]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelConfig:
        """Read a config from what :meth:`to_dict` returned.

        Raises:
            ModelError: ``data`` describes no model that this program can make.
        """
        try:
            fields = dict(data)
            encoder = dict(fields.pop("encoder"))
            if "propagation" in encoder:
                encoder["propagation"] = tuple(encoder["propagation"])
            if str(encoder.get("kind")) not in _CONFIG_BY_KIND:
                raise ModelError(
                    f"The model's encoder is of a kind this program does not know: "
                    f"{printable(repr(encoder.get('kind')))}.",
                    hint="It was probably written by a newer version; update the program.",
                )
            plain = _with_lists(data)
            if all(plain != _with_lists(known.to_dict()) for known in CONFIGS.values()):
                check_sizes(plain)
            hidden = {key: tuple(value) for key, value in fields.items() if key.endswith("_hidden")}
            config = cls(**{**fields, **hidden, "encoder": _CONFIG_BY_KIND[encoder["kind"]](**encoder)})
            _check_sizes(config)
            _check_switches(config)
            return config
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The model's configuration cannot be read: {error}.") from error


def _with_lists(value: Any) -> Any:
    """Return ``value`` with lists in place of tuples, in tables too, as JSON stores it."""
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _check_sizes(config: ModelConfig) -> None:
    hidden = (config.spatial_hidden, config.temporal_hidden, config.decoder_hidden)
    encoder = asdict(config.encoder)
    del encoder["kind"]
    lines, distances = encoder.pop("coarsest_lines", 0), encoder.pop("propagation", ())
    for name in _ADDED:
        value = encoder.pop(name, 0)
        if type(value) is not int or value < 0:
            raise ValueError(f"{name} is a whole number and at least 0")
        if name == "bend_channels" and value and encoder["levels"] < 2:
            raise ValueError("only a search of two levels has bend_channels")
    if type(lines) is not int or lines < 0:
        raise ValueError("coarsest_lines is a whole number and at least 0")
    if any(type(distance) is not int or distance < 1 for distance in distances):
        raise ValueError("every distance in propagation is a whole number and at least 1")
    sizes = (*encoder.values(), config.spatial_channels, *(width for widths in hidden for width in widths))
    if not all(hidden) or any(type(size) is not int or size < 1 for size in sizes):
        raise ValueError("every size is a whole number and at least 1, and every head has a hidden layer")
    if isinstance(config.encoder, ZoomingSlowMoConfig) and config.encoder.channels % config.encoder.groups:
        raise ValueError("the encoder's channels are a multiple of its groups")


def _check_switches(config: ModelConfig) -> None:
    switches = (config.blend, config.flow, config.multi_scale, config.single_network)
    if any(type(switch) is not bool for switch in switches):
        raise ValueError("every switch is true or false")
    if config.single_network and not (config.flow and config.multi_scale):
        raise ValueError("a single network without flow or multi-scale inputs would have nothing to decode")
    if config.single_network and config.spatial_channels != config.temporal_hidden[0]:
        raise ValueError("with a single network, spatial_channels is the width of its first layer")


LITE = ModelConfig(
    encoder=MotionPriorConfig(
        frame_channels=24,
        motion_channels=32,
        feature_channels=48,
        trunk_blocks=6,
        coarsest_lines=12,
        propagation=(4, 12),
        match_radius=7,
        flow_limit=16,
    ),
    spatial_channels=32,
    spatial_hidden=(48, 48),
    temporal_hidden=(32, 32),
    decoder_hidden=(48, 48),
)
"""``lite-real``, and ``lite`` without its bent paths, 0.98 M parameters: for the CPU of a laptop."""

BASE = ModelConfig(
    encoder=MotionPriorConfig(
        frame_channels=64,
        motion_channels=64,
        feature_channels=96,
        front_blocks=5,
        trunk_blocks=24,
        coarsest_lines=12,
        propagation=(4, 12),
        match_radius=7,
        flow_limit=16,
    ),
    spatial_channels=64,
    spatial_hidden=(64, 64),
    temporal_hidden=(32, 32),
    decoder_hidden=(64, 64, 64),
)
"""``base`` without its bent paths, 7.4 M parameters: for a GPU."""


def _bent(config: ModelConfig) -> ModelConfig:
    assert isinstance(config.encoder, MotionPriorConfig)
    return replace(config, encoder=replace(config.encoder, bend_channels=32))


LITE_BENT, BASE_BENT = _bent(LITE), _bent(BASE)
"""The shipped ``lite``, 1.05 M parameters, and ``base``, 7.5 M: their paths bend by the frames beside a pair."""

TINY = ModelConfig(
    encoder=MotionPriorConfig(
        frame_channels=4, motion_channels=4, feature_channels=8, front_blocks=1, trunk_blocks=1, levels=2
    ),
    spatial_channels=6,
    spatial_hidden=(8, 8),
    temporal_hidden=(8, 8),
    decoder_hidden=(8, 8),
)
"""Too small to be good: for tests, and for trying a training set-up in seconds."""

PAPER = ModelConfig(
    encoder=ZoomingSlowMoConfig(),
    spatial_channels=64,
    spatial_hidden=(64, 64, 256),
    temporal_hidden=(64, 64, 256),
    decoder_hidden=(64, 64, 256, 256),
    blend=False,
)
"""The paper's own model (section 4.1), 10.98 M parameters: for a GPU.

A "3-layer SIREN with hidden dimensions of 64, 64, 256" is read as three sine layers of these widths followed by a
linear layer, because the parameters of the released heads then come out right: 50,176 and 38,724 for 201 and 263
inputs, and 121,027 for the decoder's 525. SpatialINR here has 200 inputs, not 201: t is not an argument in eq. 2.
"""

CONFIGS = {
    "lite": LITE,
    "base": BASE,
    "lite-bent": LITE_BENT,
    "base-bent": BASE_BENT,
    "tiny": TINY,
    "paper": PAPER,
    "paper-f": replace(PAPER, flow=False),
    "paper-m": replace(PAPER, multi_scale=False),
    "paper-s": replace(PAPER, single_network=True),
}
"""All configs with a name, as training recipes and the benchmark know them; -bent have bent paths, -f, -m, -s are
the paper's ablations."""
