"""CudaEncoder: which frames it records as a CUDA graph, and that its features are the model's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from helpers.tiny_model import tiny_video_inr
from videoinr.decode.bending import Beginning, encoded, outlined
from videoinr.decode.cuda_encoder import RECORDING_BYTES, CudaEncoder
from videoinr.decode.recording import Recorder
from videoinr.errors import Cancelled
from videoinr.geometry import Grid
from videoinr.model.config import TINY, MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.path_bend import Neighbour, halved, with_bend
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


def beginning_of(model: VideoINR, seed: int, span: float = 1.0) -> Beginning:
    """What is known of the pair ``seed``: beside it lie a frame of the pair before and one of the pair after it."""
    outlines = [outlined(model, frames(number), half=False) for number in (seed - 1, seed, seed + 1)]
    before, after = halved(frames(seed - 1)[:, 0]), halved(frames(seed + 1)[:, 1])
    sides = Neighbour(before, outlines[0].flow, span), Neighbour(after, outlines[2].flow, span)
    return Beginning(outlines[1], *sides)


def in_steps(model: VideoINR, pair: Tensor, beginning: Beginning) -> PairFeatures:
    """The features of a pair whose search, bend and fusion each compute the finest features for themselves."""
    encoder = model.encoder
    assert isinstance(encoder, MotionPriorEncoder)
    coarse = encoder.search(pair, outline=beginning.outline)
    bend = encoder.bent(pair, coarse, beginning.before, beginning.after)
    feature, prior = encoder(pair, coarse=coarse)
    return model.project(pair, feature, with_bend(prior, bend))


def test_outline_and_rest_are_recorded_and_give_what_the_steps_give(bent: VideoINR) -> None:
    recordings = Recordings()
    encoder = encoder_of(bent, recordings)
    outlines = [encoder.outline(frames(seed)) for seed in range(3)]
    beginnings = [beginning_of(bent, seed) for seed in range(5)]
    answers = [encoder(frames(seed), beginnings[seed]) for seed in range(5)]
    assert len(recordings.launches) == 2
    assert recordings.replayed == 2 + 4
    for seed, outline in enumerate(outlines):
        assert torch.equal(outline.flow, beginnings[seed].outline.flow)
        assert torch.equal(outline.hidden, beginnings[seed].outline.hidden)
    for seed, answer in enumerate(answers):
        assert_same(answer, in_steps(bent, frames(seed), beginnings[seed]))
        assert isinstance(answer, PairFeatures)
        assert answer.prior[..., 4:].abs().max() > 0.01


@pytest.mark.parametrize("levels", [3, 4, 5])
def test_the_finest_features_are_computed_once(bent: VideoINR, monkeypatch: pytest.MonkeyPatch, levels: int) -> None:
    """Of a search as deep as the levels with weights (3), and of deeper ones, which go on in downsampled frames."""
    computed, plain = list[tuple[int, int]](), MotionPriorEncoder.frame_features
    beginning = beginning_of(bent, 1)
    monkeypatch.setattr(MotionPriorConfig, "depth", lambda *_: levels)

    def spy(encoder: MotionPriorEncoder, images: Tensor) -> Tensor:
        computed.append((images.shape[-2], images.shape[-1]))
        return plain(encoder, images)

    monkeypatch.setattr(MotionPriorEncoder, "frame_features", spy)
    encoded(bent, frames(1), beginning, half=False)
    assert computed.count((6, 8)) == 1
    assert len(computed) == (2 if levels == 4 else 1)  # The level below lies in frames of half the size.


def test_any_spans_share_one_recording(bent: VideoINR) -> None:
    """Beside repeated frames, neighbours are nearer to the pair, or further away, than its frames to each other."""
    recordings = Recordings()
    encoder = encoder_of(bent, recordings)
    found = list[PairFeatures]()
    for span in (1.0, 0.5, 1 / 3, 2.0, 1.0):
        beginning = beginning_of(bent, 1, span)
        answer = encoder(frames(1), beginning)
        assert_same(answer, in_steps(bent, frames(1), beginning))
        assert isinstance(answer, PairFeatures)
        found.append(answer)
    assert len(recordings.launches) == 1
    assert recordings.replayed == 4
    assert not torch.equal(found[0].prior, found[1].prior)
    assert torch.equal(found[0].prior, found[4].prior)


@pytest.mark.parametrize("side", [0, 1])
def test_a_bend_by_one_neighbour_is_not_recorded(bent: VideoINR, side: int) -> None:
    recordings, pair, both = Recordings(), frames(1), beginning_of(bent, 1, 0.5)
    encoder = encoder_of(bent, recordings)
    one = replace(both, before=None) if side else replace(both, after=None)
    for beginning in (replace(both, before=None, after=None), one):
        for _ in range(3):
            assert_same(encoder(pair, beginning), in_steps(bent, pair, beginning))
    assert not recordings.launches
