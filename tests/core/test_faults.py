"""Faults of the machine: ARCHITECTURE's table names a test for each; those that belong to no other file are here."""

from __future__ import annotations

import ast
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.clips import ClipRecipe, write_clip
from helpers.loop_under_test import LoopUnderTest, whole
from helpers.slow_renderer import Pace, SlowRenderer
from helpers.tables import ROOT, faults_of, rows
from helpers.tiny_model import load_tiny_model
from videoinr.cancel import CancelToken
from videoinr.clip import open_clip
from videoinr.decode.pair_encoder import PairEncoder
from videoinr.devices import ComputeProfile, computing_on, is_lost
from videoinr.errors import ClipError, DeviceError, DeviceLostError, is_out_of_memory
from videoinr.exporting.export import export_job
from videoinr.exporting.job import job_for
from videoinr.geometry import Grid
from videoinr.model.representation import Features
from videoinr.playing import picture_folder
from videoinr.render.engine import Engine
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion

PROFILE = ComputeProfile(torch.device("cpu"), tile_side=32, feature_bytes=2**20, tile_bytes=2**20)
QUERY = RegionQuery(Instant(1, Fraction(1, 3)), Grid(90, 70), Grid(90, 70).rect)
LOST = RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors might be reported later")


def test_each_fault_of_the_table_names_tests_that_exist() -> None:
    table = rows("ARCHITECTURE.md", "Faults")
    assert len(table) >= 12
    assert [fault for row in table for fault in faults_of(row)] == []


# ---- a device that stops working ----


def test_errors_of_a_lost_device_are_told_from_a_lack_of_memory() -> None:
    lost = [LOST, RuntimeError("Triton Error [CUDA]: an illegal memory access"), RuntimeError("CUDNN_STATUS_BAD")]
    assert [is_lost(each) for each in lost] == [True] * 3
    assert not any(is_out_of_memory(each) for each in lost)
    short = [RuntimeError("CUDA error: out of memory"), RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling")]
    assert all(is_out_of_memory(each) and not is_lost(each) for each in short)
    assert not is_lost(RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"), computing_on(torch.device("cpu"), "GPU"):
        raise RuntimeError("shapes differ")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    clip = open_clip(write_clip(tmp_path / "clip.mp4", 4))
    with Engine(clip, load_tiny_model(tmp_path), PROFILE) as engine:
        yield engine


@pytest.mark.parametrize("where", ["encode", "decode"])
def test_a_lost_device_is_named_and_the_clip_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def lose(*_: object, **__: object) -> None:
        raise LOST

    expected = engine.render(QUERY).rgbx
    with monkeypatch.context() as broken:
        if where == "encode":
            engine._pairs.clear()
            broken.setattr(PairEncoder, "encode", lose)
        else:
            broken.setattr(engine._decoder, "decode", lose)
        with pytest.raises(DeviceLostError, match=r"^CPU, .* stopped working \(CUDA error: unspecified") as caught:
            engine.render(QUERY)
        assert "--device cpu" in caught.value.hint
        assert engine.source(QUERY.instant).rgbx.any(), "source frames need no device"
    np.testing.assert_array_equal(engine.render(QUERY).rgbx, expected)


def test_the_window_goes_on_with_another_device(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(Pace())
    renderer = bench.open()

    def lose(*_: object, **__: object) -> None:
        raise DeviceLostError("GPU stopped working.", hint="Go on with the CPU.")

    monkeypatch.setattr(renderer, "render", lose)
    bench.ask(whole())
    bench.told.wait_for(lambda: bool(bench.told.failures))
    assert (bench.told.failures[0].message, bench.told.failures[0].opening) == ("GPU stopped working.", False)
    bench.loop.open(Path("gradient.mp4"))  # what the choice of another device does
    bench.told.wait_for(lambda: len(bench.told.opened) == 2)
    bench.ask(whole())
    bench.told.wait_for_full(whole())


class Unlucky(SlowRenderer):
    """Loses its device at the frame ``at``."""

    at = 40
    folder = Path()

    def wait_for_a_part(self) -> None:
        """Wait for the first finished part: coding lags behind decoding, on some machines by dozens of frames."""
        end = time.monotonic() + 60
        while time.monotonic() < end and not list(self.folder.rglob("*.packets")):
            time.sleep(0.01)

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        if len(self.asked("full")) == self.at:
            self.wait_for_a_part()
            raise DeviceLostError("GPU stopped working.")
        return super().render(query, quality, token)


def test_an_export_whose_device_is_lost_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, out = write_clip(tmp_path / "clip.mkv", 50), tmp_path / "out.mkv"
    unlucky, lucky = Unlucky(clip), SlowRenderer(clip)
    unlucky.folder = tmp_path
    with monkeypatch.context() as other:
        other.setattr(os, "getpid", lambda: 2**22 + 1)  # An export resumes what another process left.
        with pytest.raises(DeviceLostError):
            export_job(job_for(unlucky.opened.info, out, codec="ffv1"), unlucky)
    assert not out.exists()
    export_job(job_for(lucky.opened.info, out, codec="ffv1", resume=True), lucky)
    assert len(lucky.asked("full")) <= 40, "the first part was kept"
    with open_clip(out) as made:
        assert made.info.frames == 50


# ---- NaN ----


def test_features_that_are_no_numbers_are_never_shown(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = PairEncoder.encode

    def spoilt(self: PairEncoder, *args: object, **options: object) -> Features:
        features: Features = encode(self, *args, **options)  # type: ignore[arg-type]
        features.tensors()["spatial"][0, 3, 4, 0] = torch.nan
        return features

    with monkeypatch.context() as broken:
        broken.setattr(PairEncoder, "encode", spoilt)
        with pytest.raises(DeviceError, match=r"frames 1 and 2 gave values that are no numbers on CPU") as caught:
            engine.render(QUERY)
    assert "--device" in caught.value.hint
    assert engine.render(QUERY).rgbx.any(), "nothing of it is kept"


def test_features_in_half_precision_that_are_no_numbers_are_encoded_anew(tmp_path: Path) -> None:
    clip = open_clip(write_clip(tmp_path / "clip.mp4", 4))
    loaded, tried = load_tiny_model(tmp_path), list[bool]()
    encode = loaded.model.encode

    def spoilt(frames: torch.Tensor, *, half: bool = False, **options: object) -> Features:
        tried.append(half)
        features: Features = encode(frames, **options)  # type: ignore[arg-type]
        if half:
            features.tensors()["spatial"].fill_(torch.inf)
        return features

    loaded.model.encode = spoilt  # type: ignore[method-assign]
    half = ComputeProfile(PROFILE.device, 32, 2**20, 2**20, half_encoder=True)
    with Engine(clip, loaded, half) as engine:
        found = engine.render(QUERY).rgbx
    assert tried == [True, False]
    with Engine(open_clip(tmp_path / "clip.mp4"), load_tiny_model(tmp_path), PROFILE) as engine:
        np.testing.assert_array_equal(found, engine.render(QUERY).rgbx)


# ---- a file that changes under an open clip ----


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(bytes(path.stat().st_size // 3))


def replace(path: Path) -> None:
    path.with_name("other").write_bytes(b"no video")
    path.with_name("other").replace(path)


@pytest.mark.parametrize("change", [shorten, overwrite, replace, Path.unlink], ids=lambda change: change.__name__)
def test_a_file_that_changes_while_it_is_open_gives_frames_or_words(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    recipe = ClipRecipe(codec="prores_ks", pix_fmt="yuv422p10le")
    path = write_clip(tmp_path / "clip.mov", 24, recipe)
    with open_clip(path) as clip:
        before = clip.identity
        clip.frame(0)
        change(path)
        read, said = 0, list[str]()
        for index in range(23, -1, -1):
            try:
                pixels = clip.frame(index)
            except ClipError as error:
                said.append(str(error))
                continue
            read += 1
            assert pixels.shape[:2] == (48, 64)
        assert read
        assert all("clip.mov" in words for words in said)
        with pytest.raises(ClipError, match=r"has changed|is gone"):
            clip.check_source()
    with suppress(ClipError), open_clip(path) as clip:
        assert clip.identity != before, "pictures of the old file are not shown as those of the new"


# ---- clocks ----

WALL_CLOCK = {"time", "time_ns", "now", "utcnow", "today", "localtime", "gmtime"}
SHOWN = {
    "core/videoinr/playing/picture_folder.py": "the age of a folder that another process made",
    "core/videoinr/text/problem_report.py": "the date of a report",
}
"""Where the wall clock is right: it is shown, or compared with the time of a file."""


def test_durations_come_from_a_clock_that_cannot_jump() -> None:
    for file in sorted(path for folder in ("core", "app") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
                continue
            if node.value.id in ("time", "datetime", "date") and node.attr in WALL_CLOCK:
                assert file.relative_to(ROOT).as_posix() in SHOWN, f"{file}:{node.lineno} reads the wall clock"
            assert (node.value.id, node.attr) not in {
                ("QDateTime", "currentDateTime"), ("QDateTime", "currentMSecsSinceEpoch"), ("QTime", "currentTime")
            }, f"{file}:{node.lineno} reads the wall clock"  # fmt: skip


@pytest.mark.parametrize("jump_secs", [-(10**9), 10**9])
def test_a_clock_that_jumps_takes_no_folder_from_a_running_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_secs: int
) -> None:
    with picture_folder.PictureFolder(tmp_path, 10**6) as folder:
        number = folder.write(np.ones((2, 3, 4), np.uint8))
        assert number is not None
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + jump_secs)
        picture_folder.remove_left_over(tmp_path)
        assert folder.read(number, 2, 3) is not None
