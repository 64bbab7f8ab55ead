"""The order of the tests: those that take long come first in each worker."""

from __future__ import annotations

from itertools import groupby, islice

import pytest


def long_tests_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return ``items`` in an order in which each worker begins with some of those that are marked ``long``.

    xdist's ``worksteal`` first gives each worker as many consecutive tests: with all long ones in front, one worker ran
    them all, one after the other, and the last of them began when the others were done. Those of one file stay
    together, as they may share what a fixture makes.
    """
    long = [item for item in items if item.get_closest_marker("long")]
    others = iter([item for item in items if not item.get_closest_marker("long")])
    files = [list(group) for _, group in groupby(long, key=lambda item: item.path)]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        first = [item for file in files[worker::workers] for item in file]
        share = (len(items) - len(ordered)) // (workers - worker)
        ordered += first
        ordered += islice(others, max(0, share - len(first)))
    return [*ordered, *others]
