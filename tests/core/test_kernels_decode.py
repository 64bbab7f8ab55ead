"""The viewer's kernels draw what the plain model renders. Without a GPU they run in Triton's interpreter."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("triton")

from helpers import interpreter
from helpers.tiny_paper import TINY_PAPER
from videoinr.geometry import Grid, Rect
from videoinr.images import rgbx_from_tensor
from videoinr.model import render_cuda
from videoinr.model.config import BASE, LITE, PAPER, TINY, ModelConfig, MotionPriorConfig
from videoinr.model.features import PairFeatures
from videoinr.model.kernels import decode
from videoinr.model.kernels.decode import (
    Canvas,
    DecodeWeights,
    Field,
    can_draw,
    draw,
    evaluate_field,
    padded_width,
)
from videoinr.model.points import Points
from videoinr.model.video_inr import VideoINR

# Under coverage the interpreter takes twice as long; test_cuda_decoder, which is measured, runs the same lines.
pytestmark = pytest.mark.no_cover

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# A small encoder, because only the heads are tested.
SMALL_LITE, SMALL_BASE = replace(LITE, encoder=TINY.encoder), replace(BASE, encoder=TINY.encoder)
GRID, INNER = Grid(31, 23), Rect(12, 7, 9, 8)
DEEP = replace(TINY, temporal_hidden=(8,), decoder_hidden=(12, 12, 12))
SMALL_PAPER = replace(PAPER, encoder=TINY_PAPER.encoder)
BLENDED_PAPER = replace(TINY_PAPER, blend=True, temporal_hidden=(8,), decoder_hidden=(8, 24, 24))
ANSWERING = replace(TINY, blend=False, spatial_hidden=(20, 8), temporal_hidden=(8, 8, 40, 40))


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most pictures here still take several programs, so that their borders are tested too."""
    interpreter.few_programs(monkeypatch)


def model_of(config: ModelConfig) -> VideoINR:
    """A model whose flows are some latent pixels long, and whose decoder's output is visible."""
    torch.manual_seed(0)
    model = VideoINR(config).eval().requires_grad_(False)
    model.temporal_head.last.weight.mul_(60 if isinstance(config.encoder, MotionPriorConfig) else 6)
    model.temporal_head.last.bias.normal_(std=0.5)
    model.decoder_head.last.weight.mul_(3 if config.blend else 10)
    model.decoder_head.last.bias.fill_(0 if config.blend else 0.5)
    for head in (model.spatial_head, model.temporal_head, model.decoder_head):
        head.first.bias.normal_(std=0.02)
    return model.to(DEVICE)


@torch.inference_mode()
def encoded(model: VideoINR, height: int = 7, width: int = 9) -> PairFeatures:
    torch.manual_seed(1)
    features = model.encode(torch.rand((1, 2, 3, height, width), device=DEVICE))
    return replace(features, prior=features.prior + torch.randn_like(features.prior))


def bent(features: PairFeatures) -> PairFeatures:
    """Return the pair with the bend of a path: offsets of a latent pixel or two."""
    torch.manual_seed(2)
    return replace(features, prior=torch.cat((features.prior, 12 * torch.randn_like(features.prior)), -1))


def rendered(
    model: VideoINR, features: PairFeatures, grid: Grid, phase: float, monkeypatch: pytest.MonkeyPatch
) -> np.ndarray:
    """The picture of the plain code, on any device, before rounding: levels [H, W, 3]."""
    monkeypatch.setattr(render_cuda, "can_render", lambda *_: False)
    with torch.inference_mode():
        picture = model.render(features, grid, [torch.tensor([phase], device=DEVICE)])[0][0]
    levels: np.ndarray = (255 * picture.clamp(0, 1)).permute(1, 2, 0).cpu().numpy()
    return levels


@torch.inference_mode()
def drawn(model: VideoINR, features: PairFeatures, grid: Grid, rect: Rect, box: Rect, phase: float) -> Canvas:
    weights = DecodeWeights.make(model)
    return drawn_from(evaluate_field(weights, features, grid, box), weights, features, grid, rect, phase)


@torch.inference_mode()
def drawn_from(
    field: Field, weights: DecodeWeights, features: PairFeatures, grid: Grid, rect: Rect, phase: float
) -> Canvas:
    canvas = Canvas.make(grid, rect, latent_hw=features.latent_hw, device=DEVICE)
    canvas.time.fill_(phase)
    draw(weights, features, field, canvas, rect)
    return canvas


class Scene:
    """A pair encoded by the tiny model, with its field and its picture at phase 0.4 on GRID; slow, so made once."""

    def __init__(self) -> None:
        self.model = model_of(TINY)
        self.features, self.weights = encoded(self.model), DecodeWeights.make(self.model)
        self.field = evaluate_field(self.weights, self.features, GRID, GRID.rect)
        self.whole = self.draw(GRID.rect)

    def draw(self, rect: Rect) -> Canvas:
        """Draw ``rect`` from the field of the whole grid."""
        return drawn_from(self.field, self.weights, self.features, GRID, rect, 0.4)


@cache
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("config", [TINY, SMALL_LITE, SMALL_BASE, SMALL_PAPER], ids=["tiny", "lite", "base", "paper"])
@torch.inference_mode()
def test_the_field_matches_the_plain_one_to_half_precision(config: ModelConfig) -> None:
    model, grid, box = model_of(config), Grid(31, 23), Rect(3, 5, 21, 18)
    features = encoded(model)
    points = Points.make(box, grid, latent_hw=features.latent_hw, device=DEVICE)
    plain = model.spatial_feature(features, points)[0]
    field = evaluate_field(DecodeWeights.make(model), features, grid, box)
    assert field.values.dtype == torch.float16
    channels = config.spatial_channels
    assert (field.values[..., :channels] - plain).abs().max() < 4e-3 * plain.abs().max()
    assert not field.values[..., channels:].any()


@pytest.mark.parametrize(
    ("config", "phase"),
    [(TINY, 0.0), (TINY, 0.3), (TINY, 1.0), (DEEP, 0.3), (SMALL_LITE, 0.0), (SMALL_LITE, 1.0), (SMALL_BASE, 0.3)],
    ids=["tiny-0", "tiny", "tiny-1", "deep", "lite-0", "lite-1", "base"],
)
def test_a_picture_matches_the_plain_one(config: ModelConfig, phase: float, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_the_picture_matches_the_plain_one(config, Grid(19, 13), phase, monkeypatch)


@pytest.mark.parametrize(
    ("config", "phase"),
    [(SMALL_PAPER, 0.3), (TINY_PAPER, 0.0), (BLENDED_PAPER, 1.0), (ANSWERING, 0.3)],
    ids=["paper", "tiny-paper", "blended-paper", "answering"],
)
def test_a_picture_of_broad_heads_matches_with_or_without_prior_and_blend(
    config: ModelConfig, phase: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_the_picture_matches_the_plain_one(config, Grid(19, 13), phase, monkeypatch)


@pytest.mark.parametrize(
    ("config", "phase"),
    [(TINY, 0.0), (TINY, 0.375), (TINY, 1.0), (SMALL_LITE, 0.6)],
    ids=["tiny-0", "tiny", "tiny-1", "lite"],
)
def test_a_picture_of_bent_paths_matches_the_plain_one(
    config: ModelConfig, phase: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(config)
    even, grid = encoded(model), Grid(19, 13)
    features = bent(even)
    canvas = drawn(model, features, grid, grid.rect, grid.rect, phase)
    plain = rendered(model, features, grid, phase, monkeypatch)
    assert np.abs(canvas.rgbx[..., :3].cpu().numpy() - plain).max() < 0.75
    assert (np.abs(plain - rendered(model, even, grid, phase, monkeypatch)).max() > 10) == (0 < phase < 1)


def test_the_flow_of_bent_paths_matches_the_plain_one_and_pairs_without_are_drawn_as_before() -> None:
    model, even = scene().model, scene().features
    features = bent(even)
    points = Points.make(INNER, GRID, latent_hw=features.latent_hw, device=DEVICE)
    with torch.inference_mode():
        basis = model.motion_basis(features, points, model.spatial_feature(features, points))
        plain = model.motion(basis, torch.full((1, 1, 1, 1), 0.4, device=DEVICE))[0].flatten(0, 1)
        canvas = drawn_from(scene().field, scene().weights, features, GRID, INNER, 0.4)
        found = canvas.flow[: INNER.area]
        assert (found - plain).abs().max() < 4e-3 * plain.abs().max()
        before = drawn_from(scene().field, scene().weights, even, GRID, INNER, 0.4)
    assert (before.flow[: INNER.area] - found).abs().max() > 1
    crop = scene().whole.rgbx[INNER.y : INNER.bottom, INNER.x : INNER.right]
    assert (before.rgbx.int() - crop.int()).abs().max() <= 1


def test_programs_of_the_size_used_on_a_gpu_draw_the_plain_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert_the_picture_matches_the_plain_one(SMALL_LITE, Grid(18, 7), 0.3, monkeypatch)


def assert_the_picture_matches_the_plain_one(
    config: ModelConfig, grid: Grid, phase: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(config)
    features = encoded(model)
    canvas = drawn(model, features, grid, grid.rect, grid.rect, phase)
    plain = rendered(model, features, grid, phase, monkeypatch)
    assert plain.std() > 10
    # Rounding to 8 bits is half a level of it.
    assert np.abs(canvas.rgbx[..., :3].cpu().numpy() - plain).max() < 0.75
    assert (canvas.rgbx[..., 3] == 255).all()
    assert canvas.shortfall.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("config", [TINY, SMALL_LITE, SMALL_BASE, SMALL_PAPER, BLENDED_PAPER, ANSWERING])
def test_a_program_of_four_warps_has_matrices_of_one_layout(config: ModelConfig) -> None:
    """Of several layouts, ptxas 12.8 miscalculates addresses: see decode._MIXED."""
    model = VideoINR(config)
    weights = DecodeWeights.make(model)
    heads = (model.spatial_head, model.temporal_head, model.decoder_head)
    for head, packed in zip(heads, (weights.spatial, weights.temporal, weights.decoder), strict=True):
        columns = [*(padded_width(width) for width in head.widths), packed.last.shape[1]]
        assert packed.plan.warps < 4 or len({min(width, 64) for width in columns}) == 1


@pytest.mark.parametrize("hidden", [(64, 64), (48,), (64, 64, 256), (64, 64, 256, 256), (8, 8, 24, 24)], ids=str)
def test_heads_that_the_kernels_can_draw(hidden: tuple[int, ...]) -> None:
    model = VideoINR(replace(TINY, decoder_hidden=hidden))
    assert can_draw(model, scene().features)


@pytest.mark.parametrize(
    "change",
    [
        {"decoder_hidden": (128, 128)},
        {"spatial_hidden": (64, 64, 512)},
        {"temporal_hidden": (64, 256, 256, 256)},
        {"decoder_hidden": (64, 128, 256)},
        {"spatial_channels": 96},
        {"flow": False},
        {"multi_scale": False},
        {"single_network": True, "spatial_channels": 8},
    ],
    ids=str,
)
def test_heads_that_the_kernels_cannot_draw(change: dict[str, Any]) -> None:
    assert not can_draw(VideoINR(replace(TINY, **change)), scene().features)


def test_the_flow_matches_the_plain_one() -> None:
    model, features = scene().model, scene().features
    points = Points.make(GRID.rect, GRID, latent_hw=features.latent_hw, device=DEVICE)
    with torch.inference_mode():
        basis = model.motion_basis(features, points, model.spatial_feature(features, points))
        plain = model.motion(basis, torch.full((1, 1, 1, 1), 0.4, device=DEVICE))[0].flatten(0, 1)
    assert plain.abs().mean() > 0.3
    assert (scene().whole.flow - plain).abs().max() < 4e-3 * plain.abs().max()


@pytest.mark.parametrize(
    ("latent", "grid"),
    [((1, 1), Grid(3, 2)), ((7, 9), Grid(9, 7)), ((7, 9), Grid(4, 3)), ((2, 5), Grid(32, 29)), ((5, 3), Grid(1, 1))],
    ids=str,
)
def test_grids_of_any_size(latent: tuple[int, int], grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(TINY)
    features = encoded(model, *latent)
    canvas = drawn(model, features, grid, grid.rect, grid.rect, 0.7)
    plain = rendered(model, features, grid, 0.7, monkeypatch)
    assert np.abs(canvas.rgbx[..., :3].cpu().numpy() - plain).max() < 0.75


@pytest.mark.parametrize("rect", [Rect(0, 0, 5, 3), Rect(11, 7, 17, 9), Rect(24, 15, 7, 8)], ids=str)
def test_a_region_is_the_crop_of_the_whole(rect: Rect) -> None:
    region = scene().draw(rect).rgbx
    crop = scene().whole.rgbx[rect.y : rect.bottom, rect.x : rect.right]
    assert (region.int() - crop.int()).abs().max() <= 1


def test_the_shortfall_is_the_number_of_pixels_the_flow_leaves_the_box_by() -> None:
    model, features, grid, rect = scene().model, scene().features, GRID, INNER
    reached = scene().draw(rect)
    canvas = drawn(model, features, grid, rect, rect, 0.4)
    flow = canvas.flow[: rect.area].view(rect.height, rect.width, 4)
    torch.testing.assert_close(flow, reached.flow[: rect.area].view_as(flow))
    points = Points.make(rect, grid, latent_hw=features.latent_hw, device=DEVICE)
    ways = [points.shifted_on_grid(flow[None, ..., 2 * way : 2 * way + 2]) for way in range(2)]
    x, y = (torch.stack([way[axis] for way in ways]) for axis in range(2))
    x, y = x.clamp(0, grid.width - 1).floor(), y.clamp(0, grid.height - 1).floor()
    expected = [
        rect.x - x.min(),
        rect.y - y.min(),
        (x.max() + 1).clamp(max=grid.width - 1) + 1 - rect.right,
        (y.max() + 1).clamp(max=grid.height - 1) + 1 - rect.bottom,
    ]
    assert canvas.shortfall.tolist() == [max(0, int(missing)) for missing in expected]
    assert max(canvas.shortfall.tolist()) > 3
    assert reached.shortfall.tolist() == [0, 0, 0, 0]


def test_a_large_enough_box_draws_the_same_as_the_whole_field() -> None:
    model, features, grid, rect = scene().model, scene().features, GRID, INNER
    left, top, right, bottom = drawn(model, features, grid, rect, rect, 0.4).shortfall.tolist()
    box = Rect(rect.x - left, rect.y - top, rect.width + left + right, rect.height + top + bottom)
    canvas = drawn(model, features, grid, rect, box, 0.4)
    assert canvas.shortfall.tolist() == [0, 0, 0, 0]
    whole = scene().whole.rgbx[rect.y : rect.bottom, rect.x : rect.right]
    assert (canvas.rgbx.int() - whole.int()).abs().max() <= 1


@torch.inference_mode()
def test_bands_and_slices_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    rect = Rect(4, 3, 20, 17)
    features, whole = scene().features, scene().whole.rgbx[rect.y : rect.bottom, rect.x : rect.right]
    monkeypatch.setattr(decode, "BAND_PX", 7 * rect.width)
    canvas = Canvas.make(GRID, rect, latent_hw=features.latent_hw, device=DEVICE)
    canvas.time.fill_(0.4)
    assert len(canvas.flow) == 7 * rect.width
    for y, height in ((3, 7), (10, 10)):
        draw(scene().weights, features, scene().field, canvas, Rect(4, y, 20, height))
    assert (canvas.rgbx.int() - whole.int()).abs().max() <= 1


@torch.inference_mode()
def test_levels_are_rounded_like_those_of_the_plain_path() -> None:
    """Frames of one colour, a decoder that outputs zero, no flow: the picture is that colour, rounded."""
    model, grid = model_of(TINY), Grid(16, 8)
    for head in (model.temporal_head, model.decoder_head):
        head.last.weight.zero_()
        head.last.bias.zero_()
    colour = torch.tensor([0.5, 100.5 / 255, 1.2], device=DEVICE)
    features = model.encode(colour.view(1, 1, 3, 1, 1).expand(1, 2, 3, 4, 4).contiguous())
    features = replace(features, prior=torch.zeros_like(features.prior))
    canvas = drawn(model, features, grid, grid.rect, grid.rect, 0.5)
    expected = rgbx_from_tensor(colour.expand(8, 16, 3))
    assert (canvas.rgbx.int() - expected.int()).abs().max() <= 1
    assert (expected[..., 0] == 128).all()  # 127.5, a tie, to the even one
    assert (canvas.rgbx[..., 0] == 128).all()


def test_an_enormous_flow_reads_only_the_border() -> None:
    model, grid = model_of(TINY), Grid(16, 12)
    features = encoded(model)
    for value in (1e30, -1e30):
        wild = replace(features, prior=torch.full_like(features.prior, value))
        canvas = drawn(model, wild, grid, grid.rect, grid.rect, 0.5)
        assert canvas.shortfall.tolist() == [0, 0, 0, 0]
        assert (canvas.rgbx[..., 3] == 255).all()
