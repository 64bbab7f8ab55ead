"""`videoinr train` and `videoinr evaluate` on a few pictures and a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.clips import write_clip, write_pictures
from helpers.command_line import run_here
from helpers.tiny_model import save_tiny_model

RECIPE = """
config = "tiny"
[[stages]]
name = "x4"
steps = {steps}
batch = 2
patch = 8
scales = [4.0]
learning_rate = 1e-3
warm_up_steps = 1
[[stages]]
name = "continuous"
steps = 4
batch = 2
patch = 8
scales = [1.0, 2.5, 4.0]
learning_rate = 1e-3
warm_up_steps = 1
"""


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    write_pictures(folder / "a", 9)
    write_clip(folder / "b.mkv", 12, codec="ffv1", pix_fmt="bgr0")
    return folder


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE.format(steps=6))
    return path


def test_training_own_footage_gives_weights_that_every_command_takes(
    footage: Path, recipe: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    trained = run_here("train", recipe, "--data", footage, "--out", out, "--device", "cpu")
    assert trained.exit_code == 0, trained.stderr
    weights = out / "mine.safetensors"
    assert json.loads(weights.with_suffix(".json").read_text())["trained_scales"] == [1.0, 4.0]
    assert json.loads((out / "log.jsonl").read_text().splitlines()[-1])["step"] == 10
    picture = tmp_path / "picture.png"
    command = ("decode", footage / "b.mkv", "--time", "0.1", "--scale", "2", "--model", weights, "-o", picture)
    assert run_here(*command, "--device", "cpu").exit_code == 0
    assert picture.is_file()


def test_a_checkpoint_is_neither_overwritten_nor_missing_silently(footage: Path, recipe: Path, tmp_path: Path) -> None:
    out, command = tmp_path / "run", ("train", recipe, "--data", footage, "--device", "cpu", "--out")
    missing = run_here(*command, out, "--resume")
    assert missing.exit_code == 2
    assert "There is no" in missing.stderr
    assert run_here(*command, out).exit_code == 0
    again = run_here(*command, out)
    assert again.exit_code == 2
    assert "--resume" in again.stderr


def test_a_finished_run_can_be_prolonged(footage: Path, recipe: Path, tmp_path: Path) -> None:
    out, command = tmp_path / "run", ("train", recipe, "--data", footage, "--device", "cpu", "--out", tmp_path / "run")
    assert run_here(*command).exit_code == 0
    before = (out / "mine.safetensors").read_bytes()
    recipe.write_text(RECIPE.format(steps=9))
    resumed = run_here(*command, "--resume")
    assert resumed.exit_code == 0
    assert "from step 10" in resumed.stderr
    assert (out / "mine.safetensors").read_bytes() != before


def test_training_without_clips_or_recipe_says_so(tmp_path: Path, recipe: Path) -> None:
    (tmp_path / "empty").mkdir()
    nothing = run_here("train", recipe, "--data", tmp_path / "empty", "--out", tmp_path / "run", "--device", "cpu")
    assert nothing.exit_code == 2
    assert "There are no clips" in nothing.stderr
    unknown = run_here("train", "grand", "--data", tmp_path / "empty", "--out", tmp_path / "run")
    assert unknown.exit_code == 2
    assert "Shipped: lite" in unknown.stderr


def test_evaluation_prints_figures_with_their_protocol(footage: Path, tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path)
    command = ("evaluate", "--data", footage, "--model", model, "--time-scale", "4", "--scale", "2", "--device", "cpu")
    shown = run_here(*command)
    assert shown.exit_code == 0, shown.stderr
    assert "space x2, time x4" in shown.stdout
    assert "bicubic-blend" in shown.stdout
    result = json.loads(run_here(*command, "--json").stdout)
    assert set(result["psnr_y_db"]) == {"bicubic-blend", "tiny"}
    # Two windows of four frames in each clip: 0-4-8, outputs 0 ... 7.
    assert result["psnr_y_db"]["tiny"]["mean"]["frames"] == 16
    assert set(result["psnr_y_db"]["tiny"]["clips"]) == {"a", "b.mkv"}
