"""Several processes under torchrun take the same steps as one process with a batch of all their windows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.clips import write_pictures
from helpers.command_line import environment, run_here
from videoinr.training.data.clip_store import Batch
from videoinr.training.distributed import ALONE, Ranks

RECIPE = """
config = "tiny"
[[stages]]
name = "both"
steps = {steps}
batch = {batch}
patch = 8
scales = [1.0, 2.0]
learning_rate = 1e-3
warm_up_steps = 1
loss_weight = "area"
"""


def recipe(folder: Path, *, batch: int, steps: int) -> Path:
    path = folder / f"batch{batch}-steps{steps}" / "mine.toml"
    path.parent.mkdir()
    path.write_text(RECIPE.format(batch=batch, steps=steps))
    return path


def two_processes(store: Path, *commands: Sequence[object]) -> subprocess.CompletedProcess[str]:
    """Run two commands of the program, one after the other, each in two processes; torchrun starts once."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "helpers.forked_commands")
    return subprocess.run(
        [sys.executable, *torchrun, str(store), *(json.dumps([str(each) for each in command]) for command in commands)],
        env={**environment(), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def losses(out: Path) -> list[float]:
    lines = (json.loads(line) for line in (out / "log.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines]


def weights(out: Path) -> dict[str, Any]:
    state = torch.load(out / "checkpoint.pt", weights_only=True)
    return {**state["ema_model"], "step": torch.tensor(state["step"])}


@pytest.mark.long
def test_two_processes_train_as_one_with_twice_the_batch(tmp_path: Path) -> None:
    """The same holds if both are stopped and resumed."""
    write_pictures(tmp_path / "footage", 9)
    two, one = tmp_path / "two", tmp_path / "one"
    options = ("--data", tmp_path / "footage", "--device", "cpu", "--out")
    runs: tuple[tuple[int, tuple[str, ...]], ...] = ((5, ()), (12, ("--resume",)))
    both = two_processes(
        tmp_path / "store",
        *(("train", recipe(tmp_path, batch=2, steps=steps), *options, two, *resume) for steps, resume in runs),
    )
    assert both.returncode == 0, both.stderr
    assert both.stderr.count("Saved ") == len(runs)
    assert both.stderr.count("2 processes") == len(runs)
    for steps, resume in runs:
        whole = recipe(tmp_path, batch=4, steps=steps)
        assert run_here("train", whole, *options, one, *resume).exit_code == 0
    assert losses(two) == pytest.approx(losses(one), rel=1e-3)
    expected = weights(one)
    for name, tensor in weights(two).items():
        torch.testing.assert_close(tensor, expected[name], atol=2e-4, rtol=1e-3)


def test_each_process_takes_its_windows_of_a_batch() -> None:
    whole = Batch(torch.arange(6.0), torch.arange(6.0) + 10, torch.arange(6.0) + 20, valid=torch.arange(6.0) + 30)
    shares = [Ranks(rank, 3).share(whole) for rank in range(3)]
    assert torch.equal(torch.cat([share.low for share in shares]), whole.low)
    assert torch.equal(torch.cat([share.targets for share in shares]), whole.targets)
    assert torch.equal(torch.cat([share.times for share in shares]), whole.times)
    assert torch.equal(torch.cat([share.valid for share in shares if share.valid is not None]), torch.arange(6.0) + 30)
    assert ALONE.share(whole) is whole


def test_a_single_process_has_no_group() -> None:
    tensor = torch.tensor([1.0, 2.0])
    ALONE.average_([tensor])
    assert tensor.tolist() == [1.0, 2.0]
    assert ALONE.agree(5) == 5
    assert ALONE.from_leader(lambda: "word") == "word"
    assert ALONE.leads
    assert not Ranks(1, 2).leads
