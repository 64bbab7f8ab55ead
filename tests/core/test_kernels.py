"""The training kernels match the plain code, forward and backward.

Without a GPU they run in Triton's interpreter (see tests/conftest.py), which is slow but runs the same program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

pytest.importorskip("triton")

from helpers import interpreter
from videoinr.geometry import Grid
from videoinr.model import ops, render_cuda, warp
from videoinr.model.config import BASE, LITE, TINY, ModelConfig
from videoinr.model.kernels.blend import blend
from videoinr.model.kernels.gather import gather
from videoinr.model.kernels.sample import sample
from videoinr.model.kernels.siren import fits, siren
from videoinr.model.points import Points
from videoinr.model.siren import OMEGA
from videoinr.model.video_inr import VideoINR

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
HALF, FULL = 4e-3, 1e-5
"""The largest error allowed, relative to the largest value: with products in half precision, and without products."""
GRADIENT = HALF + 3 * 2 * 2**-9 if DEVICE.type == "cuda" else HALF
"""The same for the gradients of a head: on a GPU both factors of their products are rounded to bfloat16, by up to 2^-9
each, and at most three such products follow each other. The interpreter, which has no bfloat16, uses float32."""


def noise(*shape: int, size: float = 1.0) -> Tensor:
    return (torch.randn(*shape, device=DEVICE) * size).requires_grad_()


def assert_alike(
    fused: Tensor, plain: Tensor, inputs: Sequence[Tensor], *, tolerance: float, of_gradients: float | None = None
) -> None:
    """Compare the values and, for one random gradient of the output, the gradients (within ``of_gradients``)."""
    grad = torch.randn_like(plain)
    assert error(fused, plain) <= tolerance
    gradients = zip(torch.autograd.grad(fused, inputs, grad), torch.autograd.grad(plain, inputs, grad), strict=True)
    for ours, theirs in gradients:
        assert error(ours, theirs) <= (of_gradients or tolerance)


def error(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest difference, relative to the largest value."""
    return float((ours - theirs).detach().abs().max() / theirs.detach().abs().max())


# Under coverage the interpreter takes more than twice as long; the fused render below, which is measured, runs the same
# lines.
@pytest.mark.no_cover
@pytest.mark.parametrize(("width", "outputs", "layers"), [(12, 4, 1), (16, 10, 2), (20, 3, 0)])
def test_siren_matches_the_plain_head(width: int, outputs: int, layers: int) -> None:
    torch.manual_seed(0)
    images, points, instants = 2, 75, 3
    base, shift = noise(images, points, width, size=0.05), noise(instants, images, width, size=0.05)
    hidden = [(noise(width, width, size=0.02), noise(width, size=0.02)) for _ in range(layers)]
    last = (noise(outputs, width), noise(outputs))
    a = torch.sin(OMEGA * (base + shift[:, :, None]))
    for weight, bias in hidden:
        a = torch.sin(OMEGA * torch.nn.functional.linear(a, weight, bias))
    plain = torch.nn.functional.linear(a, *last)
    parameters = [base, shift, *last, *(tensor for pair in hidden for tensor in pair)]
    assert_alike(siren(base, shift, hidden, last), plain, parameters, tolerance=HALF, of_gradients=GRADIENT)


def test_sine_of_large_arguments() -> None:
    """A head of one sine layer and the identity outputs the sine itself."""
    z = torch.linspace(-300, 300, 512, device=DEVICE)
    base = (z / OMEGA).view(1, -1, 1).expand(-1, -1, 16).contiguous()
    eye = (torch.eye(16, device=DEVICE), torch.zeros(16, device=DEVICE))
    out = siren(base, torch.zeros(1, 1, 16, device=DEVICE), [], eye)[0, 0, :, 0]
    torch.testing.assert_close(out, torch.sin(base[0, :, 0] * OMEGA), atol=1e-3, rtol=0)


@pytest.mark.parametrize("on_lattice", [False, True])
def test_sample_matches_grid_sample(on_lattice: bool) -> None:
    torch.manual_seed(0)
    image, x, y = noise(2, 4, 5, 6), torch.rand(2, 7, 9) * 7 - 1, torch.rand(2, 7, 9) * 6 - 1
    x, y = (position.to(DEVICE) for position in (x, y))
    if on_lattice:
        x, y = x.round(), y.round()
    else:
        x.requires_grad_()
        y.requires_grad_()
    grid = warp.unit_grid(x, y, height=4, width=5)
    plain = torch.nn.functional.grid_sample(
        image.permute(0, 3, 1, 2), grid, padding_mode="border", align_corners=False
    ).permute(0, 2, 3, 1)
    inputs = [image] if on_lattice else [image, x, y]
    assert_alike(sample(image, x, y), plain, inputs, tolerance=FULL)


class Scene:
    """Two instants of two images, 14x9 pixels over a lattice of 5x4."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        grid = Grid(14, 9)
        self.points = Points.make(grid.rect, grid, latent_hw=(4, 5), device=DEVICE)
        self.flow = noise(2, 2, 9, 14, 4, size=2.0)

    def ways(self, instant: int) -> list[Tensor]:
        return [self.flow[instant][..., :2], self.flow[instant][..., 2:]]


@pytest.mark.no_cover
def test_gather_matches_the_sum_of_four_plain_samples() -> None:
    scene = Scene()
    fine, coarse = noise(2, 9, 14, 12), noise(2, 4, 5, 12)
    plain = []
    for instant in range(2):
        total = torch.zeros((), device=DEVICE)
        for index, way in enumerate(scene.ways(instant)):
            part = slice(6 * index, 6 * index + 6)
            total = total + ops.sample(fine[..., part], *scene.points.shifted_on_grid(way))
            total = total + ops.sample(coarse[..., part], *scene.points.shifted(way))
        plain.append(total)
    fused = gather(fine, coarse, scene.flow)
    assert_alike(fused, torch.stack(plain), [fine, coarse, scene.flow], tolerance=FULL)


@pytest.mark.no_cover
def test_blend_matches_the_plain_blend() -> None:
    scene = Scene()
    answer, frames, prior_logit = noise(2, 2, 9, 14, 4), torch.rand(2, 2, 3, 4, 5, device=DEVICE), noise(2, 2)
    plain = []
    for instant in range(2):
        first, second = (
            warp.sample_bicubic(frames[:, index], *scene.points.shifted(way))
            for index, way in enumerate(scene.ways(instant))
        )
        share = torch.sigmoid(answer[instant][..., 3:] + prior_logit[instant].detach().view(-1, 1, 1, 1))
        plain.append((torch.lerp(second, first, share) + answer[instant][..., :3]).permute(0, 3, 1, 2))
    fused = blend(answer, scene.flow, prior_logit.detach(), frames)
    assert_alike(fused, torch.stack(plain), [answer, scene.flow], tolerance=FULL)


# Under coverage the interpreter takes twice as long; the deeper head runs every line that the other one runs.
@pytest.mark.parametrize(
    "config", [pytest.param(TINY, marks=pytest.mark.no_cover), replace(TINY, decoder_hidden=(8, 8, 8))]
)
def test_a_fused_render_and_its_gradients_match_plain_ones(
    config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter.few_training_programs(monkeypatch)
    torch.manual_seed(0)
    model = VideoINR(config).to(DEVICE)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    frames, grid = torch.rand(2, 2, 3, 8, 8, device=DEVICE), Grid(13, 11)
    times = [torch.rand(2, device=DEVICE) for _ in range(2)]
    features = model.encode(frames)
    assert render_cuda.can_render(model, features)
    fused = render_cuda.render(model, features, grid, times)
    monkeypatch.setattr(render_cuda, "can_render", lambda *_: False)
    plain = torch.stack(model.render(model.encode(frames), grid, times))
    assert (fused - plain).abs().max() < 1e-3
    for output in (fused, plain):
        (output - 0.3).square().mean().backward()  # type: ignore[no-untyped-call]
        gradients = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        model.zero_grad()
        if output is fused:
            expected = gradients
    assert (gradients - expected).norm() < 0.01 * expected.norm()


@pytest.mark.no_cover
def test_a_fused_render_of_bent_paths_and_its_gradients_match_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter.few_training_programs(monkeypatch)
    torch.manual_seed(0)
    model, grid = VideoINR(TINY).to(DEVICE), Grid(7, 6)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        features = model.encode(torch.rand(2, 2, 3, 6, 5, device=DEVICE))
    times = [torch.rand(2, device=DEVICE) for _ in range(2)]
    prior = torch.cat((features.prior, 6 * torch.randn_like(features.prior)), -1).requires_grad_()
    features = replace(features, prior=prior)
    assert render_cuda.can_render(model, features)
    fused = render_cuda.render(model, features, grid, times)
    monkeypatch.setattr(render_cuda, "can_render", lambda *_: False)
    plain = torch.stack(model.render(features, grid, times))
    even = torch.stack(model.render(replace(features, prior=prior[..., :4]), grid, times))
    assert (plain - even).abs().max() > 0.1
    assert (fused - plain).abs().max() < 1e-3
    ours, theirs = (torch.autograd.grad((each - 0.3).square().mean(), prior)[0] for each in (fused, plain))
    for channels in (slice(4), slice(4, 8)):
        assert (ours[..., channels] - theirs[..., channels]).norm() < 0.01 * theirs[..., channels].norm()


def test_the_heads_of_the_shipped_models_fit() -> None:
    for config in (LITE, BASE):
        for hidden, outputs in (
            (config.spatial_hidden, config.spatial_channels),
            (config.temporal_hidden, 4),
            (config.decoder_hidden, 4),
        ):
            assert fits(hidden, outputs)
    assert not fits((64, 64, 256), 64)
