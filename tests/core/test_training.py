"""Training: recipes, exactly repeatable steps, checkpoints and non-finite batches."""

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

from helpers.same_state import assert_same
from helpers.tiny_model import save_tiny_model
from helpers.toy_source import BrokenSource, ToySource
from videoinr.errors import ModelError, UsageError
from videoinr.training.batch_shape import BatchShape
from videoinr.training.checkpoints import read_checkpoint, save_checkpoint
from videoinr.training.data.clip_store import Batch
from videoinr.training.fitting import fitted
from videoinr.training.losses import charbonnier, step_weight
from videoinr.training.recipe import Recipe, Stage, load_recipe, recipe_names
from videoinr.training.step import Optimiser, batch_loss
from videoinr.training.trainer import Trainer, learning_rate

CPU = torch.device("cpu")
STAGE = Stage("first", 4, 2, 8, (1.0, 1.5, 2.0), 1e-3, 1e-4, warm_up_steps=2, windows=(2, 3), targets=2)
RECIPE = Recipe("toy", "tiny", (STAGE, replace(STAGE, name="second", steps=3)), seed=5)


def trainer(recipe: Recipe = RECIPE, *, state: dict[str, Any] | None = None) -> Trainer:
    return Trainer(recipe, ToySource(), CPU, state=state)


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
UNSCALED_TEXT = STAGE_TEXT.replace("scales = [1.5, 2.0]\n", "")


def test_a_recipe_file_is_read(tmp_path: Path) -> None:
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
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}scale_range = [1.0, 4.0]\n',
        f'config = "tiny"\n[[stages]]\n{UNSCALED_TEXT}scale_range = [4.0, 1.0]\n',
        f'config = "tiny"\n[[stages]]\n{UNSCALED_TEXT}scale_range = [1.0, 4.0]\nscale_steps = 1\n',
        f'config = "tiny"\n[[stages]]\n{UNSCALED_TEXT}scales = [0.5]\n',
        f'config = "tiny"\n[[stages]]\n{UNSCALED_TEXT}',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}loss_weight = "much"\n',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}restart_every = -1\n',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}stills_share = 1.5\n',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}downsample = 0.5\n',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}recolour = 2.0\n',
        'config = "tiny"\nstages = []\n',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT.replace("[1.5, 2.0]", "[]")}',
        f'config = "tiny"\n[[stages]]\n{STAGE_TEXT.replace("steps = 3", "steps = 0")}',
        'config = "tiny"\n[[stages]]\nname = "s"\n',
        'config = "tiny"\nstages = 3\n',
    ],
)
def test_an_invalid_recipe_is_a_usage_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml"):
        load_recipe(write_recipe(tmp_path, text))


def test_a_recipe_with_the_old_key_shrink_is_read(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path, f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}shrink = 1.5\n'))
    assert recipe.stages[0].downsample == 1.5


@pytest.mark.parametrize("name", ["nobody", "nobody.toml"])
def test_an_unknown_recipe_is_a_usage_error_that_lists_the_shipped_recipes(name: str) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        load_recipe(name)
    assert "lite" in caught.value.hint


def test_every_step_has_a_stage_and_a_number_in_it() -> None:
    stages = [RECIPE.stage_at(step) for step in range(RECIPE.steps)]
    assert [(stage.name, number) for stage, number in stages] == [
        *(("first", number) for number in range(4)),
        *(("second", number) for number in range(3)),
    ]
    with pytest.raises(IndexError):
        RECIPE.stage_at(RECIPE.steps)


def test_the_learning_rate_warms_up_and_decays_along_a_cosine() -> None:
    stage = replace(STAGE, steps=100, warm_up_steps=10, learning_rate=1.0, final_learning_rate=0.1)
    rates = [learning_rate(stage, number) for number in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[4] == pytest.approx(0.5 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * 0.04))))
    assert rates[50] == pytest.approx(0.55)
    assert rates[99] == pytest.approx(0.1, abs=1e-3)
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert learning_rate(replace(stage, warm_up_steps=0), 0) == 1.0


PAPER_STAGES = """
config = "tiny"
[[stages]]
name = "x4"
steps = 450000
batch = 24
patch = 32
scales = [4.0]
learning_rate = 1e-4
final_learning_rate = 1e-7
warm_up_steps = 0
restart_every = 150000
windows = [8]
[[stages]]
name = "continuous"
steps = 150000
batch = 24
patch = 32
scale_range = [1.0, 4.0]
learning_rate = 1e-4
final_learning_rate = 1e-7
warm_up_steps = 0
windows = [8]
loss_weight = "area"
"""


def test_the_papers_schedule_can_be_written_as_a_recipe(tmp_path: Path) -> None:
    """Section 4.1: 450k steps at x4 and 150k at U(1, 4); the rate decays from 1e-4 to 1e-7 every 150k steps."""
    recipe = load_recipe(write_recipe(tmp_path, PAPER_STAGES))
    first, second = recipe.stages
    assert recipe.steps == 600_000
    for restart in (0, 150_000, 300_000):
        assert learning_rate(first, restart) == 1e-4
        assert learning_rate(first, restart + 75_000) == pytest.approx((1e-4 + 1e-7) / 2)
        assert learning_rate(first, restart + 149_999) == pytest.approx(1e-7, rel=1e-3)
    assert learning_rate(second, 0) == 1e-4
    assert learning_rate(second, 149_999) == pytest.approx(1e-7, rel=1e-3)
    assert second.sizes() == tuple(round(32 * (1 + 0.2 * number)) for number in range(16))
    assert recipe.scale_bounds() == (1, 4)


def test_area_weighting_weighs_every_lr_pixel_alike() -> None:
    area = replace(STAGE, patch=32, loss_weight="area")
    assert [step_weight(area, size) for size in (128, 64, 32)] == [1, 4, 16]
    assert step_weight(STAGE, 32) == 1


def test_a_loss_weight_scales_the_gradients() -> None:
    gradients = []
    for weight in (1.0, 4.0):
        torch.manual_seed(0)
        optimiser = Optimiser(trainer().model, gradient_norm=1e9)
        optimiser.step(healthy_batch(), weight)
        gradients.append(optimiser.parameters[0].grad)
    assert gradients[0] is not None
    assert gradients[1] is not None
    torch.testing.assert_close(4 * gradients[0], gradients[1])


# Fitting a recipe to small footage


def test_a_recipe_that_fits_the_footage_is_not_changed() -> None:
    assert fitted(RECIPE, ToySource()) == (RECIPE, [])


def test_small_or_short_footage_gets_smaller_patches_and_windows() -> None:
    recipe = replace(RECIPE, stages=(replace(STAGE, patch=48, scales=(1.0, 2.0), windows=(6, 8)),))
    fit, words = fitted(recipe, ToySource(side=50, frames=4))
    assert fit.stages == (replace(recipe.stages[0], patch=24, windows=(2,)),)
    assert len(words) == 2
    assert "24 instead of 48" in words[0]
    assert "windows of 2 frames" in words[1]


def test_too_small_footage_is_a_usage_error() -> None:
    for source in (ToySource(side=15), ToySource(frames=2)):
        with pytest.raises(UsageError, match="No clip has 3 frames of 16x16"):
            fitted(RECIPE, source)


# Initial weights


def test_training_starts_from_a_weights_file(tmp_path: Path) -> None:
    recipe = replace(RECIPE, initial=str(save_tiny_model(tmp_path)))
    one = trainer(recipe)
    assert one.initial.startswith("tiny (sha256 ")
    other = Trainer(replace(recipe, seed=6), ToySource(), CPU)
    assert_same(one.model.state_dict(), other.model.state_dict())
    assert_same(one.model.state_dict(), one.ema_model.state_dict())
    one.advance()
    assert trainer(state=one.state()).initial == one.initial


def test_missing_initial_weights_and_those_of_another_configuration_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="initial weights do not fit"):
        trainer(replace(RECIPE, initial="lite"))
    with pytest.raises(ModelError):
        trainer(replace(RECIPE, initial=str(tmp_path / "absent.safetensors")))


# Steps


def test_charbonnier_loss_of_known_differences() -> None:
    one, other = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 3.0])
    assert float(charbonnier(one, other)) == pytest.approx((1e-3 + (4 + 1e-6) ** 0.5) / 2)


def test_a_resumed_run_has_the_same_state_as_an_unbroken_one(tmp_path: Path) -> None:
    whole, before = trainer(), trainer()
    for _ in range(RECIPE.steps):
        whole.advance()
    for _ in range(3):
        before.advance()
    after = trainer(state=read_checkpoint(save_checkpoint(before, tmp_path), RECIPE))
    while after.step < RECIPE.steps:
        after.advance()
    assert_same(whole.state(), after.state())
    fresh = trainer().state()["model"]["encoder.first.weight"]
    assert not torch.equal(fresh, whole.state()["model"]["encoder.first.weight"])
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_with_the_old_key_mean_model_can_be_resumed() -> None:
    one = trainer()
    one.advance()
    state = copy.deepcopy(one.state())
    old = {"mean_model" if key == "ema_model" else key: value for key, value in state.items()}
    assert_same(trainer(state=old).ema_model.state_dict(), state["ema_model"])
    assert not torch.equal(state["ema_model"]["encoder.first.weight"], state["model"]["encoder.first.weight"])


def test_adam_moments_of_a_gpu_run_are_loaded_without_its_settings() -> None:
    one = trainer()
    one.advance()
    state = copy.deepcopy(one.state())
    state["adam"]["param_groups"][0].update(capturable=True, lr=torch.tensor(7.0))
    other = trainer(state=state)
    one.advance()
    other.advance()
    assert_same(one.state(), other.state())


def test_restoring_an_earlier_state_repeats_the_same_steps() -> None:
    one, other = trainer(), trainer()
    one.advance()
    state = copy.deepcopy(one.state())
    for _ in range(3):
        one.advance()
    one.restore(state)
    other.advance()
    for each in (one, other):
        each.advance()
    assert_same(one.state(), other.state())


def test_the_ema_follows_the_model() -> None:
    one = trainer()
    before = [parameter.clone() for parameter in one.ema_model.parameters()]
    one.advance()
    for mean, old, new in zip(one.ema_model.parameters(), before, one.model.parameters(), strict=True):
        # The decay of the first step is (1 + 1) / (10 + 1).
        torch.testing.assert_close(mean, old * 2 / 11 + new.detach() * 9 / 11)


def test_a_checkpoint_without_optimiser_state_resumes_from_its_weights(tmp_path: Path) -> None:
    one = trainer()
    one.advance()
    whole = save_checkpoint(one, tmp_path).stat().st_size
    path = save_checkpoint(one, tmp_path, with_optimiser=False)
    assert path.stat().st_size < 0.7 * whole
    other = trainer(state=read_checkpoint(path, RECIPE))
    assert_same(one.state(with_optimiser=False), other.state(with_optimiser=False))
    other.advance()
    assert other.step == 2


def test_a_file_that_is_no_checkpoint_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"nothing of the kind")
    for where in (path, tmp_path / "absent.pt"):
        with pytest.raises(UsageError, match="not a checkpoint"):
            read_checkpoint(where, RECIPE)


def test_a_checkpoint_of_another_model_is_a_usage_error(tmp_path: Path) -> None:
    path = save_checkpoint(trainer(), tmp_path)
    with pytest.raises(UsageError, match="'tiny', not as 'lite'"):
        read_checkpoint(path, replace(RECIPE, config="lite"))


@cache
def healthy_batch() -> Batch:
    rng = torch.Generator().manual_seed(0)
    times = torch.tensor([[0.0, 0.5]])
    return Batch(torch.rand((1, 2, 3, 8, 8), generator=rng), torch.rand((1, 2, 3, 12, 12), generator=rng), times)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["low", "targets", "times"])
def test_a_non_finite_batch_is_skipped_and_counted(field: str, value: float) -> None:
    one = trainer()
    optimiser = one.optimiser
    optimiser.learning_rate.fill_(1e-3)
    optimiser.step(healthy_batch())
    before = copy.deepcopy((one.model.state_dict(), optimiser.adam.state_dict()["state"], optimiser.loss_sum))
    optimiser.step(replace(healthy_batch(), **{field: torch.full_like(getattr(healthy_batch(), field), value)}))
    assert_same(before, (one.model.state_dict(), optimiser.adam.state_dict()["state"], optimiser.loss_sum))
    optimiser.step(healthy_batch())
    assert not torch.equal(before[0]["encoder.first.weight"], one.model.get_parameter("encoder.first.weight"))
    loss_sum, skipped = optimiser.read()
    assert skipped == 1
    assert float(before[2]) < loss_sum < 2.1 * float(before[2])
    assert optimiser.read() == (0, 0)


def test_a_skipped_step_keeps_the_ema_finite() -> None:
    one = Trainer(RECIPE, BrokenSource(lambda number: number in (0, 2)), CPU)
    for _ in range(4):
        one.advance()
    assert all(parameter.isfinite().all() for parameter in one.ema_model.parameters())
    assert one.optimiser.read()[1] == 2


def test_gradients_are_clipped_to_the_recipes_norm() -> None:
    model = trainer().model
    optimiser = Optimiser(model, gradient_norm=1e-3)
    optimiser.step(healthy_batch())
    squares = [float(parameter.grad.square().sum()) for parameter in model.parameters() if parameter.grad is not None]
    assert sum(squares) ** 0.5 == pytest.approx(1e-3, rel=1e-2)


def test_a_rehearsal_restores_weights_moments_and_counters() -> None:
    one = trainer()
    one.advance()
    before = copy.deepcopy((one.state(), one.optimiser.loss_sum))
    with one.optimiser.rehearsal():
        one.optimiser.step(healthy_batch())
        assert not torch.equal(
            before[0]["model"]["encoder.first.weight"], one.model.get_parameter("encoder.first.weight")
        )
    assert_same(before, (one.state(), one.optimiser.loss_sum))


def test_training_lowers_the_loss_on_a_toy_clip() -> None:
    recipe = replace(RECIPE, stages=(replace(STAGE, steps=120, batch=4, scales=(2.0,), learning_rate=4e-3),))
    one = trainer(recipe)
    fixed = one.source.batch(STAGE, BatchShape(8, 8, 16, 2), np.random.default_rng(99))
    with torch.no_grad():
        before = float(batch_loss(one.model, fixed))
    for _ in range(120):
        one.advance()
    with torch.no_grad():
        after = float(batch_loss(one.model, fixed))
    assert after < 0.8 * before


def test_the_recipes_seed_determines_the_initial_weights() -> None:
    one, again, other = (trainer(replace(RECIPE, seed=seed)).model.state_dict() for seed in (1, 1, 2))
    assert_same(one, again)
    assert not torch.equal(one["encoder.first.weight"], other["encoder.first.weight"])
