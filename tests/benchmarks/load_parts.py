"""The three parts of the load: work in the window, opens and closes, a queue of exports. `load.py` runs them."""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import statistics
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random

from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

import videoinr
from benchmarks.load import GROWTH_PERCENT, slope_percent
from helpers.clips import write_clip
from videoinr.devices import return_free_memory
from videoinr_viewer.actions import TABLE
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.main_window import WindowOptions
from videoinr_viewer.start.program import engine_opener, make_app
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.viewer import Viewer

HOURS = 8
WARM_UP_HOURS = 1
LEFT_OUT = {"quit", "full-screen", "open-demo", "open-folder", "open", "save-picture", "log", "play"}
"""Actions that end the window, or that ask somebody."""
PATIENCE_SECS = 300
"""A picture with a long exposure is the mean of many; a busy machine needs minutes for one."""
EXPOSED_ROUNDS = 8
"""One round in so many keeps the shutter open: otherwise most of the time goes into these pictures."""
ERRORS_KEPT = 20
REST_SECS, STILL, STILL_MEBIBYTES = 60, 5, 1.0
"""How long the memory may take to stand still, and what that is: so many states, half a second apart, so close."""


def make_clips(folder: Path) -> list[Path]:
    """Write the three small clips of the load into ``folder``."""
    return [
        write_clip(folder / "a.mp4", 24, audio_secs=0.9),
        write_clip(folder / "b.mkv", 12),
        write_clip(folder / "c.gif", 8, codec="gif", pix_fmt="rgb8"),
    ]


@dataclass(frozen=True)
class State:
    """What the process takes: resident memory in MiB, threads of Python and all, open files, child processes.

    ``children_mebibytes``: the resident memory of these, together.
    """

    mebibytes: float
    python_threads: int
    threads: int
    handles: int
    children: int
    children_mebibytes: float

    @classmethod
    def now(cls) -> State:
        gc.collect()
        return_free_memory()
        tasks = list(Path("/proc/self/task").iterdir())
        children = [child for task in tasks for child in _text_of(task / "children").split()]
        handles = len(os.listdir("/proc/self/fd"))
        theirs = sum(map(_resident_mebibytes, children))
        return cls(_resident_mebibytes("self"), threading.active_count(), len(tasks), handles, len(children), theirs)

    def left_by(self, earlier: State, *, spare: int) -> bool:
        """Whether more threads, files or processes are there than at ``earlier``, by more than ``spare``."""
        mine, others = ((each.python_threads, each.handles, each.children, each.threads) for each in (self, earlier))
        return any(now > then + spare for now, then in zip(mine, others, strict=True))

    def __str__(self) -> str:
        return (
            f"{self.mebibytes:7.1f} MiB  {self.python_threads:2} / {self.threads:2} threads  "
            f"{self.handles:3} handles  {self.children} children of {self.children_mebibytes:.0f} MiB"
        )


def _resident_mebibytes(process: str) -> float:
    """Return the resident memory of a process; 0 if it has ended."""
    fields = _text_of(Path("/proc", process, "statm")).split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if fields else 0.0


def _stand_still(states: list[State]) -> bool:
    sizes = [state.mebibytes for state in states]
    return len(sizes) == STILL and max(sizes) - min(sizes) <= STILL_MEBIBYTES


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # The thread has ended since.
        return ""


class Work:
    """Random work in one window."""

    def __init__(self, app: QApplication, clips: list[Path], seed: int) -> None:
        self._app, self._clips, self._random = app, clips, Random(seed)
        reading = ReadingChoice(Reading(model="lite", device="cpu"))
        self.viewer = Viewer(
            app, engine_opener(reading), settings=Settings(), options=WindowOptions(reading, asks=False)
        )
        self._rows = [row for row in TABLE if row.id not in LEFT_OUT]
        self.full_msecs: list[float] = []
        self.steps = 0
        self.errors: list[str] = []
        self._last_actions: list[str] = []
        threading.excepthook = lambda args: self._note(args.exc_value)
        sys.excepthook = lambda _kind, error, _trace: self._note(error)
        self.viewer.bridge.failure.connect(lambda failure: self._add(failure.message))
        self.viewer.show((900, 600))
        self.open()

    def _note(self, error: BaseException | None) -> None:
        traceback.print_exception(error)
        self._add(repr(error))

    def _add(self, words: str) -> None:
        print(f"  fault: {words} (after {', '.join(self._last_actions[-5:])})", flush=True)
        self.errors.append(words)

    def open(self) -> None:
        """Open one of the clips and wait for its picture."""
        self._open(self._random.choice(self._clips))
        self._look()

    def _open(self, path: Path) -> None:
        session = self.viewer.session
        before = session.clip
        session.open(path)
        self._wait(
            "the clip",
            lambda: session.clip is not None and session.clip is not before and session.clip.info.path == path,
        )

    def settled_state(self) -> State:
        """Return what the process takes in one state, for what caches hold depends on the work.

        All options are as at the start, and the first clip is opened after another one, which empties the caches. Its
        first picture is there in full, none is decoded ahead, and the memory stands still: pairs nearby are encoded.
        """
        actions = self.viewer.window.actions_by_id
        self.viewer.player.pause()
        for row in self._rows:
            is_default = actions[row.id].isChecked() == row.checked
            if actions[row.id].isCheckable() and not is_default and (row.checked or not row.choice):
                actions[row.id].trigger()
        actions["render-ahead"].trigger()
        self._open(self._clips[1])
        self._open(self._clips[0])
        self.viewer.session.fit()
        self._full_picture_at(Fraction(0))
        states, end = [State.now()], time.monotonic() + REST_SECS
        while time.monotonic() < end and not _stand_still(states[-STILL:]):
            self._process_events(0.5)
            states.append(State.now())
        actions["render-ahead"].trigger()
        return states[-1]

    def _process_events(self, secs: float) -> None:
        end = time.monotonic() + secs
        while time.monotonic() < end:
            self._app.processEvents()
            time.sleep(0.002)

    def go_on(self, until_secs: float) -> None:
        """Work until ``until_secs`` of the monotonic clock."""
        session, random = self.viewer.session, self._random
        while time.monotonic() < until_secs:
            self.steps += 1
            for _ in range(random.randrange(1, 6)):
                self._last_actions = [*self._last_actions[-9:], random.choice(self._rows).id]
                self.viewer.window.actions_by_id[self._last_actions[-1]].trigger()
                self._app.processEvents()
            if self.steps % EXPOSED_ROUNDS:
                self.viewer.window.actions_by_id["shutter-0"].trigger()
            session.zoom_at(2 ** random.uniform(-1, 1), (random.uniform(0, 900), random.uniform(0, 400)))
            if self.steps % 9 == 0:
                self._play()
            if self.steps % 15 == 0:
                self.open()
            self._look()

    def close(self) -> None:
        """Close the window."""
        self.viewer.window.close()
        self._app.processEvents()

    def _look(self) -> None:
        """Go somewhere, and wait for the full picture there."""
        session = self.viewer.session
        self.viewer.player.pause()
        for dialog in self.viewer.window.findChildren(QDialog):
            dialog.close()
        assert session.clip is not None
        start = time.monotonic()
        self._full_picture_at(session.clip.timeline.duration_secs * Fraction(self._random.randrange(1000), 1000))
        self.full_msecs.append((time.monotonic() - start) * 1000)

    def _full_picture_at(self, secs: Fraction) -> None:
        session = self.viewer.session
        session.seek(secs)
        self._wait(
            "the full picture",
            lambda: (
                session.last_query is not None
                and self.viewer.window.frame_view.full_for(session.last_query) is not None
            ),
        )

    def _play(self) -> None:
        self.viewer.player.toggle()
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            self._app.processEvents()

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECS
        while not condition():
            self._app.processEvents()
            time.sleep(0.002)
            if time.monotonic() > end:
                faulthandler.dump_traceback()
                done = ", ".join(self._last_actions)
                query = self.viewer.session.last_query
                raise TimeoutError(f"{what} did not come within {PATIENCE_SECS} s; actions: {done}; query: {query}")


def work_in_window(clips: list[Path], minutes: float, seed: int) -> list[str]:
    """Do eight hours' work; return what went wrong."""
    app = make_app()
    for name in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
        setattr(QFileDialog, name, lambda *_, **__: ("", ""))
    setattr(QDesktopServices, "openUrl", lambda *_: True)  # noqa: B010
    work, states = Work(app, clips, seed), list[State]()
    try:
        for hour in range(1, HOURS + 1):
            work.full_msecs.clear()
            work.go_on(time.monotonic() + minutes * 60 / HOURS)
            states.append(work.settled_state())
            print(f"hour {hour}  {states[-1]}  full picture {_in_words(work.full_msecs)}", flush=True)
            if len(work.errors) > ERRORS_KEPT:
                break
    except Exception as error:
        work._note(error)
    wrong = [*work.errors, *_grown(states[WARM_UP_HOURS:])]
    print(f"{work.steps} rounds of actions in {len(states)} of {HOURS} hours; errors {len(work.errors)}", flush=True)
    work.close()
    return wrong


def _in_words(msecs: list[float]) -> str:
    if not msecs:
        return "none"
    return f"{statistics.median(msecs):4.0f} / {sorted(msecs)[int(0.95 * len(msecs))]:5.0f} ms ({len(msecs)})"


def _grown(states: list[State]) -> list[str]:
    """Print the growth over the hours after the warm-up; return what is too much."""
    if len(states) < 2:
        return ["too few hours to tell the growth"]
    growth = slope_percent([state.mebibytes for state in states])
    print(f"growth {growth:+.2f} % an hour", flush=True)
    wrong = [f"the memory grew by {growth:.2f} % an hour"] if growth > GROWTH_PERCENT else []
    if states[-1].left_by(states[0], spare=4):
        wrong.append(f"threads, handles or processes grew: {states[0]} -> {states[-1]}")
    return wrong


def open_and_close(clips: list[Path], count: int) -> list[str]:
    """Open and close clips; return what went wrong."""
    states = list[State]()
    for number in range(count):
        with videoinr.open(clips[number % len(clips)], model="lite", device="cpu") as video:
            video.decode(Fraction(1, 10), scale=1)
        if number % max(1, count // 4) == max(1, count // 4) - 1:
            states.append(State.now())
            print(f"open {number + 1:4}  {states[-1]}", flush=True)
    grew = states[-1].left_by(states[0], spare=0)
    return [f"opens left something behind: {states[0]} -> {states[-1]}"] if grew else []


def export_queue(clips: list[Path], count: int, folder: Path) -> list[str]:
    """Run a queue of exports; return what went wrong."""
    from videoinr.exporting.queue import run_queue

    folder.mkdir()
    for number in range(count):
        values = {"videoinr_export": 1, "clip": str(clips[number % len(clips)]), "out": f"{number:03}.mp4", "scale": 1}
        (folder / f"{number:03}.json").write_text(json.dumps({**values, "device": "cpu", "model": "lite"}))
    results, states, wrong = list[object](), [State.now()], list[str]()

    def export(call: object, _watch: object) -> object:
        videoinr.export(call.clip, call.out, report=results.append, **call.options)  # type: ignore[attr-defined]
        return results.pop()

    start = time.monotonic()
    done = 0
    for done, result in enumerate(run_queue(folder, export), 1):  # type: ignore[arg-type]
        if result.report is None:
            wrong.append(f"{result.name}: {result.message}")
        if done % max(1, count // 5) == 0:
            states.append(State.now())
            print(f"export {done:3}  {states[-1]}  {time.monotonic() - start:6.1f} s", flush=True)
    if done != count:
        wrong.append(f"{done} of {count} exports were run")
    if states[-1].left_by(states[1], spare=0):
        wrong.append(f"exports left something behind: {states[1]} -> {states[-1]}")
    return wrong
