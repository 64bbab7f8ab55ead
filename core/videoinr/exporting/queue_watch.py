"""What watches a job of a queue while it runs: its pause, its progress on the disk, and its log."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from videoinr import __version__
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled
from videoinr.exporting.job_file import ExportCall
from videoinr.exporting.queue_folder import is_held, is_paused, log_of, marker
from videoinr.types import ExportProgress

LOOK_SECS = 0.25
"""How often a running job looks whether it is paused."""
_NOTE_SECS, _LOG_SECS = 0.5, 30.0
"""How often progress is noted for others, and in the log."""


class PausableToken(CancelToken):
    """A token of one job: cancelled when ``parent`` is, or when the job or its queue is paused.

    What the job has finished is left for its next run.
    """

    def __init__(self, job: Path, parent: CancelToken) -> None:
        super().__init__()
        self._job, self._parent, self._looked_secs = job, parent, -LOOK_SECS
        self.leaves = True

    @property
    def keeps(self) -> bool:
        """Whether what is finished shall be kept."""
        return self._parent.keeps

    @property
    def is_paused(self) -> bool:
        """Whether the job or its queue is paused."""
        return is_paused(self._job) or is_held(self._job.parent)

    @property
    def cancelled(self) -> bool:
        """Whether the job shall stop."""
        if not super().cancelled and (self._parent.cancelled or self._finds_pause()):
            self.cancel()
        return super().cancelled

    def _finds_pause(self) -> bool:
        now_secs = time.monotonic()
        if now_secs - self._looked_secs < LOOK_SECS:
            return False
        self._looked_secs = now_secs
        return self.is_paused

    def check(self) -> None:
        """Raise Cancelled if the job shall stop."""
        if self.cancelled:
            raise Cancelled


class JobWatch:
    """Watches the run of one job.

    Attributes:
        token: cancels the job.
        made: how many frames this run made so far.
        seconds: how long it took for them.
    """

    def __init__(self, job: Path, token: PausableToken, log: JobLog) -> None:
        self.token, self._job, self._log = token, job, log
        self.made, self.seconds = 0, 0.0
        self._noted_secs = self._logged_secs = float("-inf")
        self._last: ExportProgress | None = None

    def progress(self, now: ExportProgress) -> None:
        """Note how far the job is, on the disk for others and in the log."""
        self.made, self.seconds, self._last = now.done - now.found, now.elapsed_secs, now
        now_secs, is_end = time.monotonic(), now.done in (now.found, now.total)
        if is_end or now_secs - self._noted_secs >= _NOTE_SECS:
            self._noted_secs = now_secs
            self.note()
        if is_end or now_secs - self._logged_secs >= _LOG_SECS:
            self._logged_secs = now_secs
            speed = f", {self.made / self.seconds:.2f} a second" if self.made and self.seconds else ""
            self._log.say(f"{now.done} of {now.total} frames{speed}")

    def note(self) -> None:
        """Note on the disk how far the job is."""
        if self._last is not None:
            _write_quickly(marker(self._job, "progress"), json.dumps(_facts(self._last)))

    def notice(self, sentence: str) -> None:
        """Put a sentence into the log."""
        self._log.say(f"note: {sentence}")


def _facts(now: ExportProgress) -> dict[str, object]:
    return {
        "done": now.done, "total": now.total, "found": now.found, "elapsed_secs": round(now.elapsed_secs, 3),
        "process": os.getpid(),
    }  # fmt: skip


def _write_quickly(path: Path, text: str) -> None:
    """Write a file whole, without waiting for the disk: it is written twice a second, and its loss costs nothing."""
    partial = path.with_name(f"{path.name}.new")
    try:
        partial.write_text(text)
        os.replace(partial, path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


class JobLog:
    """The log of a job; each run adds lines. A log that cannot be written does not stop the job."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file

    def say(self, words: str) -> None:
        """Add a line, or several."""
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {words}\n")
                self._file.flush()


class _ToLog(logging.Handler):
    def __init__(self, log: JobLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.say(f"{record.levelname.lower()}: {record.getMessage()}")


@contextmanager
def job_log(job: Path) -> Iterator[JobLog]:
    """Open the log of a job; it also gets what the engine logs during the block, and the block's unexpected errors."""
    try:
        file = log_of(job).open("a", encoding="utf-8", errors="backslashreplace")
    except OSError:
        file = None
    log = JobLog(file)
    handler, logger = _ToLog(log), logging.getLogger("videoinr")
    logger.addHandler(handler)
    try:
        log.say(f"started by process {os.getpid()}, videoinr {__version__}")
        yield log
    finally:
        logger.removeHandler(handler)
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


def say_call(log: JobLog, call: ExportCall) -> None:
    """Put into the log what the job exports."""
    given = {name: str(value) for name, value in call.options.items() if value is not None and value != ""}
    log.say(f"{call.clip} -> {call.out}")
    log.say(", ".join(f"{name} {value}" for name, value in given.items()))


def say_traceback(log: JobLog) -> None:
    """Put the traceback of the exception that is being handled into the log."""
    log.say(traceback.format_exc().rstrip())
