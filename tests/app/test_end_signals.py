"""Ctrl+C in the terminal, its end, and kill: the program ends as if its window were closed, but asks nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from helpers.slow_renderer import SlowRenderer, opener
from helpers.stage import PATIENCE_MSECS
from videoinr_viewer import main
from videoinr_viewer.main_window import MainWindow
from videoinr_viewer.start.arguments import Arguments
from videoinr_viewer.start.program import run
from videoinr_viewer.start.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process there cannot send itself these signals")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("is_asked", [False, True], ids=["at rest", "in a question"])
def test_a_signal_ends_the_program_as_it_should(tmp_path: Path, qapp: QApplication, name: str, is_asked: bool) -> None:
    number, before = (
        getattr(signal, name),
        [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
    )
    sent: list[object] = []

    def send() -> None:
        for window in qapp.topLevelWidgets():
            if isinstance(window, MainWindow) and window.frame_view.isVisible() and not sent:
                sent.append(signal.getsignal(number))
                # Not on this thread, which would execute Python's handler on its way back to the event loop.
                QTimer.singleShot(20, lambda: threading.Thread(target=os.kill, args=(os.getpid(), number)).start())
                if is_asked:
                    QMessageBox(window).exec()

    timer = QTimer(interval=20)
    timer.timeout.connect(send)
    timer.start()
    patience = QTimer(singleShot=True, interval=PATIENCE_MSECS)
    patience.timeout.connect(lambda: qapp.exit(1))
    patience.start()
    made: list[SlowRenderer] = []
    code = run(
        Arguments(file=Path("clip.mp4")), open_renderer=opener(made), settings_path=tmp_path / "viewer.toml",
        log_folder=tmp_path / "log",
    )  # fmt: skip
    assert code == 128 + number
    assert sent[0] not in before
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    assert made[-1].closed
    assert Settings.load(tmp_path / "viewer.toml").recent == [Path("clip.mp4").absolute()]
    assert list((tmp_path / "log").glob("running-*")) == [], "the next start tells of no crash"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_window_is_built_leaves_no_mark_of_a_crash(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import os, signal, sys, pathlib\n"
        "from videoinr_viewer import main\n"
        "from videoinr_viewer.start import program\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "def build(*_args, **_options):\n"
        "    assert list(folder.glob('running-*'))\n"
        "    os.kill(os.getpid(), int(sys.argv[2]))\n"
        "program.Viewer = build\n"
        "with main._ended_by_ctrl_c():\n"
        "    program.run(program.Arguments(), open_renderer=None, settings_path=folder / 'a.toml', log_folder=folder)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run(
        [sys.executable, "-c", code, tmp_path, str(int(number))], env=environment, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (-number, "")
    assert not [*tmp_path.glob("running-*"), *tmp_path.glob("starting-*")]


def test_a_signal_that_the_process_ignores_stays_ignored(tmp_path: Path, qapp: QApplication) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    seen: list[object] = []

    def look() -> None:
        seen.append(signal.getsignal(signal.SIGINT))
        qapp.exit(7)

    QTimer.singleShot(50, look)
    try:
        code = run(
            Arguments(), open_renderer=opener([]), settings_path=tmp_path / "viewer.toml", log_folder=tmp_path / "log"
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, seen) == (7, [signal.SIG_IGN])


def test_ctrl_c_before_the_window_is_there_ends_the_process_without_words() -> None:
    # In Qt's import, say, where an exception of Python's ends the process with a report of a crash.
    code = (
        "import os, signal\n"
        "from videoinr_viewer import main\n"
        "main.import_qt = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
        "main.main([])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_the_window_gives_pythons_own_handler_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        monkeypatch.setattr(main, "_run", lambda _arguments: signal.getsignal(signal.SIGINT))
        assert main.main([]) == signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
