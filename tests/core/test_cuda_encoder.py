"""CudaEncoder: which frames it records as a CUDA graph, and that its features are the model's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from helpers.tiny_model import tiny_video_inr
from videoinr.decode.cuda_encoder import RECORDING_BYTES, CudaEncoder
from videoinr.decode.recording import Recorder
from videoinr.decode.searching import bent as bent_by
from videoinr.decode.searching import outlined, searched
from videoinr.errors import Cancelled
from videoinr.geometry import Grid
from videoinr.model.config import TINY, MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.path_bend import Neighbour, halved
from videoinr.model.features import PairFeatures
from videoinr.model.video_inr import VideoINR

Launch = Callable[[], None]


class Recordings:
    """A recorder that lists the launches it was given; a replay launches again."""

    def __init__(self) -> None:
        self.launches = list[Launch]()
        self.replayed = 0

    def __call__(self, launch: Launch) -> Launch:
        self.launches.append(launch)
        launch()

        def replay() -> None:
            self.replayed += 1
            launch()

        return replay


@pytest.fixture
def model() -> VideoINR:
    return tiny_video_inr()


def frames(seed: int, height: int = 6, width: int = 8) -> Tensor:
    return torch.rand((1, 2, 3, height, width), generator=torch.Generator().manual_seed(seed))


def assert_same(features: object, expected: PairFeatures) -> None:
    assert isinstance(features, PairFeatures)
    for name, one in expected.tensors().items():
        assert torch.equal(getattr(features, name), one), name


def encoder_of(model: VideoINR, record: Recorder, room: int = 48 * RECORDING_BYTES) -> CudaEncoder:
    return CudaEncoder(model, Grid(8, 6), half=False, room=room, record=record)


def test_the_second_pair_is_recorded_and_earlier_features_stay_unchanged(model: VideoINR) -> None:
    recordings = Recordings()
    encoder = encoder_of(model, recordings)
    answers = [encoder(frames(seed)) for seed in range(4)]
    assert len(recordings.launches) == 1
    assert recordings.replayed == 3
    for seed, answer in enumerate(answers):
        assert_same(answer, model.encode(frames(seed)))


def test_the_given_frames_are_not_overwritten(model: VideoINR) -> None:
    encoder, first = encoder_of(model, Recordings()), frames(1)
    encoder(first)
    encoder(frames(2))
    assert torch.equal(first, frames(1))


def test_crops_are_not_recorded_and_do_not_disturb_the_recording(model: VideoINR) -> None:
    recordings = Recordings()
    encoder = encoder_of(model, recordings)
    for seed, height in enumerate((5, 5, 6, 5, 6, 4, 6)):
        assert_same(encoder(frames(seed, height)), model.encode(frames(seed, height)))
    assert len(recordings.launches) == 1
    assert recordings.replayed == 2


def test_frames_are_not_recorded_if_that_takes_too_much_memory(model: VideoINR) -> None:
    recordings = Recordings()
    encoder = encoder_of(model, recordings, room=48 * RECORDING_BYTES - 1)
    for seed in range(3):
        assert_same(encoder(frames(seed)), model.encode(frames(seed)))
    assert not recordings.launches


def test_it_encodes_without_recording_where_that_fails(model: VideoINR) -> None:
    asked = []
    encoder = encoder_of(model, lambda launch: asked.append(launch))
    for seed in range(3):
        assert_same(encoder(frames(seed)), model.encode(frames(seed)))
    assert len(asked) == 1


def test_a_cancelled_recording_is_made_again(model: VideoINR) -> None:
    recordings, is_cancelled = Recordings(), iter((True, False))

    def record(launch: Launch) -> Launch:
        if next(is_cancelled):
            raise Cancelled
        return recordings(launch)

    encoder = encoder_of(model, record)
    encoder(frames(0))
    with pytest.raises(Cancelled):
        encoder(frames(1))
    assert_same(encoder(frames(2)), model.encode(frames(2)))
    assert recordings.replayed == 1


@pytest.fixture
def bent() -> VideoINR:
    """A model whose paths bend by some pixels."""
    torch.manual_seed(4)
    encoder = TINY.encoder
    assert isinstance(encoder, MotionPriorConfig)
    model = VideoINR(replace(TINY, encoder=replace(encoder, levels=3, bend_channels=8))).eval().requires_grad_(False)
    assert isinstance(model.encoder, MotionPriorEncoder)
    assert model.encoder.bend is not None
    model.encoder.bend.leave.weight.normal_(std=0.3)
    return model


def test_both_searches_rest_and_bend_are_recorded_and_give_what_the_model_gives(bent: VideoINR) -> None:
    recordings = Recordings()
    encoder = encoder_of(bent, recordings)
    outlines = [encoder.outline(frames(seed)) for seed in range(5)]
    searches = [encoder.search(frames(seed), outlines[seed]) for seed in range(5)]
    for seed in (1, 2, 3):
        pair, before, after = frames(seed), halved(frames(seed - 1)[:, 0]), halved(frames(seed + 1)[:, 1])
        outline = outlined(bent, pair, half=False)
        assert torch.equal(outlines[seed].flow, outline.flow)
        assert torch.equal(outlines[seed].hidden, outline.hidden)
        expected = searched(bent, pair, outline, half=False)
        assert torch.equal(searches[seed].flow, expected.flow)
        assert torch.equal(searches[seed].hidden, expected.hidden)
        assert_same(encoder(pair, searches[seed]), bent.encode(pair))
        sides = Neighbour(before, outlines[seed - 1].flow), Neighbour(after, outlines[seed + 1].flow)
        bend, plain = encoder.bend(pair, searches[seed], *sides), bent_by(bent, pair, expected, *sides, half=False)
        assert bend is not None
        assert plain is not None
        assert torch.equal(bend, plain)
        assert bend.abs().max() > 0.01
    assert len(recordings.launches) == 4


@pytest.mark.parametrize("side", [0, 1])
def test_a_bend_by_one_neighbour_or_at_uneven_times_is_not_recorded(bent: VideoINR, side: int) -> None:
    recordings, pair = Recordings(), frames(1)
    encoder = encoder_of(bent, recordings)
    search = searched(bent, pair, outlined(bent, pair, half=False), half=False)
    one = Neighbour(halved(frames(0)[:, 0]), outlined(bent, frames(0), half=False).flow, 0.5)
    for sides in ((None, None), (one, None) if side else (None, one), (one, one)):
        for _ in range(3):
            made, plain = encoder.bend(pair, search, *sides), bent_by(bent, pair, search, *sides, half=False)
            assert (made is None) == (plain is None) == (sides == (None, None))
            assert made is None or plain is None or torch.equal(made, plain)
    assert not recordings.launches
