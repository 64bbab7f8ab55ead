"""The public face: the same pixels as the command line and the engine, documented shapes, errors in words."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import videoinr
from helpers.clips import write_clip
from helpers.command_line import run_here
from helpers.released_models import small_released_model
from helpers.tiny_model import load_tiny_model, save_tiny_model
from videoinr.cancel import NEVER
from videoinr.clip import open_clip
from videoinr.decode.flow import decode_flow
from videoinr.errors import Cancelled, ExportError, ModelError, UsageError
from videoinr.geometry import Grid, Rect
from videoinr.model.features import PairFeatures
from videoinr.model.points import Points
from videoinr.model.released.lattice import TRAINED_SCALE

FRAMES, FPS = 5, 25
"""Of the clip: 64 x 48 pixels, 0.2 s."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("face")
    write_clip(folder / "clip.mp4", FRAMES)
    save_tiny_model(folder)
    return folder


@pytest.fixture(scope="module")
def video(folder: Path) -> Iterator[videoinr.Video]:
    with videoinr.open(folder / "clip.mp4", model=folder / "tiny.safetensors", device="cpu") as opened:
        yield opened


def picture(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)


# ---- pictures ----


def test_a_region_equals_the_crop_of_the_whole_picture(video: videoinr.Video) -> None:
    whole = video.decode(0.05, scale=3.5)
    assert whole.shape == (168, 224, 3)
    assert whole.dtype == np.uint8
    assert whole.flags.c_contiguous
    region = video.decode(0.05, scale=3.5, region=(100, 30, 71, 64))
    np.testing.assert_array_equal(region, whole[30:94, 100:171])


@pytest.mark.parametrize(
    ("time", "scale", "options"), [(0.05, 4, []), (Fraction(1, 30), Fraction(5, 2), ["--region", "10,20,40,30"])]
)
def test_it_decodes_the_pixels_of_the_command_line(
    video: videoinr.Video, folder: Path, tmp_path: Path, time: float, scale: float, options: list[str]
) -> None:
    out = tmp_path / "out.png"
    model = ["--model", folder / "tiny.safetensors", "--device", "cpu"]
    outcome = run_here("decode", folder / "clip.mp4", "--time", time, "--scale", scale, *options, *model, "-o", out)
    assert outcome.exit_code == 0, outcome
    region = (10, 20, 40, 30) if options else None
    np.testing.assert_array_equal(video.decode(time, scale=scale, region=region), picture(out))


@pytest.mark.parametrize("time", [0.1, Fraction(1, 10), np.float64(0.1)])
def test_a_float_means_the_decimal_that_it_prints(video: videoinr.Video, time: float) -> None:
    # 0.1 s lies in the middle of pair 2; the float's exact value lies 5.6e-18 s later.
    assert video.query(time).instant.phase == Fraction(1, 2)


def test_scale_size_and_values_of_the_engine_name_the_same_grid(video: videoinr.Video) -> None:
    default = video.query(0)
    assert default.grid == Grid(256, 192)
    assert default.rect == default.grid.rect
    for options in ({"scale": 4}, {"scale": 4.0}, {"size": (256, 192)}, {"size": Grid(256, 192)}):
        assert video.query(0, **options) == default
    assert video.query(0, region=(1, 2, 3, 4)) == video.query(0, region=Rect(1, 2, 3, 4))


def test_a_pair_decodes_what_the_video_decodes_at_its_times(video: videoinr.Video) -> None:
    pair = video.encode(2)
    assert pair.index == 2
    assert pair.times == (Fraction(2, FPS), Fraction(3, FPS))
    np.testing.assert_array_equal(pair.decode(0.25, scale=2), video.decode(0.09, scale=2))
    np.testing.assert_array_equal(pair.decode(0), video.decode(0.08))


def test_a_tensor_has_the_pixels_of_the_array_and_is_an_ordinary_one(video: videoinr.Video) -> None:
    tensor = video.decode(0.05, region=(3, 4, 50, 60), as_tensor=True)
    assert tensor.dtype == torch.uint8
    assert tensor.device.type == "cpu"
    assert not tensor.is_inference()
    np.testing.assert_array_equal(tensor.numpy(), video.decode(0.05, region=(3, 4, 50, 60)))
    pair = video.encode(1)
    assert torch.equal(pair.decode(0.25, region=(3, 4, 50, 60), as_tensor=True), tensor)


@pytest.mark.parametrize("form", ["array", "list", "tensor", "16 bits"])
def test_frames_in_memory_are_a_clip(folder: Path, video: videoinr.Video, form: str) -> None:
    with open_clip(folder / "clip.mp4") as clip:
        frames: Any = np.stack([clip.frame(index) for index in range(FRAMES)])
    forms: dict[str, Callable[[Any], Any]] = {
        "list": list,
        "tensor": torch.from_numpy,
        "16 bits": lambda frames: frames.astype(np.uint16) * 257,
    }
    frames = forms.get(form, np.asarray)(frames)
    with videoinr.open(frames, model=folder / "tiny.safetensors", device="cpu", picture_fps=FPS) as opened:
        assert repr(opened.encode(3)) == "<videoinr.Pair 3 of <videoinr.Video 'frames': 64x48, 5 frames, tiny>>"
        assert opened.info.frames == FRAMES
        assert opened.info.duration_secs == Fraction(FRAMES, FPS)
        np.testing.assert_array_equal(opened.decode(0.05), video.decode(0.05))
        pair = opened.encode(0)
    with pytest.raises(UsageError, match="closed"):
        pair.decode(0)


def test_frames_in_memory_can_be_exported(folder: Path, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 3), np.uint8)
    out = videoinr.export(frames, tmp_path / "out.mkv", codec="ffv1", model=folder / "tiny.safetensors", device="cpu")
    with av.open(str(out)) as container:
        assert [(frame.width, frame.height) for frame in container.decode(video=0)] == 3 * [(60, 40)]


@pytest.mark.parametrize(
    "frames", [np.zeros((3, 20, 30), np.uint8), np.zeros((3, 20, 30, 4), np.uint8), np.zeros((3, 20, 30, 3)),
               np.zeros((0, 20, 30, 3), np.uint8), torch.zeros(3, 3, 20, 30, dtype=torch.uint8)],
)  # fmt: skip
def test_frames_of_another_shape_or_type_are_refused(frames: Any) -> None:
    with pytest.raises(UsageError, match="not a clip"):
        videoinr.open(frames)
    with pytest.raises(UsageError, match="0 frames per second"):
        videoinr.open(np.zeros((1, 2, 2, 3), np.uint8), picture_fps=0)


# ---- features and flow ----


def test_features_have_the_documented_shapes(video: videoinr.Video) -> None:
    features = video.encode(1).features
    assert isinstance(features, PairFeatures)
    assert features.frames.shape == (1, 2, 3, 48, 64)
    assert features.prior.shape == (1, 48, 64, 4)
    assert features.latent_hw == (48, 64)
    assert features.spatial.shape[:3] == (1, 48, 64)


def test_flow_leads_from_the_instant_to_both_frames(tmp_path: Path) -> None:
    shift = 3  # pixels to the right from one frame to the next
    rng = np.random.default_rng(0)
    noise = rng.uniform(0, 255, (60, 100 + shift, 3))
    for _ in range(4):  # smooth, so that a search finds it
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, (1, 1), (0, 1))) / 4
    drawn = np.clip((noise - noise.mean()) * 3 + 128, 0, 255).astype(np.uint8)
    write_clip(tmp_path / "moving.mkv", [drawn[:, shift:], drawn[:, :-shift]], codec="ffv1")
    with videoinr.open(tmp_path / "moving.mkv", model="lite", device="cpu") as moving:
        flow = moving.encode(0).flow(0.25)
        as_tensor = moving.encode(0).flow(0.25, as_tensor=True)
    assert flow.shape == (2, 60, 100, 2)
    assert flow.dtype == np.float32
    (x_first, y_first), (x_second, y_second) = np.median(flow[:, 10:-10, 10:-10], axis=(1, 2))
    assert x_first == pytest.approx(-0.25 * shift, abs=0.3)
    assert x_second == pytest.approx(0.75 * shift, abs=0.3)
    assert abs(y_first) < 0.2
    assert abs(y_second) < 0.2
    np.testing.assert_array_equal(as_tensor.numpy(), flow)


def test_flow_is_the_motion_that_the_picture_is_decoded_with(video: videoinr.Video) -> None:
    engine = video._access._engine
    assert engine is not None
    features = video.encode(1).features
    grid = Grid(64, 48)
    with torch.inference_mode():
        moment = features.at(grid, torch.full((1, 1, 1, 1), 0.25))
        points = Points.make(grid.rect, grid, latent_hw=(48, 64), device=torch.device("cpu"))
        expected = moment.motion(moment.motion_basis(points, moment.spatial_feature(points)))
    flow = video.encode(1).flow(Fraction(1, 4))
    np.testing.assert_allclose(flow[0], expected[0, ..., :2].numpy(), atol=1e-5)
    np.testing.assert_allclose(flow[1], expected[0, ..., 2:].numpy(), atol=1e-5)


@pytest.mark.parametrize("corrected", [True, False])
def test_flow_of_a_released_model_is_counted_in_latent_pixels(corrected: bool) -> None:
    model = small_released_model(corrected=corrected)
    torch.manual_seed(1)
    with torch.inference_mode():
        features = model.encode(torch.rand(1, 2, 3, 16, 24))
        moment = features.at(Grid(24, 16), torch.full((1, 1, 1, 1), 0.25))
        points = moment.points(Rect(0, 0, 24, 16))
        answer = model.motion(moment, points, model.spatial_feature(moment, points))[0]
    flow = torch.cat(tuple(decode_flow(features, 0.25, NEVER)), -1)
    if corrected:
        torch.testing.assert_close(flow, answer / TRAINED_SCALE, atol=1e-4, rtol=0)
    else:  # its lattice is off by up to half a pixel, which belongs to what it reads
        size = torch.tensor([24.0, 16.0, 24.0, 16.0])
        assert (flow - answer * size / (size - 1)).abs().max() <= 0.5 + 1e-4


# ---- frames and export ----


def test_frames_are_those_that_export_writes(video: videoinr.Video, folder: Path, tmp_path: Path) -> None:
    told: list[int] = []
    out = videoinr.export(
        folder / "clip.mp4", tmp_path / "out.mkv", start=0.04, end=0.12, fps=50, speed=0.5, scale=1.5,
        region=(10, 8, 40, 32), codec="ffv1", model=folder / "tiny.safetensors", device="cpu",
        progress=lambda progress: told.append(progress.done),
    )  # fmt: skip
    assert out == tmp_path / "out.mkv"
    frames = list(video.frames(fps=50, start=0.04, end=0.12, speed=0.5, scale=1.5, region=(10, 8, 40, 32)))
    assert len(frames) == 8
    assert told == list(range(9))
    with av.open(str(out)) as container:
        assert container.streams.video[0].average_rate == 50
        written = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    np.testing.assert_array_equal(np.stack(written), np.stack(frames))
    for index, frame in enumerate(frames):
        time = Fraction(1, 25) + index * Fraction(1, 100)
        np.testing.assert_array_equal(frame, video.decode(time, scale=1.5, region=(10, 8, 40, 32)))


def test_frames_by_default_are_the_whole_clip_at_x2(video: videoinr.Video) -> None:
    frames = list(video.frames(as_tensor=True))
    assert [tuple(frame.shape) for frame in frames] == FRAMES * [(96, 128, 3)]


def test_an_export_keeps_what_is_there_unless_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"mine")
    with pytest.raises(ExportError):
        videoinr.export(folder / "clip.mp4", tmp_path / "out.mp4", model=folder / "tiny.safetensors")
    assert (tmp_path / "out.mp4").read_bytes() == b"mine"


# ---- models ----


def test_a_loaded_model_can_be_handed_in(folder: Path, video: videoinr.Video) -> None:
    loaded = videoinr.load_model(folder / "tiny.safetensors")
    assert loaded.card.name == "tiny"
    with videoinr.open(folder / "clip.mp4", model=loaded, device="cpu") as opened:
        assert opened.model_name == "tiny"
        np.testing.assert_array_equal(opened.decode(0.05), video.decode(0.05))
    with pytest.raises(ModelError, match="nobody"):
        videoinr.load_model("nobody")


def test_evaluate_gives_the_figures_of_the_command(folder: Path, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    write_clip(clips / "one.mp4", FRAMES)
    options = ["--scale", "2", "--time-scale", "2", "--model", folder / "tiny.safetensors", "--device", "cpu", "--json"]
    outcome = run_here("evaluate", "--data", clips, *options)
    assert outcome.exit_code == 0, outcome
    lines: list[str] = []
    found = videoinr.evaluate(
        clips, models=[load_tiny_model(tmp_path)], baselines=["bicubic-blend"], scale=2, time_scale=2, device="cpu",
        methods={"mine": lambda low, grid, times: [torch.full((3, grid.height, grid.width), 0.5) for _ in times]},
        notice=lines.append,
    )  # fmt: skip
    assert found.clips == ["one.mp4"]
    assert lines
    text = json.dumps(json.loads(outcome.stdout))
    for name in ("tiny", "bicubic-blend"):
        assert str(found.summary(name).average.psnr_db) in text
    assert 5 < found.summary("mine").average.psnr_db < 30


def test_evaluate_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No method"):
        videoinr.evaluate(tmp_path)
    for options in ({"scale": 0.5}, {"time_scale": 0}, {"time_scale": 2.5}):
        with pytest.raises(UsageError, match="cannot be evaluated"):
            videoinr.evaluate(tmp_path, baselines=["nearest"], **options)
    with pytest.raises(UsageError, match="no channel"):
        videoinr.evaluate(tmp_path, baselines=["nearest"], channel="z")  # type: ignore[arg-type]


# ---- errors, threads, closing ----


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda video: video.decode(-0.01), "outside the clip"),
        (lambda video: video.decode(0.21), "outside the clip"),
        (lambda video: video.decode("soon"), "not a time"),
        (lambda video: video.decode(float("nan")), "not a number"),
        (lambda video: video.decode(float("inf")), "not a number"),
        (lambda video: video.decode(0, scale=33), "scale"),
        (lambda video: video.decode(0, scale=0), "scale"),
        (lambda video: video.decode(0, scale=2, size=(64, 48)), "Both"),
        (lambda video: video.decode(0, size=(64,)), "not a size"),
        (lambda video: video.decode(0, size=(64.5, 48)), "not a size"),
        (lambda video: video.decode(0, region=(0, 0, 257, 1)), "leave the picture"),
        (lambda video: video.decode(0, region=(-1, 0, 5, 5)), "leave the picture"),
        (lambda video: video.decode(0, region=(0, 0, 0, 5)), "not a region"),
        (lambda video: video.decode(0, region="all"), "not a region"),
        (lambda video: video.encode(4), "no pair 4"),
        (lambda video: video.encode(-1), "no pair -1"),
        (lambda video: video.encode(1.5), "not a whole number"),
        (lambda video: video.encode(0).decode(1.01), "outside the pair"),
        (lambda video: video.encode(0).flow(-0.5), "outside the pair"),
        (lambda video: video.frames(fps=0), "not above 0"),
        (lambda video: video.frames(speed=-1), "not above 0"),
        (lambda video: video.frames(start=0.1, end=0.1), "empty"),
        (lambda video: video.frames(end=0.3), "outside the clip"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_a_hint(
    video: videoinr.Video, ask: Callable[[videoinr.Video], object], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        ask(video)
    assert caught.value.hint


def test_nothing_can_be_used_after_close(folder: Path) -> None:
    video = videoinr.open(folder / "clip.mp4", model=folder / "tiny.safetensors", device="cpu")
    pair, frames = video.encode(0), video.frames(scale=1)
    next(frames)
    video.close()
    video.close()
    uses: list[Callable[[], object]] = [
        lambda: video.decode(0),
        lambda: video.encode(0),
        lambda: video.frames(),
        lambda: next(frames),
        lambda: pair.decode(0.5),
        lambda: pair.decode(0.5, as_tensor=True),
        lambda: pair.flow(0.5),
        lambda: pair.features,
    ]
    for use in uses:
        with pytest.raises(UsageError, match="closed"):
            use()


def test_a_cancelled_token_ends_the_work(video: videoinr.Video) -> None:
    cancel = videoinr.CancelToken()
    cancel.cancel()
    for work in (
        lambda: video.decode(0.05, cancel=cancel),
        lambda: video.encode(1).flow(0.5, cancel=cancel),
        lambda: next(video.frames(cancel=cancel)),
    ):
        with pytest.raises(Cancelled):
            work()


def test_threads_may_share_a_video(video: videoinr.Video) -> None:
    expected = [video.decode(Fraction(step, 50), scale=1) for step in range(8)]
    found: dict[int, NDArray[np.uint8]] = {}
    threads = [
        threading.Thread(target=lambda step=step: found.update({step: video.decode(Fraction(step, 50), scale=1)}))
        for step in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for step in range(8):
        np.testing.assert_array_equal(found[step], expected[step])


def test_memory_bounds_the_cache_and_changes_no_pixel(folder: Path, video: videoinr.Video) -> None:
    with videoinr.open(folder / "clip.mp4", model=folder / "tiny.safetensors", device="cpu", memory=0) as small:
        first, second = small.encode(0), small.encode(1)
        assert small._access._engine is not None
        assert not small._access._engine.is_encoded(0)
        assert small._access._engine.is_encoded(1)
        np.testing.assert_array_equal(first.decode(0.5), video.decode(0.02))
        np.testing.assert_array_equal(second.decode(0.5), video.decode(0.06))
    with pytest.raises(UsageError, match="makes no sense"):
        videoinr.open(folder / "clip.mp4", memory=-1, device="cpu")
