"""VideoINR equals a second implementation of the paper's equations, which computes one pixel at a time."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from helpers.tiny_model import tiny_video_inr
from videoinr.clip import open_clip
from videoinr.geometry import Grid
from videoinr.images import tensor_from_pixels
from videoinr.model.config import BASE, LITE, ModelConfig
from videoinr.model.features import PairFeatures
from videoinr.model.points import Points
from videoinr.model.siren import SirenHead
from videoinr.model.time_laws import bend_of
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model
from videoinr_resources import path

CPU = torch.device("cpu")
Numbers = NDArray[np.float64]


@cache
def tiny() -> VideoINR:
    """Return a model with flows of some pixels, so that a wrong warp shows."""
    model = tiny_video_inr()
    model.temporal_head.last.weight.mul_(25)
    return model


def frames_of(height: int, width: int, batch: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(100 * height + width)
    return torch.rand((batch, 2, 3, height, width), generator=generator)


def encode(frames: Tensor) -> PairFeatures:
    with torch.inference_mode():
        return tiny().encode(frames)


def render(features: PairFeatures, grid: Grid, *times: float) -> list[Tensor]:
    batch = len(features.frames)
    with torch.inference_mode():
        return tiny().render(features, grid, [torch.full((batch,), time) for time in times])


def siren(head: SirenHead, x: Numbers) -> Numbers:
    """Run a head on the concatenation of its inputs."""
    for layer in (head.first, *head.hidden):
        assert isinstance(layer, torch.nn.Linear)
        x = np.sin(30 * (numbers(layer.weight) @ x + numbers(layer.bias)))
    return numbers(head.last.weight) @ x + numbers(head.last.bias)


def numbers(tensor: Tensor) -> Numbers:
    return tensor.detach().double().numpy()


def clamped(index: int, size: int) -> int:
    return min(max(index, 0), size - 1)


def bilinear(image: Any, x: float, y: float, *, height: int, width: int) -> Numbers:
    """Read ``image(row, column)`` bilinearly; borders extended."""
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    out: Any = 0.0
    for row in {math.floor(y), clamped(math.floor(y) + 1, height)}:
        for column in {math.floor(x), clamped(math.floor(x) + 1, width)}:
            out = out + (1 - abs(x - column)) * (1 - abs(y - row)) * image(row, column)
    return np.asarray(out)


def cubic(distance: float) -> float:
    """Return the bicubic kernel with a = -0.75."""
    d, a = abs(distance), -0.75
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def bicubic(image: Numbers, x: float, y: float) -> Numbers:
    height, width = image.shape[1:]
    return np.asarray(
        sum(
            cubic(x - column) * cubic(y - row) * image[:, clamped(row, height), clamped(column, width)]
            for row in range(math.floor(y) - 1, math.floor(y) + 3)
            for column in range(math.floor(x) - 1, math.floor(x) + 3)
        )
    )


class SlowVideoINR:
    """Eq. 2, 4 and 6 of the paper for one pair and one grid, pixel by pixel, on concatenated inputs."""

    def __init__(self, model: VideoINR, frames: Tensor, grid: Grid) -> None:
        feature, prior = model.encoder(frames)
        self.model, self.grid = model, grid
        self.frames, self.prior = numbers(frames[0]), numbers(prior[0])
        self.latent = np.concatenate([numbers(feature[0]), *self.frames])
        self.size = {"height": self.latent.shape[1], "width": self.latent.shape[2]}

    def latent_position(self, row: int, column: int) -> tuple[float, float]:
        x = (column + 0.5) * self.size["width"] / self.grid.width - 0.5
        return x, (row + 0.5) * self.size["height"] / self.grid.height - 0.5

    def spatial(self, row: int, column: int) -> Numbers:
        """F_s(x) = f_s(z*, x - v*), eq. 2."""
        x, y = self.latent_position(row, column)
        nearest_x = clamped(math.floor(x + 0.5), self.size["width"])
        nearest_y = clamped(math.floor(y + 0.5), self.size["height"])
        offset = [2 * (x - nearest_x), 2 * (y - nearest_y)]
        return siren(self.model.spatial_head, np.concatenate([self.latent[:, nearest_y, nearest_x], offset]))

    def latent_at(self, x: float, y: float) -> Numbers:
        return bilinear(lambda row, column: self.latent[:, row, column], x, y, **self.size)

    def motion(self, row: int, column: int, t: float) -> Numbers:
        """M(x, t) = f_t(t, F_s(x)), eq. 4, over a motion prior that grows linearly."""
        x, y = self.latent_position(row, column)
        inputs = [self.spatial(row, column), self.latent_at(x, y), np.array([t])]
        prior = bilinear(lambda row, column: self.prior[:, row, column], x, y, **self.size)
        grown: Numbers = prior * 2 * np.array([t, t, 1 - t, 1 - t])
        return siren(self.model.temporal_head, np.concatenate(inputs)) + grown

    def colour(self, row: int, column: int, t: float) -> Numbers:
        """F_st(x, t) = F_s(x + M(x, t)), eq. 6, decoded with the latent feature and the frames found there."""
        x, y = self.latent_position(row, column)
        flow = self.motion(row, column, t)
        fields, latents, pictures = [], [], []
        for picture, (dx, dy) in zip(self.frames, (flow[:2], flow[2:]), strict=True):
            grid_x = column + dx * self.grid.width / self.size["width"]
            grid_y = row + dy * self.grid.height / self.size["height"]
            fields.append(bilinear(self.spatial, grid_x, grid_y, height=self.grid.height, width=self.grid.width))
            latents.append(self.latent_at(x + dx, y + dy))
            pictures.append(bicubic(picture, x + dx, y + dy))
        out = siren(self.model.decoder_head, np.concatenate([*fields, *latents, [t]]))
        bounded = min(max(1 - t, 0.02), 0.98)
        share = 1 / (1 + math.exp(-(out[3] + math.log(bounded / (1 - bounded)))))
        return share * pictures[0] + (1 - share) * pictures[1] + out[:3]


@pytest.mark.parametrize("scale", [1, 2.7, 9])
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_the_model_equals_the_papers_equations(scale: float, t: float) -> None:
    frames = frames_of(5, 7)
    grid = Grid(7, 5).scaled(scale)
    features, slow = encode(frames), SlowVideoINR(tiny(), frames, grid)
    points = Points.make(grid.rect, grid, latent_hw=(5, 7), device=CPU)
    with torch.inference_mode():
        spatial = tiny().spatial_feature(features, points)
        motion = tiny().motion(tiny().motion_basis(features, points, spatial), torch.full((1, 1, 1, 1), t))
    picture = render(features, grid, t)[0]
    assert float(motion.abs().mean()) > 0.5
    rng = np.random.default_rng(0)
    for row, column in [(0, 0), *zip(rng.integers(0, grid.height, 6), rng.integers(0, grid.width, 6), strict=True)]:
        np.testing.assert_allclose(spatial[0, row, column], slow.spatial(row, column), atol=1e-5)
        np.testing.assert_allclose(motion[0, row, column], slow.motion(row, column, t), atol=5e-4)
        np.testing.assert_allclose(picture[0, :, row, column], slow.colour(row, column, t), atol=1e-3)


@pytest.mark.parametrize("scales", [(1, 3), (3, 9)])
def test_motion_is_in_latent_pixels_on_every_grid(scales: tuple[int, int]) -> None:
    """At odd scales a grid pixel lies at the centre of each latent pixel: the flow there is the same."""
    features, flows = encode(frames_of(6, 8)), []
    for scale in scales:
        grid = Grid(8 * scale, 6 * scale)
        points = Points.make(grid.rect, grid, latent_hw=(6, 8), device=CPU)
        with torch.inference_mode():
            spatial = tiny().spatial_feature(features, points)
            flow = tiny().motion(tiny().motion_basis(features, points, spatial), torch.full((1, 1, 1, 1), 0.4))
        flows.append(flow[:, scale // 2 :: scale, scale // 2 :: scale])
    torch.testing.assert_close(flows[0], flows[1], atol=1e-3, rtol=1e-3)


@torch.inference_mode()
def test_a_bend_is_added_to_the_motion_of_a_prior_without_one() -> None:
    features, grid = encode(frames_of(6, 8)), Grid(21, 17)
    torch.manual_seed(0)
    bend = 8 * torch.randn(1, 6, 8, 4)
    bent = replace(features, prior=torch.cat((features.prior, bend), -1))
    points = Points.make(grid.rect, grid, latent_hw=(6, 8), device=CPU)
    even_basis, basis = (
        tiny().motion_basis(each, points, tiny().spatial_feature(each, points)) for each in (features, bent)
    )
    assert basis.prior.shape == (1, 17, 21, 8)
    times = [torch.full((1, 1, 1, 1), 0.3), torch.linspace(0, 1, 17).view(1, 17, 1, 1)]
    for t in (*times, torch.linspace(0, 1, 21).view(1, 1, 21, 1)):
        offset = bend_of(points.bilinear(bend), t)
        assert offset.abs().max() > 0.5
        torch.testing.assert_close(tiny().motion(basis, t), tiny().motion(even_basis, t) + offset)
    for end in (0.0, 1.0):
        t = torch.full((1, 1, 1, 1), end)
        assert torch.equal(tiny().motion(basis, t), tiny().motion(even_basis, t))


def test_the_spatial_field_is_evaluated_once_for_all_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """F_s does not depend on time."""
    features, grid, calls = encode(frames_of(5, 7)), Grid(16, 12), []
    whole = VideoINR.spatial_feature

    def counted(self: VideoINR, features: PairFeatures, points: Points) -> Tensor:
        calls.append(points)
        return whole(self, features, points)

    monkeypatch.setattr(VideoINR, "spatial_feature", counted)
    together = render(features, grid, 0.0, 0.25, 1.0)
    assert len(calls) == 1
    for time, frame in zip((0.0, 0.25, 1.0), together, strict=True):
        torch.testing.assert_close(frame, render(features, grid, time)[0])
    assert float((together[0] - together[1]).abs().mean()) > 1e-2


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 6), (7, 1), (2, 3), (5, 9), (13, 11)])
@pytest.mark.parametrize("scale", [0.5, 1, 3.3])
def test_any_size_is_accepted(height: int, width: int, scale: float) -> None:
    features, grid = encode(frames_of(height, width)), Grid(width, height).scaled(scale)
    assert features.latent_hw == (height, width)
    frame = render(features, grid, 0.5)[0]
    assert frame.shape == (1, 3, grid.height, grid.width)
    assert frame.isfinite().all()


def test_pairs_of_a_batch_do_not_affect_each_other() -> None:
    frames, grid = frames_of(6, 7, batch=3), Grid(20, 17)
    times = torch.tensor([0.1, 0.5, 0.9])
    with torch.inference_mode():
        together = tiny().render(tiny().encode(frames), grid, [times])[0]
    for k in range(3):
        alone = render(encode(frames[k : k + 1]), grid, float(times[k]))[0]
        torch.testing.assert_close(together[k : k + 1], alone, atol=2e-3, rtol=1e-3)


def test_gradients_reach_every_weight() -> None:
    model = tiny_video_inr().requires_grad_()
    picture = model.render(model.encode(frames_of(6, 7)), Grid(18, 13), [torch.tensor([0.4])])[0]
    picture.square().mean().backward()  # type: ignore[no-untyped-call]
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize(("config", "parameters"), [(LITE, 979_136), (BASE, 7_418_904)], ids=["lite", "base"])
def test_parameter_counts(config: ModelConfig, parameters: int) -> None:
    with torch.device("meta"):
        model = VideoINR(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_features_report_their_bytes() -> None:
    features = encode(frames_of(4, 5))
    assert features.nbytes == sum(4 * one.numel() for one in features.tensors().values())
    halved = replace(features, frames=features.frames[:, :1])
    assert features.nbytes - halved.nbytes == 3 * 4 * 5 * 4


def test_features_are_channels_last_and_contiguous() -> None:
    """The fast path of sampling reads them as tables of rows."""
    features = encode(frames_of(4, 5))
    for name in ("prior", "spatial", "temporal", "colour_first", "colour_second"):
        tensor = getattr(features, name)
        assert tensor.shape[:3] == (1, 4, 5), name
        assert tensor.is_contiguous(), name
        assert tensor.dtype == torch.float32, name


def test_half_precision_in_the_encoder_changes_less_than_a_tenth_of_a_level() -> None:
    """With the shipped model on real frames: the mean of four pairs, since few points decide it for one pair."""
    model = load_model("lite").model
    assert isinstance(model, VideoINR)
    grid, times, differences = Grid(192, 128), [torch.tensor([0.5])], []
    with open_clip(path("demo/demo.mp4")) as clip, torch.inference_mode():
        for pair in map(clip.pair, range(4)):
            frames = [tensor_from_pixels(frame, CPU) for frame in (pair.first, pair.second)]
            low = torch.stack(frames)[None, ..., 40:104, 90:186]
            full, half = (model.render(model.encode(low, half=on), grid, times)[0].clamp(0, 1) for on in (False, True))
            differences.append((full - half).abs() * 255)
    difference = torch.stack(differences)
    assert 0 < difference.mean() < 0.1
    assert (difference > 4).float().mean() < 1e-3
