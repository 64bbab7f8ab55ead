"""300 mutated files of each kind of the window: settings are read in part, projects whole or refused in words."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from helpers.mutations import WINDOW_READERS, mutated_inputs, readings

COUNT = 300


@pytest.mark.skipif(sys.platform != "linux", reason="the readings are forks")
def test_mutated_files_never_fault(tmp_path: Path) -> None:
    inputs = {reader: mutated_inputs(reader, tmp_path / reader, COUNT, seed=7) for reader in WINDOW_READERS}
    found = list(readings(inputs))
    assert Counter(each.reader for each in found) == dict.fromkeys(WINDOW_READERS, COUNT)
    assert [each for each in found if each.is_fault] == []
