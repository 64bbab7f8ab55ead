"""The bridge to an export: a process with its own engine, so that the window stays responsive."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from videoinr.commands.stop_lines import KEEP, LEAVE, STOP
from videoinr.text.hidden_names import hidden_names
from videoinr.types import ExportProgress
from videoinr_viewer.style.language import tr, tr_engine

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "videoinr.cli")
"""-P: without it, Python would import modules from the current folder, for example a typer.py among the downloads."""
GRACE_MSECS = 5000
"""The time that a cancelled export has to clean up before it is killed."""
KEPT_STDERR_CHARS = 4000
_HAS_SIGNALS = os.name == "posix"
"""Elsewhere, ``QProcess.terminate`` closes windows, and a program of the console has none: it gets a line."""
_KEPT = 3
"""The exit code of an export that ended early and kept its finished frames."""


class ExportBridge(QObject):
    """Runs ``videoinr export`` as a process, one at a time, and emits signals about it.

    ``command``: the start of the command line, to which the arguments of an export are appended.
    """

    progressed = Signal(object)
    """ExportProgress."""
    finished = Signal(object, int, str)
    """The path of the file, its number of frames, and sentences about what was met in the clip."""
    failed = Signal(str, str)
    """A message and a hint."""
    kept = Signal(str, object)
    """The export was cancelled, and its finished frames are in a file: a message, and the path."""
    estimated = Signal(dict)
    """What an export would take, as :meth:`videoinr.exporting.estimate.Estimate.to_dict` says it."""
    cancelled = Signal()
    ended = Signal()
    """The process has ended; emitted after finished, failed, kept, estimated or cancelled."""

    def __init__(self, command: Sequence[str] = COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = list(command)
        self._process: QProcess | None = None
        self._stderr = ""
        self._outcome: dict[str, object] | None = None
        self._is_cancelled = False

    @property
    def is_running(self) -> bool:
        """Whether an export is running."""
        return self._process is not None

    def start(self, arguments: Sequence[str]) -> None:
        """Run the command with ``arguments``: export, its options and its paths. No other export may be running."""
        if self._process is not None:
            raise RuntimeError("an export is already running")
        self._stderr, self._outcome, self._is_cancelled = "", None, False
        for path in filter(os.path.isabs, arguments):
            hidden_names.remember(Path(path))
        process = process_apart(self)
        process.readyReadStandardOutput.connect(self._read_lines)
        process.readyReadStandardError.connect(self._read_stderr)
        process.errorOccurred.connect(self._fail_to_start)
        process.finished.connect(self._end)
        self._process = process
        # After the first word, because options end where the paths begin.
        line = [*self._command, *arguments[:1], "--json-progress", *arguments[1:]]
        log.info("export: %s", line)
        process.start(line[0], line[1:])

    def cancel(self, *, keep: bool = False) -> None:
        """Ask the export to stop and clean up; kill it if it has not after GRACE_MSECS.

        ``keep``: ask it to finish a file of the frames that are done instead, however long that takes.
        """
        if (process := self._process) is None or self._is_cancelled:
            return
        if keep:
            process.write(KEEP + b"\n")
            return
        self._is_cancelled = True
        interrupt(process)
        QTimer.singleShot(GRACE_MSECS, process, process.kill)

    def stop(self) -> None:
        """Stop the export and wait for its end, at most GRACE_MSECS, then kill it. For the end of the program.

        The export leaves what is finished, and the dialog offers to go on with it.
        """
        if (process := self._process) is None:
            return
        self._is_cancelled = True
        end_process(process)

    @Slot()
    def _read_lines(self) -> None:
        while self._process is not None and self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            try:
                event = json.loads(line)
                self._take(event["event"], event)
            except (ValueError, KeyError, TypeError):
                log.warning("unknown line from the export: %r", line)

    def _take(self, name: str, event: dict[str, object]) -> None:
        if name == "progress":
            done, total, elapsed = event["done"], event["total"], event["elapsed_secs"]
            self.progressed.emit(ExportProgress(int(str(done)), int(str(total)), float(str(elapsed))))
        elif name in ("finished", "failed", "estimated"):
            self._outcome = event

    @Slot()
    def _read_stderr(self) -> None:
        if self._process is not None:
            new = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            self._stderr = (self._stderr + new)[-KEPT_STDERR_CHARS:]

    @Slot(QProcess.ProcessError)
    def _fail_to_start(self, error: QProcess.ProcessError) -> None:
        # After any other error, QProcess emits finished().
        if error is QProcess.ProcessError.FailedToStart:
            self._forget_process()
            self.failed.emit(tr("The export could not be started."), tr("{name} cannot be run.", name=self._command[0]))
            self.ended.emit()

    @Slot(int, QProcess.ExitStatus)
    def _end(self, exit_code: int, _status: QProcess.ExitStatus) -> None:
        self._read_lines()
        self._read_stderr()
        self._forget_process()
        outcome = self._outcome or {}
        if exit_code == 0 and outcome.get("event") == "finished":
            warnings = outcome.get("warnings")
            words = " ".join(tr_engine(str(sentence)) for sentence in warnings) if isinstance(warnings, list) else ""
            self.finished.emit(Path(str(outcome["path"])), int(str(outcome["frames"])), words)
        elif exit_code == 0 and outcome.get("event") == "estimated":
            self.estimated.emit(outcome)
        elif exit_code == _KEPT and "path" in outcome:
            self.kept.emit(str(outcome.get("message", "")), Path(str(outcome["path"])))
        elif self._is_cancelled:
            self.cancelled.emit()
        else:
            self._tell_failure(exit_code, outcome)
        self.ended.emit()

    def _tell_failure(self, exit_code: int, outcome: dict[str, object]) -> None:
        log.error("export ended with %s: %s\n%s", exit_code, outcome, self._stderr)
        if outcome.get("event") == "failed":
            self.failed.emit(str(outcome.get("message", "")), str(outcome.get("hint", "")))
            return
        # The process ended without a JSON line about it; the last line of stderr may help.
        last = next((line for line in reversed(self._stderr.splitlines()) if line.strip()), "")
        self.failed.emit(tr("The export ended unexpectedly (exit code {code}).", code=exit_code), last.strip())

    def _forget_process(self) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None


def process_apart(parent: QObject) -> QProcess:
    """Return a process that hears no signals of the terminal: when that is closed, this program stops it in order."""
    process = QProcess(parent)
    if _HAS_SIGNALS:
        process.setUnixProcessParameters(QProcess.UnixProcessFlag.CreateNewSession)
    return process


def interrupt(process: QProcess) -> None:
    """Ask a process of the command line to stop and clean up."""
    if not _HAS_SIGNALS:
        process.write(STOP + b"\n")
    elif process.processId():
        os.kill(process.processId(), signal.SIGINT)


def end_process(process: QProcess) -> None:
    """Ask a process to leave what it has, and wait for its end, at most GRACE_MSECS; then kill it."""
    if _HAS_SIGNALS:
        process.terminate()
    else:
        process.write(LEAVE + b"\n")
    if not process.waitForFinished(GRACE_MSECS):
        process.kill()
        process.waitForFinished(GRACE_MSECS)
