"""Modules that are imported on a thread after the first picture."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from helpers.stage import Stage
from videoinr_viewer.export.launcher import DIALOG_MODULE
from videoinr_viewer.main_window import LATE_LIBRARIES
from videoinr_viewer.threads import late_modules
from videoinr_viewer.threads.late_modules import LateModules
from videoinr_viewer.threads.read_ahead import files_of, read_ahead

NAME = "imported_late_by_a_test"
GATE = threading.Event()
"""The module waits for it at its import."""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    GATE.clear()
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / f"{NAME}.py"
    path.write_text(f"import {__name__} as test\nassert test.GATE.wait(20)\n")
    yield path
    GATE.set()
    sys.modules.pop(NAME, None)


def test_who_needs_a_module_is_called_when_it_is_there(qtbot: QtBot, module: Path) -> None:
    modules, called = LateModules((NAME,)), []
    modules.when_ready(lambda: called.append(QThread.currentThread()))
    modules.when_ready(lambda: called.append(QThread.currentThread()))
    qtbot.wait(5)
    assert called == []
    GATE.set()
    qtbot.waitUntil(lambda: len(called) == 2)
    assert called == [modules.thread()] * 2
    assert NAME in sys.modules
    modules.when_ready(lambda: called.append(QThread.currentThread()))
    assert len(called) == 3
    modules.close()


def test_the_import_is_tried_once(qtbot: QtBot, module: Path, caplog: pytest.LogCaptureFixture) -> None:
    module.write_text("raise OSError('no such library')\n")
    modules, called = LateModules((NAME,)), []
    with caplog.at_level(logging.ERROR), qtbot.waitSignal(modules.imported):
        modules.start()
    modules.close()
    modules.when_ready(lambda: called.append(1))
    modules.start()
    assert called == [1]
    assert [record.message for record in caplog.records] == ["a late import failed"]


def test_closing_waits_for_the_import_and_calls_nobody(qtbot: QtBot, module: Path) -> None:
    modules, called = LateModules((NAME,)), []
    modules.when_ready(lambda: called.append(1))
    GATE.set()
    modules.close()
    assert modules.is_ready
    qtbot.wait(5)
    assert called == []


def test_the_first_picture_begins_the_import_of_the_export_dialog(stage: Stage) -> None:
    stage.wait_for(lambda: stage.viewer.window.late_modules.is_ready)
    assert DIALOG_MODULE in sys.modules


def test_no_garbage_is_collected_during_an_import(qtbot: QtBot, module: Path) -> None:
    """A collection scans all modules, torch's among them, and holds Python's lock for 100 ms."""
    module.write_text("import gc\nwas_enabled = gc.isenabled()\n")
    modules = LateModules((NAME,))
    with qtbot.waitSignal(modules.imported):
        modules.start()
    modules.close()
    assert not sys.modules[NAME].was_enabled
    assert gc.isenabled()
    assert not any(one is sys.modules[NAME] for one in gc.get_objects()), "it is scanned"


def test_libraries_are_read_before_the_import(qtbot: QtBot, module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import holds Python's lock while the system loads a library from the disk."""
    package = module.parent / "with_libraries"
    (package / "lib").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('nothing is imported to find the folder')")
    for name, size in (("Wanted.abi3.so", 700_000), ("lib/libWanted.so.6", 5), ("Other.so", 3), ("Wanted.py", 2)):
        (package / name).write_bytes(bytes(size))
    (package / "Wanted.gone.so").symlink_to("nowhere")
    libraries = {"with_libraries": ("Wanted.*", "lib/*Wanted.*"), "no_such_package_here": ("*",)}
    assert read_ahead(libraries) == 700_005
    order: list[str] = []
    monkeypatch.setattr(late_modules, "read_ahead", lambda wanted: order.append(*wanted))
    monkeypatch.setattr(importlib, "import_module", order.append)
    modules = LateModules((NAME,), libraries={"with_libraries": ("Wanted.*",)})
    with qtbot.waitSignal(modules.imported):
        modules.start()
    modules.close()
    assert order == ["with_libraries", NAME]


def test_the_libraries_of_the_late_modules_are_found() -> None:
    found = [path.name for path in files_of(LATE_LIBRARIES)]
    for name in ("QtOpenGL", "QtSvg", "QtTest", "pydantic_core"):
        assert any(name in one for one in found), name
