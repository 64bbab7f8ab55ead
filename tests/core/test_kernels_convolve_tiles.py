"""The convolution of narrow maps in CUDA C++: plans and order of weights; on a Hopper, that it matches torch's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from videoinr.model import config
from videoinr.model.config import MotionPriorConfig
from videoinr.model.kernels import convolve as chooser

IS_HOPPER = torch.cuda.is_available() and torch.cuda.get_device_capability() == (9, 0)
LITE = [
    ((3,), 24),
    ((24,), 24),
    ((24, 24, 4, 32), 64),
    ((64,), 64),
    ((64,), 36),
    ((24, 24, 24, 24, 32, 4), 48),
    ((48,), 48),
]
LARGE = torch.empty((1, 1, 1, 2**13), dtype=torch.float16)


class NoBindings(ModuleType):
    """Stands for cuda.bindings where it is not installed."""

    driver = nvrtc = bindings = None


@pytest.fixture
def tiles(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give the module, also where there are no bindings of CUDA, with nothing verified yet."""
    names = ("videoinr.model.kernels.cuda_source", "videoinr.model.kernels.convolve_tiles")
    if not IS_HOPPER:
        for name in ("cuda", "cuda.bindings"):
            monkeypatch.setitem(sys.modules, name, NoBindings(name))
        for name in names:
            monkeypatch.delitem(sys.modules, name, raising=False)
    found = import_module(names[1])
    monkeypatch.setattr(found, "_VERIFIED", {})
    yield found
    if not IS_HOPPER:
        for name in names:
            del sys.modules[name]


@pytest.fixture
def claimed(tiles: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make the machine claim to have a Hopper, which computes in plain torch."""
    monkeypatch.setattr(tiles, "is_hopper", lambda _: True)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)

    def launch(
        form: Any, maps: list[Tensor], weight: Tensor, bias: Tensor, slope: float, add: Tensor | None, out: Tensor
    ) -> None:
        found = functional.leaky_relu(by_steps(tiles, form, maps, weight) + bias[: form.outputs, None, None], slope)
        out.copy_(found if add is None else found + add.float())

    monkeypatch.setattr(tiles, "_launch", launch)
    monkeypatch.setattr(tiles, "_words", lambda x, dtype: functional.pad(x.to(dtype), (0, 0, 0, 0, 0, -x.shape[1] % 8)))
    return tiles


def by_steps(tiles: Any, form: Any, maps: list[Tensor], packed: Tensor) -> Tensor:
    """Add up the products step by step, each with the blocks and taps that the kernel reads for it."""
    height, width = maps[0].shape[2:]
    around = [functional.pad(one.float(), (1, 1, 1, 1)) for one in maps]
    total = torch.zeros(len(maps[0]), packed.shape[-2], height, width)
    steps = iter(packed.float())
    for piece in range(len(form.plan.piece_blocks)):
        parts = [part for part in form.plan.parts if part.piece == piece]
        blocks = [(part.input, part.begin + k) for part in parts for k in range(part.count)]
        places = [
            [(blocks[2 * k + half], tap) for half in range(2)] for k in range(len(blocks) // 2) for tap in range(3)
        ]
        if len(blocks) % 2:
            places += [[(blocks[-1], 0), (blocks[-1], 1)], [(blocks[-1], 2), (blocks[-1], 2)]]
        for both in places:
            factors = next(steps)
            for row in range(3):
                for half, ((number, block), column) in enumerate(both):
                    seen = around[number][:, 8 * block : 8 * block + 8, row : row + height, column : column + width]
                    total += torch.einsum("oc,bchw->bohw", factors[row, half], seen)
    assert next(steps, None) is None
    return total[:, : form.outputs]


def layer(widths: tuple[int, ...], outputs: int) -> nn.Conv2d:
    torch.manual_seed(outputs)
    return nn.Conv2d(sum(widths), outputs, 3, padding=1).requires_grad_(False)


@pytest.mark.parametrize(("widths", "outputs"), [*LITE, ((5, 17), 12), ((8,), 4)])
def test_the_weights_lie_in_the_order_in_which_they_are_read(tiles: Any, widths: tuple[int, ...], outputs: int) -> None:
    one, form = layer(widths, outputs), tiles.Form(widths, outputs, False)
    x = torch.randn((2, sum(widths), 5, 6), generator=torch.Generator().manual_seed(0))
    maps = [functional.pad(each, (0, 0, 0, 0, 0, -each.shape[1] % 8)) for each in torch.split(x, list(widths), 1)]
    found = by_steps(tiles, form, maps, tiles.pack(one.weight, form))
    torch.testing.assert_close(found, functional.conv2d(x, one.weight, padding=1), rtol=0, atol=1e-5)


@pytest.mark.parametrize("adds", [False, True])
def test_every_layer_of_lite_has_a_plan_that_fits_into_a_multiprocessor(tiles: Any, adds: bool) -> None:
    for widths, outputs in LITE:
        plan = tiles.Form(widths, outputs, adds).plan
        blocks = -(-outputs // 8)
        assert plan.resident * plan.shared_bytes(outputs) <= 227 * 1024
        assert plan.threads * plan.resident <= 1024
        assert blocks % plan.split == 0
        covered = [(part.input, part.begin + k) for part in plan.parts for k in range(part.count)]
        assert covered == [(number, k) for number, width in enumerate(widths) for k in range(-(-width // 8))]
        assert [part.piece for part in plan.parts] == sorted(part.piece for part in plan.parts)


@pytest.mark.parametrize(("widths", "outputs"), [((128,), 128), ((96,), 96), ((24,), 22), ((24,), 60)])
def test_a_layer_that_does_not_fit_has_none(tiles: Any, widths: tuple[int, ...], outputs: int) -> None:
    assert tiles.Form(widths, outputs, False).plan is None


def test_the_source_declares_the_layer(tiles: Any) -> None:
    source = tiles.Form((24, 24, 4, 32), 64, True).source(torch.bfloat16)
    for line in (
        '#define TYPE "bf16"', "constexpr int INPUTS = 4;", "constexpr int OUTPUTS = 64;", "constexpr int ADDS = 1;",
        "constexpr int width_of(int k) { return k == 0 ? 3 : k == 1 ? 3 : k == 2 ? 1 : 4; }",
    ):  # fmt: skip
        assert line in source
    assert 'extern "C" __global__' in source


def test_the_config_of_lite_is_the_one_that_is_tested() -> None:
    encoder = config.LITE.encoder
    assert isinstance(encoder, MotionPriorConfig)
    frame, hidden, out = encoder.frame_channels, encoder.motion_channels, encoder.feature_channels
    assert {
        ((3,), frame), ((frame,), frame), ((frame, frame, 4, hidden), 2 * hidden), ((2 * hidden,), 2 * hidden),
        ((2 * hidden,), 4 + hidden), ((frame,) * 4 + (hidden, 4), out), ((out,), out),
    } == set(LITE)  # fmt: skip


def test_it_is_used_where_it_suits_and_matches_the_layer(claimed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chooser, "convolve_tiles", claimed)
    monkeypatch.setattr(claimed, "LEAST_PIXELS", 1)
    one = layer((24, 4), 16)
    x = torch.randn((2, 28, 4, 5), generator=torch.Generator().manual_seed(1)).half()
    add = torch.randn((2, 16, 4, 5), generator=torch.Generator().manual_seed(2)).half()
    maps = [each.contiguous(memory_format=torch.channels_last) for each in torch.split(x, [24, 4], 1)]
    for slope, added in ((0.1, add), (0.0, None)):
        wanted = functional.leaky_relu(
            functional.conv2d(x.float(), one.weight.half().float(), one.bias, padding=1), slope
        )
        found = chooser.convolve(one, maps, slope=slope, add=added, dtype=torch.float16)
        torch.testing.assert_close(found.float(), wanted if added is None else wanted + added, rtol=2e-3, atol=2e-3)
    before = chooser.convolve(one, maps, dtype=torch.float16)
    one.weight.mul_(2)
    assert one.bias is not None
    one.bias.mul_(2)
    torch.testing.assert_close(chooser.convolve(one, maps, dtype=torch.float16), 2 * before, rtol=2e-3, atol=2e-3)


def test_it_is_used_for_large_maps_in_half_precision_only(claimed: Any) -> None:
    one = layer((24,), 24)
    assert claimed.supports(one, (24,), LARGE, torch.float16, adds=False)
    assert not claimed.supports(one, (24,), LARGE[..., 1:], torch.float16, adds=False)
    assert not claimed.supports(one, (24,), LARGE, torch.float32, adds=False)
    strided = nn.Conv2d(24, 24, 3, 2, 1)
    assert not claimed.supports(strided, (24,), LARGE, torch.float16, adds=False)


def test_a_kernel_that_is_wrong_or_does_not_compile_is_not_used(claimed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = layer((24,), 24)

    def wrong(*arguments: Any) -> None:
        arguments[-1].fill_(1)

    def failing(*_: Any) -> None:
        raise RuntimeError("another compiler")

    for launch in (wrong, failing):
        monkeypatch.setattr(claimed, "_VERIFIED", {})
        monkeypatch.setattr(claimed, "_launch", launch)
        assert not claimed.supports(one, (24,), LARGE, torch.float16, adds=False)


def test_nothing_is_verified_while_a_graph_is_recorded(claimed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = layer((24,), 24)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    assert not claimed.supports(one, (24,), LARGE, torch.float16, adds=False)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    assert claimed.supports(one, (24,), LARGE, torch.float16, adds=False)


@pytest.mark.skipif(not IS_HOPPER, reason="needs a Hopper")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize(("widths", "outputs"), LITE)
def test_the_kernel_matches_the_layer(
    tiles: Any, widths: tuple[int, ...], outputs: int, adds: bool, dtype: torch.dtype
) -> None:
    one = layer(widths, outputs).cuda()
    generator = torch.Generator("cuda").manual_seed(0)

    def random(*size: int) -> Tensor:
        values = torch.randn(size, generator=generator, device="cuda").to(dtype)
        return values.contiguous(memory_format=torch.channels_last)

    for batch, height, width in ((2, 37, 75), (1, 1, 1), (3, 16, 32), (1, 200, 33)):
        maps = [random(batch, count, height, width) for count in widths]
        add = random(batch, outputs, height, width) if adds else None
        weight = one.weight.to(dtype).float()
        wanted = functional.leaky_relu(functional.conv2d(torch.cat(maps, 1).float(), weight, one.bias, padding=1), 0.1)
        wanted = wanted if add is None else wanted + add.float()
        out = torch.full_like(wanted, float("nan"), dtype=dtype).contiguous(memory_format=torch.channels_last)
        assert tiles.convolve(one, maps, slope=0.1, add=add, dtype=dtype, out=out) is out
        error = (out.float() - wanted).norm() / wanted.norm()
        assert error < (5e-4 if dtype == torch.float16 else 4e-3)


@pytest.mark.skipif(not IS_HOPPER, reason="needs a Hopper")
def test_it_writes_rows_of_a_map_and_no_others(tiles: Any) -> None:
    one = layer((48,), 48).cuda()
    x = torch.randn((1, 48, 21, 70), device="cuda").half().contiguous(memory_format=torch.channels_last)
    whole = torch.zeros((1, 48, 30, 70), device="cuda").half().contiguous(memory_format=torch.channels_last)
    tiles.convolve(one, (x,), slope=1.0, add=None, dtype=torch.float16, out=whole[:, :, 4:25])
    assert not whole[:, :, :4].any()
    assert not whole[:, :, 25:].any()
    assert whole[:, :, 4:25].any(1).all()
