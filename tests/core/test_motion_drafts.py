"""Motion drafts: frames of full size, warped along the motion of a small copy of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

import videoinr
from helpers.cancelling import CancelledAtCheck
from helpers.clips import write_clip
from helpers.command_line import run_here
from helpers.shots import Frames, joined, pan, texture
from helpers.tiny_model import load_tiny_model, save_tiny_model
from helpers.tiny_paper import tiny_paper_model
from videoinr.cancel import NEVER
from videoinr.clip.memory_clip import open_frames
from videoinr.decode import proxy_motion
from videoinr.decode.motion_refinement import refined
from videoinr.devices import ComputeProfile, pick_device, profile_for
from videoinr.errors import Cancelled, DeviceError, UsageError
from videoinr.geometry import Grid, Rect
from videoinr.images import shrink
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.weights import LoadedModel, load_model
from videoinr.render import motion_drafts
from videoinr.render.engine import Engine
from videoinr.types import Instant, Quality, RegionQuery

HALF = Fraction(1, 2)
WIDE = Grid(96, 60)
EngineOf = Callable[..., Engine]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def lite() -> LoadedModel:
    return load_model("lite")


@pytest.fixture
def engine_of() -> Iterator[EngineOf]:
    engines: list[Engine] = []

    def made(frames: Frames, loaded: LoadedModel, profile: ComputeProfile | None = None) -> Engine:
        clip = open_frames(frames, fps=Fraction(25))
        engines.append(Engine(clip, loaded, profile or profile_for(pick_device("cpu"))))
        return engines[-1]

    yield made
    for engine in engines:
        engine.close()


def draft(engine: Engine, phase: Fraction | int, grid: Grid, rect: Rect | None = None, pair: int = 0) -> Frames:
    query = RegionQuery(Instant(pair, Fraction(phase)), grid, rect or grid.rect)
    rendered = engine.render(query, Quality.MOTION)
    assert rendered.quality is Quality.MOTION
    assert rendered.query is query
    assert (rendered.rgbx[..., 3] == 255).all()
    return rendered.rgbx[..., :3]


def moved(step: float, *, side: int = 320, count: int = 2) -> Frames:
    """Frames of a smooth texture that moves by ``step`` pixels to the right in each, sampled bilinearly."""
    big = torch.from_numpy(texture(3)).permute(2, 0, 1)[None]
    frames = []
    for number in range(count):
        x = torch.arange(side) + 40 - number * step
        low = x.floor()
        picture = torch.lerp(big[..., 40 : 40 + side, low.long()], big[..., 40 : 40 + side, low.long() + 1], x - low)
        frames.append(picture[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy())
    return np.stack(frames)


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("grid", [WIDE, Grid(48, 30), Grid(71, 44), Grid(250, 156), Grid(96, 30), Grid(40, 120)])
@pytest.mark.parametrize("phase", ["0", "1/3", "1"])
def test_a_region_is_the_crop_of_the_whole(engine_of: EngineOf, tiny: LoadedModel, grid: Grid, phase: str) -> None:
    profile = ComputeProfile(pick_device("cpu"), tile_side=32, feature_bytes=2**20, tile_bytes=2**20, workers=2)
    engine = engine_of(pan(1, 2), tiny, profile)
    whole = draft(engine, Fraction(phase), grid)
    assert whole.shape == (grid.height, grid.width, 3)
    for rect in (Rect(0, 0, 7, 5), Rect(11, 3, 29, 27), Rect(grid.width - 9, grid.height - 8, 9, 8)):
        np.testing.assert_array_equal(draft(engine, Fraction(phase), grid, rect), whole[rect.slices])


def test_at_the_time_of_a_source_frame_it_is_that_frame(engine_of: EngineOf, tiny: LoadedModel) -> None:
    frames = pan(1, 3)
    engine = engine_of(frames, tiny)
    for pair, phase, number in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        np.testing.assert_array_equal(draft(engine, phase, WIDE, pair=pair), frames[number])
        region = draft(engine, phase, WIDE, Rect(10, 7, 50, 40), pair=pair)
        np.testing.assert_array_equal(region, frames[number][7:47, 10:60])


def test_a_coarser_grid_shows_the_mean_of_what_a_pixel_covers(engine_of: EngineOf, lite: LoadedModel) -> None:
    stripes = np.zeros((2, 60, 96, 3), np.uint8)
    stripes[:, :, ::2] = 255
    engine = engine_of(stripes, lite)
    for phase in (Fraction(0), HALF):
        inner = draft(engine, phase, Grid(24, 15))[2:-2, 3:-3].astype(float)
        assert np.abs(inner - 127.5).max() < 12, "point samples would be black or white"


@pytest.mark.parametrize("scale", [0.5, 1, 2.5])
def test_brightness_and_position_are_those_of_the_source(engine_of: EngineOf, tiny: LoadedModel, scale: float) -> None:
    """On a ramp any shift and any rounding bias would show in the mean."""
    ramp = np.broadcast_to((40 + np.arange(96) * 2)[None, None, :, None], (2, 60, 96, 3)).astype(np.uint8)
    grid = WIDE.scaled(scale)
    shown = draft(engine_of(ramp.copy(), tiny), 0, grid).astype(float)
    x = (np.arange(grid.width) + 0.5) * WIDE.width / grid.width - 0.5
    error = (shown[..., 0] - (40 + 2 * x))[:, 6:-6]
    assert abs(error.mean()) < 0.1, "that would be a shift by a twentieth of a pixel"


def test_it_follows_motion_that_a_blend_does_not(engine_of: EngineOf, lite: LoadedModel) -> None:
    frames = moved(12.0, count=3)
    engine, size = engine_of(frames[[0, 2]], lite), Grid(320, 320)
    shown, truth = draft(engine, HALF, size)[20:-20, 40:-40], frames[1][20:-20, 40:-40]
    blend = frames[[0, 2]].astype(float).mean(0)[20:-20, 40:-40]
    assert psnr(shown, truth) > psnr(blend, truth) + 10


def test_flows_are_refined_to_a_fraction_of_a_proxy_pixel() -> None:
    frames = torch.from_numpy(moved(3.0)).permute(0, 3, 1, 2).float().mean(1, keepdim=True) / 255
    wrong = torch.zeros(1, 4, 80, 80)
    wrong[:, 0], wrong[:, 2] = -2.2 / 4, 2.2 / 4
    prior, still = refined(wrong, frames)
    assert still.mean() < 0.02
    inner = 4 * prior[..., 8:-8, 12:-12]
    assert inner[:, 0].median() == pytest.approx(-1.5, abs=0.15)
    assert inner[:, 2].median() == pytest.approx(1.5, abs=0.15)


def test_what_is_at_rest_is_not_warped() -> None:
    frames = torch.from_numpy(moved(0.0)).permute(0, 3, 1, 2).float().mean(1, keepdim=True) / 255
    prior, still = refined(torch.full((1, 4, 80, 80), 0.2) * torch.tensor([1.0, 1, -1, -1]).view(1, 4, 1, 1), frames)
    assert still.all()
    assert not prior.any()


def test_the_proxy_has_about_so_many_pixels_whatever_the_clip() -> None:
    for clip in (Grid(640, 352), Grid(1920, 1080), Grid(3840, 2160), Grid(360, 640)):
        proxy = proxy_motion.size_within(clip, proxy_motion.PROXY_PX)
        assert proxy.rect.area == pytest.approx(proxy_motion.PROXY_PX, rel=0.02)
        assert proxy.width / proxy.height == pytest.approx(clip.width / clip.height, rel=0.02)
    assert proxy_motion.size_within(WIDE, proxy_motion.PROXY_PX) == WIDE
    assert proxy_motion.size_within(Grid(30_000, 1), 14_000) == Grid(20_494, 1)


def test_motion_is_found_once_for_all_requests_of_a_pair(
    engine_of: EngineOf, tiny: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, find = list[int](), proxy_motion.find_motion

    def counted(*arguments: object, half: bool, quick: bool) -> proxy_motion.PairMotion:
        calls.append(1)
        return find(*arguments, half=half, quick=quick)  # type: ignore[arg-type]

    monkeypatch.setattr(motion_drafts, "find_motion", counted)
    engine = engine_of(pan(1, 4), tiny)
    for end in (0, 1):
        draft(engine, end, WIDE)
    assert not calls, "at source frames nothing moves"
    for phase in (Fraction(1, 3), HALF):
        for grid in (WIDE, Grid(48, 30)):
            draft(engine, phase, grid)
    assert len(calls) == 1
    assert not engine.is_encoded(0)


def test_quick_motion_serves_until_it_is_found_exactly(engine_of: EngineOf, lite: LoadedModel) -> None:
    engine, size = engine_of(moved(6.0), lite), Grid(320, 320)
    query = RegionQuery(Instant(0, HALF), size, size.rect)
    assert not engine.is_motion_ready(query.instant)
    quick = engine.motion(query, quick=True)
    assert engine.is_motion_ready(query.instant)
    assert (quick.quality, quick.samples) == (Quality.MOTION, size)
    np.testing.assert_array_equal(engine.motion(query, quick=True).rgbx, quick.rgbx)
    exact = engine.motion(query).rgbx
    assert (exact != quick.rgbx).any()
    np.testing.assert_array_equal(engine.motion(query, quick=True).rgbx, exact)


def test_quick_motion_runs_the_search_alone(
    engine_of: EngineOf, lite: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = moved(6.0)
    engine, size = engine_of(frames, lite), Grid(320, 320)
    query = RegionQuery(Instant(0, HALF), size, size.rect)
    exact, layers = engine.motion(query).rgbx.astype(int), list[str]()
    monkeypatch.setattr(proxy_motion.ProxyMotion, "_evaluated", lambda *_: layers.append("heads"))
    encoder = lite.model.encoder
    assert isinstance(encoder, MotionPriorEncoder)
    trunk = encoder.trunk.register_forward_pre_hook(lambda *_: layers.append("trunk"))
    try:
        quick = engine_of(frames, lite).motion(query, quick=True).rgbx.astype(int)
    finally:
        trunk.remove()
    assert not layers
    still = np.abs(frames[0].astype(int) - exact[..., :3]).mean()
    assert np.abs(quick - exact).mean() < still / 4


def test_the_budget_bounds_the_motion_that_is_kept(engine_of: EngineOf, tiny: LoadedModel) -> None:
    tight = ComputeProfile(pick_device("cpu"), tile_side=32, feature_bytes=0, tile_bytes=0)
    engine = engine_of(pan(1, 4), tiny, tight)
    for pair in (0, 1, 2, 1):
        draft(engine, HALF, Grid(48, 30), pair=pair)
    drafts = engine._motion
    assert len(drafts._motions._held) == 1
    assert len(drafts._planes._held) == 1


def test_across_a_cut_the_nearer_frame_is_held(engine_of: EngineOf, tiny: LoadedModel) -> None:
    shots = joined("shots", pan(1, 4), pan(2, 4))
    engine = engine_of(shots.frames, tiny)
    np.testing.assert_array_equal(draft(engine, Fraction(2, 5), WIDE, pair=3), shots.frames[3])
    np.testing.assert_array_equal(draft(engine, Fraction(3, 5), WIDE, pair=3), shots.frames[4])


def test_a_model_that_does_not_warp_frames_blends_them(engine_of: EngineOf, tmp_path: Path) -> None:
    frames = pan(1, 2)
    engine = engine_of(frames, load_model(str(save_tiny_model(tmp_path, model=tiny_paper_model()))))
    expected = frames[0] * 0.75 + frames[1] * 0.25
    assert np.abs(draft(engine, Fraction(1, 4), WIDE) - expected).max() <= 0.51
    np.testing.assert_array_equal(draft(engine, 0, WIDE), frames[0])


def test_it_can_be_cancelled_at_every_check_and_repeated(engine_of: EngineOf, tiny: LoadedModel) -> None:
    query = RegionQuery(Instant(0, HALF), Grid(250, 156), Grid(250, 156).rect)
    patient = CancelledAtCheck(10**9)
    expected = engine_of(pan(1, 2), tiny).render(query, Quality.MOTION, patient).rgbx
    seen = 10**9 - patient.left
    assert seen > 4
    for checks in range(1, seen):
        engine = engine_of(pan(1, 2), tiny)
        with pytest.raises(Cancelled):
            engine.render(query, Quality.MOTION, CancelledAtCheck(checks))
        np.testing.assert_array_equal(engine.render(query, Quality.MOTION, NEVER).rgbx, expected)


def test_too_little_memory_is_a_device_error(
    engine_of: EngineOf, tiny: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scarce(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no")

    engine = engine_of(pan(1, 2), tiny)
    with monkeypatch.context() as patch:
        patch.setattr(motion_drafts, "find_motion", scarce)
        with pytest.raises(DeviceError, match="draft"):
            draft(engine, HALF, WIDE)
    assert draft(engine, HALF, WIDE).shape == (60, 96, 3)


def test_shrinking_keeps_the_mean() -> None:
    planes = torch.randint(64, 192, (1, 3, 300, 400), dtype=torch.uint8)
    for size in (Grid(200, 150), Grid(133, 71), Grid(400, 20)):
        small = shrink(planes, size)
        assert small.shape == (1, 3, size.height, size.width)
        exact = F.interpolate(planes.float(), (size.height, size.width), mode="bicubic", antialias=True)
        assert abs((small - exact.clamp(0, 255)).mean()) < 0.05
        assert (small - exact.clamp(0, 255)).abs().max() <= 2
    assert shrink(planes, Grid(400, 300)) is planes


def test_a_video_and_its_pairs_draw_them(tiny: LoadedModel) -> None:
    frames = pan(1, 3)
    with videoinr.open(frames, model=tiny, device="cpu") as video:
        pair = video.encode(0)
        shown = pair.decode(t=0.5, scale=1, quality="motion")
        np.testing.assert_array_equal(shown, video.decode(0.5 * pair.times[1], scale=1, quality="motion"))
        as_tensor = pair.decode(t=0.5, scale=1, quality="motion", as_tensor=True)
        np.testing.assert_array_equal(shown, as_tensor.numpy())
        assert (shown != pair.decode(t=0.5, scale=1)).any()
        drafts = list(video.frames(scale=1, quality="motion"))
        np.testing.assert_array_equal(drafts[1], frames[1])
        with pytest.raises(UsageError, match="quality"):
            pair.decode(t=0.5, quality="best")  # type: ignore[call-overload]


def test_the_command_line_draws_them(tmp_path: Path) -> None:
    clip, out = write_clip(tmp_path / "clip.mp4", 3), tmp_path / "draft.png"
    command = ["decode", clip, "--time", "0.05", "--scale", "1", "--device", "cpu", "-o", out]
    outcome = run_here(*command, "--quality", "motion")
    assert outcome.exit_code == 0, outcome
    assert "motion draft" in outcome.stderr
    with videoinr.open(clip, device="cpu") as video:
        np.testing.assert_array_equal(_pixels(out), video.decode(0.05, scale=1, quality="motion"))
    refused = run_here(*command, "--quality", "best")
    assert refused.exit_code == 2
    assert "full or motion" in refused.stderr


def _pixels(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)


def test_a_quick_draft_of_a_fine_grid_is_warped_on_half_of_it(engine_of: EngineOf, lite: LoadedModel) -> None:
    engine = engine_of(pan(3, 2), lite)
    size = engine.opened.info.grid
    grid = Grid(4 * size.width, 4 * size.height)
    instant = Instant(0, Fraction(1, 3))
    whole = engine.motion(RegionQuery(instant, grid, grid.rect), quick=True).rgbx[..., :3].astype(float)
    part = Rect(0, 0, grid.width, grid.height - 1)  # not the whole picture: warped on the grid itself
    direct = engine.motion(RegionQuery(instant, grid, part), quick=True).rgbx[..., :3].astype(float)
    assert np.abs(whole[:-1] - direct).mean() < 0.5
    assert abs((whole[:-1] - direct).mean()) < 0.05


@pytest.mark.parametrize("grid", [Grid(1, 1), Grid(8, 1), Grid(1, 8)], ids=str)
def test_a_quick_draft_may_be_one_pixel_wide_or_high(engine_of: EngineOf, lite: LoadedModel, grid: Grid) -> None:
    engine = engine_of(pan(2, 2), lite)
    query = RegionQuery(Instant(0, Fraction(1, 3)), grid, grid.rect)
    quick, plain = engine.motion(query, quick=True), engine.motion(query)
    assert quick.rgbx.shape == (grid.height, grid.width, 4)
    assert np.abs(quick.rgbx.astype(int) - plain.rgbx).max() <= 8
