"""The load (benchmarks/load.py) ends with a summary also when a part of it dies, hangs or writes nothing."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from benchmarks import load


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os._exit(5)", "ended with exit code 5 and without a result"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
        ("import time; time.sleep(600)", "hung: it was ended after 1 s"),
    ],
)
def test_a_part_that_dies_or_hangs_is_named(code: str, words: str, tmp_path: Path) -> None:
    if "signal" in code and not hasattr(signal, "SIGKILL"):
        pytest.skip("Windows has no signals")
    assert load.supervised([sys.executable, "-c", code], tmp_path / "result", 1 if "sleep" in code else 60) == [words]


def test_what_a_part_writes_is_its_result(tmp_path: Path) -> None:
    result = tmp_path / "result"
    result.write_text('["a fault"]')
    assert load.supervised([sys.executable, "-c", ""], result, 60) == ["a fault"]


def test_growth_is_the_median_slope() -> None:
    assert load.slope_percent([100, 101, 102, 103]) == pytest.approx(1)
    assert load.slope_percent([100, 100, 180, 100, 100]) == 0
    assert load.slope_percent([100]) == 0
