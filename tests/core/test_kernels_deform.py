"""The kernel of the deformable convolution (interpreted where there is no GPU) matches the plain code."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from videoinr.model import kernels
from videoinr.model.kernels import deform as module
from videoinr.model.kernels.deform import deform, supports
from videoinr.model.layers import DeformableConv

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def layer_and_maps(channels: int, groups: int, *size: int, moved_px: float) -> tuple[DeformableConv, Tensor, Tensor]:
    """A layer whose offsets are about ``moved_px`` long, and an input and a guide, each of ``size`` (B, H, W)."""
    torch.manual_seed(channels + groups)
    layer = DeformableConv(channels, groups).requires_grad_(False)
    torch.nn.init.normal_(layer.offsets_and_masks.weight, std=moved_px / (9 * channels) ** 0.5)
    torch.nn.init.normal_(layer.bias)
    batch, height, width = size
    x, guide = torch.randn((2, batch, channels, height, width))
    return layer.to(DEVICE), x.to(DEVICE), guide.to(DEVICE)


@pytest.fixture
def through_the_kernel(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """Make layers use the kernel as on CUDA, but in float32; return the shapes of its inputs, as they come."""
    shapes = list[torch.Size]()

    def spy(layer: DeformableConv, x: Tensor, guide: Tensor, **options: object) -> Tensor:
        shapes.append(x.shape)
        return deform(layer, x, guide, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "deform", spy)
    monkeypatch.setattr(kernels, "half_inference", lambda _: torch.float32)
    return shapes


@pytest.mark.parametrize("moved_px", [0.0, 1.5, 40.0], ids=["still", "near", "mostly outside"])
@pytest.mark.parametrize(
    ("channels", "groups", "size"),
    [
        # Under coverage the interpreter takes more than twice as long; the last layer runs the same lines.
        pytest.param(16, 4, (2, 5, 7), marks=pytest.mark.no_cover),
        pytest.param(64, 8, (1, 3, 5), marks=pytest.mark.no_cover),
        (32, 1, (1, 1, 6)),
    ],
)
def test_it_matches_the_plain_code(
    channels: int, groups: int, size: tuple[int, int, int], moved_px: float, monkeypatch: pytest.MonkeyPatch,
    through_the_kernel: list[torch.Size],
) -> None:  # fmt: skip
    layer, x, guide = layer_and_maps(channels, groups, *size, moved_px=moved_px)
    answers = [layer(x, guide, slope=slope) for slope in (1.0, 0.1)]
    assert through_the_kernel == [x.shape] * 2
    monkeypatch.setattr(kernels, "half_inference", lambda _: None)
    for slope, answer in zip((1.0, 0.1), answers, strict=True):
        torch.testing.assert_close(answer, layer(x, guide, slope=slope), rtol=0, atol=2e-5)
        assert answer.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.usefixtures("through_the_kernel")
def test_enormous_offsets_read_zeros() -> None:
    layer, x, guide = layer_and_maps(16, 2, 1, 4, 4, moved_px=0)
    layer.offsets_and_masks.bias.fill_(3e38)  # type: ignore[union-attr]
    assert torch.equal(layer(x, guide), layer.bias[:, None, None].expand(1, 16, 4, 4))


def test_half_precision_errs_by_its_own_rounding_only() -> None:
    layer, x, guide = layer_and_maps(32, 4, 1, 6, 6, moved_px=1)
    plain = layer(x, guide)
    error = (deform(layer, x, guide, groups=4).float() - plain).abs()
    assert 0 < error.max() < 4 * 2**-11 * plain.abs().max()


def test_groups_that_are_no_powers_of_two_are_left_to_torch() -> None:
    assert supports(torch.empty(1, 64, 4, 4), 8)
    assert not supports(torch.empty(1, 48, 4, 4), 8)
    assert not supports(torch.empty(1, 96, 4, 4), 3)
    assert not supports(torch.empty((1, 64, 2**12, 2**12), device="meta"), 8)
