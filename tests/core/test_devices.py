"""Which device computes: the names it goes by, what it may spend, and what counts as too little memory."""

from __future__ import annotations

import pytest
import torch

from videoinr.devices import (
    MIB,
    ComputeProfile,
    available_devices,
    half_type,
    is_out_of_memory,
    pick_device,
    profile_for,
)
from videoinr.errors import DeviceError

CPU = torch.device("cpu")


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (800 * MIB, 1000 * MIB))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Some GPU")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("no_gpu")
def test_a_computer_without_gpu_computes_on_its_cpu() -> None:
    assert available_devices() == ("cpu",)
    assert pick_device(None) == pick_device("cpu") == CPU


@pytest.mark.usefixtures("two_gpus")
def test_the_best_device_is_the_first_gpu() -> None:
    assert available_devices() == ("cuda:0", "cuda:1", "cpu")
    assert pick_device(None) == pick_device("cuda") == pick_device("cuda:0") == torch.device("cuda", 0)
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    assert pick_device("cpu") == CPU


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "gpu", "", "CPU "])
def test_an_absent_device_is_refused_and_those_present_are_named(name: str) -> None:
    with pytest.raises(DeviceError, match="no device") as caught:
        pick_device(name)
    assert repr(name) in str(caught.value)
    assert caught.value.hint == "Available: cpu."


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_spends_a_part_of_what_is_free() -> None:
    profile = profile_for(torch.device("cuda", 1))
    assert profile.feature_bytes == profile.tile_bytes == 100 * MIB
    assert profile.tile_side == 512
    assert profile.workers == 0
    assert profile.half_encoder
    assert profile.device_name == "Some GPU (cuda:1)"


def test_a_cpu_spends_a_small_part_of_the_memory() -> None:
    profile = profile_for(CPU)
    assert 128 * MIB <= profile.feature_bytes == profile.tile_bytes <= 1024 * MIB
    assert profile.tile_side >= 16
    assert profile.workers == torch.get_num_threads()
    assert profile.device_name == f"CPU, {torch.get_num_threads()} threads"


@pytest.mark.parametrize("able", [{"amx_bf16": True}, {"avx512_bf16": True}, {"avx2": True}, None])
def test_a_cpu_encodes_in_half_precision_only_where_it_has_it(
    able: dict[str, bool] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if able is None:  # an older torch, which cannot tell
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    assert profile_for(CPU).half_encoder == ("amx_bf16" in (able or {}))


def test_an_apple_gpu_has_a_name() -> None:
    assert ComputeProfile(torch.device("mps"), 64, 1, 1).device_name == "Apple GPU"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
        (RuntimeError("sizes do not match"), False),
        (ValueError("DefaultCPUAllocator"), False),
    ],
)
def test_what_counts_as_too_little_memory(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) == expected


def test_an_allocation_that_fails_on_this_cpu_counts() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_half_precision_is_the_finer_type_where_there_is_a_choice() -> None:
    assert half_type(torch.device("cuda", 1)) is torch.float16
    assert half_type(CPU) is torch.bfloat16
