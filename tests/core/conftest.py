"""What tests of the render loop share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
import torch

from helpers.loop_under_test import LoopUnderTest
from helpers.slow_renderer import Pace

# Triton's interpreter computes whether each sum or product of integers overflows, which takes half of its time, and then
# checks that only with the option debug, which is off.
with suppress(ImportError, AttributeError):
    from triton.runtime.interpreter import interpreter_builder

    interpreter_builder.options = replace(interpreter_builder.options, sanitize_overflow=False)


@pytest.fixture(autouse=True)
def ieee_products() -> None:
    """Make torch multiply float32 by IEEE 754 on a GPU too, whatever a test of training has allowed before.

    By default torch convolves in TF32 on CUDA, whose factors have 11 bits: a reference computed so is itself off by
    some 1e-3, where the kernels' own float32 is held to 1e-5.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False


@pytest.fixture
def bench_of() -> Iterator[Callable[[Pace], LoopUnderTest]]:
    """Makes loops around slow renderers, and closes them."""
    benches: list[LoopUnderTest] = []

    def make(pace: Pace) -> LoopUnderTest:
        benches.append(LoopUnderTest(pace))
        return benches[-1]

    yield make
    for bench in benches:
        bench.loop.close()
