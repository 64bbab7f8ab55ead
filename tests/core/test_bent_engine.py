"""Pairs with paths that bend: the frames beside a pair are found, read and searched once, and any part has the bits of
the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from helpers.tiny_model import save_tiny_model, tiny_video_inr
from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.memory_clip import MemoryClip, open_frames
from videoinr.decode import pair_encoder
from videoinr.decode.kept_searches import KeptSearches
from videoinr.devices import ComputeProfile
from videoinr.errors import ClipError
from videoinr.geometry import Grid, Rect
from videoinr.images import tensor_from_pixels
from videoinr.model.config import MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.motion_prior_bands import BandEncoder
from videoinr.model.encoders.motion_step import MotionStep
from videoinr.model.encoders.path_bend import CoarseSearch, Outer, PathBend
from videoinr.model.features import PairFeatures
from videoinr.model.latent import LatentPair
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import LoadedModel, load_model
from videoinr.render import levels
from videoinr.render.engine import Engine
from videoinr.types import AcrossCuts, Instant, RegionQuery

CPU = torch.device("cpu")
SIZE = Grid(150, 90)
HALF = Fraction(1, 2)
FRAMES = 7


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    torch.manual_seed(3)
    tiny = tiny_video_inr()
    assert isinstance(tiny.config.encoder, MotionPriorConfig)
    config = replace(tiny.config, encoder=replace(tiny.config.encoder, levels=3, bend_channels=8))
    model = VideoINR(config)
    model.load_state_dict(tiny.state_dict(), strict=False)
    encoder = cast("MotionPriorEncoder", model.encoder)
    assert encoder.bend is not None
    with torch.no_grad():
        encoder.bend.leave.weight.normal_(std=0.2)
        for step in encoder.motion:
            cast("MotionStep", step).leave.weight.normal_(std=0.1)
    return load_model(str(save_tiny_model(tmp_path_factory.mktemp("bent"), model=model.eval())))


@cache
def frames() -> NDArray[np.uint8]:
    """A scene that moves to the right, faster and faster: [7, 90, 150, 3]."""
    noise = torch.rand((1, 3, 25, 60), generator=torch.Generator().manual_seed(2))
    scene = torch.nn.functional.interpolate(noise, (90, 260), mode="bicubic").clamp(0, 1)
    starts = [60 - number * number for number in range(FRAMES)]
    return np.stack([(scene[0, :, :, at : at + 150] * 255).byte().permute(1, 2, 0).numpy() for at in starts])


def engine_of(
    loaded: LoadedModel, shown: NDArray[np.uint8] | None = None, *, cuts: dict[int, bool] | None = None,
    feature_bytes: int = 2**26, across: AcrossCuts = AcrossCuts.HOLD,
) -> Engine:  # fmt: skip
    clip = open_frames(frames() if shown is None else shown, fps=Fraction(25))
    clip.cut_edits = cuts or {}
    profile = ComputeProfile(CPU, tile_side=128, feature_bytes=feature_bytes, tile_bytes=2**24, workers=2)
    return Engine(clip, loaded, profile, across)


def expected(loaded: LoadedModel, numbers: tuple[int | None, int, int, int | None]) -> Tensor:
    """The prior of the frames ``numbers[1:3]`` between the others, by the model itself."""
    before, first, second, after = (None if n is None else tensor_from_pixels(frames()[n], CPU)[None] for n in numbers)
    assert first is not None
    assert second is not None
    model = cast("VideoINR", loaded.model)
    with torch.inference_mode():
        return model.encode(torch.stack((first, second), 1), outer=Outer(before, after)).prior


def prior_of(engine: Engine, pair: int, needed: Rect | None = None) -> Tensor:
    footing = engine._footings.nearest(Instant(pair, HALF))
    features = engine._pairs.features(footing, SIZE, NEVER, needed)
    assert isinstance(features, PairFeatures | LatentPair)
    return features.prior


@pytest.fixture(params=["whole", "bands"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0 if request.param == "bands" else 2**40)
    return str(request.param)


@pytest.mark.usefixtures("form")
def test_the_order_of_pairs_changes_no_bit(loaded: LoadedModel) -> None:
    with engine_of(loaded) as engine:
        for pair in (1, 2, 3, 2, 0, 5):
            outer = pair - 1 if pair > 0 else None, pair + 2 if pair + 2 < FRAMES else None
            prior = prior_of(engine, pair)
            assert torch.equal(prior, expected(loaded, (outer[0], pair, pair + 1, outer[1]))), pair
            assert prior[..., 4:].abs().max() > 0.01
            engine._pairs.keep_only(())


def test_a_part_has_the_bits_of_the_whole(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0)
    with engine_of(loaded) as engine:
        whole = prior_of(engine, 2)
    with engine_of(loaded) as engine:
        first = prior_of(engine, 2, Rect(20, 10, 40, 30))
        assert first.shape == (1, 30, 40, 8)
        assert torch.equal(first, whole[:, 10:40, 20:60])
        grown = prior_of(engine, 2, Rect(50, 20, 60, 25))
        rows, columns = Rect.from_edges(20, 10, 110, 45).slices
        assert torch.equal(grown, whole[:, rows, columns])


def test_pictures_of_a_part_are_those_of_the_whole(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = Grid(300, 180)
    query = RegionQuery(Instant(2, Fraction(1, 3)), grid, grid.rect)
    with engine_of(loaded) as engine:
        whole = engine.render(query).rgbx
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0)
    rect = Rect(40, 30, 90, 60)
    with engine_of(loaded) as engine:
        part = engine.render(replace(query, rect=rect)).rgbx
    rows, columns = rect.slices
    assert np.abs(part.astype(int) - whole[rows, columns]).max() <= 1
    with engine_of(loaded, frames()[2:4]) as engine:
        straight = engine.render(replace(query, instant=Instant(0, Fraction(1, 3)))).rgbx
    assert np.abs(straight.astype(int) - whole).mean() > 0.3


@pytest.mark.usefixtures("form")
def test_in_a_row_each_pair_is_searched_once(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[tuple[int, int]]()
    plain = KeptSearches.put

    def spy(kept: KeptSearches, names: tuple[int, int], search: CoarseSearch) -> None:
        made.append(names)
        plain(kept, names, search)

    monkeypatch.setattr(KeptSearches, "put", spy)
    with engine_of(loaded) as engine:
        for pair in range(FRAMES - 1):
            prior_of(engine, pair)
    assert sorted(made) == [(number, number + 1) for number in range(FRAMES - 1)]


def test_beyond_the_budget_only_flows_are_kept(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_encoder, "WHOLE_BYTES", 0)
    outlines = list[int]()
    plain = BandEncoder.outline

    def spy(work: BandEncoder) -> CoarseSearch:
        outlines.append(1)
        return plain(work)

    monkeypatch.setattr(BandEncoder, "outline", spy)
    with engine_of(loaded, feature_bytes=2**10) as engine:
        for pair in (1, 2, 3):
            assert torch.equal(prior_of(engine, pair), expected(loaded, (pair - 1, pair, pair + 1, pair + 2)))
    assert len(outlines) == 7  # The first pair and both beside it; then each pair, and the one after it.


@pytest.mark.usefixtures("form")
def test_no_path_bends_across_a_cut(loaded: LoadedModel) -> None:
    with engine_of(loaded, cuts={1: True, 4: True}) as engine:
        assert torch.equal(prior_of(engine, 2), expected(loaded, (None, 2, 3, 4)))
        assert torch.equal(prior_of(engine, 3), expected(loaded, (2, 3, 4, None)))
    with engine_of(loaded, cuts={1: True, 3: True}) as engine:
        assert prior_of(engine, 2).shape[-1] == 4


def test_repeats_are_looked_through(loaded: LoadedModel) -> None:
    shown = frames()[[0, 1, 2, 2, 3, 3, 4, 5, 6]]
    with engine_of(loaded, shown) as engine:
        footing = engine._footings.nearest(Instant(2, HALF))
        assert (footing.first, footing.second) == (2, 4)
        beside = engine._footings.beside(footing)
        assert (beside.before, beside.after) == (1, 6)
        assert beside.spans == (0.5, 1.0)


def test_ends_and_single_frames_have_nothing_beside_them(loaded: LoadedModel) -> None:
    with engine_of(loaded) as engine:
        first, last = (engine._footings.nearest(Instant(pair, HALF)) for pair in (0, FRAMES - 2))
        assert engine._footings.beside(first).before is None
        assert engine._footings.beside(first).after == 2
        assert engine._footings.beside(last).before == FRAMES - 3
        assert engine._footings.beside(last).after is None
    for count in (1, 2):
        with engine_of(loaded, frames()[:count]) as engine:
            assert prior_of(engine, 0).shape[-1] == 4
            assert engine.flow(Instant(0, HALF)).shape == (2, SIZE.height, SIZE.width, 2)
            assert engine.failure(0).error.size


def test_a_neighbour_that_cannot_be_read_is_none(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = MemoryClip.frame

    def frame(clip: MemoryClip, index: int, token: CancelToken = NEVER) -> NDArray[np.uint8]:
        if index == 4:
            raise ClipError("Frame 4 is damaged.")
        return cast("NDArray[np.uint8]", plain(clip, index, token))

    monkeypatch.setattr(MemoryClip, "frame", frame)
    for across in (AcrossCuts.HOLD, AcrossCuts.DECODE):
        with engine_of(loaded, across=across) as engine:
            assert torch.equal(prior_of(engine, 2), expected(loaded, (1, 2, 3, None)))


@pytest.mark.parametrize(
    ("owner", "method", "failing"),
    [(MotionPriorEncoder, "outline", 2), (MotionPriorEncoder, "search", 1), (PathBend, "forward", 1)],
)
def test_what_memory_does_not_suffice_for_is_computed_once_more(
    owner: type, method: str, failing: int, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search then goes on in bands."""
    plain, calls = getattr(owner, method), list[int]()

    def short(one: object, *args: object) -> object:
        calls.append(1)
        if len(calls) == failing:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")
        return plain(one, *args)

    monkeypatch.setattr(owner, method, short)
    with engine_of(loaded) as engine:
        assert torch.equal(prior_of(engine, 2), expected(loaded, (1, 2, 3, 4)))
    assert len(calls) >= failing


def test_progress_rises_from_nothing_to_all(loaded: LoadedModel) -> None:
    shares = list[float]()

    class Watch(CancelToken):
        def report(self, done: int, total: int) -> None:
            shares.append(done / total)

    with engine_of(loaded) as engine:
        engine._pairs.features(engine._footings.nearest(Instant(2, HALF)), SIZE, Watch())
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] > 0.8


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("grid", [Grid(300, 180), Grid(75, 45)], ids=["x2", "below x1"])
def test_drafts_follow_the_bent_paths_once_they_are_known(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "LEAST_PX", 0)  # Below x1, such small frames are shrunk, too.
    query = RegionQuery(Instant(2, HALF), grid, grid.rect)
    with engine_of(load_model("lite")) as engine:
        straight = engine.motion(query).rgbx.astype(int)
        ends = [engine.motion(replace(query, instant=Instant(pair, Fraction(0)))).rgbx for pair in (2, 3)]
        full = engine.render(query).rgbx.astype(int)
        bent = engine.motion(query).rgbx.astype(int)
        again = [engine.motion(replace(query, instant=Instant(pair, Fraction(0)))).rgbx for pair in (2, 3)]
    assert np.square(bent - full).mean() < 0.8 * np.square(straight - full).mean()
    assert all(np.array_equal(a, b) for a, b in zip(ends, again, strict=True))
