"""The log: rotating files with the messages of Python and Qt, and a file for crashes of the process itself.

Neither holds names or paths of the user's files, unless VIDEOINR_LOG_NAMES=1 asks for them.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TextIO

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from videoinr.text.hidden_names import LOG_NAMES, hidden_names, traceback_without_folders

LOG_FILE, CRASH_FILE = "viewer.log", "crash.log"
MAX_BYTES = 1_000_000
MAX_CRASH_BYTES = 256_000
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Log:
    """The log of ``folder`` from :meth:`start` to :meth:`stop`; of stderr if the file cannot be written.

    Args:
        folder: where viewer.log and crash.log lie; it is made.
        on_qt_error: is called with a message of Qt that reports an error, in the thread that Qt reports it in.
    """

    def __init__(self, folder: Path, on_qt_error: Callable[[str], object] = lambda _: None) -> None:
        self._folder, self._on_qt_error = folder, on_qt_error
        self._handler: logging.Handler = logging.NullHandler()
        self._crashes: TextIO | None = None

    def start(self) -> None:
        """Log the messages of Python and Qt, and let Python write to crash.log where each thread was in a crash."""
        self._handler = _handler(self._folder)
        self._handler.setFormatter(logging.Formatter(_FORMAT) if _wants_names() else _NamelessFormatter(_FORMAT))
        root = logging.getLogger()
        root.addHandler(self._handler)
        root.setLevel(logging.INFO)
        qInstallMessageHandler(self._take_from_qt)
        # Whoever enabled it before (python -X faulthandler, a test) wants its output elsewhere.
        if not faulthandler.is_enabled() and (crashes := _crash_file(self._folder / CRASH_FILE)) is not None:
            faulthandler.enable(crashes)
            self._crashes = crashes

    def stop(self) -> None:
        """End what :meth:`start` began."""
        if self._crashes is not None:
            faulthandler.disable()
            self._crashes.close()
            self._crashes = None
        qInstallMessageHandler(None)
        logging.getLogger().removeHandler(self._handler)
        self._handler.close()

    def _take_from_qt(self, kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), "%s", message)
        # After a fatal message, Qt ends the process: there is no time for a dialog.
        if kind is QtMsgType.QtCriticalMsg:
            self._on_qt_error(message)


class _RotatingFile(RotatingFileHandler):
    """A log that loses lines where they cannot be written: a full disk needs no second report on the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    def close(self) -> None:
        # What could not be written is written once more when the file is closed.
        with suppress(OSError):
            super().close()


class _NamelessFormatter(logging.Formatter):
    """Formats without names and paths of files."""

    def format(self, record: logging.LogRecord) -> str:
        for value in record.args if isinstance(record.args, tuple) else ():
            if isinstance(value, Path):
                hidden_names.remember(value)
        return hidden_names.hide(super().format(record))

    def formatException(self, ei: _ExceptionInfo) -> str:
        return traceback_without_folders(ei[1]) if ei[1] is not None else ""


def _wants_names() -> bool:
    return os.environ.get(LOG_NAMES) == "1"


def _handler(folder: Path) -> logging.Handler:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _RotatingFile(folder / LOG_FILE, maxBytes=MAX_BYTES, backupCount=3, encoding="utf-8")
    except OSError:
        return logging.StreamHandler()


def _crash_file(path: Path) -> TextIO | None:
    """Open the file of crashes to add to it, or anew if it is large; return None where that is impossible."""
    try:
        is_large = path.exists() and path.stat().st_size > MAX_CRASH_BYTES
        return path.open("w" if is_large else "a", encoding="utf-8")
    except OSError:
        return None
