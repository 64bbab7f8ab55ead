"""Devices: their names, their budgets, and the errors that mean too little memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import videoinr
from helpers.clips import write_clip
from helpers.tiny_model import save_tiny_model
from videoinr.cancel import NEVER
from videoinr.devices import (
    LEAST_WORK_BYTES,
    MIB,
    ComputeProfile,
    available_devices,
    half_type,
    pick_device,
    profile_for,
    wait_idly,
)
from videoinr.errors import DeviceError, UnknownDeviceError, UsageError, is_out_of_memory
from videoinr.render.arguments import device_name
from videoinr.render.engine import open_engine

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
def test_without_a_gpu_the_cpu_is_picked() -> None:
    assert available_devices() == ("cpu",)
    assert pick_device(None) == pick_device("cpu") == CPU


@pytest.mark.usefixtures("two_gpus")
def test_the_first_gpu_is_picked() -> None:
    assert available_devices() == ("cuda:0", "cuda:1", "cpu")
    assert pick_device(None) == pick_device("cuda") == pick_device("cuda:0") == torch.device("cuda", 0)
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    assert pick_device("cpu") == CPU


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "gpu", "", "CPU "])
def test_an_absent_device_is_refused_with_the_names_of_those_present(name: str) -> None:
    with pytest.raises(DeviceError, match="no device") as caught:
        pick_device(name)
    assert repr(name) in str(caught.value)
    assert caught.value.hint == "Available: cpu."


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_uses_a_share_of_its_free_memory() -> None:
    profile = profile_for(torch.device("cuda", 1))
    assert profile.feature_bytes == profile.tile_bytes == 100 * MIB
    assert profile.tile_side == 512
    assert profile.workers == 0
    assert profile.half_encoder
    assert profile.device_name == "Some GPU (cuda:1)"


def test_a_cpu_uses_a_small_share_of_the_memory() -> None:
    profile = profile_for(CPU)
    assert 128 * MIB <= profile.feature_bytes == profile.tile_bytes <= 1024 * MIB
    assert profile.tile_side >= 16
    assert profile.workers == torch.get_num_threads()
    assert profile.device_name == f"CPU, {torch.get_num_threads()} threads"


@pytest.mark.parametrize("memory_bytes", [0, 1, 2**30 + 1])
def test_a_memory_budget_covers_caches_bands_and_the_pair_in_use(memory_bytes: int) -> None:
    profile, default = profile_for(CPU, memory_bytes=memory_bytes), profile_for(CPU)
    assert profile.pair_bytes == profile.feature_bytes
    assert profile.region_bytes is not None
    motion_drafts, bands = 3 * (profile.feature_bytes // 8), 2 * profile.work_bytes
    caches = profile.feature_bytes + profile.tile_bytes + profile.region_bytes + motion_drafts
    assert caches + (bands if memory_bytes > 2**28 else 0) <= memory_bytes
    assert profile.work_bytes <= max(LEAST_WORK_BYTES, memory_bytes // 8)
    assert (profile.tile_side, profile.workers) == (default.tile_side, default.workers)


def test_a_memory_budget_on_a_gpu_is_shared_by_both_caches(two_gpus: None) -> None:
    profile = profile_for(torch.device("cuda", 0), memory_bytes=2**30 + 1)
    assert profile.feature_bytes + profile.tile_bytes == 2**30 + 1
    assert abs(profile.feature_bytes - profile.tile_bytes) <= 1
    assert profile.pair_bytes is None


def test_a_negative_memory_budget_is_refused() -> None:
    with pytest.raises(UsageError, match="-1"):
        profile_for(CPU, memory_bytes=-1)


@pytest.mark.parametrize("able", [{"amx_bf16": True}, {"avx512_bf16": True}, {"avx2": True}, None])
def test_a_cpu_encodes_in_half_precision_only_with_amx(
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
def test_errors_that_mean_too_little_memory(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) == expected


def test_a_failed_allocation_on_this_cpu_means_too_little_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_half_precision_is_float16_on_cuda_and_bfloat16_on_a_cpu() -> None:
    assert half_type(torch.device("cuda", 1)) is torch.float16
    assert half_type(CPU) is torch.bfloat16


def test_a_device_of_torch_is_a_device(tmp_path: Path) -> None:
    frames, model = np.zeros((2, 20, 30, 3), np.uint8), save_tiny_model(tmp_path)
    with videoinr.open(frames, model=model, device=CPU) as opened:
        assert opened.info.frames == 2
    out = tmp_path / "out.mkv"
    assert videoinr.export(frames, out, codec="ffv1", scale=1, model=model, device=torch.device("cpu", 0)) == out
    with pytest.raises(UnknownDeviceError, match="There is no device 'meta' here"):
        videoinr.open(frames, device=torch.device("meta"))


def test_devices_of_torch_by_their_names() -> None:
    devices = ("cpu", "cpu:0", "cuda", "cuda:1", "mps", "mps:0", "meta")
    names = ["cpu", "cpu", "cuda", "cuda:1", "mps", "mps", "meta"]
    assert [device_name(torch.device(device)) for device in devices] == names


def test_waiting_for_a_gpu_keeps_no_core_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    class Event:
        def __init__(self, **options: bool) -> None:
            calls.append(options)

        def record(self, stream: object) -> None:
            calls.append(stream)

        def synchronize(self) -> None:
            calls.append("waited")

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    wait_idly(torch.device("cpu"))
    assert calls == []
    wait_idly(torch.device("cuda:1"))
    assert calls == [{"blocking": True}, "stream of cuda:1", "waited"]


def test_an_encoder_waits_so_before_it_uploads_and_before_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[str] = []
    monkeypatch.setattr("videoinr.render.encoded_pairs.wait_idly", lambda device: waits.append(str(device)))
    clip = write_clip(tmp_path / "clip.mp4", 3)
    with open_engine(clip, model=str(save_tiny_model(tmp_path)), device="cpu") as engine:
        engine.encode(0, NEVER)
        assert waits == ["cpu"] * 2
        engine.encode(0, NEVER)
        assert waits == ["cpu"] * 2
