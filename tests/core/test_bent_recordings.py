"""Pairs with bent paths as a GPU encodes them: in recordings or in bands, with the finest features computed once.

Where there is no GPU, a recording is replayed by calling the function again. The features are those of the model
itself: to the bit on a CPU, where sums have one order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from helpers.tiny_model import tiny_video_inr
from videoinr.cancel import NEVER
from videoinr.decode import pair_encoder
from videoinr.decode.beside import FramesBeside
from videoinr.decode.cuda_encoder import CudaEncoder
from videoinr.decode.pair_encoder import PairEncoder
from videoinr.decode.recording import Recorder, Replay, cuda_graph
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid
from videoinr.model.config import MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.motion_prior_bands import BandEncoder
from videoinr.model.encoders.motion_step import MotionStep
from videoinr.model.encoders.path_bend import Outer
from videoinr.model.encoders.row_bands import FeatureRows
from videoinr.model.features import PairFeatures
from videoinr.model.latent import LatentPair
from videoinr.model.representation import Representation
from videoinr.model.video_inr import VideoINR

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SIZE = Grid(150, 90)
FRAMES = 7
ROW = (1, 2, 3, 4, 3, 2, 5, 0)


@pytest.fixture(scope="module")
def model() -> VideoINR:
    """A model whose search is deeper than its levels with weights, and whose paths bend by some pixels."""
    torch.manual_seed(3)
    tiny = tiny_video_inr()
    assert isinstance(tiny.config.encoder, MotionPriorConfig)
    encoder = replace(tiny.config.encoder, levels=3, coarsest_lines=6, bend_channels=8)
    assert encoder.depth(SIZE.height, SIZE.width) == 5
    model = VideoINR(replace(tiny.config, encoder=encoder))
    model.load_state_dict(tiny.state_dict(), strict=False)
    made = encoder_of(model)
    assert made.bend is not None
    with torch.no_grad():
        made.bend.leave.weight.normal_(std=0.2)
        for step in made.motion:
            cast("MotionStep", step).leave.weight.normal_(std=0.1)
    model.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model.eval().requires_grad_(False).to(DEVICE)


@pytest.fixture(scope="module")
def scene() -> Tensor:
    """Frames that move to the right, faster and faster: [7, 3, 90, 150]."""
    noise = torch.rand((1, 3, 25, 60), generator=torch.Generator().manual_seed(2))
    wide = torch.nn.functional.interpolate(noise, (90, 260), mode="bicubic").clamp(0, 1)[0]
    return torch.stack([wide[:, :, at : at + 150] for at in (60 - n * n for n in range(FRAMES))]).to(DEVICE)


def encoder_of(model: VideoINR) -> MotionPriorEncoder:
    assert isinstance(model.encoder, MotionPriorEncoder)
    return model.encoder


def profile(*, half: bool) -> ComputeProfile:
    return ComputeProfile(DEVICE, tile_side=128, feature_bytes=2**28, tile_bytes=2**24, half_encoder=half)


def numbers_beside(pair: int) -> tuple[int | None, int | None]:
    return pair - 1 if pair else None, pair + 2 if pair + 2 < FRAMES else None


def encoded_by(encoder: PairEncoder, scene: Tensor, pair: int) -> PairFeatures | LatentPair:
    beside = FramesBeside(numbers_beside(pair), read=lambda number: scene[None, number])
    found = encoder.encode(scene[None, pair : pair + 2], NEVER, names=(pair, pair + 1), beside=beside)
    assert isinstance(found, PairFeatures | LatentPair)
    return found


def latent_by(model: VideoINR, scene: Tensor, pair: int, *, half: bool) -> tuple[Tensor, Tensor]:
    """The latent feature and the prior by the model itself, [1, C, 90, 150]."""
    before, after = (None if number is None else scene[None, number] for number in numbers_beside(pair))
    with model.precision(DEVICE, half=half):
        feature, prior = model.latent(scene[None, pair : pair + 2], outer=Outer(before, after))
    assert prior is not None
    return feature, prior


def assert_same(found: Tensor, expected: Tensor) -> None:
    """Half precision has 11 bits, and another order of sums decides about the last ones; a CPU has one order."""
    assert found.shape == expected.shape
    if DEVICE.type == "cpu":
        assert torch.equal(found, expected)
    else:
        most, difference = float(expected.abs().max()), (found.float() - expected.float()).abs()
        assert float(difference.max()) <= 0.05 * most
        assert float(difference.mean()) <= 0.002 * most


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records as a GPU does, wherever the test runs; lists "record" and "replay"."""
    seen = list[str]()

    def record(launch: Any) -> Replay | None:
        seen.append("record")
        replay = cuda_graph(launch) if DEVICE.type == "cuda" else launch
        if DEVICE.type == "cpu":
            launch()
        assert replay is not None

        def counted() -> None:
            seen.append("replay")
            replay()

        return counted

    def encoder_for(model: Representation, size: Grid, by: ComputeProfile) -> CudaEncoder:
        recorder: Recorder = record
        return CudaEncoder(model, size, half=by.half_encoder, room=2**30, record=recorder)

    monkeypatch.setattr(pair_encoder, "encoder_for", encoder_for)
    return seen


@pytest.mark.parametrize("half", [False, True])
@torch.inference_mode()
def test_recordings_give_what_the_model_gives(
    model: VideoINR, scene: Tensor, launched: list[str], monkeypatch: pytest.MonkeyPatch, half: bool
) -> None:
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 2**40)
    encoder = PairEncoder(model, SIZE, profile(half=half))
    found = [encoded_by(encoder, scene, pair) for pair in ROW]
    assert launched.count("record") == 2
    assert launched.count("replay") >= len(ROW)
    for pair, one in zip(ROW, found, strict=True):
        expected = model.project(scene[None, pair : pair + 2], *latent_by(model, scene, pair, half=half))
        assert isinstance(one, PairFeatures)
        for name, tensor in expected.tensors().items():
            assert_same(one.tensors()[name], tensor)
        assert one.prior[..., 4:].abs().max() > 0.01


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("half", [False, True])
@torch.inference_mode()
def test_bands_give_what_the_model_gives_and_compute_the_finest_features_once(
    model: VideoINR, scene: Tensor, monkeypatch: pytest.MonkeyPatch, half: bool, is_whole: bool
) -> None:
    """With whole features, as on a GPU, and with rows of them that are all kept."""
    for name in ("WHOLE_BYTES", "CUDA_WHOLE_BYTES"):
        monkeypatch.setattr(pair_encoder, name, 0)
    computed = list[int]()
    plain_whole, plain_rows = BandEncoder._all_features, FeatureRows._computed

    def whole(work: BandEncoder) -> Tensor:
        computed.append(-1)
        return plain_whole(work)

    def group(rows: FeatureRows, number: int) -> Tensor:
        computed.append(number)
        return plain_rows(rows, number)

    monkeypatch.setattr(BandEncoder, "_all_features", whole)
    monkeypatch.setattr(FeatureRows, "_computed", group)
    encoder = PairEncoder(model, SIZE, profile(half=half))
    encoder._limits = replace(encoder._limits, whole=is_whole)
    for pair in ROW:
        computed.clear()
        found = encoded_by(encoder, scene, pair)
        assert isinstance(found, LatentPair)
        assert computed == [-1] if is_whole else len(computed) == len(set(computed)) > 0
        feature, prior = latent_by(model, scene, pair, half=half)
        assert_same(found.part.feature, feature.permute(0, 2, 3, 1).to(found.part.feature.dtype))
        assert_same(found.prior, prior.permute(0, 2, 3, 1))
        assert found.bend is not None
