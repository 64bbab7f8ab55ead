"""A real viewer process with a slow renderer and a stub export, for tests that send it X events.

    python viewer_under_test.py FOLDER [CLIP [play | export]]

With ``play``, the renderer is quick, and the clip is a file of two seconds with sound. With ``export``, it is quick,
too, and the clip is a file of EXPORTED_FRAMES pictures of EXPORTED_SIZE, which real processes export.

It prints positions and changes to stdout as JSON lines, and a summary at the end. It finds the window among the
application's top-level windows; the program does not know about it.
"""

# ruff: noqa: E402
from __future__ import annotations

import json
import statistics
import sys
import threading
from functools import partial
from pathlib import Path

from videoinr_viewer.start.qt_import import import_qt

# As the program does: PySide6's own __import__ reads the source of each module that is imported later.
import_qt()

from videoinr_viewer.threads.uncollected import uncollected

# The engine has loaded both by the time a clip is open, the slow renderer has not. Loading torch holds Python's lock,
# and a collection that looks through its objects takes 100 ms, on whatever thread it runs.
with uncollected("av", "torch"):
    import av  # noqa: F401
    import torch  # noqa: F401

from PySide6.QtCore import QObject, QPoint, QTimer, Slot
from PySide6.QtWidgets import QApplication, QWidget

from helpers import stub_export
from helpers.loop_watch import LoopWatch
from helpers.slow_frames import SlowFrames
from helpers.slow_renderer import Pace, SlowRenderer, opener
from videoinr.types import AudioInfo, Quality, RenderedRegion
from videoinr_viewer.export.bridge import COMMAND
from videoinr_viewer.main_window import MainWindow
from videoinr_viewer.start.arguments import Arguments
from videoinr_viewer.start.program import LOCK_PATIENCE_SECS, make_app, run

EXPORTED_FRAMES, EXPORTED_SIZE = 4, (64, 48)
SLOW = Pace(secs_per_pixel=4e-6, encode_secs=0.15, source_secs=0.002)
"""More than two seconds for the full picture of the window."""


def say(**values: object) -> None:
    print(json.dumps(values), flush=True)


class Reporter(QObject):
    """Prints changes until the window closes."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = LoopWatch()
        self.counts = dict.fromkeys(Quality, 0)
        self.late_secs: list[float] = []
        self._painted: RenderedRegion | None = None
        self._window: MainWindow | None = None
        self._said: dict[str, object] = {}
        self._timer = QTimer(self, interval=100)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    @Slot()
    def _look(self) -> None:
        if self._window is None:
            self._find()
        else:
            self._say("drop", self._window.drop.highlight.isVisible())
            self._say("window", _box(self._window))
            self._report_offer(self._window)
            if self._window.frame_view.isVisible():
                self._report(self._window)

    def _find(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._window = next((one for one in app.topLevelWidgets() if isinstance(one, MainWindow)), None)
        if self._window is not None:
            self._window.frame_view.shown.connect(self._count)
            self._window.frame_view.painted.connect(self._compare_with_sound)
            self._window.closing.connect(self.watch.stop)
            self.watch.start()

    def _report_offer(self, window: MainWindow) -> None:
        if window.restore_bar.isVisible():
            self._say("restore", _box(window.restore_bar.restore))

    def _report(self, window: MainWindow) -> None:
        session = window.session
        dialog = window.exports.dialog
        self._say("overview", _box(window.timeline.overview))
        self._say("picture", _box(window.frame_view))
        self._say("moved", float(session.view.time_secs) > 0.1)
        self._say("zoom", round(session.view.zoom, 3))
        self._say("centre", [round(side, 3) for side in session.view.centre])
        self._say("time", str(session.view.time_secs))
        self._say("segments", [one.name for one in window.annotations.segments])
        self._say("project", window.projects.path and window.projects.path.name)
        self._say("palette", window.commands.dialog is not None and window.commands.dialog.isVisible())
        self._say("marks", [session.marks.in_secs is not None, session.marks.out_secs is not None])
        self._say("complete", window.frame_view.full_for(session.last_query) is not None)
        self._say("compare", window.frame_view.compare.value)
        self._say("flow", window.inspections.flow.view.value if window.inspections.is_complete else "computing")
        self._say("slice", window.slicing.is_on and window.slicing.is_complete)
        self._say("loupe", window.frame_view.overlays.loupe.isVisible())
        self._say("source_only", window.frame_view.item.source_only)
        coverage = window.timeline.overview._covered[0]
        self._say("covered", [coverage.done, coverage.wanted])
        self._say("playing", window.player.is_playing)
        self._say("note", window.status.play.text())
        self._say("decoded", window.play.decoded)
        self._say("heard", window.sound.is_heard)
        self._say("muted", window.sound.is_muted)
        self._say("keys", window.help.key_sheet is not None and window.help.key_sheet.isVisible())
        if dialog is not None and dialog.isVisible():
            self._say("export", dialog.title.text() if not dialog.start.isVisible() else "form")
            for name, widget in (("path", dialog.form.path), ("start", dialog.start), ("enqueue", dialog.enqueue)):
                self._say(name, _box(widget))
        self._report_queue(window)

    def _report_queue(self, window: MainWindow) -> None:
        queue = window.exports.queue
        if queue.bridge.state is not None:
            self._say("queue", [job.state.value for job in queue.bridge.state.jobs])
            self._say("queue_runs", queue.bridge.is_running)
            self._say("reasons", [job.message for job in queue.bridge.state.jobs if job.message])
        if queue.dialog is not None and queue.dialog.isVisible():
            self._say("run", _box(queue.dialog.run))

    @Slot(tuple)
    def _compare_with_sound(self, regions: tuple[RenderedRegion, ...]) -> None:
        """Note how much later than the sound a new picture is painted."""
        window = self._window
        if window is None or not regions or regions[-1] is self._painted or not window.player.is_playing:
            return
        self._painted = regions[-1]
        heard, clip = window.sound.output_secs, window.session.clip
        if heard is not None and clip is not None:
            self.late_secs.append(float(heard - clip.timeline.time_from_instant(self._painted.query.instant)))

    def _say(self, name: str, value: object) -> None:
        if self._said.get(name) != value:
            self._said[name] = value
            say(**{name: value})

    @Slot(object)
    def _count(self, region: RenderedRegion) -> None:
        self.counts[region.quality] += 1


def _thirds(values: list[float]) -> list[list[float]]:
    """Return the beginning, the middle and the end of ``values``; nothing of a few."""
    third = len(values) // 3
    return [values[start : start + third] for start in range(0, 3 * third, third)] if third else []


def _box(widget: QWidget) -> list[int]:
    corner = widget.mapToGlobal(QPoint(0, 0))
    return [corner.x(), corner.y(), widget.width(), widget.height()]


def main() -> int:
    folder, clip = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    plays, exports = sys.argv[3:] == ["play"], sys.argv[3:] == ["export"]
    frames, size = (50, (320, 180)) if plays else (60, (1920, 1080))
    if exports:
        frames, size = EXPORTED_FRAMES, EXPORTED_SIZE
    made: list[SlowRenderer] = []
    # As the program does: with Python's default, each of a paint's half a dozen calls of Python may come 5 ms late.
    sys.setswitchinterval(LOCK_PATIENCE_SECS)
    make_app()
    reporter = Reporter()
    code = run(
        Arguments(file=clip, size=(1200, 760)),
        open_renderer=opener(
            made,
            pace=Pace() if plays or exports else SLOW,
            frames=frames,
            size=size,
            audio=(AudioInfo("aac", 1, 48000),) if plays else (),
        ),
        settings_path=folder / "viewer.toml",
        log_folder=folder / "log",
        unsaved_folder=folder / "unsaved",
        queue_folder=folder / "queue",
        open_frames=partial(SlowFrames, frames=frames, size=size, secs=0.01),
        export_command=COMMAND if exports else [sys.executable, stub_export.__file__, "ok"],
    )
    say(
        code=code,
        longest_gap_msecs=round(reporter.watch.longest_secs * 1000, 1),
        longest_cpu_msecs=round(reporter.watch.longest_cpu_secs * 1000, 1),
        where=reporter.watch.where,
        busiest=[(round(secs * 1000, 1), *stacks[-2:]) for secs, stacks in reporter.watch.busiest],
        threads=[one.name for one in threading.enumerate() if one is not threading.main_thread()],
        pictures={quality.value: count for quality, count in reporter.counts.items()},
        late_msecs=[round(statistics.median(part) * 1000, 1) for part in _thirds(reporter.late_secs)],
        closed=all(renderer.closed for renderer in made),
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
