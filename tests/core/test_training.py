"""Training: batches whose times are true, steps that repeat exactly, and failures that are noticed."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.clips import numbered_frames, write_pictures
from videoinr.errors import UsageError, VideoInrError
from videoinr.images import shrink
from videoinr.training.clip_store import Batch, BatchShape, ClipStore
from videoinr.training.loop import (
    MAX_SKIPPED,
    Trainer,
    learning_rate,
    load_checkpoint,
    open_store,
    run,
    save_checkpoint,
)
from videoinr.training.losses import charbonnier
from videoinr.training.readers import read_frames
from videoinr.training.recipe import Recipe, Stage, load_recipe, recipe_names
from videoinr.training.step import Optimiser, batch_loss

CPU = torch.device("cpu")
STAGE = Stage("first", 4, 2, 8, (1.0, 1.5, 2.0), 1e-3, 1e-4, warm_up_steps=2, windows=(2, 3), targets=2)
RECIPE = Recipe("toy", "tiny", (STAGE, replace(STAGE, name="second", steps=3)), seed=5)
STEP_LEVELS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips: one of flat pictures whose level tells their number, one of patterns."""
    where = tmp_path_factory.mktemp("clips")
    write_pictures(where / "flat", [np.full((24, 28, 3), STEP_LEVELS * number, np.uint8) for number in range(9)])
    write_pictures(where / "pattern", numbered_frames(6, width=32, height=24))
    return where


@pytest.fixture(scope="module")
def store(folder: Path) -> ClipStore:
    return open_store([folder], CPU)


def only(folder: Path, name: str) -> ClipStore:
    return open_store([folder / name], CPU)


def trainer(store: ClipStore, recipe: Recipe = RECIPE) -> Trainer:
    return Trainer(recipe, store, CPU)


def assert_same(one: Any, other: Any) -> None:
    """Equal to the bit, through dictionaries and lists."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        for each, another in zip(one, other, strict=True):
            assert_same(each, another)
    else:
        assert one == other


# Batches


@pytest.mark.parametrize("windows", [(2,), (4, 8), (3, 5)])
def test_each_target_was_shown_at_its_time(folder: Path, windows: tuple[int, ...]) -> None:
    flat, stage = only(folder, "flat"), replace(STAGE, windows=windows)
    lengths = set()
    for seed in range(20):
        batch = flat.batch(stage, BatchShape(4, 8, 12, 3), np.random.default_rng(seed))
        numbers = (batch.low.mean((2, 3, 4)) * 255 / STEP_LEVELS).round()
        first, last = numbers[:, :1], numbers[:, 1:]
        shown = batch.targets.mean((2, 3, 4)) * 255 / STEP_LEVELS
        torch.testing.assert_close(shown, first + batch.times * (last - first), atol=1e-3, rtol=0)
        assert 0 <= float(batch.times.min()) <= float(batch.times.max()) <= 1
        lengths |= set((last - first).int().flatten().tolist())
    assert lengths == {sign * window for window in windows for sign in (1, -1)}  # Backwards, too.


def test_inputs_are_the_targets_degraded(folder: Path) -> None:
    """At times 0 and 1 a target is an input before degradation: same crop, turned the same way."""
    pattern, seen = only(folder, "pattern"), 0
    for seed in range(12):
        batch = pattern.batch(STAGE, BatchShape(3, 8, 16, 2), np.random.default_rng(seed))
        for low, targets, times in zip(batch.low, batch.targets, batch.times, strict=True):
            for target, time in zip(targets, times.tolist(), strict=True):
                if time in (0, 1):
                    expected = shrink(target[None], height=8, width=8)[0]
                    torch.testing.assert_close(low[int(time)], expected, atol=1e-6, rtol=0)
                    seen += 1
    assert seen > 10


def test_crops_come_from_the_clip_in_every_orientation(folder: Path) -> None:
    frames = read_frames(folder / "pattern")
    windows = np.lib.stride_tricks.sliding_window_view(frames, (12, 12), axis=(1, 2))
    every = {each.tobytes() for each in windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 12, 12, 3)}
    pattern, orientations = only(folder, "pattern"), set()
    for seed in range(40):
        batch = pattern.batch(STAGE, BatchShape(1, 8, 12, 1), np.random.default_rng(seed))
        picture = (batch.targets[0, 0].permute(1, 2, 0) * 255).round().byte().numpy()
        found = {
            (turns, flip)
            for turns in range(4)
            for flip in (False, True)
            if upright(picture, turns, flip=flip).tobytes() in every
        }
        assert found
        orientations |= found
    assert len(orientations) == 8


def upright(picture: NDArray[np.uint8], turns: int, *, flip: bool) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.rot90(picture[:, ::-1] if flip else picture, -turns))


def test_a_batch_has_the_shapes_it_was_asked_for(store: ClipStore) -> None:
    batch = store.batch(STAGE, BatchShape(5, 6, 9, 3), np.random.default_rng(0))
    assert batch.low.shape == (5, 2, 3, 6, 6)
    assert batch.targets.shape == (5, 3, 3, 9, 9)
    assert batch.times.shape == (5, 3)
    assert {tensor.dtype for tensor in (batch.low, batch.targets, batch.times)} == {torch.float32}


def test_a_batch_follows_from_its_seed_alone(store: ClipStore) -> None:
    shape = BatchShape(3, 8, 12, 2)
    one, again, other = (store.batch(STAGE, shape, np.random.default_rng((7, step))) for step in (3, 3, 4))
    assert torch.equal(one.low, again.low)
    assert torch.equal(one.targets, again.targets)
    assert torch.equal(one.times, again.times)
    assert not torch.equal(one.targets, other.targets)


def test_more_targets_than_frames_repeat_some(folder: Path) -> None:
    stage = replace(STAGE, windows=(2,))
    batch = only(folder, "flat").batch(stage, BatchShape(1, 8, 8, 7), np.random.default_rng(0))
    assert set(batch.times.flatten().tolist()) <= {0.0, 0.5, 1.0}


def test_clips_too_short_or_too_small_are_left_out(store: ClipStore) -> None:
    assert store.frame_count == 15
    assert store.usable(STAGE, BatchShape(1, 8, 16, 1)) == [0, 1]
    assert store.usable(replace(STAGE, windows=(8,)), BatchShape(1, 8, 16, 1)) == [0]
    for stage, size in ((STAGE, 25), (replace(STAGE, windows=(9,)), 16)):
        with pytest.raises(UsageError, match="No clip has"):
            store.usable(stage, BatchShape(1, 8, size, 1))


# Recipes


def test_every_shipped_recipe_can_be_loaded() -> None:
    assert "lite" in recipe_names()
    for name in recipe_names():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.steps == sum(stage.steps for stage in recipe.stages)
        json.dumps(recipe.to_dict())


def write_recipe(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


STAGE_TEXT = 'name = "s"\nsteps = 3\nbatch = 2\npatch = 8\nscales = [1.5, 2.0]\nlearning_rate = 1e-3\n'


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path, f'config = "tiny"\nseed = 4\n[[stages]]\n{STAGE_TEXT}'))
    assert recipe == Recipe("mine", "tiny", (Stage("s", 3, 2, 8, (1.5, 2.0), 1e-3),), seed=4)
    assert recipe.stages[0].sizes() == (12, 16)


@pytest.mark.parametrize(
    "text",
    [
        "config = ",
        'config = "tiny"',
        f"[[stages]]\n{STAGE_TEXT}",
        f'config = "huge"\n[[stages]]\n{STAGE_TEXT}',
        f'config = "tiny"\nsurplus = 1\n[[stages]]\n{STAGE_TEXT}',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}surplus = 1\n',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}windows = []\n',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT.replace("[1.5, 2.0]", "[]")}',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT.replace("steps = 3", "steps = 0")}',
        'config = "tiny"\n[[stages]]\nname = "s"\n',
        'config = "tiny"\nstages = 3\n',
    ],
)
def test_a_recipe_that_cannot_be_used_is_a_usage_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml"):
        load_recipe(write_recipe(tmp_path, text))


@pytest.mark.parametrize("name", ["nobody", "nobody.toml"])
def test_an_unknown_recipe_is_a_usage_error_that_names_the_shipped(name: str) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        load_recipe(name)
    assert "lite" in caught.value.hint


def test_steps_fall_into_stages() -> None:
    stages = [RECIPE.stage_at(step) for step in range(RECIPE.steps)]
    assert [(stage.name, number) for stage, number in stages] == [
        *(("first", number) for number in range(4)),
        *(("second", number) for number in range(3)),
    ]
    with pytest.raises(IndexError):
        RECIPE.stage_at(RECIPE.steps)


def test_the_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    stage = replace(STAGE, steps=100, warm_up_steps=10, learning_rate=1.0, final_learning_rate=0.1)
    rates = [learning_rate(stage, number) for number in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[4] == pytest.approx(0.5 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * 0.04))))
    assert rates[50] == pytest.approx(0.55)
    assert rates[99] == pytest.approx(0.1, abs=1e-3)
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert learning_rate(replace(stage, warm_up_steps=0), 0) == 1.0


# Steps


def test_charbonnier_is_a_smooth_distance() -> None:
    one, other = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 3.0])
    assert float(charbonnier(one, other)) == pytest.approx((1e-3 + (4 + 1e-6) ** 0.5) / 2)


def test_resuming_is_as_if_nothing_had_happened(store: ClipStore, tmp_path: Path) -> None:
    whole = trainer(store)
    for _ in range(RECIPE.steps):
        whole.advance()
    before = trainer(store)
    for _ in range(3):
        before.advance()
    path = save_checkpoint(before, tmp_path)
    after = trainer(store)
    load_checkpoint(after, path)
    while after.step < RECIPE.steps:
        after.advance()
    assert_same(whole.state(), after.state())
    fresh = trainer(store).state()["model"]["encoder.first.weight"]
    assert not torch.equal(fresh, whole.state()["model"]["encoder.first.weight"])
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_the_running_mean_follows_the_model(store: ClipStore) -> None:
    one = trainer(store)
    before = [parameter.clone() for parameter in one.mean_model.parameters()]
    one.advance()
    for mean, old, new in zip(one.mean_model.parameters(), before, one.model.parameters(), strict=True):
        # After one step, (1 + 1) / (10 + 1) of the old mean is kept.
        torch.testing.assert_close(mean, old * 2 / 11 + new.detach() * 9 / 11)


def test_a_checkpoint_without_moments_is_resumed_from_its_weights(store: ClipStore, tmp_path: Path) -> None:
    one, other = trainer(store), trainer(store)
    one.advance()
    load_checkpoint(other, save_checkpoint(one, tmp_path, with_optimiser=False))
    assert_same(one.state(with_optimiser=False), other.state(with_optimiser=False))
    other.advance()
    assert other.step == 2


def test_what_is_no_checkpoint_is_a_usage_error(store: ClipStore, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"nothing of the kind")
    for where in (path, tmp_path / "absent.pt"):
        with pytest.raises(UsageError, match="not a checkpoint"):
            load_checkpoint(trainer(store), where)


def test_a_checkpoint_of_another_model_is_a_usage_error(store: ClipStore, tmp_path: Path) -> None:
    path = save_checkpoint(trainer(store), tmp_path)
    other = trainer(store)
    other.recipe = replace(RECIPE, config="lite")
    with pytest.raises(UsageError, match="'tiny', not as 'lite'"):
        load_checkpoint(other, path)


@cache
def healthy_batch() -> Batch:
    rng = torch.Generator().manual_seed(0)
    times = torch.tensor([[0.0, 0.5]])
    return Batch(torch.rand((1, 2, 3, 8, 8), generator=rng), torch.rand((1, 2, 3, 12, 12), generator=rng), times)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_batch_that_is_not_finite_changes_nothing_and_is_counted(store: ClipStore, value: float) -> None:
    one = trainer(store)
    optimiser = one.optimiser
    optimiser.learning_rate.fill_(1e-3)
    optimiser.step(healthy_batch())
    before = copy.deepcopy((one.model.state_dict(), optimiser.adam.state_dict()["state"]))
    optimiser.step(replace(healthy_batch(), targets=torch.full((1, 2, 3, 12, 12), value)))
    assert_same(before, (one.model.state_dict(), optimiser.adam.state_dict()["state"]))
    assert float(optimiser.skipped) == 1
    optimiser.step(healthy_batch())
    assert float(optimiser.skipped) == 1
    assert not torch.equal(before[0]["encoder.first.weight"], one.model.encoder.first.weight)


def test_gradients_are_clipped_to_the_recipes_norm(store: ClipStore) -> None:
    model = trainer(store).model
    optimiser = Optimiser(model, gradient_norm=1e-3)
    optimiser.step(healthy_batch())
    squares = [float(parameter.grad.square().sum()) for parameter in model.parameters() if parameter.grad is not None]
    assert sum(squares) ** 0.5 == pytest.approx(1e-3, rel=1e-2)


def test_a_rehearsal_leaves_no_trace(store: ClipStore) -> None:
    one = trainer(store)
    one.advance()
    before = copy.deepcopy(one.state())
    with one.optimiser.rehearsal():
        one.optimiser.step(healthy_batch())
        assert not torch.equal(before["model"]["encoder.first.weight"], one.model.encoder.first.weight)
    assert_same(before, one.state())


def test_the_loss_falls_on_a_toy_clip(store: ClipStore) -> None:
    torch.manual_seed(0)
    recipe = replace(RECIPE, stages=(replace(STAGE, steps=400, batch=8, scales=(2.0,), learning_rate=2e-3),))
    fixed = store.batch(STAGE, BatchShape(8, 8, 16, 2), np.random.default_rng(99))
    one = trainer(store, recipe)
    with torch.no_grad():
        before = float(batch_loss(one.model, fixed))
    for _ in range(400):
        one.advance()
    with torch.no_grad():
        after = float(batch_loss(one.model, fixed))
    assert after < 0.95 * before


# The loop


def test_a_run_writes_its_log_and_its_checkpoint(store: ClipStore, tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    assert run(trainer(store), tmp_path, report=lines.append)
    assert [line["step"] for line in lines] == [RECIPE.steps]
    assert lines == [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[0]["stage"] == "second"
    assert lines[0]["skipped"] == 0
    after = trainer(store)
    load_checkpoint(after, tmp_path / "checkpoint.pt")
    assert after.step == RECIPE.steps


def test_a_run_ends_when_its_time_is_over(store: ClipStore, tmp_path: Path) -> None:
    one = trainer(store)
    assert not run(one, tmp_path, until_secs=0, report=print)
    assert one.step == 0
    assert (tmp_path / "checkpoint.pt").is_file()


@pytest.mark.parametrize("broken", [MAX_SKIPPED, MAX_SKIPPED + 1])
def test_too_many_skipped_steps_end_the_run(
    store: ClipStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    nan = replace(healthy_batch(), targets=torch.full((1, 2, 3, 12, 12), float("nan")))
    monkeypatch.setattr(ClipStore, "batch", lambda *_: nan)
    one = trainer(store, replace(RECIPE, stages=(replace(STAGE, steps=broken),)))
    start, lines = copy.deepcopy(one.model.state_dict()), list[dict[str, Any]]()
    if broken > MAX_SKIPPED:
        with pytest.raises(VideoInrError, match=f"{broken} of the last") as caught:
            run(one, tmp_path, report=lines.append)
        assert caught.value.hint
    else:
        run(one, tmp_path, report=lines.append)
        assert lines[0]["skipped"] == broken
    assert_same(start, one.model.state_dict())


def test_the_recipes_seed_decides_the_first_weights(store: ClipStore) -> None:
    one, again, other = (trainer(store, replace(RECIPE, seed=seed)).model.state_dict() for seed in (1, 1, 2))
    assert_same(one, again)
    assert not torch.equal(one["encoder.first.weight"], other["encoder.first.weight"])
