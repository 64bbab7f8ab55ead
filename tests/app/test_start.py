"""What the start imports: --help and --version without Qt and torch, the window without torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from videoinr.clip.open_options import OpenOptions
from videoinr.types import AcrossCuts
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.start import program

HEAVY = ("torch", "numpy", "PySide6", "av", "pyqtgraph")


@pytest.mark.parametrize("module", ["videoinr_viewer.main", "videoinr.cli"])
@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_command_line_is_parsed_without_heavy_imports(module: str, option: str) -> None:
    code = (
        f"import atexit, sys; sys.argv = ['program', {option!r}]\n"
        f"atexit.register(lambda: print('heavy:', *[name for name in {HEAVY} if name in sys.modules]))\n"
        f"import {module}; {module}.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=_paths(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said, _, heavy = done.stdout.rpartition("heavy:")
    assert said.strip()
    if module == "videoinr_viewer.main":
        assert heavy.split() == []
    else:
        # The types of the options come from the engine and use numpy.
        assert set(heavy.split()) <= {"numpy"}


def test_the_window_and_a_shipped_model_do_without_plots_and_schemas() -> None:
    code = (
        "import builtins, sys\n"
        "own = builtins.__import__\n"
        "from videoinr_viewer.start.qt_import import import_qt\n"
        "import_qt()\n"
        "assert builtins.__import__ is own\n"
        "import videoinr_viewer.start.program, videoinr.render.engine\n"
        "from videoinr.model.weights import load_model\n"
        "print(load_model().card.name)\n"
        "assert builtins.__import__ is own\n"
        "print(*[name for name in ('pyqtgraph', 'superqt', 'qtpy', 'pydantic') if name in sys.modules])\n"
        "import videoinr_viewer.dialogs.settings_dialog\n"
        "assert 'superqt' in sys.modules and builtins.__import__ is own"
    )
    done = subprocess.run([sys.executable, "-c", code], env=_paths(), capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("lite\n\n", 0), done.stderr


def test_torch_works_after_its_libraries_were_preloaded() -> None:
    code = (
        "import sys, threading\n"
        "from videoinr_viewer.start.preload import preload_torch\n"
        "preload_torch()\n"
        "for one in threading.enumerate():\n"
        "    one.name == 'videoinr-preload' and one.join()\n"
        "assert 'torch' not in sys.modules\n"
        "import torch\n"
        "print(float((torch.ones(3, 3) @ torch.ones(3, 3)).sum()))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=_paths(), capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("27.0\n", 0), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="libraries are preloaded on Linux only")
def test_preloading_does_not_change_the_number_of_threads() -> None:
    code = "import torch; print(torch.get_num_threads(), len(__import__('os').sched_getaffinity(0)))"
    early = f"from videoinr_viewer.start.preload import load_torch; load_torch(); {code}"
    told = [
        subprocess.run([sys.executable, "-c", each], env=_paths(), capture_output=True, text=True, check=True).stdout
        for each in (code, early)
    ]
    assert told[0] == told[1]


def test_the_engine_is_imported_before_a_clip_if_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = Event()

    def import_engine() -> object:
        imported.set()
        return lambda *clip, **what: (clip, what)

    monkeypatch.setattr(program, "_import_engine", import_engine)
    choice = ReadingChoice(Reading(model="lite"))
    open_renderer = program.engine_opener(choice, at_once=True)
    assert imported.wait(60)
    opened: object = open_renderer(Path("clip.mp4"))
    how = {"model": "lite", "device": None, "options": OpenOptions(), "across_cuts": AcrossCuts.HOLD,
           "memory_bytes": None, "notices": (), "notice": choice.tell}  # fmt: skip
    assert opened == ((Path("clip.mp4"),), how)
    choice.choose(Reading(model="base", background="grey", stream=1, across_cuts=AcrossCuts.BLEND))
    opened_anew: object = open_renderer(Path("clip.mp4"))
    how = {"model": "base", "device": None, "options": OpenOptions(stream=1, background="grey"), "notices": ()}
    more = {"across_cuts": AcrossCuts.BLEND, "memory_bytes": None, "notice": choice.tell}
    assert opened_anew == ((Path("clip.mp4"),), {**how, **more})


def test_a_failed_import_of_the_engine_is_reported_for_every_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_engine() -> object:
        raise ImportError("torch is damaged")

    monkeypatch.setattr(program, "_import_engine", import_engine)
    open_renderer = program.engine_opener(ReadingChoice(Reading()), at_once=True)
    for _ in range(2):
        with pytest.raises(ImportError, match="torch is damaged"):
            open_renderer(Path("clip.mp4"))


def _paths() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
