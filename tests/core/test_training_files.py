"""Files of a training that people exchange: recipes and checkpoints with wrong values, encodings and bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.same_state import assert_same
from helpers.toy_source import ToySource
from videoinr.errors import InputError
from videoinr.training.checkpoints import read_checkpoint, save_checkpoint
from videoinr.training.recipe import Recipe, Stage, load_recipe
from videoinr.training.trainer import Trainer

STAGE = Stage("first", 4, 2, 8, (1.0, 1.5, 2.0), 1e-3, 1e-4, warm_up_steps=2, windows=(2, 3), targets=2)
RECIPE = Recipe("toy", "tiny", (STAGE,), seed=5)
STAGE_TEXT = 'name = "s"\nsteps = 3\nbatch = 2\npatch = 8\nscales = [1.5, 2.0]\nlearning_rate = 1e-3\n'


def trainer(*, state: dict[str, Any] | None = None) -> Trainer:
    return Trainer(RECIPE, ToySource(), torch.device("cpu"), state=state)


def write_recipe(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    "change",
    [
        ("batch = 2", "batch = nan"), ("batch = 2", "batch = 2.5"), ("batch = 2", "batch = true"),
        ("patch = 8", "patch = 1e308"), ("patch = 8", "patch = 9223372036854775807"), ("patch = 8", "patch = 5000"),
        ("steps = 3", 'steps = "3"'), ("steps = 3", "steps = 1979-05-27"), ('name = "s"', 'name = "\\u001b[31m"'),
        ("learning_rate = 1e-3", "learning_rate = inf"), ("[1.5, 2.0]", "[[1.5]]"), ("[1.5, 2.0]", "[nan]"),
        ("[1.5, 2.0]", "{a = {b = 1}}"),
    ],
)  # fmt: skip
def test_nonsense_values_of_a_recipe_are_named(tmp_path: Path, change: tuple[str, str]) -> None:
    assert change[0] in STAGE_TEXT
    with pytest.raises(InputError, match=r"cannot be read: stages\.0") as caught:
        load_recipe(write_recipe(tmp_path, f'config = "tiny"\n[[stages]]\n{STAGE_TEXT.replace(*change)}'))
    assert caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_recipe_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(f'# é\nconfig = "tiny"\n[[stages]]\n{STAGE_TEXT}'.encode(encoding))
    with pytest.raises(InputError, match="not UTF-8"):
        load_recipe(str(path))


def test_a_recipe_of_deep_nesting_or_great_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        load_recipe(write_recipe(tmp_path, "a = " + "[" * 50_000 + "]" * 50_000))
    with pytest.raises(InputError, match="larger than"):
        load_recipe(write_recipe(tmp_path, "#" * 2_000_000))


def test_a_recipe_with_control_characters_in_its_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mi\nne.toml"
    path.write_text(f'config = "tiny"\n[[stages]]\n{STAGE_TEXT}')
    with pytest.raises(InputError, match="control characters"):
        load_recipe(str(path))


def test_a_checkpoint_with_one_changed_byte_is_refused(tmp_path: Path) -> None:
    path = save_checkpoint(trainer(), tmp_path)
    whole = path.read_bytes()
    for place in (*range(0, len(whole), len(whole) // 40), *range(-120, 0)):
        changed = bytearray(whole)
        changed[place] ^= 4
        path.write_bytes(changed)
        with pytest.raises(InputError, match="not a checkpoint"):
            read_checkpoint(path, RECIPE)
    for cut in (whole[:-1], whole[:-81], whole[:-83], whole + b"x", whole + whole):
        path.write_bytes(cut)
        with pytest.raises(InputError, match="not a checkpoint"):
            read_checkpoint(path, RECIPE)
    path.write_bytes(whole)
    assert_same(read_checkpoint(path, RECIPE), trainer().state())


def test_a_checkpoint_without_a_checksum_is_read_and_its_archive_checked(tmp_path: Path) -> None:
    """Older versions wrote such files."""
    path = tmp_path / "checkpoint.pt"
    torch.save(trainer().state(), path)
    assert_same(read_checkpoint(path, RECIPE), trainer().state())
    changed = bytearray(path.read_bytes())
    weights = trainer().state()["model"]["encoder.first.weight"].numpy().tobytes()
    changed[changed.index(weights) + len(weights) // 2] ^= 1
    path.write_bytes(changed)
    with pytest.raises(InputError, match="damaged"):
        read_checkpoint(path, RECIPE)


def test_a_pipe_in_a_checkpoints_place_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="no such file"):
        read_checkpoint(tmp_path / "checkpoint.pt", RECIPE)


@pytest.mark.parametrize(
    "changes",
    [
        {"step": -1}, {"step": 1.5}, {"step": None}, {"rate_factor": float("nan")}, {"rate_factor": 2.0}, {"model": {}},
        {"model": {"encoder.first.weight": torch.zeros(3)}}, {"model": 3}, {"adam": {"state": {0: {}}}},
        {"recipe": "{}"}, {"recipe": "["}, {"initial": "\x1b[31m"}, {"surplus": 1}, {"ema_model": {"a": "text"}},
        {"adam": {"state": {0: {name: torch.zeros(1) for name in ("step", "exp_avg", "exp_avg_sq")}}}},
    ],
)  # fmt: skip
def test_a_checkpoint_of_wrong_values_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({**trainer().state(), **changes}, path)
    with pytest.raises(InputError):
        trainer(state=read_checkpoint(path, RECIPE))
