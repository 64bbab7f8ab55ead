"""The encoders' convolution kernel (interpreted where there is no GPU) matches torch's convolution."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from videoinr.model import kernels
from videoinr.model.config import MotionPriorConfig, ZoomingSlowMoConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.zooming_slowmo import ZoomingSlowMoEncoder
from videoinr.model.kernels import convolve as module
from videoinr.model.kernels.convolve import Plan, convolve, packed, supports
from videoinr.model.kernels.verifying import convolved

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def layer(channels: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    torch.manual_seed(channels + outputs)
    return nn.Conv2d(channels, outputs, 3, stride, 1).to(DEVICE).requires_grad_(False)


def maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE)


# Under coverage the interpreter takes more than twice as long; the measured tests below run the same lines.
@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("channels", "outputs", "stride", "size", "slope"),
    [
        (24, 36, 1, (2, 5, 7), 0.1),
        (48, 96, 2, (1, 9, 8), 0.0),
        (8, 4, 2, (2, 1, 5), 0.0),
        (8, 4, 2, (2, 1, 5), 0.1),
        (8, 4, 2, (2, 1, 5), 1.0),
        (84, 16, 1, (1, 6, 1), 1.0),
        (3, 24, 1, (2, 4, 6), 0.0),
        (3, 24, 1, (2, 4, 6), 0.1),
        (3, 24, 1, (2, 4, 6), 1.0),
    ],
)
def test_it_matches_the_layer_with_activation_and_sum(
    channels: int, outputs: int, stride: int, size: tuple[int, int, int], slope: float
) -> None:
    one, (batch, height, width) = layer(channels, outputs, stride), size
    x = maps(batch, channels, height, width)
    plain = functional.leaky_relu(one(x), slope)
    other = torch.randn_like(plain)
    for plan in (Plan(run=16, chunk=16), Plan(run=64, chunk=32)):
        alone = convolve(one, (x,), slope=slope, dtype=torch.float32, plan=plan)
        torch.testing.assert_close(alone, plain, rtol=0, atol=1e-5)
        both = convolve(one, (x,), slope=slope, add=other, dtype=torch.float32, plan=plan)
        torch.testing.assert_close(both, plain + other, rtol=0, atol=1e-5)
    assert alone.is_contiguous(memory_format=torch.channels_last)


def test_it_writes_rows_of_a_map_and_no_others() -> None:
    one, x = layer(16, 8), maps(1, 16, 4, 6)
    whole = maps(1, 8, 9, 6, seed=1).contiguous(memory_format=torch.channels_last)
    before, rows = whole.clone(), whole[:, :, 3:7]
    assert convolve(one, (x,), dtype=torch.float32, out=rows) is rows
    torch.testing.assert_close(rows, one(x), rtol=0, atol=1e-5)
    assert torch.equal(whole[:, :, :3], before[:, :, :3])
    assert torch.equal(whole[:, :, 7:], before[:, :, 7:])


def test_half_precision_errs_by_its_own_rounding_only() -> None:
    one, x = layer(32, 32), maps(1, 32, 8, 8)
    error = (convolve(one, (x,)).float() - one(x)).abs()
    assert 0 < error.max() < 4 * 2**-11 * one(x).abs().max()


@pytest.mark.parametrize("widths", [(8, 8), (5, 4, 8), (4, 16, 1), (32, 16), (16, 4, 32, 24)])
@pytest.mark.parametrize("stride", [1, 2])
def test_several_inputs_are_read_as_if_concatenated(widths: tuple[int, ...], stride: int) -> None:
    one = layer(sum(widths), 20, stride)
    inputs = [maps(2, width, 5, 6, seed=number) for number, width in enumerate(widths)]
    answer = convolve(one, inputs, slope=0.1, dtype=torch.float32, plan=Plan(run=16, chunk=16))
    plain = functional.leaky_relu(one(torch.cat(inputs, 1)), 0.1)
    torch.testing.assert_close(answer, plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize("widths", [(16, 16), (24,), (5, 4)])
def test_a_1x1_convolution(widths: tuple[int, ...]) -> None:
    one = nn.Conv2d(sum(widths), 12, 1).to(DEVICE).requires_grad_(False)
    inputs = [maps(2, width, 3, 5, seed=number) for number, width in enumerate(widths)]
    answer = convolve(one, inputs, dtype=torch.float32, plan=Plan(run=16, chunk=16))
    torch.testing.assert_close(answer, one(torch.cat(inputs, 1)), rtol=0, atol=1e-5)


def test_a_layer_without_a_bias() -> None:
    one, x = nn.Conv2d(8, 8, 3, padding=1, bias=False).to(DEVICE).requires_grad_(False), maps(1, 8, 4, 4)
    torch.testing.assert_close(convolve(one, (x,), dtype=torch.float32), one(x), rtol=0, atol=1e-5)
    assert packed(one, torch.float32, 16, (8,)) is packed(one, torch.float32, 16, (8,))


def test_weights_packed_for_one_layout_stay_for_recorded_graphs() -> None:
    one, x = layer(32, 8), maps(1, 32, 4, 4)
    before = packed(one, torch.float32, 16, (32,))
    convolve(one, (x[:, :24], x[:, 24:]), dtype=torch.float32, plan=Plan(run=16, chunk=32))
    assert packed(one, torch.float32, 16, (32,)) is before


def test_changed_weights_are_packed_anew() -> None:
    one, x = layer(8, 8), maps(1, 8, 4, 4)
    first = convolve(one, (x,), dtype=torch.float32)
    one.weight.mul_(2)
    one.bias.zero_()  # type: ignore[union-attr]
    torch.testing.assert_close(convolve(one, (x,), dtype=torch.float32), one(x), rtol=0, atol=1e-5)
    assert not torch.equal(first, one(x))


def test_layers_that_it_supports() -> None:
    x = maps(1, 8, 4, 4)
    assert supports(layer(8, 4), x)
    assert supports(layer(8, 4, stride=2), x)
    assert supports(layer(3, 8), x)
    assert not supports(layer(8, 129), x)
    assert supports(nn.Conv2d(8, 8, 1), x)
    assert not supports(nn.Conv2d(8, 8, 1, padding=1), x)
    assert not supports(nn.Conv2d(8, 8, 5, padding=2), x)
    assert not supports(nn.Conv2d(8, 8, 3, padding=1, dilation=2), x)
    assert not supports(nn.Conv2d(8, 8, 3, padding=1, groups=2), x)
    huge = torch.empty((1, 8, 2**15, 2**14), device="meta")
    assert not supports(layer(8, 8), huge)


@pytest.mark.parametrize(
    "encoder",
    [
        MotionPriorEncoder(
            MotionPriorConfig(
                frame_channels=8, motion_channels=8, feature_channels=16, front_blocks=1, trunk_blocks=1, levels=2
            )
        ),
        pytest.param(
            ZoomingSlowMoEncoder(ZoomingSlowMoConfig(channels=8, groups=2, front_blocks=1, back_blocks=1)),
            marks=pytest.mark.no_cover,
        ),
    ],
    ids=["motion prior", "zooming slowmo"],
)
@torch.inference_mode()
def test_a_whole_encoder_matches_through_it(encoder: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, frames, layers = encoder.to(DEVICE), maps(1, 2, 3, 4, 8).sigmoid(), list[nn.Conv2d]()
    plain = encoder(frames)

    def spy(one: nn.Conv2d, *args: object, **options: object) -> Tensor:
        layers.append(one)
        return convolve(one, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "convolve", spy)
    monkeypatch.setattr(kernels, "half_inference", lambda _: torch.float32)
    torch.testing.assert_close(encoder(frames), plain, rtol=0, atol=1e-5)
    served = [one for one in encoder.modules() if isinstance(one, nn.Conv2d) and supports(one, frames)]
    assert set(layers) >= {one for one in served if one.out_channels <= 16}
    assert len(set(layers)) > 10


def test_training_and_a_cpu_do_not_infer_in_half_precision() -> None:
    assert kernels.half_inference(torch.zeros(1)) is None
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert kernels.half_inference(torch.zeros(1)) is None


def test_the_reference_of_kernels_is_the_layer() -> None:
    one, x = layer(5, 3), maps(2, 5, 4, 6)
    assert one.bias is not None
    with torch.autocast(DEVICE.type, torch.bfloat16):
        found = convolved(x.half(), one.weight, one.bias)
    torch.testing.assert_close(found, functional.conv2d(x.half().float(), one.weight, one.bias, padding=1))
