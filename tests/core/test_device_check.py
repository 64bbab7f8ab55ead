"""The self-test of a model on a device: what fails is switched off, the user is told, and the result is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import videoinr
from helpers.clips import write_clip
from helpers.command_line import run_here
from helpers.tiny_model import load_tiny_model, save_tiny_model, tiny_video_inr
from videoinr.benchmark import run
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import available_devices, pick_device, profile_for
from videoinr.evaluation.methods import open_methods
from videoinr.geometry import Grid
from videoinr.model import fast_code, kernels
from videoinr.model.config import MotionPriorConfig
from videoinr.model.encoders.path_bend import PathBend
from videoinr.model.native import build
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import LoadedModel, load_model
from videoinr.render import device_check
from videoinr.render.device_check import MOST_LEVELS, MOST_MEAN_LEVELS, deviation, settled, tell_first_use
from videoinr.render.engine import open_engine

CPU = profile_for(torch.device("cpu"))
GPU = replace(CPU, tile_side=64)
"""Stands for a GPU in tests that say so."""


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep the results in a folder of the test, and let the process compute as before afterwards."""
    folder = tmp_path / "cache"
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder))
    before = {name: os.environ.get(name) for name in (build.SWITCH, kernels.SWITCH)}
    yield folder / "self-tests"
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    build.made.cache_clear()
    kernels._are_on.cache_clear()


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedModel:
    return load_tiny_model(tmp_path)


def counting(monkeypatch: pytest.MonkeyPatch, *, spoils: Any = lambda: False) -> list[bool]:
    """Count the pictures of decoders, and spoil those for which ``spoils`` says so."""
    decode, made = TiledDecoder.decode, list[bool]()

    def counted(self: TiledDecoder, *args: Any, **options: Any) -> torch.Tensor:
        made.append(is_bad := spoils())
        picture = decode(self, *args, **options)
        return 255 - picture if is_bad else picture

    monkeypatch.setattr(TiledDecoder, "decode", counted)
    return made


@pytest.mark.parametrize("name", ["lite", "lite-real", "base"])
@pytest.mark.parametrize("device", available_devices())
def test_shipped_models_pass_on_the_devices_of_this_machine(name: str, device: str) -> None:
    largest, mean = deviation(load_model(name), profile_for(pick_device(device)))
    assert largest <= MOST_LEVELS / 2
    assert mean <= MOST_MEAN_LEVELS / 2


def test_a_device_that_passes_is_tested_once(
    loaded: LoadedModel, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counting(monkeypatch)
    assert settled(loaded, CPU) == (CPU, ())
    assert settled(loaded, CPU) == (CPU, ())
    assert len(made) == 1
    (kept,) = results.iterdir()
    kept.write_text('{"way": "plain", "words": ""}')  # of no version of the program
    assert settled(loaded, CPU) == (CPU, ())
    assert len(made) == 2
    monkeypatch.setattr(device_check, "_version", lambda: "9.9")
    settled(loaded, CPU)
    assert len(made) == 3, "another version is tested anew"


def test_wrong_fast_code_is_switched_off_and_told(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counting(monkeypatch, spoils=lambda: build.made().absence != "switched off")
    monkeypatch.setattr(build, "_suits_processor", lambda: False)  # Any processor has fast code, for this test.
    build.made.cache_clear()
    half = replace(CPU, half_encoder=True)
    profile, (words,) = settled(loaded, half)
    assert profile == replace(half, half_encoder=False)
    assert "The fast code for this CPU gives wrong pictures (off by 2" in words
    assert words.endswith("so slower code is used.")
    assert made == [True, False]
    assert os.environ[build.SWITCH] == "0", "the export's process decides the same"
    monkeypatch.setattr("videoinr.render.device_check.profile_for", lambda *_, **__: half)
    del os.environ[build.SWITCH]
    build.made.cache_clear()
    with open_engine(write_clip(tmp_path / "clip.mp4", 3), model=loaded, device="cpu") as engine:
        assert words in engine.opened.info.warnings
        assert not engine._profile.half_encoder


@pytest.mark.parametrize(
    ("where", "words"), [("", ""), ("decoder", "wrong pictures"), ("encoder", "the bend of a path is no number")]
)
def test_a_model_that_bends_paths_is_tested_with_a_bend_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, words: str
) -> None:
    config = tiny_video_inr().config
    assert isinstance(config.encoder, MotionPriorConfig)
    bent = VideoINR(replace(config, encoder=replace(config.encoder, bend_channels=8))).eval()
    loaded = load_model(str(save_tiny_model(tmp_path, model=bent)))
    made: list[bool] = counting(monkeypatch, spoils=lambda: where == "decoder" and len(made) == 1)
    if where == "encoder":
        monkeypatch.setattr(PathBend, "forward", lambda *_: torch.full((1, 4, 1, 1), torch.nan))
    found = device_check._fault(loaded, CPU)
    assert words in found
    assert bool(found) is bool(where)
    assert len(made) == (0 if where == "encoder" else 2)


def test_code_that_cannot_be_compiled_is_not_used(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(*args: Any) -> TiledDecoder:
        if build.made().absence != "switched off":
            raise RuntimeError("Failed to find C compiler. Please specify via CC environment variable.")
        return TiledDecoder(*args)

    monkeypatch.setattr(device_check, "decoder_for", make)
    _, words = settled(loaded, CPU)
    assert any("cannot be run (Failed to find C compiler" in each and "slower code" in each for each in words)


@pytest.mark.skipif(not build.library(), reason="needs a C compiler and AVX2")
def test_a_compiler_that_fails_is_told(loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cc").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    build.made.cache_clear()
    _, (words,) = settled(loaded, CPU)
    assert "compiling it failed" in words
    assert "slower" in words


def test_an_evaluation_and_a_benchmark_tell_the_first_use_of_a_gpu_once(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch, results: Path
) -> None:
    gpu, said = replace(CPU, device=torch.device("cuda")), list[str]()
    monkeypatch.setattr(type(gpu), "device_name", "GPU 7")
    monkeypatch.setattr(fast_code, "fast_code_name", lambda _: "kernels")
    for profile in (CPU, gpu, gpu):
        tell_first_use(loaded, profile, said.append)
    assert said == ["Preparing the kernels for GPU 7, once: this takes up to a minute."]
    for file in results.iterdir():
        file.unlink()
    monkeypatch.setattr(device_check, "deviation", lambda *_: (1.0, 0.1))
    settled(loaded, gpu)
    tell_first_use(loaded, gpu, said.append)
    assert len(said) == 1, "it was used by an engine"


def test_evaluations_and_benchmarks_say_what_is_compiled(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_check, "_about_kernels", lambda _: "Wait.")
    said, told = list[str](), list[str]()
    open_methods(models=[loaded], baselines=[], device=torch.device("cpu"), notice=said.append)
    assert said == ["Wait."]
    for name in ("measure_ceilings", "_measure_model", "measure_plain"):
        monkeypatch.setattr(run, name, lambda *_, **__: [])
    clip, other = (
        run.Footage(Path("a.mp4"), Grid(8, 8), ()),
        replace(loaded, card=replace(loaded.card, sha256="0" * 64)),
    )
    monkeypatch.setattr(run, "subject", lambda _: other)
    run.run([None], [clip], device="cpu", repeats=1, tell=told.append, quick=True)
    assert told[-2:] == ["Wait.", "Measuring tiny on a clip of 8x8 ..."]


def test_kernels_that_are_compiled_at_the_first_use_are_told_before(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu, said = replace(CPU, device=torch.device("cuda")), list[str]()
    monkeypatch.setattr(type(gpu), "device_name", "GPU 7")
    monkeypatch.setattr(fast_code, "fast_code_name", lambda _: "kernels")

    def deviates(*_: Any) -> tuple[float, float]:
        assert said == ["Preparing the kernels for GPU 7, once: this takes up to a minute."]
        return 1.0, 0.1

    monkeypatch.setattr(device_check, "deviation", deviates)
    for _ in range(2):
        assert settled(loaded, gpu, said.append) == (gpu, ())
    assert len(said) == 1, "the next start only reads the result"
    monkeypatch.setattr(fast_code, "fast_code_name", lambda _: "")
    settled(loaded, gpu, said.append)
    settled(loaded, CPU, said.append)
    assert len(said) == 1, "plain torch and a CPU compile nothing that takes long"


def test_a_python_program_and_an_export_hear_what_opening_says(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, said = write_clip(tmp_path / "clip.mp4", 3), list[str]()
    checked = device_check.checked_profile

    def with_words(loaded: LoadedModel, device: Any, memory: Any, notice: Any = None) -> Any:
        notice("Preparing.")
        return checked(loaded, device, memory)

    monkeypatch.setattr(device_check, "checked_profile", with_words)
    with videoinr.open(clip, model=loaded, device="cpu", notice=said.append):
        assert said == ["Preparing."]
    videoinr.export(clip, tmp_path / "out.mp4", model=loaded, device="cpu", scale=1, notice=said.append)
    assert said[:2] == ["Preparing."] * 2
    model = str(tmp_path / "tiny.safetensors")
    done = run_here("decode", clip, "--time", "0", "-o", tmp_path / "a.png", "--model", model, "--device", "cpu")
    assert "note: Preparing." in done.stderr


def test_a_gpu_that_is_always_wrong_is_replaced_by_the_cpu(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta = replace(CPU, device=torch.device("meta"))
    monkeypatch.setattr(type(meta), "device_name", "GPU 7")
    tested = list[str]()

    def deviates(_: LoadedModel, profile: Any) -> tuple[float, float]:
        tested.append(profile.device.type)
        return (80.0, 30.0) if profile.device.type == "meta" else (1.0, 0.1)

    monkeypatch.setattr(device_check, "deviation", deviates)
    for _ in range(2):
        profile, words = settled(loaded, meta)
        assert profile.device.type == "cpu"
        assert words[0].startswith("GPU 7 gives wrong pictures (off by 80 of 255 levels) with the model tiny")
        assert words[0].endswith("so the CPU is used.")
    assert tested == ["meta", "meta", "cpu"]


@pytest.mark.parametrize("reason", ["CUDA error: an illegal memory access was encountered", "CUDA out of memory"])
def test_a_failure_of_the_moment_is_not_remembered(
    loaded: LoadedModel, results: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    meta = replace(CPU, device=torch.device("meta"))
    monkeypatch.setattr(type(meta), "device_name", "GPU 7")
    kind = torch.OutOfMemoryError if "out of memory" in reason else RuntimeError

    def fails(_: LoadedModel, profile: Any) -> tuple[float, float]:
        if profile.device.type == "cpu":
            return 0.0, 0.0
        raise kind(reason)

    monkeypatch.setattr(device_check, "deviation", fails)
    profile, words = settled(loaded, meta)
    is_lost = kind is RuntimeError
    assert profile.device.type == ("cpu" if is_lost else "meta")
    assert any("GPU 7 does not work" in each for each in words) is is_lost
    assert len(list(results.glob("*"))) == is_lost, "only the CPU's result is kept"


def test_a_card_without_a_picture_is_not_tested(loaded: LoadedModel, results: Path) -> None:
    card = replace(loaded.card, self_test="")
    assert settled(LoadedModel(loaded.model, card), CPU) == (CPU, ())
    assert not results.exists()


def test_results_that_cannot_be_kept_are_made_anew(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("no folder")
    made = counting(monkeypatch)
    for count in (1, 2):
        assert settled(loaded, CPU) == (CPU, ())
        assert len(made) == count


def test_switched_off_kernels_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels.switch_off()
    assert fast_code.fast_code_name(torch.device("cuda")) == ""
    assert "switched off" in fast_code.fast_code_absence(torch.device("cuda"))
