"""The training loop: its files, its stopping and resuming, and rollbacks after non-finite gradients."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from helpers.clips import numbered_frames, write_pictures
from helpers.tiny_model import save_tiny_model
from helpers.toy_source import BrokenSource, ToySource
from videoinr.cancel import CancelToken
from videoinr.errors import UsageError, VideoInrError
from videoinr.images import tensor_from_pixels
from videoinr.training import loop
from videoinr.training.checkpoints import read_checkpoint
from videoinr.training.curves import linear_ticks, log_ticks, panels_from_log, svg_from_panels
from videoinr.training.loop import MAX_SKIPPED, RunOptions, run
from videoinr.training.recipe import Recipe, Stage
from videoinr.training.run_folder import CHECKPOINT
from videoinr.training.run_log import Line, RunLog, read_log
from videoinr.training.trainer import Trainer
from videoinr.training.validation import Validation, open_validation

CPU = torch.device("cpu")
STAGE = Stage("first", 4, 2, 8, (1.0, 2.0), 1e-3, 1e-4, warm_up_steps=2, windows=(2, 3), targets=1)
RECIPE = Recipe("toy", "tiny", (STAGE, replace(STAGE, name="second", steps=3)), seed=5)


@pytest.fixture(autouse=True)
def by_steps_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn off log lines by time: on a busy machine they would make the log's lines depend on the load."""
    monkeypatch.setattr(loop, "LOG_EVERY_SECS", math.inf)


def trainer(recipe: Recipe = RECIPE, source: ToySource | None = None) -> Trainer:
    return Trainer(recipe, source or ToySource(), CPU)


def prolonged(steps: int) -> Recipe:
    return replace(RECIPE, stages=(replace(STAGE, steps=steps),))


def weights(one: Trainer) -> list[torch.Tensor]:
    return [tensor.clone() for model in (one.model, one.ema_model) for tensor in model.state_dict().values()]


def assert_same_weights(one: Trainer, other: Trainer) -> None:
    for mine, theirs in zip(weights(one), weights(other), strict=True):
        assert torch.equal(mine, theirs)


def read(out: Path) -> list[Line]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_a_run_writes_its_log_its_checkpoint_and_its_curves(tmp_path: Path) -> None:
    lines: list[Line] = []
    one = trainer()
    assert run(one, tmp_path, report=lines.append)
    assert [(line["kind"], line["step"], line["stage"], line["skipped"]) for line in lines] == [
        ("train", 7, "second", 0)
    ]
    assert lines == read(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [CHECKPOINT, "curves.svg", "log.jsonl"]
    assert read_checkpoint(tmp_path / CHECKPOINT, RECIPE)["step"] == RECIPE.steps


def test_the_logged_loss_is_the_mean_since_the_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY_STEPS", 3)
    run(trainer(), tmp_path, report=lambda line: None)
    one, losses = trainer(), []
    for _ in range(RECIPE.steps):
        one.advance()
        losses.append(one.optimiser.read()[0])
    means = [sum(losses[:3]) / 3, sum(losses[3:6]) / 3, losses[6]]
    assert [line["loss"] for line in read(tmp_path)] == pytest.approx(means, abs=1e-5)


def test_a_run_ends_when_its_time_is_over(tmp_path: Path) -> None:
    one = trainer()
    assert not run(one, tmp_path, options=RunOptions(until_secs=0), report=print)
    assert one.step == 0
    assert read_checkpoint(tmp_path / CHECKPOINT, RECIPE)["step"] == 0


def test_a_stopped_run_saves_and_resumes_exactly(tmp_path: Path) -> None:
    token = CancelToken()

    class Stopping(ToySource):
        def batch(self, *arguments: Any) -> Any:
            if self.batches == 2:
                token.cancel()
            return super().batch(*arguments)

    assert not run(trainer(source=Stopping()), tmp_path, options=RunOptions(token=token), report=print)
    state = read_checkpoint(tmp_path / CHECKPOINT, RECIPE)
    assert state["step"] == 3
    resumed, unbroken = Trainer(RECIPE, ToySource(), CPU, state=state), trainer()
    (tmp_path / "other").mkdir()
    assert run(resumed, tmp_path, report=print)
    assert run(unbroken, tmp_path / "other", report=print)
    assert_same_weights(resumed, unbroken)


def test_checkpoint_interval_and_optimiser_state_are_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[tuple[int, bool]] = []
    monkeypatch.setattr(
        loop, "save_checkpoint", lambda one, out, *, with_optimiser: saved.append((one.step, with_optimiser))
    )
    run(trainer(), tmp_path, options=RunOptions(checkpoint_every_secs=-1, with_optimiser=False), report=print)
    assert {step for step, _ in saved} == set(range(RECIPE.steps + 1))
    assert not any(whole for _, whole in saved)


# Non-finite gradients


def test_single_non_finite_batches_are_skipped_and_counted(tmp_path: Path) -> None:
    source = BrokenSource(lambda number: number % 3 == 1)
    one = trainer(prolonged(60), source)
    assert run(one, tmp_path, report=print)
    assert [line["skipped"] for line in read(tmp_path)] == [20]
    assert read(tmp_path)[0]["loss"] > 0
    assert all(tensor.isfinite().all() for tensor in weights(one))
    assert one.rate_factor == 1


def test_a_diverged_run_rolls_back_at_half_the_learning_rate(tmp_path: Path) -> None:
    """The first MAX_SKIPPED + 1 batches have NaNs, and after the rollback they have none."""
    one = trainer(prolonged(MAX_SKIPPED + 1), BrokenSource(lambda number: number <= MAX_SKIPPED))
    assert run(one, tmp_path, report=print)
    skipped, rollback, healthy = read(tmp_path)
    assert (skipped["skipped"], skipped["loss"]) == (MAX_SKIPPED + 1, None)
    assert (rollback["kind"], rollback["step"], rollback["from_step"]) == ("rollback", 0, MAX_SKIPPED + 1)
    assert (healthy["skipped"], healthy["step"]) == (0, MAX_SKIPPED + 1)
    assert one.rate_factor == 0.5
    assert read_checkpoint(tmp_path / CHECKPOINT, one.recipe)["rate_factor"] == 0.5
    assert healthy["learning_rate"] == pytest.approx(skipped["learning_rate"] / 2)


def test_a_rollback_restores_the_last_finite_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY_STEPS", 4)
    monkeypatch.setattr(loop, "MAX_SKIPPED", 10)
    one = trainer(prolonged(24), BrokenSource(lambda number: 6 <= number < 18))
    assert run(one, tmp_path, options=RunOptions(checkpoint_every_secs=-1), report=print)
    rollback = next(line for line in read(tmp_path) if line["kind"] == "rollback")
    assert 4 <= rollback["step"] <= 6


def test_too_many_rollbacks_end_the_run_with_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY_STEPS", 20)
    monkeypatch.setattr(loop, "MAX_SKIPPED", 10)
    one = trainer(prolonged(40), BrokenSource(lambda number: True))
    start, lines = weights(one), list[Line]()
    with pytest.raises(VideoInrError, match=r"diverged at step 20.* 0\.25 of the recipe") as caught:
        run(one, tmp_path, report=lines.append)
    assert caught.value.hint
    assert [line["kind"] for line in lines] == ["train", "rollback", "train", "rollback", "train"]
    for before, after in zip(start, weights(one), strict=True):
        assert torch.equal(before, after)
    state = read_checkpoint(tmp_path / CHECKPOINT, one.recipe)
    assert (state["step"], state["rate_factor"]) == (0, 0.25)


def test_few_skipped_steps_do_not_end_a_short_run(tmp_path: Path) -> None:
    assert run(trainer(prolonged(MAX_SKIPPED), BrokenSource(lambda number: True)), tmp_path, report=print)


# The log and the curves


def write_lines(path: Path, *lines: tuple[str, int]) -> None:
    path.write_text("".join(json.dumps({"kind": kind, "step": step}) + "\n" for kind, step in lines))


def kinds_and_steps(lines: list[Line]) -> list[tuple[str, int]]:
    return [(line["kind"], line["step"]) for line in lines]


def test_steps_that_a_kill_undid_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write_lines(path, ("train", 100), ("validation", 100), ("train", 200), ("train", 300), ("train", 200))
    with path.open("a") as log:
        log.write('{"kind": "tra')
    assert kinds_and_steps(read_log(path)) == [("train", 100), ("validation", 100), ("train", 200)]
    RunLog(path, step=150).write({"kind": "train", "step": 160})
    assert kinds_and_steps(read(tmp_path)) == [("train", 100), ("validation", 100), ("train", 160)]


def test_the_log_keeps_rollbacks_and_drops_the_undone_steps(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    back = ("rollback", 100)
    write_lines(path, ("train", 100), ("train", 200), back, ("train", 200), back, ("train", 150))
    assert kinds_and_steps(read_log(path)) == [("train", 100), back, back, ("train", 150)]


def run_lines(count: int) -> list[Line]:
    lines: list[Line] = []
    for step in range(100, 100 * count + 1, 100):
        loss = None if step == 300 else 0.1 / step**0.2
        lines.append({"kind": "train", "step": step, "loss": loss, "learning_rate": 4e-4 / step})
    figures = {"psnr_db": 26.0, "between_db": 25.0, "baseline_db": 24.0, "baseline_between_db": 23.5}
    return [*lines, {"kind": "validation", "step": 100 * count, **figures}]


@pytest.mark.parametrize("count", [1, 2, 5000])
def test_curves_are_an_svg_with_a_limited_number_of_points(count: int) -> None:
    recipe = replace(RECIPE, stages=(replace(STAGE, steps=1000, name="a < b"), replace(STAGE, steps=499000)))
    root = ElementTree.fromstring(svg_from_panels(panels_from_log(run_lines(count)), recipe))
    space = "{http://www.w3.org/2000/svg}"
    lines = [line.attrib["points"].split() for line in root.iter(f"{space}polyline")]
    assert len(lines) == 7
    assert count / 5 <= max(len(points) for points in lines) <= min(count, 1200)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for point in itertools.chain(*lines):
        x, y = map(float, point.split(","))
        assert 0 <= x <= width
        assert 0 <= y <= height
    words = [text.text for text in root.iter(f"{space}text")]
    assert "stage a < b" in words
    assert ("stage first" in words) == (count > 10)


def test_there_are_no_curves_before_the_first_line() -> None:
    assert panels_from_log([]) == []


@pytest.mark.parametrize("ticks", [linear_ticks, log_ticks])
@pytest.mark.parametrize(("least", "most"), [(0.011, 0.013), (0.02, 0.9), (1e-7, 4e-4), (3.0, 3.0001), (1, 600_000)])
def test_ticks_are_few_and_inside(ticks: Callable[[float, float], list[float]], least: float, most: float) -> None:
    found = ticks(least, most)
    assert 2 <= len(found) <= 15
    assert found == sorted(set(found))
    assert all(least * 0.999 <= tick <= most * 1.001 for tick in found)


# Validation


@pytest.fixture(scope="module")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Validation:
    folder = tmp_path_factory.mktemp("validation")
    for name in "abcdefg":
        write_pictures(folder / name, numbered_frames(6, width=80, height=64))
    write_pictures(folder / "short", 3)
    return open_validation(folder)


def test_validation_takes_a_few_long_enough_clips(validation: Validation, tmp_path: Path) -> None:
    assert [name for name, _ in validation.clips] == ["a", "c", "e", "g"]
    assert validation.clips[0][1].shape == (6, 3, 64, 80)
    write_pictures(tmp_path / "short", 3)
    with pytest.raises(UsageError, match="5 frames"):
        open_validation(tmp_path)


def test_validation_writes_figures_and_pictures(validation: Validation, tmp_path: Path) -> None:
    recipe, lines = replace(RECIPE, validate_every_steps=4), list[Line]()
    one = trainer(recipe)
    assert run(one, tmp_path, options=RunOptions(validation=validation), report=lines.append)
    shown = [line for line in lines if line["kind"] == "validation"]
    assert [line["step"] for line in shown] == [4, 7]
    assert all(10 < line[key] < 60 for line in shown for key in ("psnr_db", "between_db", "baseline_db"))
    assert shown[0]["baseline_db"] == shown[1]["baseline_db"]
    assert shown[0]["psnr_db"] != shown[1]["psnr_db"]
    assert all(line["secs"] >= 0 for line in shown)
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == [f"{step:06}_{clip}.png" for step in (4, 7) for clip in "aceg"]
    undisturbed = trainer(recipe)
    (tmp_path / "other").mkdir()
    run(undisturbed, tmp_path / "other", report=print)
    assert_same_weights(one, undisturbed)


def test_initial_weights_are_validated_first(validation: Validation, tmp_path: Path) -> None:
    recipe, lines = replace(RECIPE, initial=str(save_tiny_model(tmp_path))), list[Line]()
    (tmp_path / "out").mkdir()
    assert run(trainer(recipe), tmp_path / "out", options=RunOptions(validation=validation), report=lines.append)
    assert kinds_and_steps(lines) == [("validation", 0), ("train", 7), ("validation", 7)]


def test_a_picture_shows_the_truth_first(validation: Validation, tmp_path: Path) -> None:
    from videoinr.clip import open_clip

    one = trainer()
    validation.line(one.ema_model, step=3, pictures=tmp_path / "pictures")
    with open_clip(tmp_path / "pictures") as clip:
        strip = clip.frame(0)
    assert strip.shape == (64, 3 * 80 + 2 * 8, 3)
    truth = tensor_from_pixels(strip, CPU)[:, :, :80]
    assert torch.equal(truth, validation.clips[0][1][2])
    blended = tensor_from_pixels(strip, CPU)[:, :, 88:168]
    assert 0.005 < float((blended - truth).abs().mean()) < 0.2
