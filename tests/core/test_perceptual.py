"""LPIPS in evaluations, with a stand-in for the package lpips: its network is not shipped with it."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import videoinr
from helpers.command_line import run_here
from videoinr.errors import UsageError
from videoinr.evaluation.clips import FrameScore, score_clip
from videoinr.evaluation.perceptual import LEAST_SIDE_PX, perceptual_distance
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.run import why_left_out
from videoinr.evaluation.summary import summarise


class Network(nn.Module):
    """Says the mean of the absolute difference; asked as the package is."""

    def __init__(self, net: str, version: str, verbose: bool) -> None:
        super().__init__()
        assert (net, version, verbose) == ("alex", "0.1", False)
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, made: Tensor, truth: Tensor, *, normalize: bool) -> Tensor:
        assert normalize, "the values are 0 ... 1"
        assert made.shape == truth.shape
        assert made.ndim == 4
        return ((made - truth).abs().mean() * self.weight).reshape(1, 1, 1, 1)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    perceptual_distance.cache_clear()
    yield
    perceptual_distance.cache_clear()


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("lpips")
    vars(module)["LPIPS"] = Network
    monkeypatch.setitem(sys.modules, "lpips", module)
    return module


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    from videoinr.exporting.png import write_png

    generator = torch.Generator().manual_seed(1)
    (tmp_path / "data" / "a").mkdir(parents=True)
    for number in range(3):
        pixels = torch.randint(0, 256, (64, 80, 4), dtype=torch.uint8, generator=generator)
        write_png(tmp_path / "data" / "a" / f"{number}.png", pixels.numpy())
    return tmp_path / "data"


def test_frames_are_compared_as_they_are_scored(package: types.ModuleType) -> None:
    clip = [torch.full((3, 32, 48), level) for level in (0.2, 0.4, 0.6)]
    methods = {"off": lambda low, grid, times: [clip[k] + 0.1 for k in range(2)], "true": lambda *_: clip[:2]}
    scores = score_clip(clip, "c", Protocol(1, 2, lpips=True), methods)
    for score in scores:
        assert score.lpips == pytest.approx(0.1 if score.method == "off" else 0, abs=1e-6)
    assert all(score.lpips is None for score in score_clip(clip, "c", Protocol(1, 2), methods))


def test_a_summary_has_the_mean_distance_where_it_was_measured() -> None:
    scores = [FrameScore("c", "m", k, k, 30.0, 0.9, None, 1.0, lpips) for k, lpips in enumerate((0.1, 0.3, 0.5, 0.7))]
    found = summarise(scores, 4)
    assert found.average.lpips == pytest.approx(0.4)
    assert found.between.lpips == pytest.approx(0.5)
    plain = summarise([FrameScore("c", "m", 0, 0, 30.0, 0.9, None, 1.0)], 4)
    assert plain.average.lpips is None


def test_the_command_prints_and_keeps_the_distance(package: types.ModuleType, footage: Path, tmp_path: Path) -> None:
    more = ("--data", footage, "--baseline", "nearest", "--baseline", "bicubic-blend", "--time-scale", 2, "--scale", 2)
    journal = ("--journal", tmp_path / "j.jsonl", "--model", "lite", "--lpips")
    shown = run_here("evaluate", *more, *journal, "--markdown")
    assert shown.exit_code == 0, shown.stderr
    assert "| LPIPS average | LPIPS between |" in shown.stdout
    assert "LPIPS = learned perceptual distance" in shown.stdout
    again = run_here("evaluate", *more, *journal, "--json")
    (run,) = json.loads(again.stdout)["runs"]
    assert "1 result found" in again.stderr
    for method in ("nearest", "bicubic-blend", "lite"):
        average = run["results"][method]["mean"]["average"]["lpips"]
        assert 0 < average < 1
        assert f"{average:.4f}" in shown.stdout
    plain = run_here("evaluate", *more, *journal[:-1], "--json")
    (run,) = json.loads(plain.stdout)["runs"]
    assert run["results"]["lite"]["mean"]["average"]["lpips"] is None, "another protocol is scored anew"


def test_python_measures_it_too(package: types.ModuleType, footage: Path) -> None:
    run = videoinr.evaluate(footage, baselines=["nearest"], scale=2, time_scale=2, lpips=True)
    assert run.protocol.lpips
    distance = run.summary("nearest").average.lpips
    assert distance is not None
    assert distance > 0


def test_what_is_missing_is_told_before_anything_is_restored(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lpips", None)

    def restore(*_: object) -> list[Tensor]:
        raise AssertionError("nothing is restored")

    with pytest.raises(UsageError, match="the package lpips is not installed") as caught:
        videoinr.evaluate(footage, methods={"mine": restore}, scale=2, time_scale=2, lpips=True)
    assert "pip install lpips torchvision" in caught.value.hint


def test_a_network_that_cannot_be_loaded_is_told(package: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**_: object) -> None:
        raise OSError("<urlopen error Name or service not known>")

    monkeypatch.setattr(package, "LPIPS", offline)
    with pytest.raises(UsageError, match="its network cannot be loaded: <urlopen error") as caught:
        perceptual_distance(torch.device("cpu"))
    assert "hub/checkpoints" in caught.value.hint


def test_small_frames_are_left_out(package: types.ModuleType) -> None:
    small = [torch.zeros(3, 31, 80)] * 3
    assert why_left_out(small, Protocol(1, 2)) is None
    assert why_left_out(small, Protocol(1, 2, lpips=True)) == f"80x31 pixels, and LPIPS needs {LEAST_SIDE_PX}"
    assert why_left_out([torch.zeros(3, 32, 80)] * 3, Protocol(1, 2, lpips=True)) is None
