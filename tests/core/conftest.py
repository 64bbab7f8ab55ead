"""What tests of the render loop share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from helpers.loop_under_test import LoopUnderTest
from helpers.quick_interpreter import quicken
from helpers.slow_renderer import Pace

if not torch.cuda.is_available():
    quicken()


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
