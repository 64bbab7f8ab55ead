"""Load: eight hours of scripted work in twenty minutes, 200 opens and closes, 50 queued exports.

    python tests/benchmarks/load.py [--minutes 20] [--opens 200] [--exports 50] [--seed 1]

It drives the real window with the real engine (model lite, offscreen) by random actions on three small clips, opens and
closes clips through the Python API, and runs a queue of exports. After each simulated hour it prints the resident
memory, threads, open handles, and the time from a click to the full picture. Growth is that of the memory from the
second hour on, a simulated hour. The exit code is 1 if something failed, or threads or handles were left behind.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("app", "core", "resources", "tests")]

from PySide6.QtGui import QDesktopServices  # noqa: E402
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog  # noqa: E402

import videoinr  # noqa: E402
from helpers.clips import write_clip  # noqa: E402
from videoinr.devices import return_free_memory  # noqa: E402
from videoinr_viewer.actions import TABLE  # noqa: E402
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice  # noqa: E402
from videoinr_viewer.main_window import WindowOptions  # noqa: E402
from videoinr_viewer.start.program import engine_opener, make_app  # noqa: E402
from videoinr_viewer.start.settings import Settings  # noqa: E402
from videoinr_viewer.viewer import Viewer  # noqa: E402

HOURS = 8
LEFT_OUT = {"quit", "full-screen", "open-demo", "report", "open", "save-picture", "log", "play"}
"""Actions that end the window, or that ask somebody."""
PATIENCE_SECS = 60


@dataclass(frozen=True)
class State:
    """What the process takes: resident memory in MiB, threads, open files."""

    mebibytes: float
    threads: int
    handles: int

    @classmethod
    def now(cls) -> State:
        gc.collect()
        return_free_memory()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        handles = len(os.listdir("/proc/self/fd"))
        return cls(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, threading.active_count(), handles)

    def __str__(self) -> str:
        return f"{self.mebibytes:7.1f} MiB  {self.threads:2} threads  {self.handles:3} handles"


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
        threading.excepthook = lambda args: self.errors.append(repr(args.exc_value))
        sys.excepthook = lambda _kind, error, _trace: self.errors.append(repr(error))
        self.viewer.bridge.failure.connect(lambda failure: self.errors.append(failure.message))
        self.viewer.show((900, 600))
        self.open()

    def open(self) -> None:
        """Open one of the clips and wait for its picture."""
        path, session = self._random.choice(self._clips), self.viewer.session
        session.open(path)
        self._wait(lambda: session.clip is not None and session.clip.info.path == path)
        self._look()

    def go_on(self, until_secs: float) -> None:
        """Work until ``until_secs`` of the monotonic clock."""
        session, random = self.viewer.session, self._random
        while time.monotonic() < until_secs:
            self.steps += 1
            for _ in range(random.randrange(1, 6)):
                self.viewer.window.actions_by_id[random.choice(self._rows).id].trigger()
                self._app.processEvents()
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
        session.seek(session.clip.timeline.duration_secs * Fraction(self._random.randrange(1000), 1000))
        self._wait(
            lambda: (
                session.last_query is not None
                and self.viewer.window.frame_view.full_for(session.last_query) is not None
            )
        )
        self.full_msecs.append((time.monotonic() - start) * 1000)

    def _play(self) -> None:
        self.viewer.player.toggle()
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            self._app.processEvents()

    def _wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECS
        while not condition():
            self._app.processEvents()
            time.sleep(0.002)
            if time.monotonic() > end:
                raise TimeoutError(f"nothing came within {PATIENCE_SECS} s; errors so far: {self.errors}")


def work_in_window(clips: list[Path], minutes: float, seed: int) -> list[str]:
    """Do eight hours' work; return what went wrong."""
    app = make_app()
    for name in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
        setattr(QFileDialog, name, lambda *_, **__: ("", ""))
    setattr(QDesktopServices, "openUrl", lambda *_: True)  # noqa: B010
    work, states = Work(app, clips, seed), list[State]()
    start = time.monotonic()
    for hour in range(1, HOURS + 1):
        work.full_msecs.clear()
        work.go_on(start + hour * minutes * 60 / HOURS)
        states.append(State.now())
        middle, late = statistics.median(work.full_msecs), sorted(work.full_msecs)[int(0.95 * len(work.full_msecs))]
        print(f"hour {hour}  {states[-1]}  full picture {middle:4.0f} / {late:5.0f} ms", flush=True)
    growth = (states[-1].mebibytes / states[1].mebibytes - 1) / (HOURS - 2) * 100
    print(f"{work.steps} rounds of actions; growth {growth:+.2f} % an hour; errors {len(work.errors)}", flush=True)
    work.close()
    wrong = [*work.errors]
    if states[-1].threads > states[1].threads + 2 or states[-1].handles > states[1].handles + 4:
        wrong.append(f"threads or handles grew: {states[1]} -> {states[-1]}")
    return wrong


def open_and_close(clips: list[Path], count: int) -> list[str]:
    """Open and close clips; return what went wrong."""
    states = list[State]()
    for number in range(count):
        with videoinr.open(clips[number % len(clips)], model="lite", device="cpu") as video:
            video.decode(Fraction(1, 10), scale=1)
        if number % max(1, count // 4) == count // 4 - 1:
            states.append(State.now())
            print(f"open {number + 1:4}  {states[-1]}", flush=True)
    grew = states[-1].threads > states[0].threads or states[-1].handles > states[0].handles
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
    for number, result in enumerate(run_queue(folder, export), 1):  # type: ignore[arg-type]
        if result.report is None:
            wrong.append(f"{result.name}: {result.message}")
        if number % max(1, count // 5) == 0:
            states.append(State.now())
            print(f"export {number:3}  {states[-1]}  {time.monotonic() - start:6.1f} s", flush=True)
    if states[-1].threads > states[1].threads or states[-1].handles > states[1].handles:
        wrong.append(f"exports left something behind: {states[1]} -> {states[-1]}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--opens", type=int, default=200)
    parser.add_argument("--exports", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="videoinr-load-") as folder:
        clips = [
            write_clip(Path(folder) / "a.mp4", 24, audio_secs=0.9),
            write_clip(Path(folder) / "b.mkv", 12),
            write_clip(Path(folder) / "c.gif", 8, codec="gif", pix_fmt="rgb8"),
        ]
        wrong = work_in_window(clips, arguments.minutes, arguments.seed) if arguments.minutes else []
        wrong += open_and_close(clips, arguments.opens) if arguments.opens else []
        wrong += export_queue(clips, arguments.exports, Path(folder) / "queue") if arguments.exports else []
    print(f"faults: {len(wrong)}", *wrong, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
