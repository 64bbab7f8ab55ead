"""What people hand to the public functions by mistake: each is refused in words, and nothing is left behind."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import videoinr
from helpers.clips import numbered_frames, write_clip, write_picture
from helpers.tiny_model import load_tiny_model, save_tiny_model
from videoinr.devices import profile_for
from videoinr.errors import UsageError, VideoInrError
from videoinr.evaluation.methods import BUILT_IN
from videoinr.render.arguments import exact

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 3), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mistakes")
    write_clip(folder / "clip.mp4", 5)
    save_tiny_model(folder)
    return folder


@pytest.fixture(scope="module")
def video(folder: Path) -> Iterator[videoinr.Video]:
    with opened(folder) as video:
        yield video


def opened(folder: Path, clip: Any = None, **options: Any) -> videoinr.Video:
    clip = folder / "clip.mp4" if clip is None else clip
    return videoinr.open(clip, **{"model": folder / "tiny.safetensors", "device": "cpu", **options})


def refused(work: Callable[[], object], words: str) -> None:
    with pytest.raises(VideoInrError, match=words) as caught:
        work()
    assert caught.value.hint
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("memory", ["2G", 1.5, float("nan"), [1]], "memory = .* is not a whole number"),
        ("stream", ["0", 1.5, float("inf")], "stream = .* is not a whole number"),
        ("device", [3, b"cpu", ["cpu"]], "device = .* is no device"),
        ("background", [None, 3], "background = .* is not a text"),
        ("deinterlace", [None, True], "deinterlace = .* is not a text"),
        ("cuts", [None, [1], 5], "cuts = .* is not a text"),
        ("across_cuts", [None, 3], "across_cuts = .* is not a text"),
        ("picture_fps", [None, "abc", [24], 10**400, float("inf")], "picture_fps"),
        ("model", [3, "", b"lite", ["lite"], torch.nn.Linear(1, 1)], "is not a model"),
    ],
)
def test_options_of_open_of_another_type(folder: Path, name: str, values: list[Any], words: str) -> None:
    for value in values:
        refused(partial(opened, folder, **{name: value}), words)


def test_a_whole_float_is_a_whole_number(folder: Path) -> None:
    with opened(folder, memory=2e8, stream=np.int64(0)) as video:
        assert video.encode(np.float64(2)).index == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "clip",
    [3, object(), {}, (frame for frame in FRAMES), [FRAMES[0], FRAMES[1, :5]], torch.zeros(2, 8, 8, 3).bfloat16(),
     b"clip.mp4", [FRAMES, None], io.BufferedReader(io.BytesIO(b"clip"))],
)  # fmt: skip
def test_what_is_no_clip(folder: Path, clip: Any) -> None:
    refused(lambda: opened(folder, clip), "is not a clip")


@pytest.mark.parametrize("clip", ["", Path()])
def test_a_name_that_is_no_clip(folder: Path, clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(VideoInrError):
        opened(folder, clip)


@pytest.mark.parametrize(
    "form",
    [lambda frames: list(map(torch.from_numpy, frames)), lambda frames: tuple(frames),
     lambda frames: np.flip(np.flip(frames, -1).copy(), -1), lambda frames: np.flip(frames[:, ::-1].copy(), 1),
     np.asfortranarray, lambda frames: np.broadcast_to(frames[None], (1, *frames.shape))[0]],
)  # fmt: skip
def test_frames_of_every_layout_are_the_same_clip(folder: Path, form: Callable[[Any], Any]) -> None:
    with opened(folder, form(FRAMES)) as video, opened(folder, FRAMES) as plain:
        np.testing.assert_array_equal(video.decode(0.02, scale=2), plain.decode(0.02, scale=2))
        np.testing.assert_array_equal(video.decode(0.02, quality="motion"), plain.decode(0.02, quality="motion"))


def test_frames_of_the_other_byte_order_are_the_same_clip(folder: Path) -> None:
    deep = FRAMES.astype(np.uint16) * 257
    with opened(folder, deep.astype(">u2")) as video, opened(folder, deep.astype("<u2")) as plain:
        np.testing.assert_array_equal(video.decode(0.02, scale=2), plain.decode(0.02, scale=2))


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda video: video.decode(10**400), "too large"),
        (lambda video: video.decode(0, size=(float("inf"), 4)), "not a size"),
        (lambda video: video.decode(0, region=(0, float("inf"), 4, 4)), "not a region"),
        (lambda video: video.decode(0, size=(10**30, 10**30)), "out of range"),
        (lambda video: video.decode(0, quality=None), "not a text"),
        (lambda video: video.decode(0, retime=3), "no curve"),
        (lambda video: video.decode(0, retime=""), "no retime curve"),
        (lambda video: video.decode(0, camera=3), "no path"),
        (lambda video: video.decode(0, camera=[]), "no camera path"),
        (lambda video: video.encode("0"), "not a whole number"),
        (lambda video: video.encode(None), "not a whole number"),
        (lambda video: video.frames(quality=3), "not a text"),
        (lambda video: video.decode(0, as_tensor="no"), "neither True nor False"),
        (lambda video: video.frames(as_tensor="no"), "neither True nor False"),
        (lambda video: video.encode(0).flow(0, as_tensor=1), "neither True nor False"),
        (lambda video: video.encode(0, cancel=None), "is no token"),
        (lambda video: video.decode(0, cancel=videoinr.CancelToken), "is no token"),
        (lambda video: video.frames(cancel=None), "is no token"),
        (lambda video: video.encode(0).flow(0, cancel=True), "is no token"),
        (lambda video: video.encode(0).failure(cancel=True), "is no token"),
    ],
)
def test_arguments_of_another_type(video: videoinr.Video, ask: Callable[[videoinr.Video], object], words: str) -> None:
    refused(lambda: ask(video), words)


@pytest.mark.parametrize("send", [pickle.dumps, copy.deepcopy, copy.copy], ids=["sent", "copied", "shallow"])
def test_an_open_video_is_neither_sent_nor_copied(video: videoinr.Video, send: Callable[[Any], object]) -> None:
    refused(lambda: send(video), "open video can be neither")
    if send is not copy.copy:  # A second name of the same pair of the same video does no harm.
        refused(lambda: send(video.encode(0)), "open video can be neither")


@pytest.mark.parametrize("value", [0, None, 2])
def test_a_misspelt_argument_is_not_overlooked(video: videoinr.Video, folder: Path, tmp_path: Path, value: Any) -> None:
    with pytest.raises(TypeError, match=r"decode\(\) got an unexpected keyword argument 'scal'"):
        video.decode(0.02, scal=value)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"estimate\(\) got an unexpected keyword argument 'scal'"):
        videoinr.estimate(folder / "clip.mp4", tmp_path / "out.mkv", scal=value)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"codec": 3}, "not a text"),
        ({"crf": "18"}, "not a whole number"),
        ({"crf": 18.5}, "not a whole number"),
        ({"part": 2}, "not a text"),
        ({"retime": 3}, "no curve"),
        ({"camera": 3}, "no path"),
        ({"sample_at": 1}, "no length"),
        ({"fps": 1e-9}, "such as 1/1001|too many digits"),
        ({"part": "1/9"}, "has 5 frames, in 1 part of at most 6 frames"),
        ({"sound": None}, "no way"),
        ({"overwrite": "no"}, "neither True nor False"),
        ({"keep_partial": None}, "neither True nor False"),
        ({"resume": "no"}, "neither True nor False"),
        ({"progress": 3}, "is no function"),
        ({"notice": "print"}, "is no function"),
        ({"report": 3}, "is no function"),
        ({"cancel": None}, "is no token"),
    ],
)
def test_exports_of_arguments_of_another_type(folder: Path, tmp_path: Path, options: Any, words: str) -> None:
    options = {"model": folder / "tiny.safetensors", "device": "cpu", **options}
    refused(lambda: videoinr.export(folder / "clip.mp4", tmp_path / "out.mkv", **options), words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("out", [None, 3, b"out.mkv", ""])
def test_an_output_that_is_no_path(folder: Path, out: Any) -> None:
    refused(lambda: videoinr.export(folder / "clip.mp4", out, model=folder / "tiny.safetensors"), "is not a path")


def test_a_rate_close_to_zero_has_a_hint_that_is_a_rate(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        videoinr.export(
            folder / "clip.mp4", tmp_path / "out.mkv", fps=Fraction(1, 10**9), model=folder / "tiny.safetensors"
        )
    assert "such as 1/1001" in caught.value.hint


def test_more_memory_than_there_is_means_all_of_it(folder: Path) -> None:
    device = torch.device("cpu")
    most = profile_for(device, memory_bytes=1 << 45)
    assert most == profile_for(device, memory_bytes=10**30)
    assert most.feature_bytes > profile_for(device, memory_bytes=1 << 28).feature_bytes
    with opened(folder, memory=1 << 45) as video:
        assert video.decode(0.02, scale=1).shape == (48, 64, 3)


@pytest.mark.parametrize(
    "number", [np.float32(0.1), np.float16(0.1), np.float64(0.1), np.array(0.1, np.float32), torch.tensor(0.1)]
)
def test_a_float_of_any_type_is_the_decimal_that_it_prints(number: Any) -> None:
    assert exact(number, "time") == Fraction(1, 10)


def test_a_traceback_shows_the_hint_in_the_words_of_python(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out.mkv").touch()
    with pytest.raises(VideoInrError) as caught:
        videoinr.export(folder / "clip.mp4", tmp_path / "out.mkv", model=folder / "tiny.safetensors")
    assert caught.value.hint.endswith("with --overwrite.")
    assert caught.value.__notes__ == ["Give another name, or replace it with overwrite."]


def test_a_model_that_is_not_in_float32_any_more(folder: Path) -> None:
    model = load_tiny_model(folder)
    model.model.half()
    refused(lambda: opened(folder, model=model), "is in float16")


def test_another_default_type_of_torch_is_named(folder: Path, video: videoinr.Video) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        for ask in (lambda: opened(folder), lambda: video.decode(0), lambda: videoinr.load_model("lite")):
            refused(ask, "default type of torch is float64")
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("settings", [torch.device("meta"), torch.autocast("cpu", torch.bfloat16)], ids=["meta", "amp"])
def test_settings_of_torch_around_a_call_change_no_picture(
    folder: Path, video: videoinr.Video, settings: Any, tmp_path: Path
) -> None:
    plain, flow = video.decode(0.05, scale=1), video.encode(1).flow(0.5)
    with settings, opened(folder) as other:
        np.testing.assert_array_equal(other.decode(0.05, scale=1), plain)
        np.testing.assert_array_equal(other.encode(1).flow(0.5), flow)
        videoinr.export(FRAMES[:1], tmp_path / "out", model=folder / "tiny.safetensors", scale=1)


@pytest.mark.parametrize("kind", ["video", "folder", "pattern"])
def test_a_clip_is_read_on_from_another_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    write_clip(tmp_path / "clip.mkv", 5)
    (tmp_path / "pictures").mkdir()
    for index, frame in enumerate(numbered_frames(3)):
        write_picture(tmp_path / "pictures" / f"{index}.png", frame)
    monkeypatch.chdir(tmp_path)
    with opened(folder, {"video": "clip.mkv", "folder": "pictures", "pattern": "pictures/*.png"}[kind]) as video:
        monkeypatch.chdir(folder)
        video.decode(0.05, scale=1)
        assert video._access._engine is not None
        video._access._engine.clip.check_source()


# ---- evaluate ----


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    write_clip(folder / "one.mp4", 5)
    return folder


def grey(low: Any, grid: Any, times: Any) -> list[torch.Tensor]:
    return [torch.full((3, grid.height, grid.width), 0.5) for _ in times]


def evaluated(clips: Path, **options: Any) -> Any:
    return videoinr.evaluate(clips, **{"scale": 2, "time_scale": 2, "device": "cpu", **options})


def test_a_single_name_is_a_list_of_it(clips: Path, folder: Path, tmp_path: Path) -> None:
    names = {
        score.method
        for options in (
            {"baselines": "nearest"}, {"models": folder / "tiny.safetensors"}, {"models": load_tiny_model(tmp_path)},
        )
        for score in evaluated(clips, **options).scores
    }  # fmt: skip
    assert names == {"nearest", "tiny"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda made: None, "1 pictures for 2 times|a NoneType"),
        (lambda made: [], "0 pictures for 2 times"),
        (lambda made: made * 2, "4 pictures for 2 times"),
        (lambda made: [each.numpy() for each in made], "a ndarray instead of a tensor"),
        (lambda made: [each[:1] for each in made], r"shape \[1, 48, 64\]"),
        (lambda made: [each[:, :4] for each in made], r"shape \[3, 4, 64\]"),
        (lambda made: [each.byte() for each in made], "type uint8"),
        (lambda made: [each * float("nan") for each in made], "no numbers"),
    ],
)
def test_what_a_method_of_ones_own_returns_is_checked(
    clips: Path, answer: Callable[[list[torch.Tensor]], Any], words: str
) -> None:
    refused(lambda: evaluated(clips, methods={"mine": lambda *asked: answer(grey(*asked))}), words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"methods": {"nearest": grey}, "baselines": ["nearest"]}, "two methods 'nearest'"),
        ({"methods": [grey]}, "no functions by their names"),
        ({"methods": {"mine": 3}}, "no functions by their names"),
        ({"models": 3}, "is not a model"),
        ({"models": [3]}, "is not a model"),
        ({"baselines": [3]}, "not a text"),
        ({"methods": {"mine": grey}, "scale": 1e6}, "cannot be evaluated"),
        ({"methods": {"mine": grey}, "journal": 3}, "is not a path"),
        ({"methods": {"mine": grey}, "device": 3}, "is no device"),
        ({"methods": {"mine": grey}, "flicker": "no"}, "neither True nor False"),
        ({"methods": {"mine": grey}, "lpips": 1.5}, "neither True nor False"),
        ({"methods": {"mine": grey}, "neighbours": "off"}, "neither True nor False"),
        ({"methods": {"mine": grey}, "notice": 3}, "is no function"),
    ],
)
def test_evaluations_that_make_no_sense(clips: Path, options: Any, words: str) -> None:
    refused(lambda: evaluated(clips, **options), words)


def test_autocast_around_an_evaluation_reaches_methods_of_ones_own_alone(
    clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    types: dict[str, torch.dtype] = {}

    def noting(name: str) -> Callable[..., list[torch.Tensor]]:
        def restore(low: Any, grid: Any, times: Any) -> list[torch.Tensor]:
            types[name] = (low[0, 0, :2, :2] @ low[0, 0, :2, :2]).dtype
            return grey(low, grid, times)

        return restore

    monkeypatch.setitem(BUILT_IN, "nearest", noting("built in"))
    with torch.autocast("cpu", torch.bfloat16):
        evaluated(clips, methods={"mine": noting("mine")}, baselines=["nearest"])
    assert types == {"mine": torch.bfloat16, "built in": torch.float32}


def test_a_folder_that_is_no_path() -> None:
    refused(lambda: videoinr.evaluate(None, methods={"mine": grey}), "is not a path")  # type: ignore[arg-type]
