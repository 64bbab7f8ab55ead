"""Large frames: encoded in bands, only where they are seen, and kept as the latent feature; the picture stays the same.

The size from which frames are large is lowered here, so that small frames are treated as large ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.testing import assert_close

from helpers.clips import numbered_frames, write_clip
from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import open_clip
from videoinr.decode import pair_encoder
from videoinr.decode.beside import FramesBeside
from videoinr.devices import ComputeProfile
from videoinr.errors import Cancelled, DeviceError
from videoinr.geometry import Grid, Readout, Rect
from videoinr.model.encoders.motion_prior_bands import BandEncoder, EncodedPart
from videoinr.model.encoders.path_bend import CoarseSearch
from videoinr.model.features import PairFeatures
from videoinr.model.latent import LatentPair
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model
from videoinr.render.engine import Engine, open_engine
from videoinr.types import Instant, Quality, RegionQuery

CPU = torch.device("cpu")
SIZE = Grid(320, 64)
THIRD = Instant(1, Fraction(1, 3))
AMPLE = ComputeProfile(CPU, tile_side=128, feature_bytes=2**28, tile_bytes=2**28, workers=2)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("latent") / "clip.mkv", numbered_frames(4, width=320, height=64))


def engine_for(path: Path, profile: ComputeProfile = AMPLE) -> Engine:
    return Engine(open_clip(path), load_model("lite-real"), profile)


@pytest.fixture(scope="module")
def small_picture(path: Path) -> Callable[[float], NDArray[np.uint8]]:
    """Return the whole picture of THIRD at a scale, of frames that count as small."""

    @cache
    def made(scale: float) -> NDArray[np.uint8]:
        with pytest.MonkeyPatch.context() as patch, engine_for(path) as small:
            patch.setattr(pair_encoder, "WHOLE_BYTES", 2**40)
            whole = picture(small, scale)
            assert isinstance(small.features(1), PairFeatures)
        return whole

    return made


@pytest.fixture(scope="module")
def large_picture(path: Path) -> Callable[[float], NDArray[np.uint8]]:
    """Return the whole picture of THIRD at a scale, of frames that count as large."""

    @cache
    def made(scale: float) -> NDArray[np.uint8]:
        with pytest.MonkeyPatch.context() as patch, engine_for(path) as large:
            patch.setattr(pair_encoder, "WHOLE_BYTES", 0)
            return picture(large, scale)

    return made


@pytest.fixture
def large(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine that treats the clip's frames as large ones."""
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0)
    with engine_for(path) as engine:
        yield engine


def picture(engine: Engine, scale: float, rect: Rect | None = None, instant: Instant = THIRD) -> NDArray[np.uint8]:
    grid = SIZE.scaled(scale)
    return engine.render(RegionQuery(instant, grid, rect or grid.rect)).rgbx


def part_of(engine: Engine) -> LatentPair:
    features = engine._pairs.cache.get(engine._pairs.key(engine._footings.of(THIRD)[0]))
    assert isinstance(features, LatentPair)
    return features


@pytest.mark.parametrize("scale", [1, 2.5])
def test_the_picture_is_that_of_small_frames(
    large: Engine, small_picture: Callable[[float], NDArray[np.uint8]], scale: float
) -> None:
    found = picture(large, scale)
    assert part_of(large).part.rect == SIZE.rect
    difference = np.abs(found.astype(int) - small_picture(scale))
    # The projections are sums in another order.
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


@pytest.mark.parametrize("rect", [Rect(0, 0, 60, 30), Rect(300, 100, 50, 28), Rect(571, 1, 69, 99)], ids=str)
def test_a_region_of_a_part_is_the_crop_to_the_bit(
    large: Engine, large_picture: Callable[[float], NDArray[np.uint8]], rect: Rect
) -> None:
    found = picture(large, 2, rect)
    assert part_of(large).part.rect.area < SIZE.rect.area
    np.testing.assert_array_equal(found, large_picture(2)[rect.slices])


def test_a_part_grows_with_the_view_and_the_picture_does_not_change(large: Engine, path: Path) -> None:
    first = picture(large, 2, Rect(0, 0, 40, 40))
    before = part_of(large).part.rect
    picture(large, 2, Rect(500, 0, 40, 40))
    after = part_of(large).part.rect
    assert after.contains(before)
    assert after != before
    np.testing.assert_array_equal(picture(large, 2, Rect(0, 0, 40, 40)), first)


def test_motion_and_trajectories_need_only_a_part(path: Path, large: Engine) -> None:
    view = RegionQuery(THIRD, SIZE, Rect(20, 10, 40, 30))
    place = (40.25, 30.5)
    way, field = large.inspector.trajectory(THIRD, place, NEVER), large.inspector.flow(view, NEVER)
    assert part_of(large).part.rect.width < SIZE.width
    pair_encoder.WHOLE_BYTES = 2**40
    with engine_for(path) as small:
        expected = small.inspector.flow(view, NEVER)
        np.testing.assert_allclose(field.flow, expected.flow, atol=2e-3)
        np.testing.assert_allclose(way.places, small.inspector.trajectory(THIRD, place, NEVER).places, atol=0.05)


def test_a_picture_beyond_the_budget_is_made_in_pieces_and_stays_the_same(
    path: Path, large_picture: Callable[[float], NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, parts = large_picture(2), list[Rect]()
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0)
    plain = BandEncoder.encode

    def spy(work: BandEncoder, coarse: CoarseSearch, rect: Rect, dtype: torch.dtype, *, halo: bool) -> EncodedPart:
        parts.append(rect)
        return plain(work, coarse, rect, dtype, halo=halo)

    monkeypatch.setattr(BandEncoder, "encode", spy)
    fixed, for_a_pixel = 60 * SIZE.rect.area, 4 * (48 + 4)
    most = 2 * SIZE.rect.area // 3
    budget = fixed + for_a_pixel * most
    tight = ComputeProfile(CPU, tile_side=128, feature_bytes=budget, tile_bytes=2**28, workers=2, pair_bytes=budget)
    with engine_for(path, tight) as engine:
        searched: list[BandEncoder] = []
        search = BandEncoder.search

        def count(work: BandEncoder, outline: CoarseSearch | None) -> CoarseSearch:
            searched.append(work)
            return search(work, outline)

        monkeypatch.setattr(BandEncoder, "search", count)
        np.testing.assert_array_equal(picture(engine, 2), expected)
        assert len(parts) > 1
        assert max(part.area for part in parts) <= most
        assert part_of(engine).nbytes <= budget
        assert len(searched) == 1, "all pieces go on from one search"
        engine.encode(2, NEVER)
        assert max(part.area for part in parts) <= most
        assert engine.is_encoded(2)
        assert picture(engine, 1, instant=Instant(2, Fraction(1, 2))).shape == (64, 320, 4)


def test_lines_have_times_of_their_own(large: Engine) -> None:
    timeline, readout = large.opened.timeline, Readout(1 / large.opened.info.fps)
    query = RegionQuery(THIRD, SIZE, SIZE.rect, readout=readout)
    found = large.render(query).rgbx
    for line in range(0, SIZE.height, 9):
        time = timeline.time_from_instant(THIRD) - readout.delay_secs(line, SIZE.height)
        plain = picture(large, 1, Rect(0, line, SIZE.width, 1), timeline.instant_from_time(time))
        np.testing.assert_array_equal(found[line], plain[0])


def test_a_piece_of_one_tile_takes_what_it_needs(path: Path, large: Engine) -> None:
    expected = picture(large, 1, Rect(100, 10, 150, 40))
    none = ComputeProfile(CPU, tile_side=128, feature_bytes=0, tile_bytes=0, workers=2, pair_bytes=0)
    with engine_for(path, none) as engine:
        np.testing.assert_array_equal(picture(engine, 1, Rect(100, 10, 150, 40)), expected)


def test_frames_that_do_not_fit_whole_are_encoded_in_bands(
    path: Path, small_picture: Callable[[float], NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    expected = small_picture(1)
    monkeypatch.setattr(VideoINR, "encode", fail)
    with engine_for(path) as engine:
        found = picture(engine, 1)
        assert isinstance(engine.features(1), LatentPair)
    assert np.abs(found.astype(int) - expected).max() <= 1  # sums in another order


def test_projected_regions_stay_within_their_budget(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0)
    with engine_for(path) as ample:
        expected = picture(ample, 1)
        assert ample._pairs.encoder.regions.nbytes > 0
    few = ComputeProfile(CPU, tile_side=128, feature_bytes=2**28, tile_bytes=2**16, workers=2)
    with engine_for(path, few) as engine:
        np.testing.assert_array_equal(picture(engine, 1), expected)
        assert engine._pairs.encoder.regions.nbytes <= 2**16


@torch.inference_mode()
def test_frames_of_bytes_have_the_bits_of_floats_at_a_quarter_of_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0)
    size, model = Grid(150, 110), load_model("lite").model
    frames = torch.randint(0, 256, (4, 3, 5, 7), dtype=torch.uint8).float()
    planes = torch.nn.functional.interpolate(frames, (size.height, size.width), mode="bicubic").clamp(0, 255).byte()
    made = []
    for one in (planes, planes.float() / 255):
        encoder = pair_encoder.PairEncoder(model, size, AMPLE)
        beside = FramesBeside((0, 3), (1.0, 1.0), lambda number, one=one: one[number][None])  # type: ignore[misc]
        first = encoder.encode(one[None, 1:3], NEVER, Rect(0, 0, 60, 30), names=(1, 2), beside=beside)
        assert isinstance(first, LatentPair)
        other = encoder.resumed(first.planes, first.coarse, first.bend, Rect(60, 40, 80, 60), NEVER)
        crop = encoder.crop(one[None, 1:3], Rect(20, 10, 50, 40), NEVER)
        read = first.projected(Rect(3, 3, 40, 20))
        made.append((first, other.part.feature, other.part.prior, crop.tensors(), read.tensors(), first.frames))
    (bytes_, *of_bytes), (floats, *of_floats) = made
    assert 4 * bytes_.planes.nbytes == floats.planes.nbytes
    assert_close(of_bytes, of_floats, rtol=0, atol=0)


def test_projected_maps_make_room_before_a_pair_is_encoded(large: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    regions, first, kept, search = large._pairs.encoder.regions, picture(large, 2), list[int](), BandEncoder.search
    assert regions.nbytes > 0

    def spy(work: BandEncoder, outline: CoarseSearch | None) -> CoarseSearch:
        kept.append(regions.nbytes)
        return search(work, outline)

    monkeypatch.setattr(BandEncoder, "search", spy)
    picture(large, 2, instant=Instant(2, Fraction(1, 2)))
    assert kept == [0]
    np.testing.assert_array_equal(picture(large, 2), first)
    assert kept == [0], "the first pair is still encoded"


def test_the_pair_before_makes_room_before_the_next_is_encoded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0)
    one = ComputeProfile(CPU, tile_side=128, feature_bytes=2**20, tile_bytes=2**20)
    held: list[bool] = []
    plain = BandEncoder.search
    with engine_for(path, one) as engine:

        def search(work: BandEncoder, outline: CoarseSearch | None) -> CoarseSearch:
            held.append(engine.is_encoded(0))
            return plain(work, outline)

        monkeypatch.setattr(BandEncoder, "search", search)
        engine.encode(0, NEVER)
        engine.encode(1, NEVER)
        assert held == [False, False]
        assert engine.is_encoded(1)


def test_the_bands_are_halved_where_memory_is_short(large: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    plain = BandEncoder.search

    def short(work: BandEncoder, outline: CoarseSearch | None) -> object:
        tried.append(work._limits.work)
        if work._limits.work > 2**26:
            raise MemoryError
        return plain(work, outline)

    monkeypatch.setattr(BandEncoder, "search", short)
    large.encode(0, NEVER)
    assert tried == [192 * 2**20, 96 * 2**20, 48 * 2**20]
    monkeypatch.setattr(BandEncoder, "search", lambda *_: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(DeviceError, match="does not suffice"):
        large.encode(2, NEVER)


def test_other_pairs_are_dropped_before_the_bands_are_halved(large: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    plain = BandEncoder.search

    def short(work: BandEncoder, outline: CoarseSearch | None) -> object:
        tried.append(work._limits.work)
        if large.is_encoded(0) or large.is_encoded(1):
            raise MemoryError
        return plain(work, outline)

    large.encode(0, NEVER)
    large.encode(1, NEVER)
    monkeypatch.setattr(BandEncoder, "search", short)
    large.encode(2, NEVER)
    assert tried == [192 * 2**20] * 3
    assert [large.is_encoded(pair) for pair in range(3)] == [False, False, True]


def test_encoding_reports_its_progress(large: Engine) -> None:
    told: list[tuple[int, int]] = []
    large.encode(0, CancelToken(lambda done, total: told.append((done, total))))
    assert told[0][0] == 0
    assert told == sorted(told)
    assert 0.8 < told[-1][0] / told[-1][1] <= 1


def test_encoding_a_large_frame_ends_soon_after_it_was_cancelled(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "large.mp4", numbered_frames(2, width=1920, height=1080))
    done_shares: list[float] = []

    def note(done: int, total: int) -> None:
        done_shares.append(done / total)
        if done_shares[-1] > 0.02:
            token.cancel()

    token = CancelToken(note)
    query = RegionQuery(Instant(0, Fraction(1, 2)), Grid(1920, 1080), Rect(0, 0, 1920, 1080))
    with open_engine(path, model="lite", device="cpu") as engine, pytest.raises(Cancelled):
        engine.render(query, Quality.FULL, token)
    assert done_shares[-2] <= 0.02 < done_shares[-1], "nothing is computed after the cancelling"
    assert max(after - before for before, after in pairwise(done_shares)) < 0.02, "steps are short"
