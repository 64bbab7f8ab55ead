"""What tests of the render loop share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from helpers.loop_under_test import LoopUnderTest
from helpers.slow_renderer import Pace


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
