"""What all tests share."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

from helpers.long_tests import long_tests_first
from helpers.own_folders import own_folders

# A first call loads libraries and warms caches: its time says nothing, and speed is never asserted here. The examples
# are the same in every run. `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("search", deadline=None, derandomize=False, max_examples=500)
settings.load_profile("house")

# Tests reach into the opening of clips, and each of their processes would start a helper. Tests of the isolation
# switch it on.
os.environ.setdefault("VIDEOINR_ISOLATION", "0")

# Not in pyproject.toml: where pytest-qt is not installed, as the tests of the engine allow, pytest refuses its options.
os.environ.setdefault("PYTEST_QT_API", "pyside6")

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

# A run in the background ignores SIGINT, and so would all its processes: those that a test interrupts were killed only
# after the seconds that an export has to clean up.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if IS_WORKER:
    # There are more workers than cores: two threads in each would wait for each other most of the time. What runs in
    # processes of its own, as a user's does, still takes all cores.
    torch.set_num_threads(1)


def _stopped_coverage() -> Any:
    """Stop what counts the coverage of this process, and return it; None if nothing counts.

    In a worker pytest-cov has begun twice; what it saves is what began last.
    """
    latest = None
    while "coverage" in sys.modules and (counter := sys.modules["coverage"].Coverage.current()):
        counter.stop()
        latest = latest or counter
    return latest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for ``--numprocesses auto``: half as many again as there are cores.

    A third of the time of the tests is waiting: for processes that start, timers of the window, and threads. No test
    depends on how many workers there are, and none asserts a time, so that they also pass on a busy machine. Each
    takes up to 1.5 GB of memory and 6 s of processor time to begin.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2


def pytest_configure(config: pytest.Config) -> None:
    """Give this run, its workers and their processes folders of their own."""
    if not IS_WORKER:
        folder = Path(tempfile.mkdtemp(prefix="videoinr-tests-"))
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ.update(own_folders(folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each worker begin with tests that take long: at the end, all would wait for the last of them."""
    items[:] = long_tests_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)))


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the process that only hands out the tests count no coverage: that takes as long as a tenth of the tests."""
    if not IS_WORKER and session.config.getoption("numprocesses", None):
        _stopped_coverage()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Count the engine's coverage by the engine's own tests only.

    Counting costs time in each line of Python, whosever it is: the window's tests and those that read all sources
    would take a quarter longer for lines of which the engine's tests must run nine of ten by themselves.
    """
    is_counted = "tests/app" not in item.path.as_posix() and not item.get_closest_marker("uncounted")
    counter = None if is_counted else _stopped_coverage()
    try:
        return (yield)
    finally:
        if counter:
            counter.start()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Let each test draw the same numbers, whichever tests this worker ran before it."""
    random.seed(0)
    np.random.seed(0)
    # Without a GPU, torch's own function keeps the stack of each call for when there is one: a millisecond a test.
    seed = torch.manual_seed if torch.cuda.is_available() else torch.default_generator.manual_seed
    seed(0)
