"""The heads in C against plain torch, and how they are compiled."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from videoinr.decode.spatial_tiles import SpatialTiles, TiledSampler
from videoinr.geometry import Grid, Rect
from videoinr.model import ops
from videoinr.model.features import PairFeatures
from videoinr.model.native import build
from videoinr.model.points import Points
from videoinr.model.siren import OMEGA, SirenHead
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model

needs_library = pytest.mark.skipif(build.library() is None, reason="needs a C compiler and AVX2")
AMPLE = 1 << 30
CLIP = Grid(52, 40)


@pytest.fixture(params=["lite", "base"])
def model(request: pytest.FixtureRequest) -> VideoINR:
    made = load_model(request.param).model
    assert isinstance(made, VideoINR)
    return made


def plainly(compute: Callable[[], Tensor], monkeypatch: pytest.MonkeyPatch) -> Tensor:
    with monkeypatch.context() as patch:
        patch.setattr(ops, "_runs_natively", lambda *_: False)
        return compute()


# ---- heads ----


@needs_library
@pytest.mark.parametrize("count", [1, 6, 47, 48, 301])
def test_heads_are_those_of_torch(model: VideoINR, count: int) -> None:
    torch.manual_seed(count)
    with torch.inference_mode():
        for head in (model.spatial_head, model.temporal_head, model.decoder_head):
            first_sum, shift = 0.3 * torch.randn(1, count, head.widths[0]), torch.randn(1, 1, head.widths[0])
            kept = first_sum.clone()
            for given in (None, shift):
                torch.testing.assert_close(
                    ops.run_head(head, first_sum, given), head(first_sum, given), rtol=0, atol=1e-5
                )
            assert torch.equal(first_sum, kept)


@needs_library
def test_sines_are_within_their_bound() -> None:
    head = SirenHead((8,), (8,), 8)
    with torch.no_grad():
        head.last.weight.copy_(torch.eye(8))
        head.last.bias.zero_()
    first_sum = torch.cat((torch.linspace(-300, 300, 80_000), torch.linspace(-1, 1, 80_000))).view(-1, 8)
    with torch.inference_mode():
        found = ops.run_head(head, first_sum)
    angle = (first_sum * OMEGA).double()
    assert ((found - angle.sin()).abs() <= 2e-7 + 1.3e-7 * angle.abs()).all()


@needs_library
def test_a_head_is_packed_anew_after_its_weights_changed(model: VideoINR) -> None:
    head, first_sum = model.temporal_head, torch.randn(5, model.temporal_head.widths[0])
    with torch.inference_mode():
        before = ops.run_head(head, first_sum)
    with torch.no_grad():
        head.last.bias.add_(1)
    with torch.inference_mode():
        torch.testing.assert_close(ops.run_head(head, first_sum), before + 1)


def test_training_and_other_types_run_in_torch(model: VideoINR) -> None:
    head = model.temporal_head.requires_grad_(True)
    assert ops.run_head(head, torch.randn(5, head.widths[0])).requires_grad
    with torch.inference_mode():
        assert ops.run_head(head.double(), torch.randn(5, head.widths[0], dtype=torch.float64)).dtype == torch.float64


# ---- colours ----


@needs_library
@pytest.mark.parametrize("reach_px", [0.5, 6.0, 60.0])
@torch.inference_mode()
def test_colours_are_those_of_torch(model: VideoINR, reach_px: float, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    features = model.encode(torch.rand(1, 2, 3, CLIP.height, CLIP.width))
    grid, rect = CLIP.scaled(2.7), Rect(32, 64, 64, 37)
    flow, t = reach_px * torch.randn(1, rect.height, rect.width, 4), torch.full((1, 1, 1, 1), 0.3)
    tiles, moment = SpatialTiles(model, side=32, max_bytes=AMPLE), features.at(grid, t)
    sampler, points = TiledSampler(tiles, tiles.field("pair", grid), moment), moment.points(rect)
    with tiles.work():
        found = moment.colour(points, flow, sampler)
        assert ops.colour_from_table(model, features, points, flow, t, sampler) is not None
        plain = plainly(lambda: moment.colour(points, flow, sampler), monkeypatch)
    assert (found - plain).abs().max() <= 1e-4


@needs_library
@torch.inference_mode()
def test_maps_of_a_part_of_the_frame_give_the_same_bits(model: VideoINR) -> None:
    torch.manual_seed(2)
    features = model.encode(torch.rand(1, 2, 3, CLIP.height, CLIP.width))
    assert isinstance(features, PairFeatures)
    part = replace(
        features,
        colour_first=features.colour_first[:, 4:34, 6:46].contiguous(),
        colour_second=features.colour_second[:, 4:34, 6:46].contiguous(),
        origin=(6, 4),
    )
    grid, t = CLIP.scaled(2), torch.full((1, 1, 1, 1), 0.6)
    points = Points.make(Rect(32, 32, 32, 20), grid, latent_hw=(40, 52), device=torch.device("cpu"))
    flow, tiles = 3 * torch.rand(1, 20, 32, 4), SpatialTiles(model, side=32, max_bytes=AMPLE)
    sampler = TiledSampler(tiles, tiles.field("pair", grid), features.at(grid, t))
    with tiles.work():
        whole, of_part = (model.colour(each, points, flow, t, sampler) for each in (features, part))
    assert torch.equal(whole, of_part)


# ---- compiling ----


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv(build.SWITCH, raising=False)
    return tmp_path / "caches" / "videoinr" / "native"


@needs_library
def test_the_code_is_compiled_once_in_a_private_folder(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert build.made.__wrapped__().library is not None
    (file,) = caches.iterdir()
    assert not stat.S_IMODE(caches.stat().st_mode) & 0o077
    made = file.stat().st_mtime_ns
    monkeypatch.setattr("videoinr.model.native.build.subprocess.run", None)
    assert build.made.__wrapped__().library is not None
    assert file.stat().st_mtime_ns == made


@needs_library
def test_code_that_came_with_the_program_needs_no_compiler(
    caches: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    build.compile_to(tmp_path / "native.so")
    monkeypatch.setattr(build, "PREBUILT", tmp_path / "native.so")
    monkeypatch.setenv("PATH", str(tmp_path))
    made = build.made.__wrapped__()
    assert made.library is not None
    assert made.name == "native.so"
    assert not caches.exists()
    with pytest.raises(FileNotFoundError):
        build.compile_to(tmp_path / "other.so")


@needs_library
def test_a_folder_that_others_can_write_is_not_used(caches: Path) -> None:
    caches.mkdir(parents=True)
    caches.chmod(0o777)
    assert build.made.__wrapped__().library is not None
    assert not any(caches.iterdir())


@pytest.mark.parametrize("obstacle", ["switched off", "no compiler", "broken compiler", "other processor"])
def test_without_it_the_heads_run_in_torch(obstacle: str, caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = caches.parents[2] / "tools"
    tools.mkdir()
    if obstacle == "switched off":
        monkeypatch.setenv(build.SWITCH, "0")
    elif obstacle == "other processor":
        monkeypatch.setattr(build, "_CAPABILITIES", ())
    else:
        if obstacle == "broken compiler":
            (tools / "cc").write_text("#!/bin/sh\nexit 1\n")
            (tools / "cc").chmod(0o755)
        monkeypatch.setenv("PATH", str(tools))
    assert build.made.__wrapped__().library is None
    assert not caches.exists() or not os.listdir(caches)


@needs_library
@pytest.mark.skipif(torch.backends.cpu.get_cpu_capability() != "AVX512", reason="needs AVX-512")
def test_more_registers_change_no_bit(model: VideoINR, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.compile_to(tmp_path / "plain.so")
    plain, first_sum = build._loaded(tmp_path / "plain.so"), torch.randn(301, model.decoder_head.widths[0])
    with torch.inference_mode():
        found = ops.run_head(model.decoder_head, first_sum)
        monkeypatch.setattr("videoinr.model.native.heads.library", lambda: plain)
        assert torch.equal(ops.run_head(model.decoder_head, first_sum), found)
