"""Fine-tuning lite on own footage, with one command, on a CPU."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from helpers.clips import numbered_frames, write_clip, write_pictures
from helpers.command_line import run_here
from videoinr.model.config import CONFIGS
from videoinr.model.weights import load_model
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Batch
from videoinr.training.data.sources import open_source
from videoinr.training.recipe import load_recipe
from videoinr.training.step import batch_loss
from videoinr.training.trainer import Trainer

CPU = torch.device("cpu")


def test_fine_tuning_lite_lowers_the_loss_on_own_footage(tmp_path: Path) -> None:
    """A few steps of the shipped recipe at its learning rate, with smaller batches."""
    write_clip(tmp_path / "own.mkv", 12, codec="ffv1", pix_fmt="bgr0")
    recipe = load_recipe("finetune")
    small = replace(recipe.stages[0], batch=4, patch=16, scales=(2.0,), warm_up_steps=5)
    with closing(open_source([tmp_path], CPU)) as source:
        one = Trainer(replace(recipe, stages=(small,), ema_decay=0.9), source, CPU)
        fixed = source.batch(small, BatchShape(16, 16, 32, 2), np.random.default_rng((99, 0)))
        losses = [loss_of(one, fixed)]
        for _ in range(3):
            for _ in range(9):
                one.advance()
            losses.append(loss_of(one, fixed))
    assert one.initial.startswith("lite (sha256 ")
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]


@torch.no_grad()
def loss_of(one: Trainer, batch: Batch) -> float:
    return float(batch_loss(one.ema_model, batch))


def test_the_command_fine_tunes_on_small_and_short_footage(tmp_path: Path) -> None:
    """Two clips of three small frames: patches get smaller, and the command says so."""
    for name in "ab":
        write_pictures(tmp_path / "own" / name, numbered_frames(3, width=52, height=40))
    out = tmp_path / "tuned"
    command = ("train", "finetune", "--data", tmp_path / "own", "--out", out, "--device", "cpu", "--time-limit", "0:02")
    trained = run_here(*command)
    assert trained.exit_code == 0, trained.stderr
    assert "patches of 8 instead of 32 pixels" in trained.stderr
    assert "started from lite" in trained.stderr
    card = load_model(str(out / "finetune.safetensors")).card
    assert card.config == CONFIGS["lite-bent"]
    assert card.training["steps"] >= 1
    assert card.training["initial"].startswith("lite (sha256 ")
    assert card.sha256 != load_model("lite").card.sha256


def test_static_footage_is_a_usage_error(tmp_path: Path) -> None:
    write_pictures(tmp_path / "own" / "two", 2)
    refused = run_here("train", "finetune", "--data", tmp_path / "own", "--out", tmp_path / "out", "--device", "cpu")
    assert refused.exit_code == 2
    assert "hint:" in refused.stderr
