"""Copies the report of the doctor, and what the window knows, to the clipboard."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot, qVersion
from PySide6.QtGui import QGuiApplication, QScreen

from videoinr.text.hidden_names import hidden_names
from videoinr.text.problem_report import section
from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.export.bridge import COMMAND
from videoinr_viewer.style.language import tr

STOP_MSECS = 2000


class ReportCopier(QObject):
    """Runs the doctor in a process of its own: it takes seconds, and what it tests may fail badly."""

    told = Signal(str)
    """What the user should know, in a sentence."""
    failed = Signal(str, str)
    """What went wrong, and what to do."""

    def __init__(self, reading: ReadingChoice, parent: QObject, command: Sequence[str] = COMMAND) -> None:
        super().__init__(parent)
        self._reading, self.command = reading, list(command)
        self._process: QProcess | None = None

    def start(self) -> None:
        """Begin to make the report, unless one is being made."""
        if self._process is not None:
            return
        self._process = process = QProcess(self)
        # On Windows, a pipe would take fewer characters.
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONIOENCODING", "utf-8")
        process.setProcessEnvironment(environment)
        process.finished.connect(self._end)
        process.errorOccurred.connect(self._fail_to_start)
        self.told.emit(tr("The report is being made. This takes a few seconds."))
        process.start(self.command[0], [*self.command[1:], "doctor", "--report"])

    def stop(self) -> None:
        """End the process, if it runs."""
        if (process := self._process) is not None:
            self._process = None
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(STOP_MSECS)
            process.deleteLater()

    @Slot(QProcess.ProcessError)
    def _fail_to_start(self, error: QProcess.ProcessError) -> None:
        # After any other error, QProcess emits finished().
        if error is QProcess.ProcessError.FailedToStart:
            self._take("")

    @Slot()
    def _end(self) -> None:
        if self._process is not None:
            self._take(bytes(self._process.readAllStandardOutput().data()).decode(errors="replace"))

    def _take(self, report: str) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        if not report.strip():
            self.failed.emit(tr("The report could not be made."), tr("Try “videoinr doctor --report” in a terminal."))
            return
        now = self._reading.current
        lines = section("Window", [*_window_facts(), f"model: {now.model}", f"device: {now.device}"])
        QGuiApplication.clipboard().setText(hidden_names.hide("\n".join([report.rstrip("\n"), *lines, ""])))
        self.told.emit(tr("The report is on the clipboard. It names none of your files."))


def _window_facts() -> list[str]:
    screens = [f"screen: {_screen(screen)}" for screen in QGuiApplication.screens()]
    return [f"qt: {qVersion()}, on {QGuiApplication.platformName()}", *screens]


def _screen(screen: QScreen) -> str:
    size, refresh = screen.size(), screen.refreshRate()
    return f"{size.width()}x{size.height()} at {screen.devicePixelRatio():g}, {refresh:.0f} Hz"
