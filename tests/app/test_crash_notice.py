"""A run that ended unexpectedly is told at the next start, once, with what can be done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.stage import Stage
from videoinr.writing import claims
from videoinr_viewer.main_window import WindowOptions
from videoinr_viewer.start.run_marker import RunMarker

needs_locks = pytest.mark.skipif(not claims.has_locks(), reason="needs locks that end with their process")
RUN = "import os, pathlib, sys\nfrom videoinr_viewer.start.run_marker import RunMarker\n"


def run(folder: Path, end: str) -> None:
    """Run a process that is marked and ends by ``end``."""
    code = f"{RUN}marker = RunMarker(pathlib.Path(sys.argv[1]))\nmarker.begin()\n{end}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code, folder], env=environment, capture_output=True, check=False)


@needs_locks
@pytest.mark.parametrize(
    ("end", "is_told"), [("os.abort()", True), ("os.kill(os.getpid(), 9)", True), ("marker.end()", False)]
)
def test_an_unexpected_end_is_noticed_once(tmp_path: Path, end: str, is_told: bool) -> None:
    run(tmp_path, end)
    for expected in (is_told, False):
        marker = RunMarker(tmp_path)
        assert marker.begin() is expected
        marker.end()
    assert list(tmp_path.iterdir()) == []


@needs_locks
def test_a_second_window_is_no_crash(tmp_path: Path) -> None:
    first, second = RunMarker(tmp_path), RunMarker(tmp_path)
    assert not first.begin()
    assert not second.begin()
    second.end()
    third = RunMarker(tmp_path)
    assert not third.begin(), "the first still runs"
    for marker in (first, third):
        marker.end()


def test_where_nothing_can_be_written_nothing_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", tmp_path / "missing"):
        marker = RunMarker(folder)
        assert not marker.begin()
        marker.end()
    monkeypatch.setattr(claims, "fcntl", None)
    marker = RunMarker(tmp_path)
    assert not marker.begin()
    marker.end()


def test_the_window_tells_it_and_offers_a_report(stage_of: Callable[..., Stage], tmp_path: Path) -> None:
    stage = stage_of(options=WindowOptions(ended_unexpectedly=True, unsaved_folder=tmp_path))
    window, asked = stage.viewer.window, list[bool]()
    assert window.crash_bar.isVisible()
    assert window.crash_bar.text.text() == "The program ended unexpectedly last time."
    window.help.report.command = [sys.executable, "-c", "print('a report')"]
    window.help.report.told.connect(lambda words: asked.append("clipboard" in words))
    window.crash_bar.copy.click()
    assert not window.crash_bar.isVisible()
    stage.wait_for(lambda: any(asked))
    calm = stage_of()
    assert not calm.viewer.window.crash_bar.isVisible()
