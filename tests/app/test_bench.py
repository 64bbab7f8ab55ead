"""``--bench`` of the whole program, with a tiny model on a small clip. The tests assert no speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers.clips import numbered_frames, write_clip
from helpers.own_folders import own_folders
from helpers.tiny_model import save_tiny_model
from videoinr_viewer.bench.figures import (
    BenchFigures,
    GestureFigures,
    Latency,
    Machine,
    PlayFigures,
    Setting,
    SoakFigures,
    StartUp,
)
from videoinr_viewer.bench.table import print_table

MIB = 2**20
MOST_GROWTH_BYTES = 8 * MIB
STEPS = 256
"""Four rounds of a clip of two pairs. After two the caches are full, and if each step kept its picture, each round
would take 12 MiB more."""
GESTURES = ["drag within a pair", "drag across pairs", "zoom", "pan"]


@pytest.fixture(scope="module")
def stuff(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the paths of a clip of four pairs and of the tiny model."""
    folder = tmp_path_factory.mktemp("bench")
    return write_clip(folder / "clip.mp4", numbered_frames(5)), save_tiny_model(folder)


def viewer(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, **own_folders(folder), "PYTHONPATH": os.pathsep.join(sys.path), "QT_QPA_PLATFORM": "offscreen",
    }  # fmt: skip
    command = [sys.executable, "-m", "videoinr_viewer.main", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


def bench(folder: Path, stuff: tuple[Path, Path], *arguments: object, size: str = "700x500") -> str:
    clip, model = stuff
    done = viewer(folder, "--bench", clip, "--model", model, "--device", "cpu", "--size", size, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.long
def test_the_figures_are_complete_and_consistent(tmp_path: Path, stuff: tuple[Path, Path]) -> None:
    figures: dict[str, Any] = json.loads(bench(tmp_path, stuff, "--seconds", 1, "--json"))
    assert list(figures) == [field.name for field in fields(BenchFigures)]
    assert [gesture["name"] for gesture in figures["gestures"]] == GESTURES
    for gesture in figures["gestures"]:
        # Zooming goes in and out, a second each; the others last a second.
        assert gesture["inputs"] == (120 if gesture["name"] == "zoom" else 60)
        assert_counted(gesture["first"])
        assert_counted(gesture["full"])
        assert gesture["first"]["count"] <= gesture["inputs"]
        assert gesture["longest_gap_msecs"] > 0
    assert figures["gestures"][0]["fulls"] + figures["gestures"][0]["drafts"] > 0
    assert [play["speed"] for play in figures["play"]] == ["1", "1/16"]
    for play in figures["play"]:
        assert play["shown_per_sec"] > 0
        assert play["full_per_sec"] <= play["decoded_per_sec"] <= play["shown_per_sec"]
    start = figures["start_up"]
    shown = [start["window_secs"], start["source_secs"], start["first_decoded_secs"], start["full_secs"]]
    assert shown == sorted(shown)
    assert shown[0] > 0
    assert figures["setting"]["clip_size"] == "64x48"
    assert (figures["setting"]["window"], figures["setting"]["model"]) == ("700x500", "tiny")
    assert figures["machine"]["qt_platform"] == "offscreen"
    assert figures["soak"] is None
    assert figures["longest_gap_msecs"] == max(
        part["longest_gap_msecs"] for part in (*figures["gestures"], *figures["play"])
    )
    assert figures["peak_memory_bytes"] is None or figures["peak_memory_bytes"] > MIB
    assert not list(tmp_path.rglob("viewer.toml")), "a bench leaves no trace in the settings"


def assert_counted(latency: dict[str, Any]) -> None:
    assert latency["count"] > 0
    ranks = [latency[name] for name in ("p50_msecs", "p95_msecs", "p99_msecs", "longest_msecs")]
    assert ranks == sorted(ranks)
    assert ranks[0] > 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell memory this way")
@pytest.mark.long
def test_hundreds_of_steps_do_not_grow_the_memory(tmp_path: Path, stuff: tuple[Path, Path]) -> None:
    short = write_clip(tmp_path / "short.mp4", numbered_frames(3)), stuff[1]
    soak = json.loads(bench(tmp_path, short, "--steps", STEPS, "--json", size="400x300"))["soak"]
    assert soak["steps"] >= STEPS
    assert len(soak["round_bytes"]) == 4
    assert soak["growth_bytes"] == soak["round_bytes"][-1] - soak["round_bytes"][len(soak["round_bytes"]) // 4]
    # What the steps keep makes every round grow; what an allocator or a library takes once, one of them.
    assert min(after - before for before, after in pairwise(soak["round_bytes"][1:])) < MOST_GROWTH_BYTES


def test_the_figures_are_printed_as_tables(capsys: pytest.CaptureFixture[str]) -> None:
    waits = Latency.of([0.01, 0.02])
    print_table(
        BenchFigures(
            Machine("Linux", 2, "2", "3.11", "6.11", "offscreen"),
            Setting("clip.mp4", "64x48", 5, 25.0, "700x500", "700x400", "tiny", "CPU, 2 threads"),
            StartUp(0.5, 1.0, 1.5, 2.0, 66.0),
            (GestureFigures("drag", 60, waits, waits, Latency.of([]), 50, 1, 2, 0.3, 7.0),),
            (PlayFigures("1/16", 2.0, 24.0, 22.5, 21.5, waits, 8.0),),
            SoakFigures(1000, 12.0, (500 * MIB, 503 * MIB), 3 * MIB, 9.0),
            9.0,
            None,
        )
    )
    text = capsys.readouterr().out
    for title in (
        "clip.mp4 64x48, 5 frames",
        "1.50 s",
        "2/60",
        "10/20/20",
        "24.0",
        "21.5",
        "0.3",
        "+3.0 MiB after",
        "50/1/2",
    ):
        assert title in text


def test_a_clip_that_cannot_be_opened_ends_with_exit_code_1(tmp_path: Path) -> None:
    done = viewer(tmp_path, "--bench", tmp_path / "nothing.mp4")
    assert done.returncode == 1
    assert done.stderr.startswith("videoinr-viewer: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_percentile_is_one_of_the_waits() -> None:
    assert Latency.of([]) == Latency(0, None, None, None, None)
    assert Latency.of([0.3, 0.1, 0.2]) == Latency(3, 200.0, 300.0, 300.0, 300.0)
    assert Latency.of(number / 1000 for number in range(1, 101)) == Latency(100, 50.0, 95.0, 99.0, 100.0)
