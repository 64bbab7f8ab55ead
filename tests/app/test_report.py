"""Help > Copy a report: a process makes it, the clipboard gets it, the window stays free."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from helpers.stage import Stage
from videoinr.text.hidden_names import HiddenNames
from videoinr_viewer.dialogs import report
from videoinr_viewer.dialogs.report import ReportCopier

PRINTS = (sys.executable, "-S", "-c", "import sys; print(*sys.argv[1:], 'read /home/alice/secret.mp4'); sys.exit(1)")
HANGS = (sys.executable, "-S", "-c", "import time; time.sleep(60)")


def copier_of(stage: Stage, command: tuple[str, ...]) -> ReportCopier:
    copier = stage.viewer.window.help.report
    copier.command = list(command)
    return copier


def test_the_report_is_copied_without_names_of_files(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    # The one of this process remembers the files of other tests.
    monkeypatch.setattr(report, "hidden_names", HiddenNames())
    copier_of(stage, PRINTS)
    message = stage.viewer.window.messages.text
    stage.viewer.window.actions_by_id["copy-report"].trigger()
    assert "being made" in message.text()
    stage.wait_for(lambda: "on the clipboard" in message.text())
    text = QGuiApplication.clipboard().text()
    assert text.startswith("doctor --report read <path>\n")
    assert "Window\n  qt: 6." in text
    assert "screen: " in text
    assert "model: " in text


def test_a_report_that_cannot_be_made_leaves_the_clipboard_alone(stage: Stage, tmp_path: Path) -> None:
    QGuiApplication.clipboard().setText("mine")
    message = stage.viewer.window.messages.text
    for command in ((str(tmp_path / "missing"),), (sys.executable, "-S", "-c", "")):
        stage.viewer.window.messages.show_notice("")
        copier_of(stage, command).start()
        stage.wait_for(lambda: "could not be made" in message.text())
    assert "videoinr doctor --report" in message.text()
    assert QGuiApplication.clipboard().text() == "mine"


def test_a_report_that_is_being_made_ends_with_the_window(stage: Stage) -> None:
    told: list[str] = []
    copier = copier_of(stage, HANGS)
    copier.told.connect(told.append)
    copier.start()
    copier.start()
    assert len(told) == 1, "one at a time"
    stage.viewer.window.close()
    assert copier._process is None
