"""``--screenshot`` of the whole program, from the arguments to the exit code."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from helpers.slow_renderer import Pace, SlowRenderer, opener
from videoinr.commands.displays import display_problem
from videoinr.text.clip_time import ClipTime, clip_time
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.dialogs.key_sheet import KeySheet
from videoinr_viewer.main import main
from videoinr_viewer.main_window import MainWindow
from videoinr_viewer.start.arguments import Arguments
from videoinr_viewer.start.program import engine_opener, run
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.theme_choice import Theme


def shoot(tmp_path: Path, arguments: Arguments, made: list[SlowRenderer]) -> int:
    return run(
        arguments,
        open_renderer=opener(made, pace=Pace(2e-7, 0.05)),
        settings_path=tmp_path / "viewer.toml",
        log_folder=tmp_path / "log",
    )


@pytest.mark.usefixtures("qapp")
def test_the_window_is_saved_at_full_quality(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    made: list[SlowRenderer] = []
    out = tmp_path / "out.png"
    arguments = Arguments(
        file=Path("clip.mp4"), at=ClipTime(Fraction(5, 4)), zoom=4.0, centre=(80.0, 45.0), screenshot=out,
        theme=Theme.LIGHT, size=(1000, 700),
    )  # fmt: skip
    assert shoot(tmp_path, arguments, made) == 0
    image = QImage(str(out))
    assert (image.width(), image.height()) == (1000, 700)
    middle = image.pixelColor(500, 260)
    assert middle.red() == pytest.approx(127, abs=3)
    assert middle.blue() == int(31.25 / 50 * 255)
    assert made[-1].asked("full")
    assert made[-1].closed
    assert set(threading.enumerate()) == before
    assert not (tmp_path / "viewer.toml").exists(), "a screenshot must not save settings"
    assert (tmp_path / "log" / "viewer.log").exists()


@pytest.mark.usefixtures("qapp")
def test_the_empty_window_is_saved(tmp_path: Path) -> None:
    out = tmp_path / "empty.png"
    assert shoot(tmp_path, Arguments(screenshot=out, size=(800, 500)), []) == 0
    assert QImage(str(out)).width() == 800


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(("name", "out"), [("broken.mp4", "out.png"), ("clip.mp4", "nowhere/out.png")])
def test_a_failure_ends_with_exit_code_1_and_a_message(
    tmp_path: Path, name: str, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shoot(tmp_path, Arguments(file=Path(name), screenshot=tmp_path / out), []) == 1
    err = capsys.readouterr().err
    assert err.startswith("videoinr-viewer: ")
    assert "Traceback" not in err


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("out", ["out.png", ""])
def test_a_time_that_the_clip_lacks_ends_so_too(tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = Arguments(file=Path("clip.mp4"), at=clip_time("00:00:00:99"), screenshot=tmp_path / out)
    assert shoot(tmp_path, asked, []) == 1
    assert "A second of the clip has no frame 99." in capsys.readouterr().err


def test_without_a_screenshot_the_settings_are_saved(tmp_path: Path, qapp: QApplication) -> None:
    def close_when_open() -> None:
        for window in qapp.topLevelWidgets():
            if isinstance(window, MainWindow) and window.frame_view.isVisible():
                window.close()

    timer = QTimer(interval=20)
    timer.timeout.connect(close_when_open)
    timer.start()
    code = run(
        Arguments(file=Path("clip.mp4")),
        open_renderer=opener([]),
        settings_path=tmp_path / "viewer.toml",
        log_folder=tmp_path / "log",
    )
    assert code == 0
    assert Settings.load(tmp_path / "viewer.toml").recent == [Path("clip.mp4").absolute()]


def test_the_start_imports_neither_the_engine_nor_readers_nor_codecs() -> None:
    code = (
        "import sys, videoinr_viewer.start.program as m; m.engine_opener(m.ReadingChoice(m.Reading()));"
        "print(sorted({'torch', 'av', 'typer', 'videoinr.clip', 'videoinr.exporting'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_paths())
    assert done.stdout.strip() == "[]"
    assert callable(engine_opener(ReadingChoice(Reading())))


@pytest.mark.parametrize(
    ("environment", "platform", "problem"),
    [
        ({}, "linux", "no screen"),
        ({"DISPLAY": ""}, "linux", "no screen"),
        ({"QT_QPA_PLATFORM": "xcb"}, "linux", "no screen"),
        ({"DISPLAY": ":0"}, "linux", ""),
        ({"DISPLAY": ":9"}, "linux", "The screen at :9 cannot be reached"),
        ({"DISPLAY": ":9", "QT_QPA_PLATFORM": "xcb"}, "linux", "The screen at :9 cannot be reached"),
        ({"DISPLAY": ":9", "QT_QPA_PLATFORM": "offscreen"}, "linux", ""),
        ({"WAYLAND_DISPLAY": "there", "XDG_RUNTIME_DIR": "/run"}, "linux", ""),
        ({"WAYLAND_DISPLAY": "gone", "XDG_RUNTIME_DIR": "/run"}, "linux", "The screen at /run/gone cannot be reached"),
        ({"WAYLAND_DISPLAY": "/run/there"}, "linux", ""),
        ({"WAYLAND_DISPLAY": "gone", "DISPLAY": ":0"}, "linux", ""),
        ({"WAYLAND_DISPLAY": "gone", "DISPLAY": ":0", "QT_QPA_PLATFORM": "wayland-egl"}, "linux", "The screen at gone"),
        ({"WAYLAND_DISPLAY": "gone", "DISPLAY": ":9"}, "linux", "The screen at :9 or gone cannot"),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", ""),
        ({}, "win32", ""),
    ],
)
def test_a_screen_that_is_missing_or_cannot_be_reached_is_told(
    environment: dict[str, str], platform: str, problem: str
) -> None:
    there = {"xcb": ":0".__eq__, "wayland": "/run/there".__eq__}
    words = display_problem(environment, platform, connects=there)
    assert (problem in words) if problem else not words


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux are there displays")
def test_a_display_that_cannot_be_reached_ends_the_program_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("videoinr_viewer.main.missing_libraries", lambda _: {})
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.setenv("WAYLAND_DISPLAY", str(tmp_path / "wayland-0"))
    assert main(["clip.mp4"]) == 1
    assert f"The screen at :4711 or {tmp_path / 'wayland-0'} cannot be reached" in capsys.readouterr().err
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "wayland-0"))
        listener.listen()
        assert not display_problem(os.environ, sys.platform)


def test_without_a_screen_the_program_prints_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert main(["clip.mp4"]) == 1
    assert "no screen" in capsys.readouterr().err


def test_missing_libraries_of_windows_are_named_before_qt_is_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("videoinr_viewer.main.missing_libraries", lambda _: {"libxcb-cursor.so.0": "libxcb-cursor0"})
    monkeypatch.setenv("DISPLAY", ":0")
    assert main([]) == 1
    assert "missing: libxcb-cursor.so.0" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux do windows need libraries of the system")
def test_a_start_without_a_library_ends_with_its_name(tmp_path: Path) -> None:
    """The system finds a file without contents in place of the library, so Qt would end the process by a signal."""
    (tmp_path / "libxcb-icccm.so.4").write_bytes(b"")
    environment = {**_paths(), "DISPLAY": ":0", "QT_QPA_PLATFORM": "xcb", "LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "videoinr_viewer.main"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "missing: " in done.stderr
    assert "libxcb-icccm.so.4" in done.stderr
    assert "apt-get install" in done.stderr


@pytest.mark.usefixtures("qapp")
def test_a_screenshot_shows_the_actions_that_were_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.png"
    asked = Arguments(file=Path("clip.mp4"), screenshot=out, actions=("compare-wipe",), size=(1000, 700))
    assert shoot(tmp_path, asked, []) == 0
    image = QImage(str(out))
    left, right = image.pixelColor(400, 260), image.pixelColor(600, 260)
    assert right.red() - left.red() > 40, "the left side is the source, which is darker"
    asked = Arguments(file=Path("clip.mp4"), screenshot=out, actions=("no-such-action",))
    assert shoot(tmp_path, asked, []) == 1
    assert "There is no action no-such-action. There are: open," in capsys.readouterr().err


@pytest.mark.usefixtures("qapp")
def test_a_screenshot_opens_no_window_that_takes_input(tmp_path: Path) -> None:
    seen: dict[type[QWidget], set[bool]] = defaultdict(set)

    def look() -> None:
        for one in QApplication.topLevelWidgets():
            if isinstance(one, (MainWindow, QDialog)) and one.isVisible():
                seen[type(one)].add(one.testAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen))

    timer = QTimer(singleShot=False)
    timer.timeout.connect(look)
    timer.start(20)
    asked = Arguments(file=Path("clip.mp4"), screenshot=tmp_path / "out.png", actions=("keys",))
    assert shoot(tmp_path, asked, []) == 0
    timer.stop()
    assert seen == {MainWindow: {True}, KeySheet: {True}}, "the window, and the dialog of the action"


def test_settings_are_saved_at_each_change_not_only_at_the_end(tmp_path: Path, qapp: QApplication) -> None:
    path, found, end = tmp_path / "viewer.toml", list[Settings](), time.monotonic() + 20

    def look() -> None:
        for window in qapp.topLevelWidgets():
            if isinstance(window, MainWindow) and window.frame_view.isVisible() and window.isVisible():
                if not found:
                    window.menus.theme_wanted.emit(Theme.LIGHT)
                # As it would be after kill -9: the program still runs. A thread writes the file.
                found.append(Settings.load(path))
                if found[-1].theme is Theme.LIGHT or time.monotonic() > end:
                    window.close()

    timer = QTimer(singleShot=False)
    timer.timeout.connect(look)
    timer.start(20)
    arguments = Arguments(file=Path("clip.mp4"))
    assert run(arguments, open_renderer=opener([]), settings_path=path, log_folder=tmp_path / "log") == 0
    timer.stop()
    assert found[-1].recent == [Path("clip.mp4").absolute()]
    assert found[-1].theme is Theme.LIGHT


def _paths() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
