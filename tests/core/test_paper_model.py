"""The paper's own model: its sizes, its equations pixel by pixel, and its two forms compared with each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from helpers.tiny_paper import TINY_PAPER, tiny_paper_model
from videoinr.errors import ModelError
from videoinr.geometry import Grid, Rect
from videoinr.model.config import BASE, LITE, PAPER, TINY, ModelConfig
from videoinr.model.features import PairFeatures
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.siren import SirenHead
from videoinr.model.video_inr import VideoINR
from videoinr.training.recipe import load_recipe

CPU = torch.device("cpu")
Numbers = NDArray[np.float64]
Look = Callable[[int, int], Numbers]


@cache
def tiny() -> VideoINR:
    return tiny_paper_model()


@cache
def frames_of(height: int, width: int) -> Tensor:
    return torch.rand((1, 2, 3, height, width), generator=torch.Generator().manual_seed(100 * height + width))


@cache
def encoded(height: int, width: int) -> PairFeatures:
    with torch.inference_mode():
        return tiny().encode(frames_of(height, width))


def points_of(grid: Grid, rect: Rect | None = None, *, latent_hw: tuple[int, int]) -> Points:
    return Points.make(rect or grid.rect, grid, latent_hw=latent_hw, device=CPU)


def time_of(t: float) -> Tensor:
    return torch.full((1, 1, 1, 1), t)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# Sizes


@cache
def papers_own() -> VideoINR:
    with torch.device("meta"):
        return VideoINR(PAPER)


def test_the_papers_model_has_as_many_parameters_as_the_paper_says() -> None:
    model = papers_own()
    assert count(model.encoder) == 10_768_688
    assert count(model.spatial_head) == 50_176 - 64  # Without t among its inputs.
    assert count(model.temporal_head) == 38_724
    assert count(model.decoder_head) == 121_027
    assert count(model) == 10_978_615 - 64


@pytest.mark.parametrize(
    ("inputs", "hidden", "outputs", "parameters"),
    [
        (201, PAPER.spatial_hidden, 64, 50_176),
        (263, PAPER.temporal_hidden, 4, 38_724),
        (525, PAPER.decoder_hidden, 3, 121_027),
    ],
)
def test_with_time_as_an_input_the_heads_have_the_released_sizes(
    inputs: int, hidden: tuple[int, ...], outputs: int, parameters: int
) -> None:
    """ "3-layer, 64-64-256" and "4-layer, 64-64-256-256" mean so many sine layers, followed by a linear one."""
    assert count(SirenHead((inputs,), hidden, outputs)) == parameters


def test_the_full_model_renders_a_small_pair() -> None:
    torch.manual_seed(0)
    model = VideoINR(PAPER).eval()
    with torch.inference_mode():
        features = model.encode(torch.rand(1, 2, 3, 24, 32))
        frames = model.render(features, Grid(40, 30), [torch.tensor([0.0]), torch.tensor([0.6])])
    assert features.prior.shape == (1, 24, 32, 0)
    assert [frame.shape for frame in frames] == [(1, 3, 30, 40)] * 2
    assert all(frame.isfinite().all() for frame in frames)
    assert not torch.equal(frames[0], frames[1])


# Configurations


def test_a_card_without_the_switches_still_loads() -> None:
    for config in (LITE, BASE, TINY):
        old = config.to_dict()
        for switch in ("blend", "flow", "multi_scale", "single_network"):
            del old[switch]
        assert ModelConfig.from_dict(old) == config


@pytest.mark.parametrize(
    "change",
    [
        {"flow": "no"},
        {"blend": 0},
        {"single_network": True, "flow": False},
        {"single_network": True, "multi_scale": False},
        {"single_network": True, "spatial_channels": 5},
        {"colour": True},
        {"encoder": {"kind": "zooming_slowmo", "channels": 0}},
        {"encoder": {"kind": "zooming_slowmo", "levels": 3}},
        {"encoder": {"kind": ["zooming_slowmo"]}},
    ],
    ids=str,
)
def test_contradictory_switches_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        ModelConfig.from_dict({**TINY_PAPER.to_dict(), **change})


def test_the_recipe_follows_the_papers_schedule() -> None:
    recipe = load_recipe("paper")
    first, second = recipe.stages
    assert recipe.config == "paper"
    assert [(stage.steps, stage.batch, stage.patch, stage.windows) for stage in recipe.stages] == [
        (450_000, 24, 32, (8,)),
        (150_000, 24, 32, (8,)),
    ]
    assert first.scales == (4.0,)
    assert second.scale_range == (1.0, 4.0)
    assert {(stage.learning_rate, stage.final_learning_rate, stage.restart_every) for stage in recipe.stages} == {
        (1e-4, 1e-7, 150_000)
    }


@pytest.mark.parametrize(
    ("name", "config", "scales"),
    [
        ("paper-f", "paper-f", (1, 4)),
        ("paper-m", "paper-m", (1, 4)),
        ("paper-s", "paper-s", (1, 4)),
        ("paper-x4-only", "paper", (4, 4)),
        ("paper-continuous-only", "paper", (1, 4)),
    ],
)
def test_every_ablation_is_trained_for_as_many_steps(name: str, config: str, scales: tuple[int, int]) -> None:
    recipe = load_recipe(name)
    assert recipe.config == config
    assert recipe.steps == load_recipe("paper").steps
    assert recipe.scale_bounds() == scales


# Equations


def numbers(tensor: Tensor) -> Numbers:
    return tensor.detach().double().numpy()


def siren(head: SirenHead, *inputs: object) -> Numbers:
    x = np.concatenate([np.atleast_1d(np.asarray(part)) for part in inputs])
    for layer in (head.first, *head.hidden):
        assert isinstance(layer, torch.nn.Linear)
        x = np.sin(30 * (numbers(layer.weight) @ x + numbers(layer.bias)))
    out: Numbers = numbers(head.last.weight) @ x + numbers(head.last.bias)
    return out


def bilinear(look: Look, x: float, y: float, *, height: int, width: int) -> Numbers:
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    columns = {math.floor(x), min(math.floor(x) + 1, width - 1)}
    rows = {math.floor(y), min(math.floor(y) + 1, height - 1)}
    parts = [(1 - abs(x - c)) * (1 - abs(y - r)) * look(r, c) for r in rows for c in columns]
    return np.asarray(sum(parts))


class SlowPaper:
    """Sections 3.1 to 3.5, computed for one pixel at a time; positions in latent pixels."""

    def __init__(self, model: VideoINR, frames: Tensor, grid: Grid) -> None:
        feature = model.latent(frames)[0]
        self.model, self.grid = model, grid
        self.latent = np.concatenate([numbers(feature[0]), *numbers(frames[0])])
        self.height, self.width = self.latent.shape[1:]

    def position(self, row: int, column: int) -> tuple[float, float]:
        x = (column + 0.5) * self.width / self.grid.width - 0.5
        return x, (row + 0.5) * self.height / self.grid.height - 0.5

    def spatial(self, x: float, y: float) -> Numbers:
        """Eq. 2, anywhere in the picture; at its edge beyond it."""
        x, y = min(max(x, -0.5), self.width - 0.5), min(max(y, -0.5), self.height - 0.5)
        column, row = min(math.floor(x + 0.5), self.width - 1), min(math.floor(y + 0.5), self.height - 1)
        return siren(self.model.spatial_head, self.latent[:, row, column], [2 * (x - column), 2 * (y - row)])

    def latent_at(self, x: float, y: float) -> Numbers:
        return bilinear(lambda r, c: self.latent[:, r, c], x, y, height=self.height, width=self.width)

    def motion(self, x: float, y: float, t: float) -> Numbers:
        """Eq. 4; nothing but the network."""
        return siren(self.model.temporal_head, self.spatial(x, y), self.latent_at(x, y), t)

    def queried(self, row: int, column: int, t: float) -> Numbers:
        """Eq. 6: F_s evaluated at x + M."""
        return self._colour(row, column, t, self.spatial)

    def rendered(self, row: int, column: int, t: float) -> Numbers:
        """Section 3.5: the map of F_s on the grid, read at x + M."""

        def on_map(x: float, y: float) -> Numbers:
            column = (x + 0.5) * self.grid.width / self.width - 0.5
            row = (y + 0.5) * self.grid.height / self.height - 0.5
            size = {"height": self.grid.height, "width": self.grid.width}
            return bilinear(lambda r, c: self.spatial(*self.position(r, c)), column, row, **size)

        return self._colour(row, column, t, on_map)

    def _colour(self, row: int, column: int, t: float, field: Callable[[float, float], Numbers]) -> Numbers:
        """Section 3.4: RGB from both warped features, and the latent feature and frames where they were found."""
        x, y = self.position(row, column)
        flow = self.motion(x, y, t)
        ends = [(x + flow[0], y + flow[1]), (x + flow[2], y + flow[3])]
        inputs = [*(field(*end) for end in ends), *(self.latent_at(*end) for end in ends), t]
        return siren(self.model.decoder_head, *inputs)


@pytest.mark.parametrize("scale", [1, 2.7, 9])
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_both_forms_equal_the_papers_equations(scale: float, t: float) -> None:
    features, grid = encoded(5, 7), Grid(7, 5).scaled(scale)
    slow = SlowPaper(tiny(), frames_of(5, 7), grid)
    with torch.inference_mode():
        rendered = tiny().render(features, grid, [torch.tensor([t])])[0].permute(0, 2, 3, 1)
        queried = tiny().query(features, points_of(grid, latent_hw=(5, 7)), time_of(t))
    rng = np.random.default_rng(0)
    for row, column in [(0, 0), *zip(rng.integers(0, grid.height, 6), rng.integers(0, grid.width, 6), strict=True)]:
        np.testing.assert_allclose(rendered[0, row, column], slow.rendered(row, column, t), atol=1e-3)
        np.testing.assert_allclose(queried[0, row, column], slow.queried(row, column, t), atol=1e-3)


def test_some_flows_of_these_tests_lead_outside_the_picture() -> None:
    features, points = encoded(5, 7), points_of(Grid(21, 15), latent_hw=(5, 7))
    with torch.inference_mode():
        basis = tiny().motion_basis(features, points, tiny().spatial_feature(features, points))
        flow = tiny().motion(basis, time_of(0.3))
        x, y = points.shifted(flow[..., :2])
    assert float(flow.abs().mean()) > 0.5
    assert float(((x < 0) | (x > 6) | (y < 0) | (y > 4)).float().mean()) > 0.1


# The two forms compared


def in_both_forms(features: PairFeatures, points: Points, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return RGB under ``flow`` with F_s read from its map, and with F_s evaluated where the flow leads."""
    with torch.inference_mode():
        field = tiny().spatial_feature(features, points)

        def on_map(points: Points, way: Tensor) -> Tensor:
            return sample(field, *points.shifted_on_grid(way))

        whole = tiny().colour(features, points, flow, time_of(0.4), on_map)
        single = tiny().colour(features, points, flow, time_of(0.4), partial(tiny().field_at, features))
    return whole, single


@pytest.mark.parametrize("scale", [1, 2.7, 4, 5])
def test_without_motion_both_forms_agree(scale: float) -> None:
    grid = Grid(7, 5).scaled(scale)
    flow = torch.zeros(1, grid.height, grid.width, 4)
    whole, single = in_both_forms(encoded(5, 7), points_of(grid, latent_hw=(5, 7)), flow)
    torch.testing.assert_close(whole, single, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("scale", [1, 3, 4])
def test_both_forms_agree_inside_the_picture_for_flows_that_end_on_pixel_centres(scale: int) -> None:
    """At pixel centres the map holds F_s itself; between them it is interpolated and differs."""
    grid = Grid(7 * scale, 5 * scale)
    points = points_of(grid, latent_hw=(5, 7))
    steps_px = torch.tensor([2.0, -1.0, -3.0, 1.0])
    inside = (slice(None), slice(1, -1), slice(3, -3))
    whole, single = in_both_forms(
        encoded(5, 7), points, (steps_px / scale).expand(1, grid.height, grid.width, 4).contiguous()
    )
    torch.testing.assert_close(whole[inside], single[inside], atol=1e-3, rtol=1e-3)
    between = ((steps_px + 0.5) / scale).expand(1, grid.height, grid.width, 4).contiguous()
    whole, single = in_both_forms(encoded(5, 7), points, between)
    assert float((whole - single)[inside].abs().max()) > 0.02


def test_a_single_pixel_can_be_queried() -> None:
    """Eq. 1: the result does not depend on the other pixels of the query."""
    features, grid = encoded(5, 7), Grid(7, 5).scaled(6.3)
    with torch.inference_mode():
        whole = tiny().query(features, points_of(grid, latent_hw=(5, 7)), time_of(0.7))
        alone = tiny().query(features, points_of(grid, Rect(11, 20, 1, 1), latent_hw=(5, 7)), time_of(0.7))
    torch.testing.assert_close(alone[0, 0, 0], whole[0, 20, 11], atol=1e-4, rtol=1e-4)


def test_pairs_of_a_batch_do_not_affect_each_other() -> None:
    frames = torch.cat((frames_of(5, 7), frames_of(5, 7).flip(1)))
    times = torch.tensor([0.2, 0.9]).view(2, 1, 1, 1)
    points = points_of(Grid(16, 12), latent_hw=(5, 7))
    with torch.inference_mode():
        together = tiny().query(tiny().encode(frames), points, times)
        for k in range(2):
            alone = tiny().query(tiny().encode(frames[k : k + 1]), points, times[k : k + 1])
            torch.testing.assert_close(together[k : k + 1], alone, atol=2e-3, rtol=1e-3)
