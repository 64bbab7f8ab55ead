"""The engine: reader, encoder, caches and decoder in order, on a real clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.clips import number_in, write_clip, write_pictures
from helpers.tiny_model import load_tiny_model, save_tiny_model, tiny_video_inr
from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import open_clip
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.errors import Cancelled, ClipError, DeviceError, ModelError, UsageError
from videoinr.geometry import Grid, Rect
from videoinr.images import tensor_from_pixels
from videoinr.model.encoders.motion_prior_bands import BandEncoder
from videoinr.model.features import PairFeatures
from videoinr.model.video_inr import VideoINR
from videoinr.render.engine import Engine, open_engine
from videoinr.types import Instant, PairKey, Quality, RegionQuery

CPU = torch.device("cpu")
PROFILE = ComputeProfile(CPU, tile_side=32, feature_bytes=2**20, tile_bytes=2**20)
GRID = Grid(90, 70)
QUERY = RegionQuery(Instant(1, Fraction(1, 3)), GRID, Rect(13, 9, 50, 41))


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("engine") / "clip.mp4", 5)


@pytest.fixture
def engine(clip_path: Path, tmp_path: Path) -> Iterator[Engine]:
    with Engine(open_clip(clip_path), load_tiny_model(tmp_path), PROFILE) as engine:
        yield engine


class Patience(CancelToken):
    """Is cancelled at its check number ``checks``."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self.checks, self.seen = checks, 0

    def check(self) -> None:
        self.seen += 1
        if self.seen == self.checks:
            self.cancel()
        super().check()


def test_it_renders_the_output_of_encoder_and_decoder(engine: Engine, tmp_path: Path) -> None:
    rendered = engine.render(QUERY)
    frames = engine.clip.pair(1)
    low = torch.stack([tensor_from_pixels(frame, CPU) for frame in (frames.first, frames.second)])[None]
    model = load_tiny_model(tmp_path).model
    with torch.inference_mode():
        features = model.encode(low)
    expected = TiledDecoder(model, PROFILE).decode(PairKey("any", 1), features, QUERY, NEVER)
    np.testing.assert_array_equal(rendered.rgbx, expected.numpy())
    assert rendered.query is QUERY
    assert rendered.quality is Quality.FULL
    assert rendered.elapsed_secs > 0
    assert rendered.rgbx.flags.c_contiguous
    assert engine.render(QUERY, Quality.DRAFT).quality is Quality.DRAFT


def test_a_region_equals_the_crop_whatever_the_order_of_pairs(engine: Engine) -> None:
    for pair in (3, 0, 1, 3, 0):
        instant = Instant(pair, Fraction(1, 2))
        whole = engine.render(RegionQuery(instant, GRID, GRID.rect)).rgbx
        region = engine.render(RegionQuery(instant, GRID, QUERY.rect)).rgbx
        np.testing.assert_array_equal(region, whole[9:50, 13:63])


@pytest.mark.parametrize(
    ("pair", "phase", "number"), [(0, "0", 0), (0, "1/2", 0), (0, "1", 1), (3, "9/10", 3), (3, "1", 4)]
)
def test_the_source_is_the_frame_shown(engine: Engine, pair: int, phase: str, number: int) -> None:
    instant = Instant(pair, Fraction(phase))
    shown = engine.source(instant)
    assert number_in(shown.rgbx[..., :3]) == number
    assert shown.quality is Quality.SOURCE
    assert shown.query == RegionQuery(instant, Grid(64, 48), Rect(0, 0, 64, 48))
    assert (shown.rgbx[..., 3] == 255).all()


def test_a_clip_of_one_frame_is_a_pair_of_that_frame_twice(tmp_path: Path) -> None:
    write_pictures(tmp_path / "one", 1)
    with Engine(open_clip(tmp_path / "one"), load_tiny_model(tmp_path), PROFILE) as engine:
        for phase in (0, 1):
            assert number_in(engine.source(Instant(0, Fraction(phase))).rgbx[..., :3]) == 0
        assert engine.render(RegionQuery(Instant(0, Fraction(0)), GRID, GRID.rect)).rgbx.shape == (70, 90, 4)
        middle = Instant(0, Fraction(1, 2))
        assert not engine.is_motion_ready(middle)
        engine.find_motion(middle)
        assert engine.is_motion_ready(middle), "the window prepares the motion of each pair near the view"


def test_it_names_clip_model_and_device(engine: Engine, clip_path: Path) -> None:
    assert engine.opened.info.path == clip_path
    assert engine.opened.timeline is engine.clip.timeline
    assert engine.opened.model_name == "tiny"
    assert engine.opened.trained_scales == (1.0, 4.0)
    assert engine.opened.device_name.startswith("CPU")


def test_the_number_of_cores_does_not_change_what_pictures_are_made_from(clip_path: Path, tmp_path: Path) -> None:
    before, names = torch.get_num_threads(), set()
    try:
        for cores in (1, 3):
            torch.set_num_threads(cores)
            with Engine(open_clip(clip_path), load_tiny_model(tmp_path), PROFILE) as engine:
                names.add(engine.opened.source_id)
    finally:
        torch.set_num_threads(before)
    assert len(names) == 1


def test_a_tensor_holds_the_pixels_of_the_array(engine: Engine) -> None:
    np.testing.assert_array_equal(engine.render_tensor(QUERY).numpy(), engine.render(QUERY).rgbx)


def test_flow_has_two_vectors_for_each_clip_pixel(engine: Engine) -> None:
    flow = engine.flow(QUERY.instant)
    assert flow.shape == (2, 48, 64, 2)
    assert flow.dtype == torch.float32
    assert flow.abs().max() > 0.01
    with pytest.raises(Cancelled):
        engine.flow(QUERY.instant, Patience(1))


def test_a_pair_is_encoded_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, encode = list[torch.Tensor](), VideoINR.encode

    def counted(
        self: VideoINR, frames: torch.Tensor, *, half: bool, whole: Grid,
        frame_features: Callable[[torch.Tensor], torch.Tensor],
    ) -> PairFeatures:  # fmt: skip
        calls.append(frames)
        return encode(self, frames, half=half, whole=whole, frame_features=frame_features)

    monkeypatch.setattr(VideoINR, "encode", counted)
    assert not engine.is_encoded(1)
    engine.encode(1, NEVER)
    assert engine.is_encoded(1)
    assert not engine.is_encoded(0)
    engine.encode(1, NEVER)
    engine.render(QUERY)
    assert len(calls) == 1


def test_the_budget_bounds_the_cached_pairs(clip_path: Path, tmp_path: Path) -> None:
    profile = ComputeProfile(CPU, tile_side=32, feature_bytes=1, tile_bytes=0)
    with Engine(open_clip(clip_path), load_tiny_model(tmp_path), profile) as engine:
        engine.encode(0, NEVER)
        engine.encode(1, NEVER)
        assert [engine.is_encoded(pair) for pair in range(4)] == [False, True, False, False]


def test_encoding_can_be_cancelled_before_every_convolution_and_repeated(engine: Engine) -> None:
    whole = Patience(10**9)
    engine.encode(0, whole)
    convolutions = sum(isinstance(layer, torch.nn.Conv2d) for layer in tiny_video_inr().encoder.modules())
    assert whole.seen > convolutions > 10
    for checks in range(1, whole.seen + 1):
        with pytest.raises(Cancelled):
            engine.encode(1, Patience(checks))
        assert not engine.is_encoded(1)
    engine.encode(1, NEVER)
    assert engine.is_encoded(1)


def test_a_cancelled_token_does_not_affect_later_work(engine: Engine, clip_path: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        engine.render(QUERY, token=Patience(5))
    engine.encode(1, NEVER)
    with pytest.raises(Cancelled):
        engine.render(QUERY, token=Patience(3))  # Between two tiles.
    again = engine.render(QUERY).rgbx
    with Engine(open_clip(clip_path), load_tiny_model(tmp_path), PROFILE) as fresh:
        np.testing.assert_array_equal(again, fresh.render(QUERY).rgbx)


def test_too_little_memory_to_encode_is_a_device_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def scarce(*_: object) -> None:
        raise torch.OutOfMemoryError("no")

    with monkeypatch.context() as patch:
        patch.setattr(VideoINR, "project", scarce)
        patch.setattr(BandEncoder, "search", scarce)  # what is tried next
        with pytest.raises(DeviceError, match="64x48"):
            engine.render(QUERY)
    assert engine.render(QUERY).rgbx.shape == (41, 50, 4)


def test_a_pair_outside_the_clip_is_a_usage_error(engine: Engine) -> None:
    with pytest.raises(UsageError, match="no pair 4"):
        engine.render(RegionQuery(Instant(4, Fraction(0)), GRID, GRID.rect))


def test_clip_model_and_device_are_opened_by_name(clip_path: Path, tmp_path: Path) -> None:
    with open_engine(clip_path, model=str(save_tiny_model(tmp_path)), device="cpu") as engine:
        assert engine.opened.model_name == "tiny"
    with open_engine(clip_path, device="cpu") as engine:
        assert engine.opened.model_name == "lite"
        assert engine.render(RegionQuery(QUERY.instant, GRID, Rect(0, 0, 8, 8))).rgbx.shape == (8, 8, 4)


def test_an_error_on_opening_names_what_is_missing(clip_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="absent"):
        open_engine(tmp_path / "absent.mp4", model="nobody")
    with pytest.raises(ModelError, match="nobody"):
        open_engine(clip_path, model="nobody", device="cpu")
    with pytest.raises(DeviceError, match="no device"):
        open_engine(clip_path, device="abacus")
