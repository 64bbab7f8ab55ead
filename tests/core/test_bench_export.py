"""``videoinr bench --export``: the stages of an export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.clips import write_clip
from helpers.command_line import run_here
from helpers.tiny_model import save_tiny_model


@pytest.mark.parametrize("codec", [None, "ffv1"])
def test_each_stage_and_the_whole_are_measured(tmp_path: Path, codec: str | None) -> None:
    clip, model = write_clip(tmp_path / "clip.mp4", 6), save_tiny_model(tmp_path / "model")
    options = ("--frames", "9", "--out", "96x72", "--model", model, "--device", "cpu", "--json")
    outcome = run_here("bench", clip, "--export", *options, *(("--codec", codec) if codec else ()))
    assert outcome.exit_code == 0, outcome
    times = json.loads(outcome.stdout)
    assert list(times["stage_secs"]) == ["read", "encode", "decode", "convert", "code"]
    assert all(secs > 0 for secs in times["stage_secs"].values())
    assert times["sum_secs"] == pytest.approx(sum(times["stage_secs"].values()))
    assert (times["frames"], times["grid"], times["encoder"]) == (9, "96x72", codec or "libx264")
    assert times["stage_secs"][times["slowest"]] == max(times["stage_secs"].values())
    assert times["slowest_share"] == pytest.approx(max(times["stage_secs"].values()) / times["total_secs"])


def test_the_table_names_the_slowest_stage(tmp_path: Path) -> None:
    clip, model = write_clip(tmp_path / "clip.mp4", 4), save_tiny_model(tmp_path / "model")
    outcome = run_here(
        "bench", clip, "--export", "--frames", "4", "--out", "64x48", "--model", model, "--device", "cpu"
    )
    assert "sum of the stages" in outcome.stdout
    assert "Share of the slowest stage (" in outcome.stdout


def test_an_export_is_measured_at_one_size(tmp_path: Path) -> None:
    assert run_here("bench", "--export", "--out", "64x48", "--out", "96x72").exit_code == 2
