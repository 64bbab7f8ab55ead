"""``videoinr bench``: what it prints, what it counts, and the yardstick it measures against."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from helpers.command_line import run_here
from helpers.tiny_model import save_tiny_model
from helpers.tiny_paper import TINY_VARIANTS, tiny_paper_model
from videoinr.benchmark import ceilings, clock, plain
from videoinr.benchmark.ceilings import Ceilings, measure_ceilings
from videoinr.benchmark.costs import Cost, costs_of
from videoinr.benchmark.counting import Work, WorkCounter
from videoinr.benchmark.plain import Heads, measure_plain, render_plainly
from videoinr.benchmark.subjects import RANDOM, USUAL, subject, usual_models
from videoinr.benchmark.synthetic import write_synthetic_clip
from videoinr.clip import open_clip
from videoinr.commands import bench
from videoinr.errors import ModelError
from videoinr.geometry import Grid, Rect
from videoinr.model.config import BASE, PAPER, TINY, ModelConfig
from videoinr.model.layers import DeformableConv
from videoinr.model.points import Points
from videoinr.model.released.config import ReleasedConfig
from videoinr.model.representation import build
from videoinr.model.siren import SirenHead
from videoinr.model.video_inr import VideoINR

CPU = torch.device("cpu")
CLIP, GRID = Grid(20, 12), Grid(50, 30)
STEPS = ["encode", "first_decode", "next_phase", "draft"]


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best of several is for figures; nobody reads those of a test."""
    monkeypatch.setattr(ceilings, "_ATTEMPTS", 1)


# ---- what is counted ----


def macs_seen_by_hooks(encoder: nn.Module, frames: Tensor) -> int:
    """Of an encoder, by the other way: each layer's outputs times the weights behind one of them."""
    macs = 0

    def count(layer: Any, _: object, out: Tensor) -> None:
        nonlocal macs
        macs += out.numel() * layer.weight[0].numel()

    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d | DeformableConv):
            layer.register_forward_hook(count)
    with torch.no_grad():
        encoder(frames)
    return macs


def tail(head: SirenHead) -> int:
    """Multiply-accumulates of a head behind its first layer, a pixel."""
    return sum(layer.weight.numel() for layer in (*head.hidden, head.last))


def projections(model: VideoINR) -> int:
    """Of the heads' first layers on the latent feature, an LR pixel."""
    decoder = model.decoder_head.first
    parts = (model.spatial_head.first.part(0), model.temporal_head.first.part(1), decoder.part(2), decoder.part(3))
    return sum(part.numel() for part in parts)


@pytest.mark.parametrize("config", [TINY, TINY_VARIANTS["paper"]], ids=["tiny", "tiny paper"])
def test_encoding_costs_what_hooks_on_its_layers_see(config: ModelConfig) -> None:
    model = VideoINR(config)
    (costs,) = costs_of(config, CLIP, [GRID])
    by_hooks = macs_seen_by_hooks(model.encoder, torch.rand(1, 2, 3, CLIP.height, CLIP.width))
    assert costs.encode.work.macs == by_hooks + CLIP.rect.area * projections(model)
    assert costs.encode.pixels == CLIP.rect.area


@pytest.mark.parametrize("config", [BASE, PAPER, TINY], ids=["base", "paper", "tiny"])
def test_decoding_costs_what_the_heads_widths_say(config: ModelConfig) -> None:
    (costs,) = costs_of(config, CLIP, [GRID])
    with torch.device("meta"):
        model = VideoINR(config)
    spatial, temporal, decoder = model.spatial_head, model.temporal_head, model.decoder_head
    view = spatial.first.part(1).numel() + tail(spatial) + temporal.first.part(0).numel()
    instant = tail(temporal) + 2 * decoder.first.part(0).numel() + tail(decoder)
    of_the_time = temporal.widths[0] + decoder.widths[0]  # the share of t is computed once, not for each pixel
    assert costs.view.work.macs == GRID.rect.area * view
    assert costs.instant.work.macs == GRID.rect.area * instant + of_the_time
    assert costs.view.work.sines == GRID.rect.area * sum(spatial.widths)
    assert costs.instant.work.sines == GRID.rect.area * sum((*temporal.widths, *decoder.widths))
    assert costs.first.work == costs.view.work + costs.instant.work


def test_an_instant_gathers_what_the_flow_reaches() -> None:
    (costs,) = costs_of(TINY, CLIP, [GRID])
    field, latent, frames = 4 * TINY.spatial_channels, 4 * TINY.decoder_hidden[0], 16 * 3
    assert costs.instant.work.gathered == GRID.rect.area * 2 * (field + latent + frames)


@pytest.mark.parametrize("config", [TINY, *TINY_VARIANTS.values()], ids=["tiny", *TINY_VARIANTS])
def test_what_is_held_is_what_a_real_pair_and_view_hold(config: ModelConfig) -> None:
    (costs,) = costs_of(config, CLIP, [GRID])
    model = VideoINR(config)
    points = Points.make(GRID.rect, GRID, latent_hw=(CLIP.height, CLIP.width), device=CPU)
    with torch.no_grad():
        features = model.encode(torch.rand(1, 2, 3, CLIP.height, CLIP.width))
        spatial = model.spatial_feature(features, points)
        basis = model.motion_basis(features, points, spatial)
    assert costs.feature_bytes == features.nbytes
    assert costs.view_bytes == spatial.nbytes + basis.first_sum.nbytes + basis.prior.nbytes
    assert costs.instant.moved_bytes == costs.view_bytes + 4 * GRID.rect.area


def test_a_released_network_pays_for_all_at_every_instant() -> None:
    (costs,) = costs_of(ReleasedConfig(TINY_VARIANTS["paper"]), CLIP, [GRID])
    assert costs.view.work == Work()
    assert costs.first.work == costs.instant.work
    assert costs.instant.work.sines == GRID.rect.area * (20 + 20 + 20)


def test_the_counter_knows_products_convolutions_and_sines() -> None:
    with WorkCounter() as counter:
        torch.rand(3, 5) @ torch.rand(5, 7)
        nn.Linear(5, 7)(torch.rand(2, 3, 5))
        torch.rand(2, 3, 5).bmm(torch.rand(2, 5, 4))
        nn.Conv2d(4, 8, 3, padding=1, groups=2)(torch.rand(1, 4, 6, 6))
        torch.rand(9).sin_()
    products = 3 * 5 * 7 + 6 * 5 * 7 + 2 * 3 * 5 * 4 + 8 * 36 * 2 * 9
    assert counter.work == Work(macs=products, sines=9)


# ---- the floor ----


def test_the_floor_is_arithmetic_or_traffic_whichever_is_longer() -> None:
    both = Ceilings(product_flops=100, half_product_flops=1000, copied_bytes=10, sines=5)
    cost = Cost(pixels=1, work=Work(macs=500, sines=10), moved_bytes=50)
    assert both.floor_secs(cost, half=False) == 10 + 2
    assert both.floor_secs(cost, half=True) == 5  # 1 + 2 of arithmetic, 5 of traffic
    assert Ceilings(100, None, 10, 5).floor_secs(cost, half=True) == 12


def test_the_ceilings_of_this_machine_are_measured() -> None:
    found = measure_ceilings(CPU, half=False)
    assert found.half_product_flops is None
    assert min(found.product_flops, found.copied_bytes, found.sines) > 1e6


def test_peaks_begin_anew() -> None:
    clock.begin_peaks()
    before = clock.peak_now()
    held = np.ones(2**24)
    after = clock.peak_now()
    assert before.ram_bytes is not None
    assert after.ram_bytes is not None
    assert after.ram_bytes - before.ram_bytes > held.nbytes / 2
    assert (after.cuda_bytes is None) == (not torch.cuda.is_available())


# ---- the yardstick ----


@pytest.mark.parametrize("chunk_px", [60, 2**16])
def test_the_heads_plainly_evaluated_are_the_papers_model(chunk_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
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
    part = render_plainly(heads, latent, grid, Rect(0, 0, 40, 9), t=0.3)
    assert part.shape == (9, 40, 3)


def test_the_yardstick_has_the_papers_sizes() -> None:
    heads = Heads.make(PAPER, CPU)
    counts = [sum(each.numel() for each in head.parameters()) for head in (heads.spatial, heads.temporal)]
    assert counts == [50_176 - 64, 38_724]  # the released SpatialINR has one input more: t
    assert sum(each.numel() for each in heads.decoder.parameters()) == 121_027


def test_what_takes_too_long_is_measured_on_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure_plain(Grid(16, 8), Grid(32, 64), CPU, repeats=2)
    assert not whole.is_scaled
    monkeypatch.setattr(plain, "LIMIT_SECS", 0.0)
    part = measure_plain(Grid(16, 8), Grid(32, 64), CPU, repeats=2)
    assert part.is_scaled
    assert (part.grid, part.measured) == ("32x64", "32x2")
    assert min(whole.secs, part.secs) > 0


# ---- what can be measured ----


def test_random_weights_are_the_same_each_time_and_disturb_nobody() -> None:
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


def test_the_usual_models_can_all_be_had() -> None:
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
def test_the_usual_sizes_are_the_devices(
    device: str, every: bool, pictures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videoinr.devices.pick_device", torch.device)
    sizes = bench._sizes(None, None, device, every=every)
    assert sum(len(grids) for _, grids in sizes) == pictures
    assert sizes[0][0] == Grid(320, 180)


# ---- the command ----


def bench_json(*arguments: object) -> dict[str, Any]:
    outcome = run_here("bench", *arguments, "--device", "cpu", "--json")
    assert outcome.exit_code == 0, outcome
    told: dict[str, Any] = json.loads(outcome.stdout)
    return told


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a model called tiny: counting what a larger one does takes many seconds, and is the tests' above."""
    return save_tiny_model(tmp_path_factory.mktemp("model"))


def test_a_program_is_told_of_every_model_and_size(weights: Path) -> None:
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
    for step in result["steps"]:
        assert step["secs"] == result[f"{step['name']}_secs"] > 0
        assert step["floor_share"] == pytest.approx(step["floor_secs"] / step["secs"])
        assert step["macs_per_pixel"] == pytest.approx(step["macs"] / step["pixels"])
    assert result["plain"]["grid"] == result["grid"]
    assert result["times_faster_than_plain"]["next_phase"] == pytest.approx(
        result["plain"]["secs"] / result["next_phase_secs"]
    )


def test_a_clip_of_ones_own_is_decoded_four_times_larger(tmp_path: Path) -> None:
    write_synthetic_clip(tmp_path / "own.mkv", Grid(16, 12), frames=3)
    (result,) = bench_json(tmp_path / "own.mkv", "--model", "random:tiny")["results"]
    assert (result["clip"], result["grid"], result["repeats"]) == ("16x12", "64x48", 1)


def test_a_person_sees_times_floors_memory_and_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "LIMIT_SECS", 0.0)
    outcome = run_here("bench", "--model", "random:tiny", "--lr", "24x16", "--out", "48x64", "--device", "cpu")
    assert outcome.exit_code == 0, outcome
    words = (
        "first picture of a pair",
        "same view, other time",
        "share of the floor",
        "caches of a view",
        "GFLOP/s",
        " ms",
    )
    for word in (*words, "random:tiny", "* 24x16 to 48x64: measured on 48x2, scaled by pixels."):
        assert word in outcome.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--all", "--model", "lite"],
        ["--repeats", "0"],
        ["--lr", "64x36", "--out", "9000x36"],
        ["--lr", "64x36", "--out", "wide"],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    assert run_here("bench", *arguments).exit_code == 2


def test_all_measures_the_usual_models_the_papers_form_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = save_tiny_model(tmp_path, model=tiny_paper_model("paper-s"))
    monkeypatch.setattr("videoinr.benchmark.subjects.usual_models", lambda: ("random:tiny", str(paper)))
    told = bench_json("--all", "--lr", "12x8", "--repeats", 1)
    assert [result["model"] for result in told["results"]] == ["random:tiny", "tiny"]
