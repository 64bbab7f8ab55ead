"""``videoinr train`` with a few pictures and a tiny model: its files, stopping and resuming."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from helpers import fork_server
from helpers.clips import numbered_frames, write_footage, write_pictures
from helpers.command_line import run_here, start
from helpers.same_state import assert_same
from helpers.tiny_model import save_tiny_model
from videoinr.commands import train
from videoinr.model import fast_code
from videoinr.model.weights import load_model
from videoinr.training.recipe import load_recipe

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
    return write_footage(tmp_path / "footage")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE.format(steps=6))
    return path


def test_trained_weights_work_with_every_command(footage: Path, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    trained = run_here("train", recipe, "--data", footage, "--out", out, "--device", "cpu")
    assert trained.exit_code == 0, trained.stderr
    weights = out / "mine.safetensors"
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["trained_scales"] == [1.0, 4.0]
    training = card["training"]
    assert (training["steps"], training["stages"]) == (10, {"x4": 6, "continuous": 4})
    assert (training["data"], training["degradation"]) == ([str(footage)], "clean")
    assert training["initial"] == "random weights"
    assert "<svg" in (out / "curves.svg").read_text()
    assert json.loads((out / "log.jsonl").read_text().splitlines()[-1])["step"] == 10
    picture = tmp_path / "picture.png"
    command = ("decode", footage / "b.mkv", "--time", "0.1", "--scale", "2", "--model", weights, "-o", picture)
    assert run_here(*command, "--device", "cpu").exit_code == 0
    assert picture.is_file()


def test_runs_with_other_seeds_differ_and_can_be_averaged(footage: Path, recipe: Path, tmp_path: Path) -> None:
    runs = (("a", "3"), ("b", "3"), ("c", "4"))
    cards = []
    for name, seed in runs:
        command = ("train", recipe, "--data", footage, "--device", "cpu", "--seed", seed, "--out", tmp_path / name)
        assert run_here(*command).exit_code == 0
        cards.append(json.loads((tmp_path / name / "mine.json").read_text()))
    assert [card["training"]["recipe"]["seed"] for card in cards] == [3, 3, 4]
    first, again, other = (card["sha256"] for card in cards)
    assert first == again != other
    files = [tmp_path / name / "mine.safetensors" for name in ("a", "c")]
    assert run_here("models", "mean", *files, "--out", tmp_path / "mean.safetensors").exit_code == 0
    assert load_model(str(tmp_path / "mean.safetensors")).card.trained_scales == (1.0, 4.0)


def test_a_checkpoint_is_not_overwritten_and_must_exist_to_resume(footage: Path, recipe: Path, tmp_path: Path) -> None:
    out, command = tmp_path / "run", ("train", recipe, "--data", footage, "--device", "cpu", "--out")
    missing = run_here(*command, out, "--resume")
    assert missing.exit_code == 1
    assert "There is no" in missing.stderr
    assert run_here(*command, out).exit_code == 0
    again = run_here(*command, out)
    assert again.exit_code == 1
    assert "--resume" in again.stderr


def test_a_finished_run_can_be_extended(footage: Path, recipe: Path, tmp_path: Path) -> None:
    out, command = tmp_path / "run", ("train", recipe, "--data", footage, "--device", "cpu", "--out", tmp_path / "run")
    assert run_here(*command).exit_code == 0
    before = (out / "mine.safetensors").read_bytes()
    recipe.write_text(RECIPE.format(steps=9))
    resumed = run_here(*command, "--resume")
    assert resumed.exit_code == 0
    assert "from step 10" in resumed.stderr
    assert (out / "mine.safetensors").read_bytes() != before


def test_missing_clips_recipes_and_photographs_are_errors_in_words(tmp_path: Path, recipe: Path) -> None:
    (tmp_path / "empty").mkdir()
    nothing = run_here("train", recipe, "--data", tmp_path / "empty", "--out", tmp_path / "run", "--device", "cpu")
    assert nothing.exit_code == 1
    assert "There are no training clips" in nothing.stderr
    unknown = run_here("train", "grand", "--data", tmp_path / "empty", "--out", tmp_path / "run")
    assert unknown.exit_code == 2
    assert "lite-x4-only" in unknown.stderr
    # Its last stage alone wants them: known before anything is read, not after hours.
    unlit = run_here("train", "base", "--data", tmp_path / "empty", "--out", tmp_path / "run")
    assert unlit.exit_code == 2
    assert "--stills" in unlit.stderr


def test_a_folder_that_cannot_be_made_is_said_and_none_is_left_of_a_run_that_did_not_begin(
    footage: Path, recipe: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    outcome = run_here("train", recipe, "--data", footage, "--out", tmp_path / "taken", "--device", "cpu")
    assert (outcome.exit_code, outcome.has_traceback) == (1, False)
    assert "taken already exists" in outcome.stderr
    for options in (["--data", tmp_path / "nothing"], ["--data", footage, "--validate", tmp_path / "nothing"]):
        outcome = run_here("train", recipe, *options, "--out", tmp_path / "new", "--device", "cpu")
        assert outcome.exit_code == 1, outcome
        assert not (tmp_path / "new").exists()


def test_training_starts_from_given_weights_and_names_them(footage: Path, recipe: Path, tmp_path: Path) -> None:
    own, out = save_tiny_model(tmp_path), tmp_path / "run"
    command = ("train", recipe, "--data", footage, "--device", "cpu", "--out", out)
    trained = run_here(*command, "--initial", own)
    assert trained.exit_code == 0, trained.stderr
    assert f"started from tiny (sha256 {load_model(str(own)).card.sha256})" in trained.stderr
    assert load_model(str(out / "mine.safetensors")).card.training["initial"].startswith("tiny (sha256 ")
    both = run_here(*command, "--initial", own, "--resume")
    assert both.exit_code == 2
    assert "--initial" in both.stderr
    other = run_here(*command[:-1], tmp_path / "other", "--initial", "lite")
    assert other.exit_code == 1
    assert "initial weights do not fit" in other.stderr


@pytest.mark.parametrize(("device", "code", "is_told"), [("cuda", "k", True), ("cuda", "", False), ("cpu", "c", False)])
def test_what_a_gpu_prepares_before_its_first_step_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], device: str, code: str, is_told: bool
) -> None:
    monkeypatch.setattr(fast_code, "fast_code_name", lambda _: code)
    ranks, source = SimpleNamespace(leads=True, count=1), SimpleNamespace(report=lambda: ["1 clip"])
    started = SimpleNamespace(recipe=load_recipe("lite"), ranks=ranks, source=source, initial="", step=0)
    train._introduce(cast("Any", started), [], torch.device(device))
    told = capsys.readouterr().err
    assert f"from step 0, on {device}" in told
    assert ("prepares the kernels" in told) == is_told


def test_validation_and_light_checkpoints(footage: Path, recipe: Path, tmp_path: Path) -> None:
    plain, light = tmp_path / "plain", tmp_path / "light"
    recipe.write_text("validate_every_steps = 5\n" + RECIPE.format(steps=6))
    held_out = tmp_path / "held_out"
    write_pictures(held_out / "clip", numbered_frames(5, width=80, height=64))
    command = ("train", recipe, "--data", footage, "--device", "cpu", "--out")
    assert run_here(*command, plain).exit_code == 0
    shown = run_here(*command, light, "--validate", held_out, "--light-checkpoints")
    assert shown.exit_code == 0, shown.stderr
    assert shown.stderr.count("plain blend") == 2
    assert len(list((light / "pictures").iterdir())) == 2
    assert (light / "mine.safetensors").read_bytes() == (plain / "mine.safetensors").read_bytes()
    assert (light / "checkpoint.pt").stat().st_size < (plain / "checkpoint.pt").stat().st_size
    nothing = run_here(*command, tmp_path / "third", "--validate", footage / "absent")
    assert nothing.exit_code == 1


# Processes of their own


def endless(recipe: Path) -> Path:
    recipe.write_text(RECIPE.format(steps=100_000))
    return recipe


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the processes of a test run one thread each: with more they would mostly wait for each other."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def wait_for_steps(out: Path, process: subprocess.Popen[str] | fork_server.Fork) -> None:
    """Wait until a second checkpoint was written."""
    deadline = time.monotonic() + 200
    checkpoint, seen = out / "checkpoint.pt", set[int]()
    while len(seen) < 4:
        assert process.poll() is None, process.communicate(timeout=30)[1]
        assert time.monotonic() < deadline
        if checkpoint.is_file():
            seen.add(checkpoint.stat().st_mtime_ns)
        time.sleep(0.01)


def test_a_run_that_goes_on_with_other_data_names_all_of_it(footage: Path, recipe: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "run", write_footage(tmp_path / "other")
    begun = run_here("train", recipe, "--data", footage, "--out", out, "--device", "cpu")
    assert begun.exit_code == 0, begun.stderr
    recipe.write_text(RECIPE.format(steps=7))
    for data in (footage, other):
        resumed = run_here("train", recipe, "--data", data, "--out", out, "--device", "cpu", "--resume")
        assert resumed.exit_code == 0, resumed.stderr
        assert (f"other data: {footage}." in "".join(resumed.stderr.splitlines())) == (data == other)
    assert json.loads((out / "mine.json").read_text())["training"]["data"] == [str(footage), str(other)]


@pytest.mark.usefixtures("one_thread")
@pytest.mark.long
def test_a_killed_and_resumed_run_ends_with_the_same_weights(footage: Path, recipe: Path, tmp_path: Path) -> None:
    killed, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    recipe.write_text(RECIPE.format(steps=60))
    command = ("train", recipe, "--data", footage, "--device", "cpu", "--checkpoint-every", "0.01", "--out")
    with start(*command, killed, module="helpers.unfinished_training") as process:
        wait_for_steps(killed, process)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    other = run_here(*command, unbroken)
    assert other.exit_code == 0, other.stderr
    assert other.stderr.count("Saved ") == 1
    resumed = run_here(*command, killed, "--resume")
    assert resumed.exit_code == 0, resumed.stderr
    assert "from step 0," not in resumed.stderr
    assert (killed / "mine.safetensors").read_bytes() == (unbroken / "mine.safetensors").read_bytes()
    assert_same(*(torch.load(out / "checkpoint.pt", weights_only=True) for out in (killed, unbroken)))
    assert json.loads((killed / "log.jsonl").read_text().splitlines()[-1])["step"] == 64


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.long
def test_a_signal_saves_and_stops_a_run(footage: Path, recipe: Path, tmp_path: Path, number: int) -> None:
    out = tmp_path / "run"
    command = ("train", endless(recipe), "--data", footage, "--device", "cpu", "--checkpoint-every", "0.05")
    with fork_server.start(*command, "--out", out) as process:
        wait_for_steps(out, process)
        process.send_signal(number)
        _, words = process.communicate(timeout=30)
    assert process.returncode == 130, words
    assert "continue with --resume" in words
    assert "Traceback" not in words
    card = load_model(str(out / "mine.safetensors")).card
    assert f"Stopped at step {card.training['steps']}" in words
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == card.training["steps"]
