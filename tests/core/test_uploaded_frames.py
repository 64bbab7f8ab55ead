"""Frames on the device: pairs in a row upload one frame each, and every pair has the bits of one that stands alone."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from videoinr.cancel import NEVER
from videoinr.clip.memory_clip import open_frames
from videoinr.devices import ComputeProfile
from videoinr.errors import UsageError
from videoinr.geometry import Grid, Rect
from videoinr.images import planes_from_pixels
from videoinr.model.encoders.path_bend import PathBend
from videoinr.model.weights import LoadedModel, load_model
from videoinr.render import encoded_pairs
from videoinr.render.engine import Engine
from videoinr.render.feature_cache import FeatureCache
from videoinr.render.uploaded_frames import MOST_FRAMES, UploadedFrames
from videoinr.types import Instant

CPU = torch.device("cpu")
SIZE, OTHER = Grid(48, 32), Grid(24, 16)
FRAMES = 10
ROW = range(FRAMES - 1)


def footage(kind: type[Any] = np.uint8) -> NDArray[Any]:
    """Noise that moves to the right by one pixel a frame: [FRAMES, 32, 48, 3]."""
    wide = np.random.default_rng(4).integers(0, np.iinfo(kind).max, (32, 48 + FRAMES, 3), kind)
    return np.stack([wide[:, FRAMES - number : FRAMES - number + 48] for number in range(FRAMES)])


@cache
def lite() -> LoadedModel:
    return load_model("lite")


def engine_of(frames: NDArray[Any], *, frame_bytes: int, cuts: dict[int, bool] | None = None) -> Engine:
    clip = open_frames(frames, fps=Fraction(25))
    clip.cut_edits = dict.fromkeys(ROW, False) | (cuts or {})
    engine = Engine(clip, lite(), ComputeProfile(CPU, 128, feature_bytes=2**26, tile_bytes=2**20))
    engine._pairs.cache.frames = UploadedFrames(frame_bytes)  # As on a GPU.
    return engine


def tensors(engine: Engine, pair: int, size: Grid = SIZE) -> dict[str, torch.Tensor]:
    footing = engine._footings.nearest(Instant(pair, Fraction(1, 3)))
    return engine._pairs.features(footing, size, NEVER).tensors()


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of uploads: how many rows the pixels were made into."""
    made = list[int]()

    def upload(pixels: NDArray[Any], device: torch.device, size: Grid) -> torch.Tensor:
        made.append(size.height)
        return planes_from_pixels(pixels, device, size)

    monkeypatch.setattr(encoded_pairs, "planes_from_pixels", upload)
    return made


@pytest.mark.parametrize(
    ("kind", "pairs", "cuts", "counts"),
    [
        (np.uint16, ROW, {}, [3, 1, 1, 1, 1, 1, 1, 1, 0]),
        (np.uint8, ROW[::-1], {}, [3, 1, 1, 1, 1, 1, 1, 1, 0]),
        (np.uint8, ROW, {3: True}, [3, 1, 0, 0, 3, 1, 1, 1, 0]),  # Pair 3 shows the pair before; frames 4 to 6 are new.
        (
            np.uint8,
            (2, 3, 7, 6, 5),
            {},
            [4, 1, 4, 0, 1],
        ),  # The fifth frame that is kept, 5, serves pair 6 after the seek.
    ],
)
def test_in_a_row_each_pair_uploads_one_frame(
    kind: type[Any], pairs: Sequence[int], cuts: dict[int, bool], counts: list[int], uploads: list[int]
) -> None:
    made = list[int]()
    with engine_of(footage(kind), frame_bytes=2**20, cuts=cuts) as engine:
        for pair in pairs:
            before = len(uploads)
            found = tensors(engine, pair)
            made.append(len(uploads) - before)
            with engine_of(footage(kind), frame_bytes=0, cuts=cuts) as alone:
                expected = tensors(alone, pair)
                assert not alone._pairs.cache.frames
            del uploads[before + made[-1] :]
            assert all(torch.equal(one, expected[name]) for name, one in found.items()), pair
    assert made == counts


def test_no_frame_beside_a_pair_is_held_at_full_size_while_the_pair_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    read, alive = list[weakref.ref[torch.Tensor]](), list[int]()
    plain_read, plain_bend = encoded_pairs.EncodedPairs._neighbour, PathBend.forward

    def spy_read(pairs: encoded_pairs.EncodedPairs, *given: Any) -> torch.Tensor | None:
        frame = plain_read(pairs, *given)
        assert frame is not None
        read.append(weakref.ref(frame))
        return frame

    def spy_bend(network: PathBend, *given: Any) -> torch.Tensor:
        alive.append(sum(one() is not None for one in read))
        return plain_bend(network, *given)

    monkeypatch.setattr(encoded_pairs.EncodedPairs, "_neighbour", spy_read)
    monkeypatch.setattr(PathBend, "forward", spy_bend)
    with engine_of(footage(), frame_bytes=0) as engine:
        tensors(engine, 4)
    assert (len(read), alive) == (2, [0])


def test_each_size_has_frames_of_its_own(uploads: list[int]) -> None:
    with engine_of(footage(), frame_bytes=2**20) as engine:
        for size in (SIZE, OTHER, SIZE):
            tensors(engine, 4, size)
        assert uploads == 4 * [32] + 4 * [16]  # The pair itself is kept.
        engine._pairs.crop(engine._footings.nearest(Instant(4, Fraction(1, 3))), OTHER, NEVER, Rect(0, 0, 8, 8))
        assert len(uploads) == 8


def test_a_cpu_keeps_no_frame() -> None:
    for device, count in (("cpu", 0), ("cuda", 1)):
        kept = FeatureCache.within(ComputeProfile(torch.device(device), 128, feature_bytes=2**26, tile_bytes=2**20))
        kept.frames.put(0, SIZE, torch.zeros((3, 4, 4), dtype=torch.uint8))
        assert len(kept.frames) == count


def test_frames_go_where_pairs_go() -> None:
    with engine_of(footage(), frame_bytes=2**20) as engine:
        held = engine._pairs.cache
        tensors(engine, 3)
        assert len(held.frames) == 4
        assert held.spare()
        assert not held.frames
        tensors(engine, 3)
        engine._pairs.clear()
        assert not held.frames
        assert not held.spare()
        tensors(engine, 3)
    assert not held.frames
    with pytest.raises(UsageError, match="closed"):
        tensors(engine, 3)


def test_the_budget_holds() -> None:
    frames, planes = UploadedFrames(250), torch.zeros((1, 10, 10), dtype=torch.uint8)
    for number in (0, 1):
        frames.put(number, SIZE, planes)
    assert frames.get(0, SIZE) is not None
    frames.put(2, SIZE, planes)
    assert [number for number in range(3) if frames.get(number, SIZE) is not None] == [0, 2]
    assert frames.nbytes == 200
    frames.put(3, SIZE, torch.zeros((3, 10, 10)))
    assert not frames
    many = UploadedFrames(2**20)
    for number in range(9):
        many.put(number, SIZE, planes)
    assert len(many) == MOST_FRAMES
