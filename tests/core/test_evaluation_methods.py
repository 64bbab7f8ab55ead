"""Methods: built-in baselines against slow references, models, and external baselines that run or fail."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers.clips import numbered_frames, write_pictures
from helpers.tiny_model import save_tiny_model, tiny_video_inr
from videoinr.errors import DeviceError, UsageError
from videoinr.evaluation import methods, names
from videoinr.evaluation.clips import Method, blend_bicubic
from videoinr.evaluation.footage import find_footage
from videoinr.evaluation.methods import BaselineFailedError, blend_lanczos, nearest, open_methods
from videoinr.evaluation.names import baseline_names
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.run import run_protocols
from videoinr.geometry import Grid

CPU = torch.device("cpu")


@pytest.fixture
def external_baselines(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces the external baselines by given ones. An exception as a baseline is raised when it is opened."""

    def put(**known: Method | Exception) -> None:
        def open_baseline(name: str) -> Method:
            baseline = known[name]
            if isinstance(baseline, Exception):
                raise baseline
            return baseline

        monkeypatch.setattr(methods, "_external_baselines", lambda: SimpleNamespace(open_baseline=open_baseline))
        monkeypatch.setattr(names, "EXTERNAL_NAMES", tuple(known))

    return put


@pytest.mark.parametrize("baseline", [blend_bicubic, blend_lanczos])
def test_a_blend_at_x1_is_exact(baseline: Method) -> None:
    low = torch.rand(2, 3, 6, 8)
    first, middle, last = baseline(low, Grid(8, 6), [0, 0.25, 1])
    torch.testing.assert_close(first, low[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(last, low[1], atol=1e-6, rtol=0)
    torch.testing.assert_close(middle, 0.75 * low[0] + 0.25 * low[1], atol=1e-6, rtol=0)
    assert baseline(low, Grid(20, 15), [0.5])[0].shape == (3, 15, 20)


def test_the_built_in_baselines_have_the_names_that_are_known_without_torch() -> None:
    assert tuple(methods.BUILT_IN) == names.BUILT_IN_NAMES


def test_lanczos_matches_a_slow_reference() -> None:
    line = np.random.default_rng(0).random(9)
    low = torch.from_numpy(line).float().expand(2, 3, 4, 9)
    (picture,) = blend_lanczos(low, Grid(23, 4), [0.5])

    def kernel(distance: float) -> float:
        if abs(distance) >= 3:
            return 0.0
        return 1.0 if distance == 0 else float(np.sinc(distance) * np.sinc(distance / 3))

    for column in range(23):
        position = (column + 0.5) * 9 / 23 - 0.5
        taps = range(math.floor(position) - 2, math.floor(position) + 4)
        weights = [kernel(position - tap) for tap in taps]
        values = [line[min(max(tap, 0), 8)] for tap in taps]
        expected = np.dot(weights, values) / sum(weights)
        assert float(picture[0, 0, column]) == pytest.approx(min(max(expected, 0), 1), abs=1e-5)


def test_nearest_takes_the_nearest_frame_and_pixel() -> None:
    low = torch.rand(2, 3, 2, 3)
    shown = nearest(low, Grid(9, 4), [0, 0.25, 0.5, 0.75])
    for picture, frame in zip(shown, (0, 0, 1, 1), strict=True):
        assert torch.equal(picture, low[frame].repeat_interleave(2, 1).repeat_interleave(3, 2))


def test_models_have_parameter_counts_and_distinct_names(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save_tiny_model(tmp_path / folder)
    paths = [str(tmp_path / folder / "tiny.safetensors") for folder in ("a", "b", "a")]
    method_set = open_methods(models=paths, baselines=["nearest", "bicubic-blend", "nearest"], device=CPU)
    assert [method.name for method in method_set.methods] == ["nearest", "bicubic-blend", *paths[:2]]
    count = sum(parameter.numel() for parameter in tiny_video_inr().parameters())
    assert [method.parameters for method in method_set.methods] == [None, None, count, count]
    assert [method.name for method in open_methods(models=paths[:1], baselines=[], device=CPU).methods] == ["tiny"]


def test_models_with_equal_names_are_listed_as_asked_for(tmp_path: Path) -> None:
    new = save_tiny_model(tmp_path).with_stem("lite")
    shutil.copy(tmp_path / "tiny.safetensors", new)
    card = {**json.loads((tmp_path / "tiny.json").read_text()), "name": "lite"}
    new.with_suffix(".json").write_text(json.dumps(card))
    method_set = open_methods(models=[str(new), "lite"], baselines=[], device=CPU)
    assert [method.name for method in method_set.methods] == [str(new), "lite"]
    assert len({method.parameters for method in method_set.methods}) == 2


def test_external_baselines_are_listed_after_built_in_ones(external_baselines: Callable[..., None]) -> None:
    external_baselines(alpha=nearest, nearest=nearest)
    assert baseline_names() == ["bicubic-blend", "lanczos-blend", "nearest", "alpha"]
    method_set = open_methods(models=[], baselines=["all"], device=CPU)
    assert [method.name for method in method_set.methods] == baseline_names()
    with pytest.raises(UsageError, match="no baseline 'beta'") as caught:
        open_methods(models=[], baselines=["alpha", "beta"], device=CPU)
    assert "all, bicubic-blend, lanczos-blend, nearest, alpha" in caught.value.hint


def test_an_external_baseline_that_cannot_be_opened_is_absent_with_its_reason(
    external_baselines: Callable[..., None],
) -> None:
    external_baselines(
        here=nearest, gone=DeviceError("There is no Vulkan here.", hint="Install a driver."), torn=OSError("no .so")
    )
    method_set = open_methods(models=[], baselines=["gone", "torn", "here"], device=CPU)
    assert [method.name for method in method_set.methods] == ["here"]
    assert method_set.absent == {"gone": "There is no Vulkan here. Install a driver.", "torn": "OSError: no .so"}


def test_without_external_baselines_all_means_the_built_in_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "EXTERNAL_NAMES", ())
    assert baseline_names() == ["bicubic-blend", "lanczos-blend", "nearest"]
    with pytest.raises(UsageError):
        open_methods(models=[], baselines=["rife"], device=CPU)


@pytest.mark.parametrize(
    ("breaks", "reason"),
    [
        (lambda low, grid, times: 1 / 0, "ZeroDivisionError"),
        (lambda low, grid, times: nearest(low, grid, times)[1:], "1 pictures"),
        (lambda low, grid, times: list(low[0][None].repeat(len(times), 1, 1, 1)), "2 of 32x32"),
    ],
)
def test_a_failing_external_baseline_is_dropped_and_the_others_go_on(
    tmp_path: Path, external_baselines: Callable[..., None], breaks: Method, reason: str
) -> None:
    write_pictures(tmp_path / "a", numbered_frames(3, width=32, height=32))
    write_pictures(tmp_path / "b", numbered_frames(3, width=48, height=32))

    def fails_on_large(low: torch.Tensor, grid: Grid, times: list[float]) -> list[torch.Tensor]:
        return nearest(low, grid, times) if grid.width == 48 else breaks(low, grid, times)

    external_baselines(weak=fails_on_large)
    method_set = open_methods(models=[], baselines=["weak", "bicubic-blend"], device=CPU)
    with pytest.raises(BaselineFailedError, match="weak failed"):
        method_set.methods[0].restore(torch.rand(2, 3, 16, 16), Grid(32, 32), [0, 0.5])
    said: list[str] = []
    # The baseline works on the first clip and fails on the second: the first clip's scores must be dropped, too.
    footage = sorted(find_footage(tmp_path), key=lambda clip: clip.name, reverse=True)
    (run,) = run_protocols(footage, [Protocol(2, 2)], method_set, CPU, say=said.append)
    assert {(score.clip, score.method) for score in run.scores} == {("a", "bicubic-blend"), ("b", "bicubic-blend")}
    assert len(run.scores) == 4
    assert reason in method_set.absent["weak"]
    assert any("weak failed" in line for line in said)


def test_errors_of_our_own_models_are_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path / "a", numbered_frames(3, width=32, height=32))
    monkeypatch.setitem(methods.BUILT_IN, "nearest", lambda low, grid, times: 1 / 0)
    method_set = open_methods(models=[], baselines=["nearest"], device=CPU)
    with pytest.raises(ZeroDivisionError):
        run_protocols(find_footage(tmp_path), [Protocol(2, 2)], method_set, CPU)
