"""CUDA C++ is compiled once; what is kept of it is replaced where it is of no use. Without a GPU and without NVRTC."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

NAME = "videoinr.model.kernels.cuda_source"


class NoBindings(ModuleType):
    """Stands for cuda.bindings."""

    driver = nvrtc = bindings = None


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("cuda", "cuda.bindings"):
        monkeypatch.setitem(sys.modules, name, NoBindings(name))
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    yield import_module(NAME)
    del sys.modules[NAME]


@pytest.fixture
def sources(module: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Compile by turning the text round; return what was compiled."""
    asked = list[str]()

    def compile_now(source: str, options: tuple[str, ...]) -> bytes:
        assert "--gpu-architecture=sm_90" in options
        asked.append(source)
        return source[::-1].encode()

    monkeypatch.setattr(module, "_compiled_now", compile_now)
    monkeypatch.setattr(module, "_version", lambda: ("13.0", "13.0.3"))
    return asked


def test_a_source_is_compiled_once_for_each_compiler(
    module: Any, sources: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        assert module.compiled("abc", (9, 0)) == b"cba"
    assert module.compiled("abd", (9, 0)) == b"dba"
    assert sources == ["abc", "abd"]
    monkeypatch.setattr(module, "_version", lambda: ("13.1", "13.0.3"))
    assert module.compiled("abc", (9, 0)) == b"cba"
    assert len(sources) == 3


def test_what_cannot_be_loaded_is_compiled_anew_and_replaced(module: Any, sources: list[str], tmp_path: Path) -> None:
    module.compiled("abc", (9, 0))
    (file,) = tmp_path.rglob("*.cubin")
    file.write_bytes(b"half")
    assert module.compiled("abc", (9, 0)) == b"half"
    assert module.compiled("abc", (9, 0), anew=True) == b"cba"
    assert file.read_bytes() == b"cba"
    assert len(sources) == 2
    assert list(file.parent.iterdir()) == [file]


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(
    module: Any, sources: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "private_folder", lambda _: tmp_path / "none")
    assert module.compiled("abc", (9, 0)) == b"cba"
    assert module.compiled("abc", (9, 0)) == b"cba"
    assert len(sources) == 2


def test_an_error_of_cuda_is_raised(module: Any) -> None:
    assert module._checked((0, 7)) == 7
    assert module._checked((0, 7, 8)) == [7, 8]
    with pytest.raises(RuntimeError, match="CUDA: 2"):
        module._checked((2,))


def test_a_kernel_whose_file_cannot_be_loaded_is_compiled_anew(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "videoinr.model.kernels.convolve_tiles"
    monkeypatch.delitem(sys.modules, name, raising=False)
    tiles, loaded = import_module(name), list[bytes]()

    def load(code: bytes, **_: Any) -> bytes:
        loaded.append(code)
        if code == b"old":
            raise RuntimeError("CUDA: invalid image")
        return code

    monkeypatch.setattr(tiles, "compiled", lambda *_, anew=False: b"new" if anew else b"old")
    monkeypatch.setattr(tiles, "CudaFunction", load)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    found = tiles._function(tiles.Form((24,), 24, False), torch.float16, torch.device("cuda"))
    assert (found, loaded) == (b"new", [b"old", b"new"])
    del sys.modules[name]
