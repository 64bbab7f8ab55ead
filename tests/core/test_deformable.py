"""Deformable convolution: equal to its formula in plain loops, to an ordinary convolution and to torchvision's."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.model import deformable, ops
from videoinr.model.deformable import plain_deformable_conv
from videoinr.model.layers import DeformableConv
from videoinr.model.ops import deformable_conv, deformable_conv_source

Numbers = NDArray[np.float64]
TORCHVISION = deformable_conv_source() == "torchvision"


def inputs_of(
    height: int, width: int, *, batch: int = 1, channels: int = 4, outputs: int = 3, groups: int = 2, reach: float = 2.0
) -> list[Tensor]:
    """Return x, offsets of about ``reach`` pixels, masks, weight and bias."""
    rng = torch.Generator().manual_seed(height * 31 + width)
    return [
        torch.rand((batch, channels, height, width), generator=rng) - 0.5,
        reach * torch.randn((batch, groups * 18, height, width), generator=rng),
        torch.rand((batch, groups * 9, height, width), generator=rng),
        (torch.rand((outputs, channels, 3, 3), generator=rng) - 0.5) / math.sqrt(channels),
        torch.rand(outputs, generator=rng),
    ]


def read(image: Numbers, y: float, x: float) -> float:
    """Read ``image`` bilinearly; zero outside."""
    total = 0.0
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
                total += (1 - abs(y - row)) * (1 - abs(x - column)) * image[row, column]
    return total


def slow(x: Tensor, offsets: Tensor, masks: Tensor, weight: Tensor, bias: Tensor) -> Numbers:
    """Sum w * mask * x(p + tap + offset) over channels and taps, for each output pixel p and channel."""
    batch, channels, height, width = x.shape
    groups = masks.shape[1] // 9
    moves = offsets.double().numpy().reshape(batch, groups, 3, 3, 2, height, width)
    shares = masks.double().numpy().reshape(batch, groups, 3, 3, height, width)
    pixels, kernel = x.double().numpy(), weight.double().numpy()
    out = np.broadcast_to(bias.double().numpy()[:, None, None], (batch, len(bias), height, width)).copy()
    for b, c, i, j, row, column in np.ndindex(batch, channels, 3, 3, height, width):
        group = c // (channels // groups)
        dy, dx = moves[b, group, i, j, :, row, column]
        value = read(pixels[b, c], row + i - 1 + dy, column + j - 1 + dx) * shares[b, group, i, j, row, column]
        out[b, :, row, column] += kernel[:, c, i, j] * value
    return out


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 6), (5, 1), (4, 7)])
@pytest.mark.parametrize(("batch", "groups"), [(1, 1), (2, 2), (1, 4)])
def test_it_equals_its_formula(height: int, width: int, batch: int, groups: int) -> None:
    inputs = inputs_of(height, width, batch=batch, groups=groups)
    expected = slow(*inputs)
    for convolve in (plain_deformable_conv, deformable_conv):
        np.testing.assert_allclose(convolve(*inputs).numpy(), expected, atol=1e-5)


def test_some_taps_of_these_tests_lie_outside_the_picture() -> None:
    offsets = inputs_of(4, 7)[1]
    assert float((offsets.abs() > 4).float().mean()) > 0.01


def test_without_offsets_it_equals_a_convolution() -> None:
    x, offsets, masks, weight, bias = inputs_of(6, 9)
    plain = plain_deformable_conv(x, torch.zeros_like(offsets), torch.ones_like(masks), weight, bias)
    torch.testing.assert_close(plain, F.conv2d(x, weight, bias, padding=1), atol=1e-5, rtol=1e-5)


def test_offsets_are_ordered_by_group_then_tap_then_y_and_x() -> None:
    """Only the middle tap of group 1 has a mask, and it reads one row below."""
    x, offsets, masks, weight, bias = inputs_of(5, 6)
    offsets, masks = torch.zeros_like(offsets), torch.zeros_like(masks)
    offsets[:, 18 + 2 * 4] = 1
    masks[:, 9 + 4] = 1
    below = F.pad(x, (0, 0, 0, 1))[:, 2:, 1:]
    expected = torch.einsum("oc,bchw->bohw", weight[:, 2:, 1, 1], below) + bias[:, None, None]
    torch.testing.assert_close(plain_deformable_conv(x, offsets, masks, weight, bias), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 3])
def test_bands_of_rows_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    inputs = inputs_of(7, 5, batch=2)
    whole = plain_deformable_conv(*inputs)
    tops: list[int] = []
    one_band = deformable._read_taps

    def counted(*args: Tensor, top: int, dtype: torch.dtype) -> Tensor:
        tops.append(top)
        return one_band(*args, top=top, dtype=dtype)

    monkeypatch.setattr(deformable, "_read_taps", counted)
    banded = plain_deformable_conv(*inputs, band_bytes=rows * 4 * 2 * 4 * 9 * 5)
    torch.testing.assert_close(banded, whole, atol=1e-6, rtol=1e-5)
    assert tops == list(range(0, 7, rows))


def test_gradients_are_right() -> None:
    inputs = [tensor.double() for tensor in inputs_of(3, 4)]
    # Away from pixel centres, where bilinear sampling has a kink and no gradient.
    inputs[1] = inputs[1].floor() + 0.2 + 0.6 * torch.rand(inputs[1].shape, generator=torch.Generator().manual_seed(1))
    for tensor in inputs:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(plain_deformable_conv, inputs, fast_mode=True)


def test_autocast_rounds_the_values_that_taps_read_but_not_their_positions() -> None:
    """A ramp, read half a pixel further: beyond 128, bfloat16 holds whole pixels only."""
    ramp = (torch.arange(300.0) / 300).expand(1, 1, 3, 300)
    offsets = torch.zeros(1, 2 * 9, 3, 300)
    offsets[:, 1::2] = 0.5
    weight = torch.zeros(1, 1, 3, 3)
    weight[..., 1, 1] = 1
    with torch.autocast("cpu", torch.bfloat16):
        out = deformable_conv(ramp, offsets, torch.ones(1, 9, 3, 300), weight, torch.zeros(1))
    assert out.dtype == torch.float32
    torch.testing.assert_close(out[..., :-1], ramp[..., :-1] + 0.5 / 300, atol=0, rtol=2**-8)


def test_the_layer_starts_as_half_a_convolution_and_depends_on_its_guide_after_training() -> None:
    torch.manual_seed(0)
    module = DeformableConv(8, 4)
    x, guide = torch.randn(2, 8, 6, 5), torch.randn(2, 8, 6, 5)
    torch.testing.assert_close(module(x, guide), F.conv2d(x, module.weight / 2, padding=1), atol=1e-5, rtol=1e-4)
    with torch.no_grad():
        module.offsets_and_masks.weight.normal_(std=0.2)
    raw = module.offsets_and_masks(guide)
    expected = deformable_conv(x, raw[:, :72], raw[:, 72:].sigmoid(), module.weight, module.bias)
    torch.testing.assert_close(module(x, guide), expected)
    assert not torch.allclose(module(x, guide), module(x, guide.flip(3)), atol=1e-2)


@pytest.fixture
def fresh_search() -> Iterator[None]:
    """Search for torchvision anew in this test, and after it."""
    ops._torchvision_operator.cache_clear()
    yield
    ops._torchvision_operator.cache_clear()


def importing(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    whole = importlib.import_module

    def look(name: str, package: str | None = None) -> Any:
        if name != "torchvision.ops":
            return whole(name, package)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(importlib, "import_module", look)


@pytest.mark.usefixtures("fresh_search")
@pytest.mark.parametrize("error", [ImportError("none"), RuntimeError("operator torchvision::nms does not exist")])
def test_plain_torch_is_used_where_torchvision_is_missing_or_broken(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    importing(monkeypatch, error)
    assert deformable_conv_source() == "torch"
    inputs = inputs_of(3, 4)
    assert torch.equal(deformable_conv(*inputs), plain_deformable_conv(*inputs))


@pytest.mark.usefixtures("fresh_search")
def test_torchvisions_operator_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Operators:
        @staticmethod
        def deform_conv2d(
            input: Tensor,  # noqa: A002 - torchvision's own name
            offset: Tensor,
            weight: Tensor,
            bias: Tensor | None = None,
            *,
            padding: int = 0,
            mask: Tensor | None = None,
        ) -> Tensor:
            assert padding == 1
            assert bias is not None
            assert mask is not None
            return plain_deformable_conv(input, offset, mask, weight, bias) + 1

    importing(monkeypatch, Operators)
    assert deformable_conv_source() == "torchvision"
    inputs = inputs_of(3, 4)
    torch.testing.assert_close(deformable_conv(*inputs), plain_deformable_conv(*inputs) + 1)


@pytest.mark.skipif(not TORCHVISION, reason="there is no torchvision here")
@pytest.mark.parametrize(("height", "width", "channels", "groups"), [(1, 1, 16, 4), (23, 31, 64, 8), (9, 5, 8, 1)])
def test_torchvisions_operator_agrees(height: int, width: int, channels: int, groups: int) -> None:
    inputs = inputs_of(height, width, batch=2, channels=channels, outputs=channels, groups=groups)
    answers = []
    for convolve in (deformable_conv, plain_deformable_conv):
        leaves = [tensor.clone().requires_grad_() for tensor in inputs]
        out = convolve(*leaves)
        out.square().mean().backward()  # type: ignore[no-untyped-call]
        answers.append([out, *(leaf.grad for leaf in leaves)])
    for theirs, ours in zip(*answers, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
