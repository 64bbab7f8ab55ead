"""Training of models that bend their paths: steps with the frames beside a pair, and recipes."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.same_state import assert_same
from helpers.toy_source import ToySource
from videoinr.errors import UsageError
from videoinr.model.config import LITE
from videoinr.training.batch_shape import BatchShape
from videoinr.training.checkpoints import read_checkpoint, save_checkpoint
from videoinr.training.data.clip_store import Batch
from videoinr.training.losses import flow_error
from videoinr.training.recipe import Recipe, Stage, load_recipe
from videoinr.training.step import batch_loss, blank_batch, copy_batch_
from videoinr.training.trainer import Trainer

CPU = torch.device("cpu")
STAGE = Stage("first", 4, 2, 8, (1.0, 2.0), 1e-3, 1e-4, warm_up_steps=2, windows=(2, 4), targets=2)
RECIPE = Recipe("toy", "tiny", (replace(STAGE, bend_rate=4.0), replace(STAGE, name="second")), seed=5, bend_channels=6)


def trainer(recipe: Recipe = RECIPE) -> Trainer:
    return Trainer(recipe, ToySource(), CPU)


def toy_batch(seed: int = 9) -> Batch:
    return ToySource().batch(STAGE, BatchShape(4, 8, 8, 2, outer=True), np.random.default_rng(seed))


def test_training_bends_paths_and_lowers_the_loss() -> None:
    stage = replace(STAGE, steps=30, scales=(1.0,), learning_rate=1e-2)
    one, batch = trainer(replace(RECIPE, stages=(stage,))), toy_batch()
    with torch.no_grad():
        before = float(batch_loss(one.model, batch))
    for _ in range(30):
        one.advance()
    with torch.no_grad():
        after = float(batch_loss(one.model, batch))
        straight = float(batch_loss(one.model, replace(batch, low=batch.low[:, :2], valid=None)))
    assert after < 0.9 * before
    assert after != straight
    assert one.optimiser.read()[1] == 0


def test_a_resumed_run_that_bends_paths_has_the_same_state_as_an_unbroken_one(tmp_path: Path) -> None:
    whole, before = trainer(), trainer()
    for _ in range(6):
        whole.advance()
    for _ in range(3):
        before.advance()
    state = read_checkpoint(save_checkpoint(before, tmp_path), RECIPE)
    after = Trainer(RECIPE, ToySource(), CPU, state=state)
    for _ in range(3):
        after.advance()
    assert_same(whole.state(), after.state())


def test_a_checkpoint_without_the_bend_is_a_usage_error(tmp_path: Path) -> None:
    straight = replace(RECIPE, bend_channels=0)
    state = read_checkpoint(save_checkpoint(trainer(straight), tmp_path), RECIPE)
    with pytest.raises(UsageError, match="does not fit"):
        Trainer(RECIPE, ToySource(), CPU, state=state)


def test_the_network_that_bends_paths_has_its_own_learning_rate() -> None:
    one = trainer(replace(RECIPE, stages=(replace(STAGE, bend_rate=4.0, warm_up_steps=0),)))
    names = ("encoder.bend.leave.bias", "encoder.fuse.bias")
    before = [one.model.get_parameter(name).detach().clone() for name in names]
    one.advance()
    # Adam's first step has the length of the rate, whatever the gradient.
    steps = [
        float((one.model.get_parameter(name).detach() - old).abs().max())
        for name, old in zip(names, before, strict=True)
    ]
    assert steps == pytest.approx([4e-3, 1e-3], rel=0.02)
    one.restore(one.state())
    rates = (one.optimiser.learning_rate, one.optimiser.bend_rate)
    for group, rate in zip(one.optimiser.adam.param_groups, rates, strict=True):
        assert group["lr"] is rate


def test_a_withheld_frame_has_no_part_in_the_loss() -> None:
    one, batch = trainer(), toy_batch()
    torch.nn.init.normal_(one.model.get_parameter("encoder.bend.leave.weight"))
    withheld = replace(batch, valid=torch.zeros(4, 2))
    other = replace(withheld, low=torch.cat((batch.low[:, :2], 1 - batch.low[:, 2:]), 1))
    loss = batch_loss(one.model, withheld)
    assert torch.equal(batch_loss(one.model, other), loss)
    plain = batch_loss(one.model, replace(batch, low=batch.low[:, :2].contiguous(), valid=None))
    torch.testing.assert_close(plain, loss)
    assert abs(float((batch_loss(one.model, batch) - loss).detach())) > 1e-5


def test_the_flow_loss_reads_the_flows_alone() -> None:
    one, batch = trainer(), toy_batch()
    torch.nn.init.normal_(one.model.get_parameter("encoder.bend.leave.weight"))
    truth = torch.cat((torch.rand(4, 4, 8, 8), torch.ones(4, 2, 8, 8)), 1)
    with torch.no_grad():
        plain = batch_loss(one.model, batch)
        weighted = batch_loss(one.model, replace(batch, flow=truth), flow_weight=0.5)
        prior = one.model.latent(batch.low[:, :2].contiguous())[1]
    assert prior is not None
    torch.testing.assert_close(weighted, plain + 0.5 * flow_error(prior, truth))


@pytest.mark.parametrize("outer", [False, True])
def test_the_memory_of_a_captured_step_holds_all_of_a_batch(*, outer: bool) -> None:
    shape = BatchShape(4, 8, 16, 2, outer=outer)
    batch = ToySource().batch(STAGE, shape, np.random.default_rng(1))
    if batch.valid is not None:
        batch = replace(batch, valid=torch.tensor([[0.0, 1.0]] * 4))
    batch = replace(batch, flow=torch.rand(4, 6, 8, 8))
    buffers = blank_batch(shape, CPU, with_flow=True)
    copy_batch_(buffers, batch)
    for field in fields(Batch):
        assert_same(getattr(buffers, field.name), getattr(batch, field.name))
    assert (buffers.valid is not None) == outer
    assert blank_batch(shape, CPU, with_flow=False).flow is None


def test_the_recipe_grows_lite() -> None:
    recipe = load_recipe("bend")
    assert recipe.bends_paths
    assert replace(recipe.model_config, encoder=LITE.encoder) == LITE
    assert not load_recipe("lite").bends_paths
    assert not load_recipe("paper").bends_paths
    assert load_recipe("lite").model_config == LITE
    one = Trainer(recipe, ToySource(), CPU)
    assert one.initial.startswith("lite ")
    assert one.model.bends_paths


@pytest.mark.parametrize(("config", "width"), [("paper", "8"), ("tiny", "-1"), ("tiny", "8.5"), ("tiny", "1000")])
def test_a_width_that_no_model_can_have_is_a_usage_error(tmp_path: Path, config: str, width: str) -> None:
    stage = '[[stages]]\nname = "s"\nsteps = 3\nbatch = 2\npatch = 8\nscales = [2.0]\n'
    path = tmp_path / "mine.toml"
    path.write_text(f'config = "{config}"\nbend_channels = {width}\n{stage}', "utf-8")
    with pytest.raises(UsageError, match="bend_channels"):
        load_recipe(str(path))
