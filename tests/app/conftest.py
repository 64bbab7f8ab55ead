"""Fixtures of the window's tests: viewers without a screen and without the user's settings."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from helpers import stub_export
from helpers.projects import full_project, written
from helpers.slow_frames import SlowFrames
from helpers.slow_renderer import Pace, SlowRenderer, opener
from helpers.stage import Stage
from videoinr_viewer.clip_access.side_reader import FrameSource
from videoinr_viewer.export.bridge import COMMAND
from videoinr_viewer.export.dialog import ExportDialog
from videoinr_viewer.main_window import WindowOptions
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.viewer import Viewer

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

QUICK = Pace()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ignore the offscreen platform's warnings about missing features; all other Qt messages fail a test."""
    for item in items:
        if "tests/app" in item.path.as_posix():
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))


@pytest.fixture(autouse=True)
def windows_end_with_the_test() -> Iterator[None]:
    """Delete the windows that a test has left: Qt styles all that live anew with each that opens (0.1 s for each)."""
    yield
    for widget in QApplication.topLevelWidgets():
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(autouse=True)
def keys_are_released() -> Iterator[None]:
    """Release the modifiers that a test has pressed: the next test's clicks in a list would be clicks with Ctrl."""
    yield
    if QApplication.instance() and QApplication.keyboardModifiers() != Qt.KeyboardModifier.NoModifier:
        # Qt remembers the modifiers of the last event of a window, as if they were still pressed.
        QTest.keyRelease(QWindow(), Qt.Key.Key_Control, Qt.KeyboardModifier.NoModifier)
        assert QApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Collect the garbage of each test on the GUI thread.

    A thread of a later test would destroy its Qt objects otherwise, and Qt then fires a timer whose object is gone.
    What lives on is not looked at again: with the objects of thousands of tests that would take most of a second.
    Tests of other folders come here, too.
    """
    result = yield
    if "tests/app" in item.path.as_posix():
        gc.collect()
        gc.freeze()
    return result


@pytest.fixture
def stage_of(qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[..., Stage]]:
    """Return a function that makes stages. The fixture closes them at the end and checks that nothing keeps running."""
    stages: list[Stage] = []

    def make(
        pace: Pace = QUICK,
        *,
        frames: int = 50,
        size: tuple[int, int] | None = (900, 600),
        settings: Settings | None = None,
        export_command: Sequence[str] = COMMAND,
        frame_source: Callable[[Path], FrameSource] | None = None,
        options: WindowOptions | None = None,
    ) -> Stage:
        made: list[SlowRenderer] = []
        viewer = Viewer(
            qapp,
            opener(made, pace=pace, frames=frames),
            settings=settings or Settings(reduced_motion=True),
            theme=Theme.DARK,
            export_command=export_command,
            options=options,
            open_frames=frame_source or partial(SlowFrames, frames=frames),
        )
        stage = Stage(qtbot, viewer, made)
        viewer.session.requested.connect(stage.requests.append)
        viewer.window.frame_view.shown.connect(stage.shown.append)
        viewer.show(size)
        qtbot.waitExposed(viewer.window)
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        stage.viewer.window.exports.asks = False
        stage.viewer.window.close()
        assert stage.viewer.is_shut_down
        stage.viewer.window.deleteLater()
        stage.viewer.deleteLater()


@pytest.fixture
def stage(stage_of: Callable[..., Stage]) -> Stage:
    """Return a stage with a quick renderer, an open clip and its full picture on the screen."""
    stage = stage_of()
    stage.open()
    stage.wait_until_complete()
    return stage


@pytest.fixture
def project_clip(tmp_path: Path) -> Path:
    """Return a file that stands for a clip; the renderers of the stages do not read it."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip " * 100)
    return path


@pytest.fixture
def project_file(project_clip: Path) -> Path:
    """Return a project of the clip."""
    return written(full_project(project_clip), project_clip.with_name("work.vinr"))


@pytest.fixture
def dialog_of(stage_of: Callable[..., Stage], tmp_path: Path) -> Callable[[str], tuple[Stage, ExportDialog]]:
    """Open the export dialog; ``how`` its process ends: helpers/stub_export.py."""

    def make(how: str = "ok") -> tuple[Stage, ExportDialog]:
        stage = stage_of(export_command=[sys.executable, stub_export.__file__, how])
        stage.open(str(tmp_path / "my clip.mp4"))
        stage.wait_until_complete()
        stage.viewer.window.actions_by_id["export"].trigger()
        # The dialog's module is imported on a thread.
        stage.wait_for(lambda: stage.viewer.window.exports.dialog is not None)
        dialog = stage.viewer.window.exports.dialog
        assert dialog is not None
        return stage, dialog

    return make
