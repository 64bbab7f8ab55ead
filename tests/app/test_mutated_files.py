"""A few mutated files of the window: settings are read in part, projects are read whole or refused in words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers.mutations import WINDOW_READERS, mutated_inputs, readings

COUNT = 12


@pytest.mark.skipif(sys.platform != "linux", reason="the readings are forks")
@pytest.mark.parametrize("reader", WINDOW_READERS)
def test_mutated_files_never_fault(reader: str, tmp_path: Path) -> None:
    paths = mutated_inputs(reader, tmp_path / reader, COUNT, seed=7)
    found = list(readings(reader, paths))
    assert len(found) == len(paths) == COUNT
    assert [each for each in found if each.is_fault] == []
