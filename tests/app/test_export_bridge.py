"""The process of an export: how it is stopped, and what it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QProcess
from pytestqt.qtbot import QtBot

from helpers import stub_export
from helpers.stage import PATIENCE_MSECS
from videoinr_viewer.export import bridge as export_bridge
from videoinr_viewer.export.bridge import COMMAND, ExportBridge


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[Callable[[str], ExportBridge]]:
    made: list[ExportBridge] = []

    def make(how: str) -> ExportBridge:
        made.append(ExportBridge([sys.executable, stub_export.__file__, how]))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_an_export_that_ignores_the_signal_is_killed(
    bridge: Callable[[str], ExportBridge], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_bridge, "GRACE_MSECS", 300)
    deaf = bridge("deaf")
    deaf.start(["export", "in.mp4", str(tmp_path / "out.mp4")])
    qtbot.waitUntil(lambda: (tmp_path / "out.arguments.json").exists(), timeout=PATIENCE_MSECS)
    with qtbot.waitSignal(deaf.cancelled, timeout=PATIENCE_MSECS):
        deaf.cancel()
    assert not deaf.is_running


def test_stopping_waits_for_the_process(bridge: Callable[[str], ExportBridge], qtbot: QtBot, tmp_path: Path) -> None:
    hanging = bridge("hang")
    hanging.start(["export", "in.mp4", str(tmp_path / "out.mp4")])
    qtbot.waitUntil(lambda: (tmp_path / "out.arguments.json").exists(), timeout=PATIENCE_MSECS)
    hanging.stop()
    assert not hanging.is_running


@pytest.mark.skipif(os.name == "nt", reason="a process there has no session of its own")
def test_signals_of_the_terminal_do_not_reach_an_export_and_it_is_asked_to_leave_what_it_has(
    bridge: Callable[[str], ExportBridge], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(export_bridge, "interrupt", lambda _: asked.append("interrupt"))
    terminate = QProcess.terminate

    def ask(process: QProcess) -> None:
        asked.append("terminate")
        terminate(process)

    monkeypatch.setattr(QProcess, "terminate", ask)
    hanging = bridge("hang")
    hanging.start(["export", "in.mp4", str(tmp_path / "out.mp4")])
    qtbot.waitUntil(lambda: (tmp_path / "out.arguments.json").exists(), timeout=PATIENCE_MSECS)
    process = next(each for each in hanging.children() if isinstance(each, QProcess))
    assert os.getsid(process.processId()) != os.getsid(0)
    hanging.stop()
    assert asked == ["terminate"]


@pytest.mark.parametrize(("is_cancelled", "heard"), [(True, "stop"), (False, "leave")])
def test_where_there_are_no_signals_an_export_is_stopped_by_a_line(
    bridge: Callable[[str], ExportBridge], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    is_cancelled: bool, heard: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(export_bridge, "_HAS_SIGNALS", False)
    monkeypatch.setattr(QProcess, "terminate", lambda _: None)  # So it is there for a program of the console.
    hearing = bridge("hears")
    hearing.start(["export", "in.mp4", str(tmp_path / "out.mp4")])
    qtbot.waitUntil(lambda: (tmp_path / "out.hears").exists(), timeout=PATIENCE_MSECS)
    if is_cancelled:
        with qtbot.waitSignal(hearing.cancelled, timeout=PATIENCE_MSECS):
            hearing.cancel()
    else:
        hearing.stop()
    assert not hearing.is_running
    assert (tmp_path / "out.heard").read_text() == heard


@pytest.mark.parametrize("name", ["typer.py", "json.py", "videoinr.py", "sitecustomize.py", "numpy.py"])
def test_modules_in_the_current_folder_are_not_run(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("print('a module of the current folder')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*COMMAND, "export", "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "a module of the current folder" not in done.stdout


def test_a_command_that_does_not_exist_is_explained(qtbot: QtBot) -> None:
    bridge = ExportBridge(["/nowhere/videoinr"])
    with qtbot.waitSignal(bridge.failed, timeout=PATIENCE_MSECS) as failure:
        bridge.start(["export"])
    assert "could not be started" in failure.args[0]
    assert not bridge.is_running
