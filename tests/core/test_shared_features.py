"""Features of single frames, computed once for consecutive pairs: the same pictures, to the bit on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoinr.cancel import NEVER
from videoinr.clip import open_clip
from videoinr.clip.memory_clip import open_frames
from videoinr.decode.shared_features import SharedFeatures
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid, Rect
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.weights import load_model
from videoinr.render.engine import Engine
from videoinr.types import Instant, RegionQuery
from videoinr_resources import path as resource

CPU = torch.device("cpu")


def engine_with(feature_bytes: int) -> Engine:
    profile = ComputeProfile(CPU, tile_side=128, feature_bytes=feature_bytes, tile_bytes=2**24, workers=2)
    return Engine(open_frames(frames(), fps=Fraction(25)), load_model("lite-real"), profile)


@cache
def frames() -> NDArray[np.uint8]:
    """Return a part of the demo clip's first frames, with real motion: uint8 [7, 128, 200, 3]."""
    with open_clip(resource("demo/demo.mp4")) as demo:
        return np.stack([demo.frame(index)[26:154, 60:260].astype(np.uint8) for index in range(7)])


@pytest.fixture(scope="module")
def computed() -> Iterator[list[int]]:
    """How many frames each call of the encoder's finest layers had, of all engines."""
    counts: list[int] = []
    plain = MotionPriorEncoder.frame_features

    def spy(encoder: MotionPriorEncoder, frames: Tensor) -> Tensor:
        if frames.shape[-2] > 100:  # The frames at their own size; smaller copies of them belong to the search.
            counts.append(len(frames))
        return plain(encoder, frames)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MotionPriorEncoder, "frame_features", spy)
        yield counts


def test_consecutive_pairs_share_their_frame_and_keep_their_numbers(computed: list[int]) -> None:
    order = (0, 1, 2, 1, 5)  # forwards, backwards, and a jump
    expected = {}
    with engine_with(0) as alone:  # nothing can be kept
        for pair in sorted(set(order)):
            computed.clear()
            expected[pair] = alone.features(pair).tensors()
            assert computed == [2]
    with engine_with(2**27) as engine:
        for pair, frames in zip(order, (2, 1, 1, 1, 2), strict=True):
            engine._pairs.cache.clear()
            computed.clear()
            found = engine.features(pair).tensors()
            assert computed == [frames]
            for name, one in found.items():
                assert torch.equal(one, expected[pair][name]), (pair, name)


def test_a_frame_keeps_its_features_only_while_a_pair_has_it() -> None:
    shared = SharedFeatures(lambda frames: frames.repeat(1, 2, 1, 1), 2**30)
    frames = torch.rand(2, 3, 90, 80)
    both = shared.of_pair(4, 5)(frames)
    assert shared.nbytes == both.nbytes
    shared.of_pair(5, 6)
    assert shared.nbytes == both.nbytes // 2
    shared.of_pair(9, 10)
    assert shared.nbytes == 0


def test_no_more_is_kept_than_the_budget_allows() -> None:
    frames = torch.rand(2, 3, 90, 80)
    shared = SharedFeatures(lambda frames: frames.clone(), frames.nbytes - 1)
    shared.of_pair(0, 1)(frames)
    assert shared.nbytes == 0


def test_frames_beside_the_pair_make_room_for_its_own() -> None:
    """In a row, each frame is computed once if the budget holds two."""
    counts, frames = list[int](), torch.rand(2, 3, 90, 80)

    def compute(images: Tensor) -> Tensor:
        counts.append(len(images))
        return images.clone()

    shared = SharedFeatures(compute, frames.nbytes)
    for first in range(4):
        shared.of_pair(first, first + 1, (first - 1, first + 2))(frames)
        assert shared.nbytes <= frames.nbytes
    assert counts == [2, 1, 1, 1]


def test_maps_that_are_too_small_are_not_shared() -> None:
    """Torch would convolve a single one of them by another library, in another order."""
    counts: list[int] = []

    def compute(frames: Tensor) -> Tensor:
        counts.append(len(frames))
        return frames

    shared = SharedFeatures(compute, 2**30)
    for pair in range(3):
        shared.of_pair(pair, pair + 1)(torch.rand(2, 3, 60, 80))
    assert counts == [2, 2, 2]


def test_a_crop_is_not_taken_for_the_frame(computed: list[int]) -> None:
    with engine_with(2**27) as engine:
        engine.encode(0, NEVER)
        query = RegionQuery(Instant(1, Fraction(1, 2)), Grid(800, 512), Rect(400, 240, 100, 80))
        before = engine.preview(query, Rect(80, 40, 80, 64), NEVER).rgbx
        engine.encode(1, NEVER)
    with engine_with(2**27) as fresh:
        np.testing.assert_array_equal(fresh.preview(query, Rect(80, 40, 80, 64), NEVER).rgbx, before)
