"""A kernel that was found right is noted for later processes, as long as all that it depends on is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("triton")

import triton

from videoinr.model.kernels import verifying
from videoinr.model.kernels.verifying import is_verified

GPU = torch.device("cuda:0")


class Machine:
    """Verifies in one process after the other; ``tried`` counts how often the kernel ran."""

    def __init__(self, source: Path) -> None:
        self.source, self.tried = source, 0

    def process(self, key: str = "kernel", *, right: bool = True, device: torch.device = GPU) -> bool:
        def matches() -> bool:
            self.tried += 1
            return right

        verifying._text.cache_clear()
        return is_verified({}, key, matches, device=device, sources=(self.source,))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a GPU")
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    source = tmp_path / "kernel.cu"
    source.write_text("1")
    return Machine(source)


def test_a_right_kernel_is_not_verified_again(machine: Machine) -> None:
    assert [machine.process() for _ in range(3)] == [True] * 3
    assert machine.tried == 1
    machine.process("another kernel")
    assert machine.tried == 2


def test_a_wrong_kernel_is_verified_by_each_process(machine: Machine) -> None:
    assert [machine.process(right=False) for _ in range(2)] == [False, False]
    assert machine.process()
    assert machine.tried == 3


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (torch.cuda, "get_device_name", lambda _: "another GPU"),
        (torch, "__version__", "0.0"),
        (torch.version, "cuda", "0.0"),
        (triton, "__version__", "0.0"),
    ],
)
def test_on_another_gpu_or_by_another_compiler_it_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, value: Any
) -> None:
    machine.process()
    monkeypatch.setattr(place, name, value)
    machine.process()
    assert machine.tried == 2


def test_so_it_is_when_its_source_has_changed_or_cannot_be_read(machine: Machine) -> None:
    machine.process()
    machine.source.write_text("2")
    machine.process()
    machine.source.unlink()
    assert machine.process()
    assert machine.process()
    assert machine.tried == 4


def test_without_a_gpu_and_where_nothing_can_be_kept_nothing_is_noted(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.process(device=torch.device("cpu"))
    machine.process(device=torch.device("cpu"))
    assert machine.tried == 2
    monkeypatch.setattr(verifying, "private_folder", lambda _: Path("/proc/nowhere"))
    assert machine.process()
    assert machine.process()
    assert machine.tried == 4


def test_a_kernel_is_verified_where_no_folder_can_be_made(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(verifying, "private_folder", refuse)
    assert machine.process()
    assert machine.tried == 1
