"""``videoinr bench``: operation counts, ceilings, the plain reference, and the command's output."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.command_line import run_here
from helpers.tiny_model import save_tiny_model
from helpers.tiny_paper import tiny_paper_model
from videoinr.benchmark import ceilings, clock, plain
from videoinr.benchmark import run as bench_run
from videoinr.benchmark.ceilings import Ceilings, measure_ceilings
from videoinr.benchmark.costs import Cost
from videoinr.benchmark.counting import Work
from videoinr.benchmark.ladder import measure_ladder
from videoinr.benchmark.plain import Heads, measure_plain, render_plainly
from videoinr.benchmark.subjects import RANDOM, USUAL, subject, usual_models
from videoinr.benchmark.synthetic import write_synthetic_clip
from videoinr.clip import open_clip
from videoinr.commands import bench
from videoinr.errors import ModelError
from videoinr.geometry import Grid, Rect
from videoinr.model.building import build
from videoinr.model.config import CONFIGS, PAPER, TINY, MotionPriorConfig
from videoinr.render import pacing
from videoinr.render.engine import open_engine
from videoinr_resources import path as resource

CPU = torch.device("cpu")
CLIP, GRID = Grid(20, 12), Grid(50, 30)
assert isinstance(TINY.encoder, MotionPriorConfig)
BENT = replace(TINY, encoder=replace(TINY.encoder, levels=4, bend_channels=8))
STEPS = ["encode", "first_decode", "next_phase", "draft"]


once_measured = cache(measure_ceilings)


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure ceilings once, for all tests, instead of several times: they do not check the values."""
    monkeypatch.setattr(ceilings, "_ATTEMPTS", 1)
    monkeypatch.setattr(bench_run, "measure_ceilings", once_measured)


# ---- The floor ----


def test_the_floor_is_the_longer_of_arithmetic_and_memory_traffic() -> None:
    both = Ceilings(product_flops=100, half_product_flops=1000, copied_bytes=10, sines=5)
    cost = Cost(pixels=1, work=Work(macs=500, sines=10), moved_bytes=50)
    assert both.floor_secs(cost, half=False) == 10 + 2
    assert both.floor_secs(cost, half=True) == 5  # Arithmetic takes 1 + 2, memory traffic 5.
    assert Ceilings(100, None, 10, 5).floor_secs(cost, half=True) == 12


def test_ceilings_are_measured() -> None:
    found = measure_ceilings(CPU, half=False)
    assert found.half_product_flops is None
    assert min(found.product_flops, found.copied_bytes, found.sines) > 1e6


def test_peaks_are_reset() -> None:
    clock.begin_peaks()
    before = clock.peak_now()
    held = np.ones(2**24)
    after = clock.peak_now()
    assert before.ram_bytes is not None
    assert after.ram_bytes is not None
    assert after.ram_bytes - before.ram_bytes > held.nbytes / 2
    assert (after.cuda_bytes is None) == (not torch.cuda.is_available())


# ---- The plain reference ----


@pytest.mark.parametrize("chunk_px", [60, 2**16])
def test_the_plain_heads_equal_the_papers_model(chunk_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_CHUNK_PX", chunk_px)
    model = tiny_paper_model()
    frames, grid = torch.rand(1, 2, 3, 12, 20), Grid(40, 36)
    with torch.no_grad():
        feature, _ = model.latent(frames)
        (ours,) = model.render(model.encode(frames), grid, [torch.full((1,), 0.3)])
    heads = Heads(model.spatial_head, model.temporal_head, model.decoder_head)
    latent = torch.cat((feature, frames.flatten(1, 2)), 1)
    theirs = render_plainly(heads, latent, grid, grid.rect, t=0.3)
    assert (ours[0].permute(1, 2, 0) - theirs).abs().max() < 1e-4
    assert theirs.std() > 0.01
    top = render_plainly(heads, latent, grid, Rect(0, 0, 40, 9), t=0.3)
    assert top.shape == (9, 40, 3)


def test_the_plain_heads_have_the_papers_sizes() -> None:
    heads = Heads.make(PAPER, CPU)
    counts = [sum(each.numel() for each in head.parameters()) for head in (heads.spatial, heads.temporal)]
    assert counts == [50_176 - 64, 38_724]  # The released SpatialINR has t as an additional input.
    assert sum(each.numel() for each in heads.decoder.parameters()) == 121_027


def test_a_slow_picture_is_measured_on_some_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure_plain(Grid(16, 8), Grid(32, 64), CPU, repeats=2)
    assert not whole.is_scaled
    monkeypatch.setattr(plain, "LIMIT_SECS", 0.0)
    some_rows = measure_plain(Grid(16, 8), Grid(32, 64), CPU, repeats=2)
    assert some_rows.is_scaled
    assert (some_rows.grid, some_rows.measured) == ("32x64", "32x2")
    assert min(whole.secs, some_rows.secs) > 0


# ---- Models and clips ----


def test_random_weights_are_the_same_each_time_and_keep_the_generators_state() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, second = subject("random:tiny"), subject("random:tiny")
    assert torch.rand(1) == expected
    assert first.card.name == "random:tiny"
    assert first.card.config == TINY
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_an_unknown_configuration_is_refused() -> None:
    with pytest.raises(ModelError, match="huge") as refused:
        subject("random:huge")
    assert "base" in refused.value.hint


def test_the_usual_models_can_be_loaded() -> None:
    assert [name.removeprefix(RANDOM) for name in usual_models()] == list(USUAL)
    assert "lite" in usual_models()
    assert build(subject(usual_models()[0]).card.config).config.spatial_channels > 0


def test_a_synthetic_clip_moves_and_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.mkv", "b.mkv"):
        write_synthetic_clip(tmp_path / name, Grid(48, 32), frames=4)
    with open_clip(tmp_path / "a.mkv") as first, open_clip(tmp_path / "b.mkv") as second:
        assert (first.info.width, first.info.height, first.info.frames) == (48, 32, 4)
        assert (first.frame(3) == second.frame(3)).all()
        assert (first.frame(0) != first.frame(1)).mean() > 0.5


@pytest.mark.parametrize(("device", "every", "pictures"), [("cpu", True, 1), ("cuda", False, 3), ("cuda", True, 5)])
def test_the_default_sizes_depend_on_the_device(
    device: str, every: bool, pictures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videoinr.devices.pick_device", torch.device)
    sizes = bench._sizes(None, None, device, every=every)
    assert sum(len(grids) for _, grids in sizes) == pictures
    assert sizes[0][0] == Grid(320, 180)


# ---- The command ----


def bench_json(*arguments: object) -> dict[str, Any]:
    outcome = run_here("bench", *arguments, "--device", "cpu", "--json")
    assert outcome.exit_code == 0, outcome
    told: dict[str, Any] = json.loads(outcome.stdout)
    return told


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a model called tiny. Counting a larger model takes many seconds and is tested above."""
    return save_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.mark.long
def test_json_has_every_model_and_size(weights: Path) -> None:
    models = ("--model", "random:tiny", "--model", weights)
    told = bench_json(*models, "--lr", "24x16", "--out", "48x32", "--out", "60x40", "--repeats", 2)
    assert told.keys() == {"device", "torch_version", "threads", "load_average", "ceilings", "results"}
    assert told["ceilings"].keys() == {"product_flops", "half_product_flops", "copied_bytes", "sines"}
    named = [(result["model"], result["clip"], result["grid"]) for result in told["results"]]
    assert named == [(model, "24x16", out) for model in ("random:tiny", "tiny") for out in ("48x32", "60x40")]
    for result in told["results"]:
        check_result(result)


def check_result(result: dict[str, Any]) -> None:
    assert result["repeats"] == 2
    assert min(result["peak_ram_bytes"], result["encode_peak_ram_bytes"]) > 2**20
    assert [step["name"] for step in result["steps"]] == STEPS
    encode = result["steps"][0]
    assert result["encode_alone"].items() <= encode.items(), "its paths are straight"
    for step in result["steps"]:
        assert step["secs"] == result[f"{step['name']}_secs"] > 0
        assert step["floor_share"] == pytest.approx(step["floor_secs"] / step["secs"])
        assert step["macs_per_pixel"] == pytest.approx(step["macs"] / step["pixels"])
    rungs = result["ladder"]
    assert (rungs[-1]["name"], rungs[-1]["samples"]) == ("full", result["grid"])
    # The medians of two pairs: where the pacing shows a draft in the slower pair only, its median is the longer one.
    assert min(rung["secs"] for rung in rungs) > 0
    assert result["plain"]["grid"] == result["grid"]
    assert result["times_faster_than_plain"]["next_phase"] == pytest.approx(
        result["plain"]["secs"] / result["next_phase_secs"]
    )


def test_the_quick_bench_measures_all_of_it_on_one_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    plain_heads = plain.render_plainly

    def spy(heads: Heads, latent: Tensor, grid: Grid, rect: Rect, *, t: float) -> Tensor:
        made.append(rect.height)
        return plain_heads(heads, latent, grid, rect, t=t)

    monkeypatch.setattr(plain, "render_plainly", spy)
    told = bench_json("--quick", "--model", "random:tiny", "--lr", "48x32", "--out", "96x64")
    (result,) = told["results"]
    assert result["repeats"] == 1
    assert result["plain"]["measured"] == "96x2"
    assert sum(made) == 3 * 2  # the paper's heads, on 64 rows, took far too long for a quick answer
    assert all(step["floor_share"] > 0 for step in result["steps"])
    assert result["ladder"][-1]["name"] == "full"
    assert min(result["peak_ram_bytes"], result["encode_peak_ram_bytes"]) > 2**20


@pytest.mark.parametrize(("speed", "names"), [(1e-9, ["motion", "full"]), (3e-7, ["motion", "draft", "full"])])
def test_the_ladder_has_the_pictures_that_the_pacing_chooses(
    speed: float, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that is quick there is no draft; on a slow one it is the finest of those that are quick enough."""
    monkeypatch.setattr(pacing.SpeedMeter, "add", lambda *_: None)
    monkeypatch.setattr(pacing.SpeedMeter, "expected_secs", lambda _, pixels: speed * pixels)
    # Where a pair is encoded in a moment, there is no motion draft: on some machines, at some times.
    monkeypatch.setattr(pacing.Pacer, "encodes_at_once", False)
    with open_engine(resource("demo/demo.mp4"), model=subject("random:tiny"), device="cpu") as engine:
        rungs = measure_ladder(engine, Grid(960, 540), repeats=1)
    assert [rung.name for rung in rungs] == names
    assert [rung.secs for rung in rungs] == sorted(rung.secs for rung in rungs)
    assert [rung.samples for rung in rungs][-1] == "960x540"


def test_a_given_clip_is_decoded_at_x4(tmp_path: Path) -> None:
    write_synthetic_clip(tmp_path / "own.mkv", Grid(16, 12), frames=3)
    (result,) = bench_json(tmp_path / "own.mkv", "--model", "random:tiny")["results"]
    assert (result["clip"], result["grid"], result["repeats"]) == ("16x12", "64x48", 1)


def test_tables_have_times_floors_memory_and_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "LIMIT_SECS", 0.0)
    monkeypatch.setitem(CONFIGS, "tiny", BENT)
    outcome = run_here("bench", "--model", "random:tiny", "--lr", "24x16", "--out", "48x64", "--device", "cpu")
    assert outcome.exit_code == 0, outcome
    words = (
        "first picture of a pair",
        "same view, other time",
        "share of the floor",
        "caches of a view",
        "both pairs beside it are searched",
        "motion draft",
        "full picture",
        "GFLOP/s",
        " ms",
    )
    for word in (*words, "random:tiny", "* 24x16 to 48x64: measured on 48x2, scaled by pixels."):
        assert word in outcome.stdout
    assert "on the GPU" not in outcome.stdout, "there is none"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--all", "--model", "lite"],
        ["--all", "--quick"],
        ["--export", "--quick"],
        ["--export", "--lr", "64x48"],
        ["--export", "--all"],
        ["--frames", "4"],
        ["--effort", "fast"],
        ["--repeats", "0"],
        ["--lr", "64x36", "--out", "9000x36"],
        ["--lr", "64x36", "--out", "wide"],
    ],
    ids=" ".join,
)
def test_invalid_arguments_are_refused(arguments: list[str]) -> None:
    assert run_here("bench", *arguments).exit_code == 2


@pytest.mark.long
def test_all_measures_the_usual_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = save_tiny_model(tmp_path, model=tiny_paper_model("paper-s"))
    monkeypatch.setattr("videoinr.benchmark.subjects.usual_models", lambda: ("random:tiny", str(paper)))
    told = bench_json("--all", "--lr", "12x8", "--repeats", 1)
    assert [result["model"] for result in told["results"]] == ["random:tiny", "tiny"]
