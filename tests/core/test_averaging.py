"""The mean of several models: its weights, its card, and models that cannot be averaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from helpers.command_line import run_here
from helpers.tiny_model import save_tiny_model, tiny_video_inr
from videoinr.model.config import TINY, ModelConfig
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model, self_test


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [save_tiny_model(tmp_path / str(seed), seed=seed) for seed in (1, 2, 3)]


def test_the_command_writes_the_mean_and_its_card_names_the_models(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "new" / "mean.safetensors"
    told = json.loads(run_here("models", "mean", *files, "--out", out, "--json").stdout)
    assert [each["sha256"] for each in told["training"]["mean_of"]] == [load_model(str(f)).card.sha256 for f in files]
    loaded = load_model(str(out))
    states = [load_model(str(file)).model.state_dict() for file in files]
    for key, value in loaded.model.state_dict().items():
        mean = sum(state[key] for state in states) / 3
        torch.testing.assert_close(value, mean, rtol=1e-3, atol=1e-6)
    assert self_test(loaded, torch.device("cpu")) == 0


@pytest.mark.parametrize("names", [["one"], ["one", "other"]])
def test_models_that_cannot_be_averaged_are_refused_and_nothing_is_written(names: list[str], tmp_path: Path) -> None:
    wider = ModelConfig.from_dict({**TINY.to_dict(), "spatial_channels": 7})
    models = {"one": tiny_video_inr(), "other": VideoINR(wider)}
    paths = [save_tiny_model(tmp_path / name, model=models[name]) for name in names]
    out = tmp_path / "mean.safetensors"
    outcome = run_here("models", "mean", *paths, "--out", out)
    assert outcome.exit_code != 0
    assert "mean" in outcome.stderr
    assert not out.exists()


def test_no_file_is_overwritten(files: list[Path], tmp_path: Path) -> None:
    for out, words in ((files[0], "already exists"), (tmp_path / "mean.pth", "not the name of a weights file")):
        before = files[0].read_bytes()
        outcome = run_here("models", "mean", *files, "--out", out)
        assert outcome.exit_code != 0
        assert words in outcome.stderr
        assert files[0].read_bytes() == before
