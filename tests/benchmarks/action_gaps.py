"""Measures how long each action, menu and change of the theme holds up the event loop of the window.

    xvfb-run -s "-screen 0 1280x800x24" python tests/benchmarks/action_gaps.py [--rounds N] [--all]

It prints the longest gap of each, milliseconds: by the clock, and the processor time of the GUI thread in a gap, each
the median of the rounds; those over GOAL_MSECS, or all of them. The first round, in which dialogs are made, is apart.
The clip is made up, and a quick renderer decodes it: what is measured is the window. Dialogs of files stay shut.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from videoinr_viewer.start.qt_import import import_qt

import_qt()

# As the program does.
from videoinr_viewer.threads.uncollected import uncollected

with uncollected("av", "torch"):
    import av  # noqa: F401
    import torch  # noqa: F401

from PySide6.QtCore import QEventLoop, QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu

from helpers.slow_frames import SlowFrames
from helpers.slow_renderer import Pace, opener
from videoinr_viewer.actions import TABLE
from videoinr_viewer.dialogs.report import ReportCopier
from videoinr_viewer.start.program import LOCK_PATIENCE_SECS, make_app
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.viewer import Viewer

GOAL_MSECS = 50
TICK_MSECS = 2
REST_MSECS = 150
"""What an action sets going is watched for so long."""
SKIPPED = {"quit", "open-demo"}
Gap = tuple[float, float]
"""The longest gap by the clock, and the most processor time in one, milliseconds."""


class Watch(QObject):
    """Measures the gaps between two ticks of a timer."""

    def __init__(self) -> None:
        super().__init__()
        self._last = (0.0, 0.0)
        self._gap = (0.0, 0.0)
        self._timer = QTimer(self, interval=TICK_MSECS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def around(self, act: Callable[[], object]) -> Gap:
        """Call ``act`` from the event loop; return the gaps until some time later."""
        rest(10)
        self._gap = (0.0, 0.0)
        QTimer.singleShot(0, self, act)
        rest(REST_MSECS)
        clock, busy = self._gap
        return 1000 * clock, 1000 * busy

    @Slot()
    def _tick(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self._gap = (max(self._gap[0], now[0] - self._last[0]), max(self._gap[1], now[1] - self._last[1]))
        self._last = now


def rest(msecs: int) -> None:
    """Run the event loop."""
    loop = QEventLoop()
    QTimer.singleShot(msecs, loop.quit)
    loop.exec()


def open_viewer(app: QApplication) -> Viewer:
    """Return a window with a clip, once what its dialogs need is imported."""
    viewer = Viewer(
        app, opener([], pace=Pace(), frames=50, size=(640, 360)), settings=Settings(), theme=Theme.DARK,
        open_frames=partial(SlowFrames, frames=50, size=(640, 360)),
    )  # fmt: skip
    viewer.window.exports.asks = False
    viewer.show((1200, 760))
    viewer.session.open(Path("made-up.mp4"))
    while viewer.session.clip is None or not viewer.window.late_modules.is_ready:
        viewer.window.late_modules.start()
        rest(50)
    rest(1000)
    return viewer


def acts_of(viewer: Viewer) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    window = viewer.window
    acts: dict[str, Callable[[], object]] = {}
    for row in TABLE:
        if row.id not in SKIPPED:
            acts[row.id] = window.actions_by_id[row.id].trigger
            # Most are switches: on and off.
            acts[f"{row.id} again"] = window.actions_by_id[row.id].trigger
    at = window.mapToGlobal(QPoint(20, 40))
    for top in window.menuBar().actions():
        if isinstance(menu := top.menu(), QMenu):
            acts[f"menu {top.text()}"] = partial(menu.popup, at)
            acts[f"menu {top.text()} closes"] = menu.close
    for theme in (Theme.LIGHT, Theme.DARK):
        acts[f"theme {theme.value}"] = partial(window.menus.theme_wanted.emit, theme)
    return acts


def close_dialogs(viewer: Viewer) -> None:
    """Hide what an action has shown."""
    for dialog in viewer.window.findChildren(QDialog):
        dialog.hide()
    rest(20)


def measure(viewer: Viewer, watch: Watch) -> dict[str, Gap]:
    """Do everything once."""
    found = {}
    for name, act in acts_of(viewer).items():
        viewer.session.seek(Fraction(1))
        found[name] = watch.around(act)
        viewer.player.pause()
        if not name.startswith("menu") and not name.startswith("theme"):
            close_dialogs(viewer)
    return found


def with_all_dialogs(viewer: Viewer, watch: Watch) -> dict[str, Gap]:
    """Change the theme while every dialog is open."""
    for name in ("export", "export-queue", "clip-window", "change-shortcuts", "settings", "annotations", "retime",
                 "rolling-shutter", "keys"):  # fmt: skip
        viewer.window.actions_by_id[name].trigger()
        rest(100)
    found = {
        f"theme {theme.value}, nine dialogs": watch.around(partial(viewer.window.menus.theme_wanted.emit, theme))
        for theme in (Theme.LIGHT, Theme.DARK)
    }
    close_dialogs(viewer)
    return found


def main() -> int:
    """Print the gaps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="after the first")
    parser.add_argument("--all", action="store_true", help="print all, not only those over the goal")
    arguments = parser.parse_args()
    sys.setswitchinterval(LOCK_PATIENCE_SECS)
    for name, answer in (("getOpenFileName", ("", "")), ("getSaveFileName", ("", "")), ("getExistingDirectory", "")):
        setattr(QFileDialog, name, lambda *_args, answer=answer, **_named: answer)
    setattr(QDesktopServices, "openUrl", lambda *_args: True)  # noqa: B010
    setattr(ReportCopier, "start", lambda _self: None)  # noqa: B010
    viewer, watch = open_viewer(make_app()), Watch()
    rounds = [{**measure(viewer, watch), **with_all_dialogs(viewer, watch)} for _ in range(arguments.rounds + 1)]
    for title, some in (("first round", rounds[:1]), (f"median of {arguments.rounds} more", rounds[1:])):
        if some:
            print(f"{title}: ms by the clock, ms of processor time")
            print_gaps(some, prints_all=arguments.all)
    viewer.window.close()
    return 0


def print_gaps(rounds: list[dict[str, Gap]], *, prints_all: bool) -> None:
    """Print the medians, the longest first."""
    medians = {
        name: tuple(statistics.median(one[name][side] for one in rounds) for side in (0, 1)) for name in rounds[0]
    }
    over = [name for name, gap in medians.items() if max(gap) > GOAL_MSECS]
    for name in sorted(medians, key=lambda name: -max(medians[name])):
        if prints_all or name in over:
            clock, busy = medians[name]
            print(f"{clock:8.1f} {busy:8.1f}  {name}")
    print(f"  {len(over)} of {len(medians)} over {GOAL_MSECS} ms")


if __name__ == "__main__":
    sys.exit(main())
