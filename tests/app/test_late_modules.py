"""Modules that are imported after the first picture, by a thread that takes turns with the event loop."""

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
from videoinr_viewer.late_imports import LATE_LIBRARIES
from videoinr_viewer.threads import late_modules, turns
from videoinr_viewer.threads.late_modules import LateModules
from videoinr_viewer.threads.read_ahead import files_of, read_ahead
from videoinr_viewer.threads.turns import Turns

NAME = "imported_late_by_a_test"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / f"{NAME}.py"
    path.write_text("")
    yield path
    for name in [name for name in sys.modules if name.startswith(NAME)]:
        del sys.modules[name]


def test_who_needs_a_module_is_called_when_it_is_there(qtbot: QtBot, module: Path) -> None:
    modules, called = LateModules((NAME,)), []
    modules.when_ready(lambda: called.append(QThread.currentThread()))
    modules.when_ready(lambda: called.append(QThread.currentThread()))
    assert called == []
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


def test_closing_ends_the_import_and_calls_nobody(qtbot: QtBot, module: Path, caplog: pytest.LogCaptureFixture) -> None:
    modules, called = LateModules((NAME,)), []
    modules.when_ready(lambda: called.append(1))
    modules.close()
    assert modules.is_ready
    assert NAME not in sys.modules, "nothing is imported that nobody will need"
    assert not caplog.records
    qtbot.wait(5)
    assert called == []


def test_no_import_begins_after_the_end(qtbot: QtBot, module: Path) -> None:
    modules, called = LateModules((NAME,)), []
    modules.close()
    modules.start()
    modules.when_ready(lambda: called.append(1))
    assert not [one for one in threading.enumerate() if one.name == "videoinr-late-import"]
    qtbot.wait(20)
    assert (NAME in sys.modules, called) == (False, [])


def test_the_first_picture_begins_the_import_of_the_export_dialog(stage: Stage) -> None:
    stage.wait_for(lambda: stage.viewer.window.late_modules.is_ready)
    assert DIALOG_MODULE in sys.modules


def test_modules_are_imported_only_while_the_event_loop_stands_still(
    qtbot: QtBot, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Types of PySide that a thread makes while the event loop runs end the process now and then."""
    module.with_name(f"{NAME}_waits.py").write_text("is_turn = False\n")
    for number in range(4):
        following = f"import {NAME}_{number + 1}\n" if number < 3 else ""
        text = f"import {NAME}_waits\nwas_turn = {NAME}_waits.is_turn\n{following}"
        module.with_name(f"{NAME}_{number}.py").write_text(text)
    monkeypatch.setattr(turns, "SLICE_SECS", 0)
    plain, given = Turns.give, list[bool]()

    def give(self: Turns) -> None:
        waits = vars(importlib.import_module(f"{NAME}_waits"))
        waits["is_turn"] = True
        plain(self)
        waits["is_turn"] = False
        given.append(self._is_free)

    monkeypatch.setattr(Turns, "give", give)
    modules = LateModules((f"{NAME}_0", f"{NAME}_3"))
    with qtbot.waitSignal(modules.imported):
        modules.start()
    modules.close()
    assert all(sys.modules[f"{NAME}_{number}"].was_turn for number in range(4))
    assert given.count(False) >= 4, "one turn for each module"
    assert not any(isinstance(finder, Turns) for finder in sys.meta_path)


@pytest.fixture
def paused(qtbot: QtBot, module: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LateModules]:
    """A thread that pauses within a module that another one imports."""
    monkeypatch.setattr(turns, "SLICE_SECS", 0)
    # While it sleeps, the other thread gets Python's lock, and with it what it waited for.
    module.write_text(f"import {NAME}_inner, time\nfor _ in range(50):\n    time.sleep(0.01)\nend = 1\n")
    module.with_name(f"{NAME}_inner.py").write_text(f"import {NAME}_innermost\nend = 1\n")
    module.with_name(f"{NAME}_innermost.py").write_text("end = 1\n")
    module.with_name(f"{NAME}_other.py").write_text("end = 1\n")
    modules = LateModules((NAME,))
    modules.set_busy(True)
    modules.start()
    for name in (NAME, f"{NAME}_inner", f"{NAME}_innermost"):
        qtbot.waitUntil(modules._turns._has_paused.is_set)
        assert name not in sys.modules
        modules._turns.give()
        if name.endswith("inner"):
            break
    qtbot.waitUntil(modules._turns._has_paused.is_set)
    yield modules
    modules.close()


def test_a_thread_that_pauses_holds_up_no_other_import(paused: LateModules) -> None:
    assert importlib.import_module(f"{NAME}_other").end == 1
    assert paused._turns._has_paused.is_set()
    assert f"{NAME}_innermost" not in sys.modules


def test_who_imports_a_module_that_the_thread_is_in_gets_it_and_the_thread_pauses_again(
    qtbot: QtBot, paused: LateModules
) -> None:
    assert importlib.import_module(f"{NAME}_inner").end == 1
    qtbot.waitUntil(paused._turns._has_paused.is_set)
    assert not hasattr(sys.modules[NAME], "end"), "it goes on only while the GUI thread waits"
    with qtbot.waitSignal(paused.imported):
        paused.when_ready(lambda: None)
    assert sys.modules[NAME].end == 1


def test_the_thread_does_not_pause_between_modules_while_the_gui_thread_waits(
    qtbot: QtBot, paused: LateModules, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took LOOK_SECS for each module: seconds for one that imports many."""
    for number in range(20):
        module.with_name(f"{NAME}_{number}.py").write_text("end = 1\n")
    module.with_name(f"{NAME}_innermost.py").write_text("".join(f"import {NAME}_{each}\n" for each in range(20)))
    pauses, plain = list[str](), Turns._pause

    def pause(self: Turns) -> None:
        pauses.append("pause")
        plain(self)

    monkeypatch.setattr(Turns, "_pause", pause)
    assert importlib.import_module(f"{NAME}_inner").end == 1
    qtbot.waitUntil(paused._turns._has_paused.is_set)
    assert pauses == ["pause"], "the one after the GUI thread has its module"


def test_the_thread_pauses_nowhere_in_the_code_of_its_own_locks(
    qtbot: QtBot, paused: LateModules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a wait for the event that ends the pause, a second pause waited for that event's lock."""
    asked, wanted = list[str](), [True]

    def waits(_thread: int | None) -> bool:
        caller = sys._getframe(1)
        traced = caller.f_locals.get("frame") if caller.f_code.co_name == "look" else None
        if traced is not None:
            asked.append(traced.f_code.co_filename)
        return wanted[0]

    monkeypatch.setattr(turns, "_waits_for_a_module", waits)
    qtbot.waitUntil(lambda: getattr(sys.modules.get(f"{NAME}_inner"), "end", 0) == 1)
    wanted[0] = False
    qtbot.waitUntil(paused._turns._has_paused.is_set)
    assert asked
    assert not {threading.__file__, turns.__file__, "<frozen importlib._bootstrap>"} & set(asked)
    assert not paused._turns._is_watched
    with qtbot.waitSignal(paused.imported):
        paused.when_ready(lambda: None)


def test_the_thread_does_not_pause_in_a_search(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python holds a lock during a search that each import of another thread needs."""
    found = list[bool]()

    class Finder:
        def find_spec(self, *_: object) -> None:
            found.append(turns._may_hold_a_lock(sys._getframe()))

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    module.write_text(
        "import sys\nfrom videoinr_viewer.threads import turns\nlocks = turns._may_hold_a_lock(sys._getframe())\n"
    )
    assert not importlib.import_module(NAME).locks
    assert found
    assert all(found)


def test_a_module_has_its_own_loader_and_a_found_one_looks_like_it(qtbot: QtBot, module: Path) -> None:
    module.write_text(
        "import importlib.util\n"
        f"found = importlib.util.find_spec('{NAME}_other').loader\n"
        "source = found.get_source(found.name)\n"
    )
    module.with_name(f"{NAME}_other.py").write_text("end = 1\n")
    modules = LateModules((NAME,))
    with qtbot.waitSignal(modules.imported):
        modules.start()
    modules.close()
    assert sys.modules[NAME].source == "end = 1\n"
    spec = sys.modules[NAME].__spec__
    assert spec is not None
    assert spec.loader is sys.modules[NAME].__loader__
    assert not isinstance(spec.loader, turns._Pausing)


def test_a_turn_lasts_as_long_as_a_module_takes(qtbot: QtBot, module: Path) -> None:
    module.write_text("import time\ntime.sleep(0.1)\nend = 1\n")
    modules = LateModules((NAME,))
    modules.set_busy(True)
    modules.start()
    qtbot.waitUntil(modules._turns._has_paused.is_set)
    modules._turns.give()
    while NAME not in sys.modules:
        modules._turns.give()
    assert sys.modules[NAME].end == 1
    modules.close()


def test_a_turn_ends_where_the_thread_waits_for_a_module_of_another_thread(
    qtbot: QtBot, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(sys, f"{NAME}_go_on", go_on, raising=False)
    module.write_text(f"import sys\nsys.{NAME}_go_on.wait(10)\nend = 1\n")
    third = threading.Thread(target=importlib.import_module, args=(NAME,))
    third.start()
    qtbot.waitUntil(lambda: NAME in sys.modules)
    module.with_name(f"{NAME}_outer.py").write_text(f"import {NAME}\n")
    modules = LateModules((f"{NAME}_outer",))
    modules.start()
    qtbot.waitUntil(modules._turns._has_paused.is_set)
    modules._turns.give()
    assert not hasattr(sys.modules[NAME], "end")
    go_on.set()
    third.join()
    modules.close()


def test_a_busy_window_gives_turns_only_to_what_somebody_waits_for(qtbot: QtBot, module: Path) -> None:
    modules, called = LateModules((NAME,)), []
    modules.set_busy(True)
    modules.start()
    qtbot.wait(150)
    assert NAME not in sys.modules, "the event loop runs, so the thread waits on"
    modules.when_ready(lambda: called.append(1))
    qtbot.waitUntil(lambda: called == [1])
    modules.close()
    assert NAME in sys.modules


def test_names_of_qt_are_taken_before_the_modules(qtbot: QtBot, module: Path) -> None:
    text = "taken = []\ndef __dir__():\n    return ['a', 'b']\n"
    text += "def __getattr__(name):\n    taken.append(name)\n    return 1\n"
    module.with_name(f"{NAME}_names.py").write_text(text)
    module.write_text(f"import {NAME}_names as names\nbefore = list(names.taken)\n")
    modules = LateModules((NAME,), namespaces=(f"{NAME}_names",))
    with qtbot.waitSignal(modules.imported):
        modules.start()
    modules.close()
    assert [name for name in sys.modules[NAME].before if len(name) == 1] == ["a", "b"]


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
