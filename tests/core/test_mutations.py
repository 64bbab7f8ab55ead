"""300 mutated inputs for each reader of the engine: read or refused in words. Long form: benchmarks/mutate.py."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from helpers.mutations import ENGINE_READERS, mutated_inputs, readings

COUNT = 300


@pytest.mark.skipif(sys.platform != "linux", reason="the readings are forks")
@pytest.mark.long
def test_mutated_inputs_are_read_or_refused_in_words(tmp_path: Path) -> None:
    """All readers in one test: their process imports torch once, which takes longer than half of them."""
    inputs = {reader: mutated_inputs(reader, tmp_path / reader, COUNT, seed=7) for reader in ENGINE_READERS}
    found = list(readings(inputs))
    assert Counter(each.reader for each in found) == dict.fromkeys(ENGINE_READERS, COUNT)
    assert [each for each in found if each.is_fault] == []
    assert {each.reader for each in found if each.outcome == "refused"} == set(ENGINE_READERS)
    assert {each.reader for each in found if each.outcome == "read"} == set(ENGINE_READERS)
