"""What is loaded early for a GPU, while the clip opens."""

from __future__ import annotations

import threading

import pytest
import torch

from helpers.tiny_model import tiny_video_inr
from videoinr.decode import backends
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.model import kernels


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for a machine with a GPU; return which thread loads its kernels, for which device."""
    names = list[str]()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(backends, "fast_code_name", lambda device: f"kernels for {device}")
    monkeypatch.setattr(
        backends, "load_kernels", lambda device: names.append(f"{threading.current_thread().name} {device}")
    )
    return names


@pytest.mark.parametrize(("device", "used"), [(None, "cuda"), ("cuda", "cuda"), ("cuda:1", "cuda:1")])
def test_kernels_are_loaded_beside_the_opening_of_a_clip(loaded: list[str], device: str | None, used: str) -> None:
    thread = backends.load_early(device)
    assert thread is not None
    assert not thread.daemon, "Python must not end while the driver starts"
    thread.join()
    assert loaded == [f"kernels {used}"]


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_another_device_needs_no_kernels(loaded: list[str], device: str) -> None:
    assert backends.load_early(device) is None
    assert not loaded


def test_a_machine_without_a_gpu_loads_none(loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert backends.load_early(None) is None
    assert not loaded


def test_kernels_that_are_switched_off_are_not_loaded(loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "fast_code_name", lambda _: "")
    assert backends.load_early("cuda") is None
    assert not loaded


def test_the_key_of_tritons_cache_is_known_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = pytest.importorskip("triton.runtime.cache")
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    cache.triton_key.cache_clear()
    backends.load_kernels("cuda")
    assert cache.triton_key.cache_info().currsize == 1


def test_the_key_is_found_while_cuda_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = pytest.importorskip("triton.runtime.cache")
    found, known = threading.Event(), list[bool]()
    monkeypatch.setattr(cache, "triton_key", found.set)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: known.append(found.wait(10)))
    backends.load_kernels("cuda")
    assert known == [True]


def test_what_cannot_be_loaded_early_is_met_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(device: str) -> None:
        raise RuntimeError(f"no {device}")

    monkeypatch.setattr(torch.cuda, "synchronize", fail)
    backends.load_kernels("cuda:7")


def test_the_decoder_is_chosen_by_device(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    from videoinr.decode.cuda_decoder import CudaDecoder

    profile = ComputeProfile(torch.device("cpu"), tile_side=16, feature_bytes=2**20, tile_bytes=2**20)
    assert isinstance(backends.decoder_for(tiny_video_inr(), profile), TiledDecoder)
    monkeypatch.setattr(kernels, "is_available", lambda _: True)
    assert isinstance(backends.decoder_for(tiny_video_inr(), profile), CudaDecoder)
