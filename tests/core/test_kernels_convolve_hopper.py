"""Hopper's own convolution kernel: when it is chosen, and (on a Hopper) that it matches torch's convolution."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from videoinr.model.kernels import convolve_hopper as module
from videoinr.model.kernels import convolve_hopper_kernels
from videoinr.model.kernels.convolve_hopper import (
    AFTER,
    BEFORE,
    FILLED,
    LEAST_SUMS,
    STRIP,
    Shape,
    adding,
    convolve,
    launches_for,
    supports,
)

IS_HOPPER = torch.cuda.is_available() and torch.cuda.get_device_capability() == (9, 0)
LARGE = torch.empty((1, 64, LEAST_SUMS // 64, 1), dtype=torch.float16)


@pytest.fixture
def hopper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the machine claim to have a Hopper on which no kernel has been verified yet."""
    monkeypatch.setattr(module, "_is_known", lambda _: True)
    monkeypatch.setattr(module, "_VERIFIED", {})
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)


def plainly(
    inputs: Sequence[Tensor], weight: Tensor, bias: Tensor, *, slope: float = 1.0, add: Tensor | None = None,
    adds: int = AFTER,
) -> Tensor:  # fmt: skip
    """Compute in plain torch what :func:`convolve` must return."""
    x = torch.cat(list(inputs), 1).float()
    channels, outputs = x.shape[1], weight.shape[2]
    by_output = weight[:, :channels].reshape(3, 3, channels, outputs).permute(3, 2, 0, 1)
    out = functional.conv2d(x, by_output.float(), bias, padding=1)
    if add is not None and adds == BEFORE:
        out = out + add.float()
    out = functional.leaky_relu(out, slope)
    return out + add.float() if add is not None and adds == AFTER else out


def launch_plainly(
    _: Shape, inputs: Sequence[Tensor], weight: Tensor, channel: int, *rest: Tensor, adds: int, slope: float = 1.0,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Compute in plain torch what a launch must return."""
    bias, add = rest
    found = plainly(inputs, weight[:, channel:], bias, slope=slope, add=add, adds=adds).to(inputs[0].dtype)
    return found if out is None else out.copy_(found)


@pytest.mark.parametrize(
    ("channels", "inputs", "outputs", "blocks"),
    [
        (96, 1, 96, (64, 32)),
        (64, 1, 64, (32, 32)),
        (64, 2, 64, (32, 32)),
        (48, 1, 48, (32, 16)),
        (128, 1, 128, (32, 32)),  # two groups of outputs, because the weights of all do not fit
        (84, 1, 64, None),  # channels that are not a multiple of 16
        (64, 1, 36, None),  # outputs that are not the sum of two powers of two
        (256, 1, 64, None),  # weights larger than shared memory
    ],
)
def test_outputs_are_divided_into_two_blocks_whose_weights_fit_shared_memory(
    channels: int, inputs: int, outputs: int, blocks: tuple[int, int] | None
) -> None:
    shape = Shape(channels, inputs, outputs)
    assert shape.blocks == blocks
    if blocks is not None:
        stages, group = shape.stages(sum(blocks)), sum(blocks)
        weights, rings, buffers = 9 * inputs * channels * group, 2 * stages * STRIP * shape.chunk, 2 * STRIP * group
        assert 2 * (weights + rings + buffers) <= 227 * 1024
        assert 3 <= stages <= 4


@pytest.mark.parametrize(
    ("widths", "outputs", "launches"),
    [
        ((96,), 96, (Shape(96, 1, 96),)),
        ((64, 64), 64, (Shape(64, 2, 64),)),
        ((64, 64, 64, 4), 128, (Shape(64, 2, 128), Shape(64, 1, 128), Shape(16, 1, 128))),
        # Both inputs of 64 at once would leave room for the weights of 48 outputs only: inputs would be read twice.
        ((64, 64, 4), 96, (Shape(64, 1, 96), Shape(64, 1, 96), Shape(16, 1, 96))),
        ((4, 64), 96, ()),
        ((64, 64), 36, ()),
    ],
)
def test_many_inputs_are_taken_in_several_launches(
    widths: tuple[int, ...], outputs: int, launches: tuple[Shape, ...]
) -> None:
    assert launches_for(widths, outputs) == launches


def test_the_launches_together_match_the_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_launch", launch_plainly)
    widths, generator = (64, 64, 64, 4), torch.Generator().manual_seed(0)
    inputs = [torch.randn((1, width, 5, 6), generator=generator) for width in widths]
    weight = functional.pad(torch.randn((9, 196, 128), generator=generator) * 0.02, (0, 0, 0, 12))
    bias, add = torch.randn(128, generator=generator), torch.randn((1, 128, 5, 6), generator=generator)
    out = torch.empty((1, 128, 5, 6))
    for slope, added in ((0.1, None), (1.0, add)):
        wanted = plainly(inputs, weight, bias, slope=slope, add=added)
        assert convolve(inputs, weight, bias, slope=slope, add=added, out=out) is out
        for found in (out, convolve(inputs, weight, bias, slope=slope, add=added)):
            torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


def test_a_map_is_added_after_the_activation_of_a_single_launch_only() -> None:
    assert [adding(0, 1, adds=adds) for adds in (False, True)] == [0, AFTER]
    assert [adding(number, 2, adds=False) for number in range(2)] == [0, BEFORE]
    assert [adding(number, 2, adds=True) for number in range(2)] == [BEFORE, BEFORE]


@pytest.mark.usefixtures("hopper")
def test_several_launches_add_no_map_after_an_activation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_launch", launch_plainly)
    assert supports((64,), 64, LARGE, torch.float16, adds=True, slope=0.1)
    assert supports((64, 64, 64), 64, LARGE, torch.float16, adds=True, slope=1.0)
    assert supports((64, 64, 64), 64, LARGE, torch.float16, adds=False, slope=0.1)
    assert not supports((64, 64, 64), 64, LARGE, torch.float16, adds=True, slope=0.1)


def test_constants_are_the_last_arguments_as_a_start_without_a_search_needs_them() -> None:
    names = list(signature(convolve_hopper_kernels.rolling_kernel.fn).parameters)
    assert names[-8:] == ["chunks", "inputs", "chunk", "stages", "strip", "wide", "rest", "adds"]


@pytest.mark.usefixtures("hopper")
def test_a_kernel_is_verified_once_and_then_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = list[Shape]()

    def counted(shape: Shape, *args: Any, **options: Any) -> Tensor:
        tried.append(shape)
        return launch_plainly(shape, *args, **options)

    monkeypatch.setattr(module, "_launch", counted)
    assert supports((64,), 64, LARGE, torch.float16, adds=True)
    assert supports((64,), 64, LARGE, torch.float16, adds=True)
    assert tried == [Shape(64, 1, 64)]
    assert not supports((64,), 64, LARGE[:, :, :-1], torch.float16, adds=True)  # too small to be faster
    assert not supports((64,), 64, LARGE, torch.float32, adds=True)


@pytest.mark.usefixtures("hopper")
def test_a_kernel_that_is_wrong_or_does_not_compile_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgets_what_is_added(
        shape: Shape, inputs: Any, weight: Tensor, channel: int, bias: Tensor, add: Tensor | None, *, adds: int,
        slope: float,
    ) -> Tensor:  # fmt: skip
        return plainly(inputs, weight[:, channel:], bias, slope=slope)

    monkeypatch.setattr(module, "_launch", forgets_what_is_added)
    assert not supports((64,), 64, LARGE, torch.float16, adds=True)
    assert supports((64,), 64, LARGE, torch.float16, adds=False)
    assert not supports((64, 16), 64, LARGE, torch.float16, adds=False)  # its second launch adds

    def fails(*_: Any, **__: Any) -> Tensor:
        raise AttributeError("another version of Gluon")

    monkeypatch.setattr(module, "_launch", fails)
    assert not supports((64, 64), 64, LARGE, torch.float16, adds=True)


@pytest.mark.usefixtures("hopper")
def test_nothing_is_verified_while_a_graph_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_launch", launch_plainly)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    assert not supports((64,), 64, LARGE, torch.float16, adds=False)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    assert supports((64,), 64, LARGE, torch.float16, adds=False)


def test_other_gpus_and_other_versions_of_triton_are_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not supports((64,), 64, LARGE, torch.float16, adds=False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    for version, is_known in (("3.6.0", True), ("3.7.1", False), ("4.0.0", False)):
        module._is_known.cache_clear()
        monkeypatch.setattr("triton.__version__", version)
        assert module._is_known(torch.device("cuda", 7)) is is_known


@pytest.mark.skipif(not IS_HOPPER, reason="needs a Hopper")
@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("slope", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(
    ("widths", "outputs", "size"),
    [
        ((96,), 96, (2, 11, 130)),
        ((64,), 64, (1, 1, 1)),
        ((64, 64), 64, (3, 180, 320)),
        ((48,), 48, (1, 300, 65)),
        ((128,), 128, (2, 37, 200)),
        ((64, 64, 64, 64, 64, 4), 96, (1, 54, 96)),
    ],
)
def test_it_matches_the_layer(
    widths: tuple[int, ...], outputs: int, size: tuple[int, int, int], slope: float, adds: bool
) -> None:
    batch, height, width = size
    generator = torch.Generator("cuda").manual_seed(0)

    def random(*size: int) -> Tensor:
        values = torch.randn(size, generator=generator, device="cuda").half()
        return values.contiguous(memory_format=torch.channels_last) if len(size) == 4 else values

    if adds and slope != 1 and len(launches_for(widths, outputs)) > 1:
        pytest.skip("such a layer is left to another kernel")
    inputs, channels = [random(batch, count, height, width) for count in widths], sum(widths)
    weight = functional.pad(random(9, channels, outputs) * (9 * channels) ** -0.5, (0, 0, 0, -channels % FILLED))
    bias, add = random(outputs).float(), random(batch, outputs, height, width) if adds else None
    found = convolve(inputs, weight, bias, slope=slope, add=add)
    wanted = plainly(inputs, weight, bias, slope=slope, add=add)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found.float(), wanted, rtol=2e-3, atol=5e-3)
    if batch == 1:
        whole = random(1, outputs, height + 5, width)
        before = whole.clone()
        convolve(inputs, weight, bias, slope=slope, add=add, out=whole[:, :, 3 : 3 + height])
        assert torch.equal(whole[:, :, 3 : 3 + height], found)
        assert torch.equal(whole[:, :, :3], before[:, :, :3])
        assert torch.equal(whole[:, :, 3 + height :], before[:, :, 3 + height :])
