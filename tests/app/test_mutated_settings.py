"""A few mutated settings files: read in part, or replaced by the defaults."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers.mutations import mutated_inputs, readings

COUNT = 12


@pytest.mark.skipif(sys.platform != "linux", reason="the readings are forks")
def test_mutated_settings_never_fault(tmp_path: Path) -> None:
    paths = mutated_inputs("settings", tmp_path / "settings", COUNT, seed=7)
    found = list(readings("settings", paths))
    assert len(found) == len(paths) == COUNT
    assert [each for each in found if each.is_fault] == []
