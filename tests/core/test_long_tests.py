"""The order in which the tests run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.long_tests import long_tests_first


def item(name: str) -> Any:
    """A test of the file ``name[0]``, long if that is a capital letter."""
    is_long = name[0].isupper()
    return SimpleNamespace(name=name, path=Path(name[0]), get_closest_marker=lambda _: is_long or None)


@pytest.mark.parametrize(
    ("names", "workers", "expected"),
    [
        ("a1 A1 A2 b1 B1 b2 c1 c2 C1", 3, "A1 A2 a1 B1 b1 b2 C1 c1 c2"),
        ("a1 A1 A2 b1 B1", 1, "A1 A2 B1 a1 b1"),
        ("A1 A2 A3 A4 a1 b1", 3, "A1 A2 A3 A4 a1 b1"),
        ("a1", 2, "a1"),
        ("A1 B1 a1", 4, "A1 B1 a1"),
        ("", 2, ""),
    ],
)
def test_each_worker_begins_with_long_tests_of_whole_files(names: str, workers: int, expected: str) -> None:
    ordered = long_tests_first([item(name) for name in names.split()], workers)
    assert " ".join(each.name for each in ordered) == expected
