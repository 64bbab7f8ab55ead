"""The paper's ablations (section 4.3, Table 4): what each switch removes, and that all of them train and decode."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from helpers.clips import write_pictures
from helpers.tiny_paper import TINY_PAPER, TINY_VARIANTS, tiny_paper_model, wake_offsets
from helpers.toy_source import ToySource
from videoinr.cancel import NEVER
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid, Rect
from videoinr.images import rgbx_from_tensor
from videoinr.model.config import CONFIGS, PAPER
from videoinr.model.features import PairFeatures
from videoinr.model.points import Points
from videoinr.model.siren import SirenHead
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model, save_model
from videoinr.render.engine import open_engine
from videoinr.training.batch_shape import BatchShape
from videoinr.training.losses import charbonnier
from videoinr.training.recipe import Stage
from videoinr.types import Instant, PairKey, RegionQuery

CPU = torch.device("cpu")
VARIANTS = sorted(TINY_VARIANTS)
HEIGHT, WIDTH = 6, 9


@cache
def model_of(variant: str) -> VideoINR:
    return tiny_paper_model(variant)


@cache
def frames() -> Tensor:
    return torch.rand((1, 2, 3, HEIGHT, WIDTH), generator=torch.Generator().manual_seed(3))


@cache
def encoded(variant: str) -> PairFeatures:
    with torch.inference_mode():
        return model_of(variant).encode(frames())


def points_of(grid: Grid) -> Points:
    return Points.make(grid.rect, grid, latent_hw=(HEIGHT, WIDTH), device=CPU)


def motion_of(model: VideoINR, features: PairFeatures, grid: Grid, t: float) -> Tensor:
    with torch.inference_mode():
        points = points_of(grid)
        basis = model.motion_basis(features, points, model.spatial_feature(features, points))
        return model.motion(basis, torch.full((1, 1, 1, 1), t))


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# The form of each ablation


@cache
def whole_size(name: str) -> VideoINR:
    with torch.device("meta"):
        return VideoINR(CONFIGS[name])


SPATIAL, TEMPORAL, LATENT = 50_112, 38_724, 192 + 6
"""Parameters of the paper's SpatialINR without time, and TemporalINR; channels of its latent feature and frames."""


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("paper-f", -TEMPORAL),
        ("paper-m", -2 * LATENT * 64),
        # The one network has 201 inputs, z*, x - v* and t, instead of 263; the decoder reads no F_s.
        ("paper-s", -SPATIAL - (263 - 201) * 64 - 2 * 64 * 64),
    ],
)
def test_each_switch_removes_the_parameters_it_names(name: str, difference: int) -> None:
    assert count(whole_size(name)) == count(whole_size("paper")) + difference
    assert count(whole_size(name).encoder) == count(whole_size("paper").encoder)


def test_the_ablations_have_these_sizes() -> None:
    sizes = {name: count(whole_size(name)) for name in CONFIGS if CONFIGS[name].encoder == PAPER.encoder}
    assert sizes == {
        "paper": 10_978_551,
        "paper-f": 10_939_827,
        "paper-m": 10_953_207,
        "paper-s": 10_916_279,
    }


def test_without_flow_the_motion_is_zero_and_the_colour_depends_on_time() -> None:
    model, features, grid = model_of("paper-f"), encoded("paper-f"), Grid(31, 22)
    assert not hasattr(model, "temporal_head")
    assert not motion_of(model, features, grid, 0.3).any()
    with torch.inference_mode():
        early, late = model.render(features, grid, [torch.tensor([0.1]), torch.tensor([0.9])])
    assert float((early - late).abs().mean()) > 1e-3


def test_without_flow_all_maps_are_read_at_the_pixel_itself() -> None:
    model, features, grid, t = model_of("paper-f"), encoded("paper-f"), Grid(20, 13), 0.4
    points = points_of(grid)
    with torch.inference_mode():
        latent = torch.cat((model.latent(frames())[0], frames().flatten(1, 2)), 1).permute(0, 2, 3, 1)
        field, seen = model.spatial_feature(features, points), points.bilinear(latent)
        expected = plain_head(
            model.decoder_head, torch.cat((field, field, seen, seen, torch.full((1, 13, 20, 1), t)), -1)
        )
        rendered = model.render(features, grid, [torch.tensor([t])])[0].permute(0, 2, 3, 1)
    torch.testing.assert_close(rendered, expected, atol=1e-3, rtol=1e-3)


def test_the_full_model_has_motion() -> None:
    """Otherwise the tests without flow would show nothing."""
    for variant in ("paper", "paper-m", "paper-s"):
        assert float(motion_of(model_of(variant), encoded(variant), Grid(31, 22), 0.3).abs().mean()) > 0.3


def test_without_aggregation_the_decoder_reads_only_the_warped_field() -> None:
    model, features = model_of("paper-m"), encoded("paper-m")
    assert model.decoder_head.first.in_features == 2 * TINY_PAPER.spatial_channels + 1
    assert features.colour_first.shape == features.colour_second.shape == (1, HEIGHT, WIDTH, 0)
    points, t = points_of(Grid(20, 13)), torch.full((1, 1, 1, 1), 0.4)
    flow = torch.zeros(1, 13, 20, 4)
    field = [torch.randn(1, 13, 20, TINY_PAPER.spatial_channels) for _ in range(2)]
    with torch.inference_mode():
        answers = iter(field)
        colour = model.colour(features, points, flow, t, lambda *_: next(answers))
        expected = plain_head(model.decoder_head, torch.cat((*field, t.expand(1, 13, 20, 1)), -1))
    torch.testing.assert_close(colour, expected, atol=1e-4, rtol=1e-4)


def plain_head(head: SirenHead, x: Tensor) -> Tensor:
    """Run the head on the concatenation of its inputs."""
    for layer in (head.first, *head.hidden):
        x = torch.sin(30 * layer(x))
    out: Tensor = head.last(x)
    return out


def test_a_single_network_predicts_the_flow_from_the_nearest_feature_the_offset_and_the_time() -> None:
    model, grid, t = model_of("paper-s"), Grid(25, 17), 0.35
    assert not hasattr(model, "spatial_head")
    points = points_of(grid)
    with torch.inference_mode():
        latent = torch.cat((model.latent(frames())[0], frames().flatten(1, 2)), 1).permute(0, 2, 3, 1)
        inputs = (points.nearest(latent), points.offsets(), torch.full((1, 17, 25, 1), t))
        expected = plain_head(model.temporal_head, torch.cat(inputs, -1))
    torch.testing.assert_close(motion_of(model, encoded("paper-s"), grid, t), expected, atol=1e-3, rtol=1e-3)


def test_a_single_network_warps_no_field() -> None:
    model, features, grid = model_of("paper-s"), encoded("paper-s"), Grid(25, 17)
    assert model.decoder_head.first.in_features == 2 * (12 + 6) + 1

    def no_field(*_: object) -> Tensor:
        raise AssertionError("there is no F_s")

    with torch.inference_mode():
        flow = motion_of(model, features, grid, 0.5)
        colour = model.colour(features, points_of(grid), flow, torch.full((1, 1, 1, 1), 0.5), no_field)
    assert float(colour.std()) > 0.01


# Decoding


def decoder_of(variant: str, side: int = 16, tile_bytes: int = 2**24) -> TiledDecoder:
    profile = ComputeProfile(CPU, tile_side=side, feature_bytes=2**24, tile_bytes=tile_bytes)
    return TiledDecoder(model_of(variant), profile)


def decode(by: TiledDecoder, features: PairFeatures, query: RegionQuery) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = by.decode(PairKey("a", 0), features, query, NEVER).numpy()
    return pixels


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("scale", [1.0, 2.7, 9.3])
def test_a_region_equals_the_crop_of_the_whole_picture_to_the_bit(variant: str, scale: float) -> None:
    features, grid = encoded(variant), Grid(WIDTH, HEIGHT).scaled(scale)
    warm = decoder_of(variant, 16, tile_bytes=0)
    for phase in (Fraction(0), Fraction(3, 7), Fraction(1)):
        whole = decode(decoder_of(variant), features, RegionQuery(Instant(0, phase), grid, grid.rect))
        for rect in (Rect(1, 2, 5, 3), Rect(grid.width // 3, grid.height // 4, grid.width // 2, grid.height // 2)):
            query = RegionQuery(Instant(0, phase), grid, rect)
            for by in (decoder_of(variant), warm):
                region = decode(by, features, query)
                np.testing.assert_array_equal(region, whole[rect.y : rect.bottom, rect.x : rect.right])
        assert whole[..., :3].std() > 5  # The picture is not flat.


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("side", [16, 24, 64])
def test_tiles_equal_the_dense_renderer_within_one_level(variant: str, side: int) -> None:
    features, grid = encoded(variant), Grid(70, 51)
    with torch.inference_mode():
        frame = model_of(variant).render(features, grid, [torch.tensor([0.4])])[0]
    dense = rgbx_from_tensor(frame[0].permute(1, 2, 0)).numpy()
    query = RegionQuery(Instant(0, Fraction(2, 5)), grid, grid.rect)
    tiled = decode(decoder_of(variant, side), features, query)
    assert np.abs(tiled.astype(int) - dense).max() <= 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_weights_and_card_are_saved_loaded_and_rendered_by_the_engine(variant: str, tmp_path: Path) -> None:
    path = tmp_path / f"{variant}.safetensors"
    facts: dict[str, Any] = {"trained_scales": (1.0, 4.0), "training": {}, "metrics": {}, "protocol": "none"}
    save_model(model_of(variant), path, name=variant, description="for tests", **facts)
    loaded = load_model(str(path))
    assert loaded.card.config == TINY_VARIANTS[variant]
    write_pictures(tmp_path / "clip", 3)
    with open_engine(tmp_path / "clip", model=str(path), device="cpu") as engine:
        grid = Grid(50, 40)
        instant = Instant(1, Fraction(1, 3))
        whole = engine.render(RegionQuery(instant, grid, grid.rect)).rgbx
        region = engine.render(RegionQuery(instant, grid, Rect(7, 5, 30, 21))).rgbx
    assert engine.opened.model_name == variant
    np.testing.assert_array_equal(region, whole[5:26, 7:37])


# Training


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_reach_every_weight(variant: str) -> None:
    model = tiny_paper_model(variant).requires_grad_()
    with torch.no_grad():
        wake_offsets(model)
    picture = model.render(model.encode(frames()), Grid(18, 13), [torch.tensor([0.4])])[0]
    picture.square().mean().backward()  # type: ignore[no-untyped-call]
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Use one thread: with several, each of thousands of tiny operations waits for a core that may be busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_loss_falls_in_training(variant: str) -> None:
    """From initial weights, on a few windows that repeat."""
    torch.manual_seed(0)
    model = VideoINR(TINY_VARIANTS[variant])
    adam = torch.optim.Adam(model.parameters(), lr=4e-3)
    stage = Stage("x2", 1, 4, 8, (2.0,), windows=(2, 3))
    batch = ToySource().batch(stage, BatchShape(2, 8, 16, 2), np.random.default_rng(0))
    losses = []
    for _ in range(20):
        rendered = model.render(model.encode(batch.low), Grid(16, 16), batch.times.unbind(1))
        loss = torch.stack([charbonnier(*both) for both in zip(rendered, batch.targets.unbind(1), strict=True)]).mean()
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        losses.append(float(loss.detach()))
    grey = charbonnier(torch.full_like(batch.targets, 0.5), batch.targets)
    assert losses[-1] < min(0.95 * float(grey), 0.6 * losses[0])
