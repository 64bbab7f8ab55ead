"""A few mutated inputs of every reader of the engine: read or refused in words. Long form: benchmarks/mutate.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers.mutations import ENGINE_READERS, mutated_inputs, readings

COUNT = 12


@pytest.mark.skipif(sys.platform != "linux", reason="the readings are forks")
@pytest.mark.parametrize("reader", ENGINE_READERS)
def test_mutated_inputs_are_read_or_refused_in_words(reader: str, tmp_path: Path) -> None:
    paths = mutated_inputs(reader, tmp_path / reader, COUNT, seed=7)
    found = list(readings(reader, paths))
    assert len(found) == len(paths) == COUNT
    assert [each for each in found if each.is_fault] == []
    assert any(each.outcome == "refused" for each in found)
