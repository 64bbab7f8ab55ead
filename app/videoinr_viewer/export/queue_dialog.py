"""The window of the export queue: its jobs, how far they are, and what can be done to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from videoinr.exporting import queue_control
from videoinr.exporting.queue_state import JobState, QueuedJob, QueueState
from videoinr_viewer.dialogs.list_keys import use_by_keyboard
from videoinr_viewer.dialogs.question import agrees
from videoinr_viewer.dialogs.side_dialog import SideDialog
from videoinr_viewer.export.log_window import LogWindow
from videoinr_viewer.export.queue_bridge import QueueBridge
from videoinr_viewer.style.language import tr, tr_engine
from videoinr_viewer.style.text import format_duration, format_frames, format_remaining
from videoinr_viewer.style.theme import Tone, set_tone

_NAME = Qt.ItemDataRole.UserRole
_WAITS = (JobState.WAITING, JobState.PAUSED, JobState.INVALID)
_BAD = (JobState.FAILED, JobState.INVALID)
_CAN_PAUSE = (JobState.RUNNING, JobState.WAITING, JobState.PAUSED)


class QueueDialog(SideDialog):
    """A window beside the main one. Closing it only hides it, and the queue goes on."""

    def __init__(self, bridge: QueueBridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Export queue"))
        self._bridge = bridge
        self._jobs: dict[str, QueuedJob] = {}
        self.list, self.note, self.summary = QTreeWidget(), QLabel(wordWrap=True), QLabel()
        self.progress = QProgressBar(textVisible=False)
        self.run = QPushButton(tr("&Start"), autoDefault=False)
        self.up, self.down, self.hold, self.again, self.remove, self.folder, self.log = (
            QPushButton(text, autoDefault=False)
            for text in (tr("Move &up"), tr("Move &down"), tr("&Pause the job"), tr("&Try again"), tr("&Remove"),
                         tr("Open &folder"), tr("Show the &log"))
        )  # fmt: skip
        self.log_window: LogWindow | None = None
        self._prepare_list()
        self._lay_out()
        self._connect()
        self._show(bridge.state)

    def _prepare_list(self) -> None:
        self.list.setAccessibleName(tr("Jobs of the export queue"))
        self.list.setHeaderLabels([tr("File"), tr("State"), tr("Frames"), tr("Time left")])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.list.setStyleSheet("QTreeWidget::item { padding: 3px 10px 3px 4px; }")
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.list.header()
        header.setStretchLastSection(False)
        # The columns are as wide as what is in sight needs: to measure hundreds of jobs takes long.
        header.setResizeContentsPrecision(0)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.progress.setAccessibleName(tr("Progress of the job that runs"))
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note.setMinimumHeight(self.note.fontMetrics().height() * 2)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)

    def _lay_out(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(6)
        for button in (self.up, self.down, self.hold, self.again, self.remove, self.folder, self.log):
            side.addWidget(button)
        side.addStretch(1)
        middle = QHBoxLayout()
        middle.setSpacing(12)
        middle.addWidget(self.list, 1)
        middle.addLayout(side)
        buttons = self.close_box(self.run)
        bottom = QHBoxLayout()
        bottom.addWidget(self.summary, 1)
        bottom.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addLayout(middle, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.progress)
        layout.addLayout(bottom)
        self.wanted_px = QSize(620, 380)

    def _connect(self) -> None:
        self._bridge.changed.connect(self._show)
        self._bridge.run_ended.connect(self._enable)
        self.list.itemSelectionChanged.connect(self._enable)
        self.run.clicked.connect(self._run)
        self.up.clicked.connect(partial(self._move, "up"))
        self.down.clicked.connect(partial(self._move, "down"))
        self.hold.clicked.connect(self._hold)
        self.again.clicked.connect(self._try_again)
        self.remove.clicked.connect(self._remove)
        self.folder.clicked.connect(self._open_folder)
        self.log.clicked.connect(self._show_log)
        use_by_keyboard(self.list, {"Del": self.remove, "Alt+Up": self.up, "Alt+Down": self.down})

    def offer(self) -> None:
        """Show the window before all others."""
        for act in (self.show, self.raise_, self.activateWindow):
            act()

    def showEvent(self, event: QShowEvent) -> None:
        """Read the queue twice a second from now on."""
        super().showEvent(event)
        self._bridge.watch(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Read it no more, unless it runs."""
        super().hideEvent(event)
        self._bridge.watch(False)

    # ---- what is shown ----

    @Slot(object)
    def _show(self, state: QueueState | None) -> None:
        before, self._jobs = self._jobs, {job.name: job for job in state.jobs} if state is not None else {}
        jobs = list(self._jobs.values())
        if list(before) != list(self._jobs):
            before = {}
            self._list_anew(list(self._jobs))
        self._fill_rows([row for row, job in enumerate(jobs) if before.get(job.name) != job])
        running = next((job for job in jobs if job.state is JobState.RUNNING), None)
        self.progress.setVisible(running is not None)
        if running is not None:
            self.progress.setRange(0, running.total)
            self.progress.setValue(running.done)
        self.summary.setText("" if state is None else describe_queue(state))
        self._enable()

    def _fill_rows(self, rows: list[int]) -> None:
        """Fill ``rows`` and tell the list once: at each text it would measure its columns, of all rows, anew."""
        if not rows:
            return
        model, jobs = self.list.model(), list(self._jobs.values())
        model.blockSignals(True)
        for row in rows:
            self._fill(self.list.topLevelItem(row), jobs[row])
        model.blockSignals(False)
        model.dataChanged.emit(model.index(min(rows), 0), model.index(max(rows), self.list.columnCount() - 1))

    def _list_anew(self, names: list[str]) -> None:
        """List ``names``; the selection and the row of the keyboard stay with their jobs."""
        selected, now = self._selected, self.list.currentItem()
        current = None if now is None else now.data(0, _NAME)
        row = 0 if now is None else self.list.indexOfTopLevelItem(now)
        self.list.blockSignals(True)
        self.list.clear()
        items = {name: QTreeWidgetItem() for name in names}
        for name, item in items.items():
            item.setData(0, _NAME, name)
        self.list.addTopLevelItems(list(items.values()))
        if names:
            self.list.setCurrentItem(items[current if current in items else names[min(row, len(names) - 1)]])
        for job in selected:
            if job.name in items:
                items[job.name].setSelected(True)
        self.list.blockSignals(False)

    def _fill(self, item: QTreeWidgetItem | None, job: QueuedJob) -> None:
        assert item is not None
        texts = (
            job.out.name if job.out is not None else job.name,
            describe_state(job),
            tr("{done} of {total}", done=job.done, total=job.total) if job.total else "",
            "" if job.remaining_secs is None else format_duration(job.remaining_secs),
        )
        for column, text in enumerate(texts):
            if item.text(column) != text:
                item.setText(column, text)
        item.setToolTip(0, str(job.out or job.path))
        item.setToolTip(1, _reason(job))

    @property
    def _selected(self) -> list[QueuedJob]:
        names = (item.data(0, _NAME) for item in self.list.selectedItems())
        return [self._jobs[name] for name in names if name in self._jobs]

    @Slot()
    def _enable(self) -> None:
        """Offer what can be done to the selected jobs, and say more about the first of them."""
        jobs, state = self._selected, self._bridge.state
        places = [job.name for job in self._jobs.values() if job.state in (*_WAITS, JobState.RUNNING)]
        place = places.index(jobs[0].name) if len(jobs) == 1 and jobs[0].name in places else None
        self.up.setEnabled(bool(place))
        self.down.setEnabled(place is not None and place + 1 < len(places))
        is_held = bool(jobs) and all(job.state is JobState.PAUSED for job in jobs)
        self.hold.setText(tr("&Go on with the job") if is_held else tr("&Pause the job"))
        self.hold.setEnabled(any(job.state in _CAN_PAUSE for job in jobs))
        self.again.setEnabled(any(job.state is JobState.FAILED for job in jobs))
        self.remove.setEnabled(any(job.state is not JobState.RUNNING for job in jobs))
        self.folder.setEnabled(len(jobs) == 1 and jobs[0].out is not None)
        self.log.setEnabled(len(jobs) == 1 and jobs[0].log is not None)
        is_running = self._bridge.is_running or bool(state and state.count(JobState.RUNNING))
        is_pausing = bool(state and state.is_paused) and is_running
        self.run.setText(tr("Pausing…") if is_pausing else tr("Pause the &queue") if is_running else tr("&Start"))
        self.run.setEnabled(not is_pausing and (is_running or bool(state and state.count(*_WAITS))))
        self._say(jobs[0] if jobs else None)

    def _say(self, job: QueuedJob | None) -> None:
        is_bad = job is not None and job.state in _BAD
        words = "" if job is None else _reason(job) if is_bad else str(job.out or job.path)
        if not self._jobs:
            words = tr("No jobs. The export dialog adds one for what the window shows.")
        set_tone(self.note, Tone.BAD if is_bad else Tone.PLAIN)
        if self.note.text() != words:
            self.note.setText(words)

    # ---- what is done ----

    @Slot()
    def _run(self) -> None:
        state = self._bridge.state
        if self._bridge.is_running or (state and state.count(JobState.RUNNING)):
            self._bridge.pause()
        else:
            self._bridge.start()
        self._enable()

    def _move(self, place: str) -> None:
        for job in self._selected[:1]:
            self._bridge.change(_act(queue_control.place_job, job.name, place))

    @Slot()
    def _hold(self) -> None:
        jobs = [job for job in self._selected if job.state in _CAN_PAUSE]
        act = queue_control.resume if all(job.state is JobState.PAUSED for job in jobs) else queue_control.pause
        for job in jobs:
            self._bridge.change(_act(act, job.name))

    @Slot()
    def _try_again(self) -> None:
        for job in self._selected:
            if job.state is JobState.FAILED:
                self._bridge.change(_act(queue_control.retry, job.name))

    @Slot()
    def _remove(self) -> None:
        jobs = [job for job in self._selected if job.state is not JobState.RUNNING]
        done = sum(job.done for job in jobs if job.state in _WAITS)
        question = tr("Remove it with its unfinished export, {frames}?", frames=format_frames(done))
        if done and not agrees(self, tr("Export queue"), question, verb=tr("Remove")):
            return
        for job in jobs:
            self._bridge.change(_act(queue_control.remove, job.name))

    @Slot()
    def _open_folder(self) -> None:
        for job in self._selected[:1]:
            if job.out is not None:
                QDesktopServices.openUrl(QUrl.fromLocalFile(str(job.out.parent)))

    @Slot()
    def _show_log(self) -> None:
        for job in self._selected[:1]:
            if job.log is not None:
                self.log_window = self.log_window or LogWindow(self)
                self.log_window.offer(job.out.name if job.out else job.name, job.log)


def _act(function: Callable[..., object], *arguments: object) -> Callable[[Path], object]:
    return lambda folder: function(folder, *arguments)


def _reason(job: QueuedJob) -> str:
    return f"{tr_engine(job.message)} {tr_engine(job.hint)}".strip()


def describe_state(job: QueuedJob) -> str:
    """Return the state of ``job`` for the user."""
    if job.state is JobState.RUNNING and not job.done:
        return tr("starting")
    return {
        JobState.RUNNING: tr("running"), JobState.WAITING: tr("waiting"), JobState.PAUSED: tr("paused"),
        JobState.FAILED: tr("failed"), JobState.DONE: tr("done"), JobState.INVALID: tr("invalid"),
    }[job.state]  # fmt: skip


def describe_queue(state: QueueState) -> str:
    """Return ``2 of 5 done, 1 failed, about 3 min left``."""
    words = [tr("{done} of {total} done", done=state.count(JobState.DONE), total=len(state.jobs))]
    if failed := state.count(JobState.FAILED):
        words.append(tr("{count} failed", count=failed))
    if state.is_paused:
        words.append(tr("the queue is paused"))
    elif state.remaining_secs is not None:
        words.append(format_remaining(state.remaining_secs))
    return ", ".join(words) if state.jobs else ""
