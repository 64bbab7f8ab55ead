"""The export dialog: the form, then the progress, then the result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from videoinr.errors import VideoInrError
from videoinr.exporting.excerpt import DEFAULT_SECS, sample_name
from videoinr.exporting.job import ExportJob
from videoinr.exporting.job_file import text_of_job
from videoinr.exporting.outputs import can_resume, is_taken
from videoinr.types import ExportProgress
from videoinr.writing.whole_files import write_file
from videoinr_viewer.dialogs.question import agrees
from videoinr_viewer.dialogs.side_dialog import SideDialog
from videoinr_viewer.export.bridge import ExportBridge
from videoinr_viewer.export.form import ExportForm, ExportSource
from videoinr_viewer.export.queue_window import ExportQueue
from videoinr_viewer.style.language import tr, tr_engine
from videoinr_viewer.style.text import describe_estimate, format_frames, format_remaining


class ExportDialog(SideDialog):
    """A dialog beside the window. Closing it only hides it, and a running export continues.

    ``is_estimating``: whether what runs is an estimate, which writes nothing.
    """

    told = Signal(str)
    """How an export has ended of which the hidden dialog shows nothing."""
    failed = Signal(str, str)
    """Why such an export failed: what happened, and what to do."""

    def __init__(self, bridge: ExportBridge, queue: ExportQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Export"))
        self._bridge, self._queue = bridge, queue
        # Each part is made where it stays: Qt styles a widget that is moved into another anew, with all that it holds.
        self._pages = QStackedWidget(self)
        self._first, self._second = QWidget(self._pages), QWidget(self._pages)
        self.form = ExportForm(self._first)
        self.start = QPushButton(tr("Export"))
        self.start.setDefault(True)
        self.sample = QPushButton(tr("Sample of 2 s"), self._first, autoDefault=False)
        self.sample.setToolTip(tr("Exports two seconds from the time that the window shows, to a file of its own"))
        self.estimate = QPushButton(tr("Estimate"), self._first, autoDefault=False)
        self.estimate.setToolTip(tr("Decodes and codes a few frames, and tells time, size and memory"))
        self.enqueue = QPushButton(tr("&Add to the queue"), autoDefault=False)
        self.save = QPushButton(tr("Save as a job…"), self._first, autoDefault=False)
        self.save.setToolTip(tr("A file for videoinr export --job, or for a folder of them, --queue"))
        self.progress = QProgressBar(self._second, textVisible=False)
        self.title, self.status = QLabel(self._second), QLabel(self._second, wordWrap=True)
        self.title.setObjectName("exportTitle")
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.cancel, self.again, self.show_file, self.show_queue = (
            QPushButton(title, autoDefault=False)
            for title in (tr("Cancel the export"), tr("Back"), tr("Show the file"), tr("Show the queue"))
        )
        self._buttons = (
            self.start, self.enqueue, self.cancel, self.again, self.show_file, self.show_queue,
        )  # fmt: skip
        self._finished_path: Path | None = None
        self._done, self._is_stopping = 0, False
        self.is_estimating = self._is_unseen = False
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        buttons = self.close_box(*self._buttons)
        column = QVBoxLayout(self._second)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addStretch(1)
        for widget in (self.title, self.progress, self.status):
            column.addWidget(widget)
        column.addStretch(2)
        self._lay_out_first()
        for page in (self._first, self._second):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(14)
        layout.addWidget(self._pages)
        layout.addWidget(buttons)
        self.setMinimumWidth(480)
        self._show_form()

    def _lay_out_first(self) -> None:
        """Lay out the form, and below it what one may do before the export."""
        before = QHBoxLayout()
        before.setSpacing(8)
        for button in (self.estimate, self.sample, self.save):
            before.addWidget(button)
        before.addStretch(1)
        column = QVBoxLayout(self._first)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form)
        column.addLayout(before)

    def _connect(self) -> None:
        for button in (self.start, self.enqueue, self.estimate, self.sample, self.save):
            self.form.changed.connect(button.setEnabled)
        self.start.clicked.connect(self._start)
        self.estimate.clicked.connect(self._estimate)
        self.sample.clicked.connect(self._sample)
        self.enqueue.clicked.connect(self._enqueue)
        self.show_queue.clicked.connect(self._queue.show)
        self.save.clicked.connect(self._save_job)
        self.cancel.clicked.connect(self._cancel)
        self.again.clicked.connect(self._show_form)
        self.show_file.clicked.connect(self._show_in_folder)
        self._bridge.progressed.connect(self._show_progress)
        self._bridge.finished.connect(self._show_finished)
        self._bridge.failed.connect(self._show_failed)
        self._bridge.cancelled.connect(self._show_cancelled)
        self._bridge.kept.connect(self._show_kept)
        self._bridge.estimated.connect(self._show_estimate)

    def offer(self, source: ExportSource) -> None:
        """Show the dialog with the form for ``source``; or with a running export, or how one ended in the meantime."""
        self.follow(source)
        self._queue.bridge.look()
        if not self._bridge.is_running and not self._is_unseen:
            self._show_form()
        self._is_unseen = False
        self.show()
        self.raise_()
        self.activateWindow()

    def follow(self, source: ExportSource) -> None:
        """Let the form describe an export of ``source``: the window shows another clip, region or segment now."""
        self.form.set_source(source)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hide the dialog; a running export continues."""
        event.ignore()
        self.hide()

    def event(self, event: QEvent) -> bool:
        """Grow where the summary of the form has got more lines."""
        done = bool(super().event(event))
        if event.type() == QEvent.Type.LayoutRequest:
            self.grow()
        return done

    @Slot()
    def _show_form(self) -> None:
        self._pages.setCurrentIndex(0)
        self._show_buttons(self.start, self.enqueue)

    def _show_buttons(self, *shown: QPushButton) -> None:
        for button in self._buttons:
            button.setVisible(button in shown)

    @Slot()
    def _start(self) -> None:
        if (job := self._agreed_job()) is None:
            return
        if can_resume(job) and self._agrees_to_go_on(job.out):
            job = replace(job, resume=True)
        self._run(job.arguments(), job.out.name)

    @Slot()
    def _sample(self) -> None:
        try:
            out = sample_name(self.form.job.out)
        except VideoInrError as error:
            self._show_failed(str(error), error.hint)
            return
        if (job := self._agreed_job(out)) is not None:
            line = job.arguments()
            at = ["--sample", str(DEFAULT_SECS), "--sample-at", str(self.form.now_secs)]
            self._run([*line[:1], *at, *line[1:]], out.name)

    @Slot()
    def _estimate(self) -> None:
        try:
            line = self.form.job.arguments()
        except VideoInrError as error:
            self._show_failed(str(error), error.hint)
            return
        self._run([*line[:1], "--estimate", *line[1:]], "")
        self.is_estimating = True
        self.title.setText(tr("Estimate"))
        self.status.setText(tr("A few frames are decoded and coded…"))
        self.cancel.setText(tr("Cancel the estimate"))

    def _agreed_job(self, out: Path | None = None) -> ExportJob | None:
        """Return the job of the form, which replaces ``out`` (None: its output) if that exists and the user agrees."""
        try:
            job = self.form.job
        except VideoInrError as error:
            self._show_failed(str(error), error.hint)
            return None
        if not is_taken(replace(job, out=out or job.out)):
            return job
        return replace(job, overwrite=True) if self._agrees_to_replace(out or job.out) else None

    def _run(self, arguments: list[str], name: str) -> None:
        self._pages.setCurrentIndex(1)
        self.progress.setRange(0, 0)
        self.progress.show()
        self.title.setText(tr("Exporting {name}", name=name))
        self.status.setText(tr("Starting…"))
        self._show_buttons(self.cancel)
        self.cancel.setText(tr("Cancel the export"))
        self._done, self._is_stopping, self.is_estimating = 0, False, False
        self._bridge.start(arguments)

    @Slot()
    def _enqueue(self) -> None:
        if (job := self._agreed_job()) is None:
            return
        if self._queue.expects(job.out):
            words = tr("A job of the queue exports to {name} already.", name=job.out.name)
            self._show_failed(words, tr("Choose another name."))
            return
        self._queue.add(text_of_job(job), job.out)
        self.progress.hide()
        self._end(tr("Added to the queue"), str(job.out), self.again, self.show_queue)
        # Another segment of the clip is likely to come next.
        self.form.path.setText(str(self._queue.next_name(job.out)))

    @Slot()
    def _save_job(self) -> None:
        try:
            job = self.form.job
            name, _ = QFileDialog.getSaveFileName(
                self, tr("Save as a job"), str(job.out.with_suffix(".json")), f"{tr('Job files')} (*.json)"
            )
            if name:
                write_file(Path(name), text_of_job(job), replace=True)
        except VideoInrError as error:
            self._show_failed(str(error), error.hint)

    def _agrees_to_replace(self, path: Path) -> bool:
        return agrees(self, tr("Export"), tr("{name} already exists. Replace it?", name=path.name), verb=tr("Replace"))

    def _agrees_to_go_on(self, path: Path) -> bool:
        question = tr("An unfinished export to {name} is left. Go on with it?", name=path.name)
        return agrees(self, tr("Export"), question, verb=tr("Go on"))

    def _wants_to_keep(self, done: int) -> bool:
        question = tr("Keep what is finished, {frames}, as a video of its own?", frames=format_frames(done))
        box = QMessageBox(QMessageBox.Icon.Question, tr("Export"), question, parent=self)
        keep = box.addButton(tr("Keep"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(tr("Discard"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.exec()
        return box.clickedButton() is keep

    @Slot()
    def _cancel(self) -> None:
        done, keep = 0 if self._is_stopping else self._done, False
        if done:
            keep = self._wants_to_keep(done)
        # What is kept may take long to finish: the second time, nothing is asked.
        self._is_stopping = True
        self.status.setText(tr("Finishing the file…") if keep else tr("Stopping…"))
        self.cancel.setEnabled(keep)
        self._bridge.cancel(keep=keep)

    @Slot(object)
    def _show_progress(self, progress: ExportProgress) -> None:
        self.progress.setRange(0, max(1, progress.total))
        self.progress.setValue(progress.done)
        if not self._is_stopping:
            self._done = progress.done
            is_last = progress.done == progress.total
            left = tr("checking the file…") if is_last else format_remaining(progress.remaining_secs)
            self.status.setText(
                tr("{done} of {frames}, {left}", done=progress.done, frames=format_frames(progress.total), left=left)
            )

    @Slot(object, int, str)
    def _show_finished(self, path: Path, frames: int, warnings: str) -> None:
        self._finished_path = path
        words = tr("Saved {frames} to {path}", frames=format_frames(frames), path=path)
        self._end(tr("Done"), f"{words}\n{warnings}".strip(), self.again, self.show_file)
        self._tell(self.status.text())
        self.progress.setRange(0, 1)
        self.progress.setValue(1)

    @Slot(dict)
    def _show_estimate(self, found: dict[str, Any]) -> None:
        self.progress.hide()
        self._end(tr("Estimate"), describe_estimate(found), self.again)
        self._tell(f"{tr('Estimate')}: {self.status.text()}")

    @Slot(str, str)
    def _show_failed(self, message: str, hint: str) -> None:
        self.progress.hide()
        title = tr("The estimate failed") if self.is_estimating else tr("The export failed")
        self._end(title, f"{tr_engine(message)}\n{tr_engine(hint)}".strip(), self.again)
        if self._is_unseen:
            self.failed.emit(message, hint)

    @Slot()
    def _show_cancelled(self) -> None:
        self.progress.hide()
        self._end(tr("Cancelled"), "" if self.is_estimating else tr("Nothing was saved."), self.again)

    @Slot(str, object)
    def _show_kept(self, message: str, path: Path) -> None:
        self._finished_path = path
        self.progress.hide()
        self._end(tr("Stopped"), message, self.again, self.show_file)
        self._tell(message)

    def _tell(self, words: str) -> None:
        """Tell how it ended where nobody sees the dialog."""
        if self._is_unseen:
            self.told.emit(words.replace("\n", " "))

    def _end(self, title: str, words: str, *buttons: QPushButton) -> None:
        self._pages.setCurrentIndex(1)
        self._is_unseen, self.is_estimating = not self.isVisible(), False
        self.cancel.setEnabled(True)
        self.title.setText(title)
        self.status.setText(words)
        self._show_buttons(*buttons)

    @Slot()
    def _show_in_folder(self) -> None:
        if self._finished_path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._finished_path.parent)))
