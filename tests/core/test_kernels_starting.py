"""Kernels that are compiled already are started without a search for them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest
import torch

from videoinr.model.kernels import starting
from videoinr.model.kernels.starting import form_of, start

Call = tuple[str, object, tuple[object, ...], dict[str, object]]


class Launcher:
    """A kernel: notes its launches, and returns what Triton would have compiled."""

    def __init__(self, name: str, calls: list[Call], compiled: object = None) -> None:
        self._name, self._calls, self._compiled = name, calls, compiled

    def __getitem__(self, grid: object) -> Callable[..., object]:
        def launch(*arguments: object, **named: object) -> object:
            self._calls.append((self._name, grid, arguments, named))
            return self._compiled

        return launch


def test_a_kernel_is_looked_for_once_for_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_COMPILED", {})
    calls = list[Call]()
    kernel = Launcher("looked for", calls, Launcher("compiled", calls))
    for kind, count in (("one", 3), ("one", 5), ("other", 3)):
        start(kernel, kind, (count, 1, 1), ("map", 7), {"chunks": 1, "adds": False}, num_warps=4)
    assert calls == [
        ("looked for", (3, 1, 1), ("map", 7), {"chunks": 1, "adds": False, "num_warps": 4}),
        ("compiled", (5, 1, 1), ("map", 7, 1, False), {}),
        ("looked for", (3, 1, 1), ("map", 7), {"chunks": 1, "adds": False, "num_warps": 4}),
    ]


def test_the_interpreter_is_started_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_COMPILED", {})
    calls = list[Call]()
    for _ in range(2):
        start(Launcher("interpreted", calls), "one", (1, 1, 1), (), {})
    assert [name for name, *_ in calls] == ["interpreted"] * 2


def test_the_form_tells_apart_what_triton_compiles_apart() -> None:
    values = torch.zeros(64)
    assert form_of(values) == form_of(values[4:]) != form_of(values[1:])
    assert form_of((values, values[4:])) == form_of((values[8:], values)) != form_of((values, values[1:]))


@pytest.mark.parametrize(
    ("module", "kernels"),
    [("convolve", ["_convolve_kernel"]), ("propagate", ["_errors_kernel", "_choice_kernel"]),
     ("resize", ["_resize_kernel"])],
)  # fmt: skip
def test_a_clip_of_another_size_needs_no_other_kernels(module: str, kernels: list[str]) -> None:
    pytest.importorskip("triton")
    found = import_module(f"videoinr.model.kernels.{module}")
    for name in kernels:
        kernel = getattr(found, name)
        if not hasattr(kernel, "params"):
            pytest.skip("Triton's interpreter compiles nothing")
        free = {"pixels", "points", "height", "width", "out_height", "out_width"} & set(kernel.arg_names)
        assert {"height", "width"} <= free
        assert free == {each.name for each in kernel.params if each.do_not_specialize}
