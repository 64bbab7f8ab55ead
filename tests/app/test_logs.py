"""The log of the window: no names of files, a bounded size, crashes of the process, errors of every thread."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import qCritical, qWarning
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from videoinr.text.hidden_names import HiddenNames
from videoinr_viewer.dialogs.errors import CrashReport
from videoinr_viewer.start import logs
from videoinr_viewer.start.crash import CrashHook
from videoinr_viewer.start.logs import Log

log = logging.getLogger("videoinr_viewer.test")
SECRET = Path("/home/alice/My secret party.mp4")


@pytest.fixture(autouse=True)
def no_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one of this process remembers the files of other tests."""
    monkeypatch.setattr(logs, "hidden_names", HiddenNames())


@contextmanager
def started(folder: Path, hook: CrashHook | None = None) -> Iterator[Path]:
    """The log of ``folder`` while the block runs, with the hooks for errors."""
    hook = hook or CrashHook()
    kept = Log(folder, on_qt_error=hook.crashed.emit)
    level = logging.getLogger().level
    kept.start()
    hook.install()
    try:
        yield folder / logs.LOG_FILE
    finally:
        hook.remove()
        kept.stop()
        logging.getLogger().setLevel(level)


def complain() -> None:
    log.warning("the survey of %s ended early: %s", SECRET, OSError(2, "No such file", str(SECRET)))
    log.info("then %s is named alone, and My secret party_x4 too", SECRET.name)
    try:
        raise FileNotFoundError(2, "No such file", str(SECRET))
    except FileNotFoundError:
        log.exception("a job failed")


@pytest.mark.usefixtures("qapp")
def test_the_log_names_no_files_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIDEOINR_LOG_NAMES", raising=False)
    with started(tmp_path) as file:
        complain()
    text = file.read_text("utf-8")
    assert "secret" not in text
    assert "alice" not in text
    assert str(Path(__file__).parent) not in text
    assert "ended early: [Errno 2] No such file" in text
    assert "FileNotFoundError: [Errno 2] No such file: '<name>'" in text
    monkeypatch.setenv("VIDEOINR_LOG_NAMES", "1")
    with started(tmp_path) as file:
        complain()
    assert str(SECRET) in file.read_text("utf-8")


@pytest.mark.usefixtures("qapp")
def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 2000)
    with started(tmp_path):
        for number in range(300):
            log.info("line %d", number)
    sizes = [file.stat().st_size for file in tmp_path.glob("viewer.log*")]
    assert len(sizes) == 4
    assert max(sizes) <= 2000


@pytest.mark.usefixtures("qapp")
def test_a_folder_that_cannot_be_made_sends_the_log_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    with started(tmp_path / "file"):
        log.warning("told anyway")
    assert "told anyway" in capsys.readouterr().err


@pytest.mark.qt_no_exception_capture
@pytest.mark.no_qt_log
def test_errors_of_all_threads_and_of_qt_are_logged_and_shown_once(qtbot: QtBot, tmp_path: Path) -> None:
    window, hook = QWidget(), CrashHook()
    qtbot.addWidget(window)
    window.show()
    report = CrashReport(window, tmp_path / logs.LOG_FILE)
    hook.crashed.connect(report.show)
    told: list[str] = []
    hook.crashed.connect(told.append)

    def fail() -> None:
        raise ValueError("in a thread")

    with started(tmp_path, hook) as file:
        qWarning("only logged")
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        qtbot.waitUntil(report.box.isVisible)
        words = report.box.text() + report.box.informativeText()
        report.box.close()
        sys.excepthook(KeyError, KeyError("in the main thread"), None)
        qCritical("the surface is lost")
        qtbot.waitUntil(lambda: len(told) == 3)
    assert not report.box.isVisible(), "the dialog is shown once"
    assert "ValueError: in a thread" in words
    assert "Traceback" not in words
    text = file.read_text("utf-8")
    for line in ("only logged", "ValueError: in a thread", "KeyError: 'in the main thread'", "the surface is lost"):
        assert line in text
    assert "Traceback" in text


def test_a_crash_of_the_process_is_written_beside_the_log(tmp_path: Path) -> None:
    (tmp_path / logs.CRASH_FILE).write_text("x" * (logs.MAX_CRASH_BYTES + 1))
    code = (
        "import os, pathlib, sys\n"
        "from videoinr_viewer.start.logs import Log\n"
        "Log(pathlib.Path(sys.argv[1])).start()\n"
        "os.abort()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONFAULTHANDLER": ""}
    done = subprocess.run([sys.executable, "-c", code, tmp_path], env=environment, capture_output=True, check=False)
    assert done.returncode != 0
    text = (tmp_path / logs.CRASH_FILE).read_text("utf-8")
    assert text.startswith("Fatal Python error: Aborted")
    assert 'File "<string>", line 4' in text
