"""The queue of exports as the window knows it: its dialog, jobs that are added, and what is told when they end."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from videoinr_viewer.export.queue_bridge import QueueBridge
from videoinr_viewer.style.language import tr, tr_engine
from videoinr_viewer.style.text import format_frames
from videoinr_viewer.threads.late_modules import LateModules

if TYPE_CHECKING:
    from videoinr.exporting.queue_state import QueuedJob, QueueState
    from videoinr_viewer.export.queue_dialog import QueueDialog

QUEUE_MODULES = (
    "videoinr.exporting.queue_control", "videoinr.exporting.queue_state", "videoinr_viewer.export.queue_dialog",
)  # fmt: skip
"""What the dialog needs; imported after the first picture."""


class ExportQueue(QObject):
    """The queue that ``bridge`` runs. ``asks``: whether somebody is there to see dialogs and notifications."""

    told = Signal(str)
    """A job is done: a sentence."""
    failed = Signal(str, str)
    """A job or the queue failed: a message and a hint."""
    noted = Signal(str)
    """A few words for the status line about the queue; empty if there is nothing to say."""

    def __init__(self, bridge: QueueBridge, window: QWidget, *, modules: LateModules, asks: bool) -> None:
        super().__init__(window)
        self.bridge, self._window, self._modules, self.asks = bridge, window, modules, asks
        self.dialog: QueueDialog | None = None
        self._tray: QSystemTrayIcon | None = None
        bridge.changed.connect(self._note)
        bridge.job_ended.connect(self._tell)
        bridge.failed.connect(self.failed)
        bridge.run_ended.connect(self._note_end)

    def note_left(self) -> None:
        """Say in the status line how many jobs the last run of the program has left."""
        self.noted.emit(_words_waiting(self.bridge.count_waiting))

    def show(self) -> None:
        """Show the dialog."""
        if self.asks:
            self._modules.when_ready(self._show)
        else:
            # Nobody sees the window wait, and a screenshot shows what is there when the action ends.
            self._show()

    def _show(self) -> None:
        # Imported here: the start of the program does without it.
        from videoinr_viewer.export.queue_dialog import QueueDialog

        if self.dialog is None:
            self.dialog = QueueDialog(self.bridge, self._window)
        self.dialog.offer()

    def hide(self) -> None:
        """Hide the dialog."""
        if self.dialog is not None:
            self.dialog.hide()

    def add(self, text: str, out: Path) -> None:
        """Add a job at the end: the content of a job file that exports to ``out``."""
        from videoinr.exporting.queue_control import add_job

        self.bridge.change(lambda folder: add_job(folder, text, stem=out.stem))

    def expects(self, out: Path) -> bool:
        """Return whether a job that has not ended exports to ``out``."""
        state = self.bridge.state
        return state is not None and any(job.out == out for job in state.open_jobs)

    def next_name(self, out: Path) -> Path:
        """Return a name like ``out``, which a job exports to, that neither a job nor a file has."""
        stem = re.sub(r"-\d+$", "", out.stem)
        names = (out.with_name(f"{stem}-{number}{out.suffix}") for number in count(2))
        return next(name for name in names if name != out and not name.exists() and not self.expects(name))

    @Slot(object)
    def _note(self, state: QueueState) -> None:
        from videoinr.exporting.queue_state import JobState

        running = next((job for job in state.jobs if job.state is JobState.RUNNING), None)
        if running is None:
            self.noted.emit("" if self.bridge.is_running else _words_waiting(len(state.open_jobs)))
            return
        percent = 100 * running.done // max(1, running.total)
        self.noted.emit(tr("queue {percent}%, {count} left", percent=percent, count=len(state.open_jobs)))

    @Slot(object)
    def _tell(self, job: QueuedJob) -> None:
        from videoinr.exporting.queue_state import JobState

        name = job.out.name if job.out is not None else job.name
        if job.state is JobState.DONE:
            self.told.emit(tr("Saved {frames} to {path}", frames=format_frames(job.total), path=job.out or name))
        else:
            self.failed.emit(
                tr("{name} could not be exported: {message}", name=name, message=tr_engine(job.message)), job.hint
            )

    @Slot()
    def _note_end(self) -> None:
        state = self.bridge.state
        if self.asks and state is not None and QApplication.activeWindow() is None:
            self._notify(tr("The export queue has ended."))

    def _notify(self, words: str) -> None:
        """Tell somebody who looks at another program: the desktop's way, where there is one; it never waits."""
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            if self._tray is None:
                self._tray = QSystemTrayIcon(QApplication.windowIcon(), self)
                self._tray.messageClicked.connect(self._window.activateWindow)
            self._tray.show()
            self._tray.showMessage(QApplication.applicationDisplayName(), words)


def _words_waiting(count: int) -> str:
    if not count:
        return ""
    return tr("1 job in the queue") if count == 1 else tr("{count} jobs in the queue", count=count)
