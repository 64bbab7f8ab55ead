"""The bridge to the queue of exports: a folder of job files, and a process that runs it with an engine of its own.

The folder is all that there is of the queue, so it outlives the program, and ``videoinr queue`` shows the same one.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from videoinr.errors import VideoInrError
from videoinr_viewer.export.bridge import COMMAND, KEPT_STDERR_CHARS, end_process, process_apart
from videoinr_viewer.style.language import tr
from videoinr_viewer.threads.in_turn import InTurn

if TYPE_CHECKING:
    from videoinr.exporting.queue_state import QueuedJob, QueueState

log = logging.getLogger(__name__)

LOOK_MSECS = 500
"""How often the folder is read while somebody looks at the queue, or it runs."""
_STDERR = "stderr.txt"
"""What the process says goes to this file of the folder: a pipe would break with the window, and a job fail by it."""
NORMAL_ENDS = (0, 1, 4, 130)
"""Exit codes of ``videoinr export --queue``: done, jobs failed, jobs left, interrupted."""


class QueueBridge(QObject):
    """Reads and changes the queue ``folder`` on a thread, and runs it as a process.

    ``folder``: None stands for an empty one that is removed at the end. ``command``: the start of the command line.
    """

    changed = Signal(object)
    """QueueState: what the folder holds now."""
    job_ended = Signal(object)
    """QueuedJob: it is done, or it has failed."""
    run_ended = Signal()
    """The process has ended."""
    failed = Signal(str, str)
    """A message and a hint."""
    _found = Signal(object)
    _may_start = Signal()

    def __init__(self, folder: Path | None, command: Sequence[str] = COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._temporary = tempfile.TemporaryDirectory(prefix="videoinr-queue-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary else folder or Path()
        self._command, self._files = list(command), InTurn("videoinr-queue")
        self._process: QProcess | None = None
        self._is_starting = self._is_looking = self._is_closed = False
        self.state: QueueState | None = None
        self.is_watched = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MSECS)
        self._timer.timeout.connect(self._look_if_needed)
        self._found.connect(self.take)
        self._may_start.connect(self._start_process)

    @property
    def is_running(self) -> bool:
        """Whether a process of this program runs the queue."""
        return self._is_starting or self._process is not None

    @property
    def count_waiting(self) -> int:
        """How many job files have not ended, told by their names alone: for the start of the program."""
        try:
            return sum(name.endswith(".json") for name in os.listdir(self.folder))
        except OSError:  # There is none yet, or it cannot be read: looking at the queue says so.
            return 0

    def watch(self, is_watched: bool) -> None:
        """Tell whether somebody looks at the queue: then it is read twice a second."""
        self.is_watched = is_watched
        if is_watched:
            self.look()
            self._timer.start()

    @Slot()
    def look(self) -> None:
        """Read the folder on the thread; :attr:`changed` tells what was found."""
        if not (self._is_looking or self._is_closed):
            self._is_looking = True
            self._files.submit(self._read)

    def change(self, act: Callable[[Path], object]) -> None:
        """Call ``act`` with the folder on the thread, after what was asked before, and read the folder then."""
        self._files.submit(lambda: self._act(act))

    def start(self) -> None:
        """End the pause of the queue, and run it. No-op if it runs."""
        if not self.is_running:
            self._is_starting = True
            self._files.submit(self._release)

    def pause(self) -> None:
        """Pause the queue: the job that runs frees the device and keeps its finished frames, and the process ends."""
        from videoinr.exporting import queue_control

        self.change(queue_control.pause)

    def close(self) -> None:
        """Stop the process, which keeps its finished frames, and the thread. For the end of the program."""
        self._is_closed = True
        self._timer.stop()
        if self._process is not None:
            end_process(self._process)
        self._files.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    # ---- on the thread ----

    def _read(self) -> None:
        from videoinr.exporting.queue_state import read_queue

        state = None
        try:
            if self.folder.is_dir():
                state = read_queue(self.folder)
        except (VideoInrError, OSError) as error:
            log.info("the queue cannot be read: %s", error)
        finally:
            self._found.emit(state)

    def _act(self, act: Callable[[Path], object]) -> None:
        try:
            act(self.folder)
        except VideoInrError as error:
            self.failed.emit(str(error), error.hint)
        except OSError as error:
            self.failed.emit(tr("{name} cannot be written to.", name=self.folder), str(error.strerror))
        self._read()

    def _release(self) -> None:
        from videoinr.exporting.queue_control import release

        self._act(release)
        self._may_start.emit()

    # ---- on the window's thread ----

    @Slot(object)
    def take(self, state: QueueState | None) -> None:
        """Take what the folder holds now; None: there is no folder."""
        from videoinr.exporting.queue_state import EMPTY

        self._is_looking = False
        if self._is_closed:
            return
        before, self.state = self.state, state or EMPTY
        if before is not None:
            ended_before = {job.name for job in before.ended_jobs}
            for job in self.state.ended_jobs:
                if job.name not in ended_before:
                    self._tell_end(job)
        self.changed.emit(self.state)

    def _tell_end(self, job: QueuedJob) -> None:
        log.info("export queue: a job is %s", job.state.value)
        self.job_ended.emit(job)

    @Slot()
    def _look_if_needed(self) -> None:
        if self.is_watched or self.is_running:
            self.look()
        else:
            self._timer.stop()

    @Slot()
    def _start_process(self) -> None:
        self._is_starting = False
        if self._is_closed:
            return
        process = process_apart(self)
        process.setStandardOutputFile(QProcess.nullDevice())
        process.setStandardErrorFile(str(self.folder / _STDERR))
        process.errorOccurred.connect(self._fail_to_start)
        process.finished.connect(self._end)
        self._process = process
        line = [*self._command, "export", "--json-progress", "--queue", str(self.folder)]
        log.info("export queue: %s", line[:-1])
        process.start(line[0], line[1:])
        self._timer.start()

    def _said(self) -> list[str]:
        """Return the last lines that the process has said."""
        try:
            text = (self.folder / _STDERR).read_bytes()[-KEPT_STDERR_CHARS:].decode(errors="replace")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines() if line.strip()]

    @Slot(QProcess.ProcessError)
    def _fail_to_start(self, error: QProcess.ProcessError) -> None:
        # After any other error, QProcess emits finished().
        if error is QProcess.ProcessError.FailedToStart:
            self._forget_process()
            self.failed.emit(tr("The queue could not be started."), tr("{name} cannot be run.", name=self._command[0]))

    @Slot(int, QProcess.ExitStatus)
    def _end(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        self._forget_process()
        said = self._said()
        errors = [line for line in said if line.startswith("error: ")]
        if errors:
            self.failed.emit(errors[-1].removeprefix("error: "), "")
        elif exit_code not in NORMAL_ENDS or status is QProcess.ExitStatus.CrashExit:
            log.error("the export queue ended with %s: %s", exit_code, said)
            words = tr("The queue ended unexpectedly (exit code {code}).", code=exit_code)
            self.failed.emit(words, said[-1] if said else "")

    def _forget_process(self) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        self.look()
        self.run_ended.emit()
