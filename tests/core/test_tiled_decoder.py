"""A region equals the crop of the whole picture, bit for bit, whatever the tiles, the caches and the queries before."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers.cancelling import CancelledAtCheck
from helpers.tiny_model import tiny_video_inr
from videoinr.cancel import NEVER, CancelToken
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.errors import Cancelled, DeviceError
from videoinr.geometry import Grid, Rect
from videoinr.images import rgbx_from_tensor
from videoinr.model.features import PairFeatures
from videoinr.model.points import Points
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model
from videoinr.types import Instant, PairKey, RegionQuery

CPU = torch.device("cpu")
LARGEST_PX = 200
AMPLE = 64 * 2**20
NOTHING = 0
PHASES = (Fraction(0), Fraction(2, 5), Fraction(1))


@cache
def tiny() -> VideoINR:
    """Return a model with flows of some pixels, so that warps reach into other tiles."""
    model = tiny_video_inr()
    model.temporal_head.last.weight.mul_(25)
    return model


@cache
def encoded(height: int, width: int) -> PairFeatures:
    generator = torch.Generator().manual_seed(1000 * height + width)
    with torch.inference_mode():
        return tiny().encode(torch.rand((1, 2, 3, height, width), generator=generator))


def key_of(features: PairFeatures) -> PairKey:
    height, width = features.latent_hw
    return PairKey(f"{width}x{height}", 0)


def decoder(side: int = 16, tile_bytes: int = AMPLE) -> TiledDecoder:
    return TiledDecoder(tiny(), ComputeProfile(CPU, tile_side=side, feature_bytes=AMPLE, tile_bytes=tile_bytes))


@cache
def warm_decoder(side: int, tile_bytes: int) -> TiledDecoder:
    """Return the same decoder for all examples of a run: its caches hold what earlier examples decoded."""
    return decoder(side, tile_bytes)


def decode(
    by: TiledDecoder, features: PairFeatures, query: RegionQuery, token: CancelToken = NEVER
) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = by.decode(key_of(features), features, query, token).numpy()
    return pixels


def crop(whole: NDArray[np.uint8], rect: Rect) -> NDArray[np.uint8]:
    return whole[rect.y : rect.bottom, rect.x : rect.right]


def whole_of(query: RegionQuery) -> RegionQuery:
    return RegionQuery(query.instant, query.grid, query.grid.rect)


def rects_of(grid: Grid) -> st.SearchStrategy[Rect]:
    def span(length: int) -> st.SearchStrategy[tuple[int, int]]:
        return st.integers(0, length - 1).flatmap(
            lambda start: st.tuples(st.just(start), st.integers(1, length - start))
        )

    return st.tuples(span(grid.width), span(grid.height)).map(lambda s: Rect(s[0][0], s[1][0], s[0][1], s[1][1]))


phases = st.one_of(st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 2)]), st.fractions(0, 1))
scales = st.one_of(st.sampled_from([0.25, 1.0, 2.0, 4.0, 32.0]), st.floats(0.25, 32))


@st.composite
def questions(draw: st.DrawFn) -> tuple[PairFeatures, RegionQuery]:
    """Draw a clip of 1 ... 13 pixels each way (less at large scales) and a rectangle of a grid over it."""
    scale = draw(scales)
    most = max(1, min(13, math.floor(LARGEST_PX / scale)))
    height, width = draw(st.integers(1, most)), draw(st.integers(1, most))
    grid = Grid(width, height).scaled(scale)
    return encoded(height, width), RegionQuery(Instant(0, draw(phases)), grid, draw(rects_of(grid)))


@settings(max_examples=40)
@given(
    questions(),
    st.sampled_from([16, 24, 64]),
    st.sampled_from([NOTHING, AMPLE]),
    st.sampled_from([warm_decoder, decoder]),
)
def test_a_region_equals_the_crop_of_the_whole_picture_to_the_bit(
    question: tuple[PairFeatures, RegionQuery],
    side: int,
    tile_bytes: int,
    make: Callable[[int, int], TiledDecoder],
) -> None:
    features, query = question
    region = decode(make(side, tile_bytes), features, query)
    whole = decode(decoder(side), features, whole_of(query))
    np.testing.assert_array_equal(region, crop(whole, query.rect))
    assert (region[..., 3] == 255).all()


@settings(max_examples=25)
@given(questions(), st.sampled_from([16, 24, 64]))
def test_tiles_equal_the_dense_renderer_within_one_level(question: tuple[PairFeatures, RegionQuery], side: int) -> None:
    features, query = question
    with torch.inference_mode():
        frame = tiny().render(features, query.grid, [torch.tensor([float(query.instant.phase)])])[0]
    dense = rgbx_from_tensor(frame[0].permute(1, 2, 0)).numpy()
    tiled = decode(decoder(side), features, query)
    assert np.abs(tiled.astype(int) - crop(dense, query.rect)).max() <= 1


@pytest.mark.parametrize("tile_bytes", [NOTHING, AMPLE])
def test_a_region_equals_the_crop_with_several_workers(tile_bytes: int) -> None:
    """Also while each evicts tiles to make room for its own: none may evict a tile that another reads."""
    profile = ComputeProfile(CPU, tile_side=16, feature_bytes=AMPLE, tile_bytes=tile_bytes, workers=3)
    together = TiledDecoder(tiny(), profile)
    features, grid, rng = encoded(17, 23), Grid(101, 75), np.random.default_rng(0)
    whole = {phase: decode(together, features, RegionQuery(Instant(0, phase), grid, grid.rect)) for phase in PHASES}
    for _ in range(5):
        phase = PHASES[rng.integers(len(PHASES))]
        x, y = int(rng.integers(0, 70)), int(rng.integers(0, 55))
        rect = Rect(x, y, int(rng.integers(1, 101 - x)), int(rng.integers(1, 75 - y)))
        region = decode(together, features, RegionQuery(Instant(0, phase), grid, rect))
        np.testing.assert_array_equal(region, crop(whole[phase], rect))
    alone = decode(decoder(16), features, RegionQuery(Instant(0, PHASES[0]), grid, grid.rect))
    assert np.abs(whole[PHASES[0]].astype(int) - alone).max() <= 1
    together.close()


def test_some_flows_of_these_tests_leave_their_tiles() -> None:
    features, grid = encoded(5, 6), Grid(48, 40)
    points = Points.make(grid.rect, grid, latent_hw=(5, 6), device=CPU)
    with torch.inference_mode():
        basis = tiny().motion_basis(features, points, tiny().spatial_feature(features, points))
        flow_px = 8 * tiny().motion(basis, torch.full((1, 1, 1, 1), 0.5))
    assert float(flow_px.abs().mean()) > 8
    assert float(flow_px.std()) > 8


def test_pixels_outside_the_region_evaluate_no_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    brought, spatial_feature = list[Points](), VideoINR.spatial_feature

    def counted(self: VideoINR, features: PairFeatures, points: Points) -> torch.Tensor:
        brought.append(points)
        return spatial_feature(self, features, points)

    monkeypatch.setattr(VideoINR, "spatial_feature", counted)
    features, grid = encoded(16, 16), Grid(128, 128)
    counts = []
    for rect in (Rect(0, 0, 64, 64), Rect(0, 0, 4, 4)):
        brought.clear()
        decode(decoder(64), features, RegionQuery(Instant(0, Fraction(1, 2)), grid, rect))
        counts.append(len(brought))
    assert counts == [4, 1]


def test_tiles_of_any_side_agree_within_one_level() -> None:
    features = encoded(7, 9)
    grid = Grid(9, 7).scaled(11.3)
    query = RegionQuery(Instant(0, Fraction(2, 5)), grid, grid.rect)
    pictures = [decode(decoder(side), features, query).astype(int) for side in (16, 24, 64, 512)]
    assert pictures[0][..., :3].std() > 10  # The picture is not flat, so agreement is meaningful.
    assert max(np.abs(picture - pictures[0]).max() for picture in pictures) <= 1


def test_the_picture_depends_on_the_phase_when_the_caches_are_filled() -> None:
    features, by = encoded(6, 8), decoder(24)
    grid = Grid(8, 6).scaled(6.5)
    pictures = [
        decode(by, features, RegionQuery(Instant(0, Fraction(k, 4)), grid, grid.rect)) for k in (0, 1, 2, 3, 4, 1)
    ]
    np.testing.assert_array_equal(pictures[1], pictures[5])
    for one, other in pairwise(pictures):
        assert np.abs(one.astype(int) - other).mean() > 0.5


def test_eviction_while_decoding_does_not_change_the_picture() -> None:
    features = encoded(5, 6)
    grid = Grid(6, 5).scaled(20)
    query = RegionQuery(Instant(0, Fraction(3, 7)), grid, grid.rect)
    assert (grid.width // 16) * (grid.height // 16) > 32  # The least number of slots of a table.
    poor = decoder(16, NOTHING)
    ample = decode(decoder(16), features, query)
    np.testing.assert_array_equal(decode(poor, features, query), ample)
    np.testing.assert_array_equal(decode(poor, features, query), ample)


def test_the_cache_keeps_pairs_and_grids_apart() -> None:
    shared = decoder(16, NOTHING)
    queries = [
        (encoded(h, w), RegionQuery(Instant(0, Fraction(1, 3)), grid, grid.rect))
        for h, w, scale in ((5, 6, 8.0), (6, 5, 8.0), (5, 6, 8.3), (5, 6, 8.0))
        for grid in [Grid(w, h).scaled(scale)]
    ]
    for features, query in queries:
        np.testing.assert_array_equal(decode(shared, features, query), decode(decoder(16), features, query))


def test_the_decoder_keeps_no_features_alive() -> None:
    """Encoded pairs have a cache with a budget of its own, which tiles must not exceed by references."""
    by, grid = decoder(), Grid(20, 20)
    with torch.inference_mode():
        features = tiny().encode(torch.rand(1, 2, 3, 5, 5))
    alive = weakref.ref(features)
    decode(by, features, RegionQuery(Instant(0, Fraction(1, 2)), grid, grid.rect))
    del features
    gc.collect()
    assert alive() is None


def test_a_region_equals_the_crop_with_the_shipped_model() -> None:
    model = load_model("lite").model
    assert isinstance(model, VideoINR)
    torch.manual_seed(3)
    with torch.inference_mode():
        features = model.encode(torch.rand(1, 2, 3, 11, 13))
    grid = Grid(13, 11).scaled(6.7)
    profile = ComputeProfile(CPU, tile_side=24, feature_bytes=AMPLE, tile_bytes=AMPLE)
    rect = Rect(17, 23, 39, 31)
    whole, region = (
        decode(TiledDecoder(model, profile), features, RegionQuery(Instant(0, Fraction(3, 10)), grid, each))
        for each in (grid.rect, rect)
    )
    np.testing.assert_array_equal(region, crop(whole, rect))


@pytest.mark.parametrize("checks", [1, 2, 5, 12])
def test_cancelling_between_tiles_does_not_spoil_the_next_picture(checks: int) -> None:
    features, by, grid = encoded(6, 8), decoder(16), Grid(64, 48)
    query = RegionQuery(Instant(0, Fraction(1, 4)), grid, grid.rect)
    with pytest.raises(Cancelled):
        decode(by, features, query, CancelledAtCheck(checks))
    np.testing.assert_array_equal(decode(by, features, query), decode(decoder(16), features, query))


def test_the_token_is_checked_once_for_each_tile() -> None:
    token, grid = CancelledAtCheck(1000), Grid(64, 48)
    decode(decoder(16), encoded(6, 8), RegionQuery(Instant(0, Fraction(0)), grid, grid.rect), token)
    assert 1000 - token.left == 12


def fail_first(monkeypatch: pytest.MonkeyPatch, times: int, error: Exception) -> None:
    """Let the first tile of each of the first ``times`` tries raise ``error``."""
    colour, left = VideoINR.colour, [times]

    def scarce(self: VideoINR, *args: Any) -> torch.Tensor:
        if left[0]:
            left[0] -= 1
            raise error
        return colour(self, *args)

    monkeypatch.setattr(VideoINR, "colour", scarce)


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_when_memory_is_short_tiles_are_halved(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    features, grid, by = encoded(6, 8), Grid(100, 80), decoder(64)
    query = RegionQuery(Instant(0, Fraction(1, 4)), grid, Rect(10, 5, 70, 60))
    expected = decode(decoder(16), features, query)
    fail_first(monkeypatch, 2, error)
    np.testing.assert_array_equal(decode(by, features, query), expected)
    assert by.tile_side == 16


def test_too_little_memory_raises_a_device_error_and_decoding_works_later(monkeypatch: pytest.MonkeyPatch) -> None:
    features, grid, by = encoded(6, 8), Grid(64, 48), decoder(64)
    query = RegionQuery(Instant(0, Fraction(1, 4)), grid, grid.rect)
    expected = decode(decoder(16), features, query)
    fail_first(monkeypatch, 3, torch.OutOfMemoryError("no"))
    with pytest.raises(DeviceError, match="memory of CPU") as caught:
        decode(by, features, query)
    assert "--device cpu" in caught.value.hint
    np.testing.assert_array_equal(decode(by, features, query), expected)


def test_other_errors_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    by, grid = decoder(64), Grid(16, 16)
    fail_first(monkeypatch, 1, RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        decode(by, encoded(6, 8), RegionQuery(Instant(0, Fraction(0)), grid, grid.rect))
    assert by.tile_side == 64
