"""A queue of exports: runs a folder of job files. Each job that ends moves to done/ or failed/, with its result.

Several processes may work on one folder: each takes jobs that no other has locked. A process that is killed leaves its
job where it was; the next one goes on with what it has left. So does a job that is paused. The files are described in
:mod:`videoinr.exporting.queue_folder`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import Cancelled, ExportError, VideoInrError, unforeseen
from videoinr.exporting.job_file import ExportCall, read_job
from videoinr.exporting.journal import NothingToResumeError, resumable
from videoinr.exporting.outcome_files import has_output, target_of
from videoinr.exporting.queue_folder import (
    DONE,
    FAILED,
    checked_queue,
    is_held,
    is_paused,
    jobs_in_order,
    marker,
    move_job,
    remove_stray_markers,
    result_of,
    taken,
)
from videoinr.exporting.queue_watch import JobLog, JobWatch, PausableToken, job_log, say_call, say_traceback
from videoinr.types import ExportReport
from videoinr.writing.names import free_name
from videoinr.writing.whole_files import write_file

Export = Callable[[ExportCall, JobWatch], ExportReport]


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of a job.

    Attributes:
        name: the job file's name.
        report: the output; None if the job failed or is paused.
        message: why it failed; empty if it did not.
        hint: what to do about it.
        is_paused: whether the job was paused, and waits to be resumed.
        made: how many frames this run made.
        seconds: how long it took for them.
    """

    name: str
    report: ExportReport | None
    message: str = ""
    hint: str = ""
    is_paused: bool = False
    made: int = 0
    seconds: float = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether the job failed."""
        return self.report is None and not self.is_paused

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        if self.is_paused:
            return {"job": self.name, "state": "paused"}
        if self.report is None:
            return {"job": self.name, "state": "failed", "message": self.message, "hint": self.hint}
        report = self.report
        return {
            "job": self.name, "state": "done", "path": str(report.path), "frames": report.frames,
            "sound": report.sound, "dropped": list(report.dropped), "made": self.made,
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


def run_queue(
    folder: Path, export: Export, *, started: Callable[[str], None] = lambda _: None, token: CancelToken = NEVER
) -> Iterator[JobResult]:
    """Run the jobs of ``folder`` one after the other, in their order, and yield what became of each.

    Jobs that are added, moved or resumed meanwhile count. If the whole queue is paused, the run ends.

    Args:
        folder: the folder of the job files (*.json).
        export: runs one export with the watch's token, progress and notice; raises as :func:`videoinr.export` does.
        started: called with the name of each job before it starts.
        token: stops the queue; its job stays in it, with its finished frames.

    Raises:
        InputError: there is no such folder.
        ExportError: the folder cannot be written to.
        Cancelled: ``token`` was cancelled.
    """
    checked_queue(folder)
    remove_stray_markers(folder)
    elsewhere: set[str] = set()
    while (job := _next_job(folder, elsewhere)) is not None:
        with taken(job) as is_ours:
            if not is_ours:
                elsewhere.add(job.name)
                continue
            started(job.name)
            result = _run(job, export, token)
            if not result.is_paused:
                _file_away(job, result)
            yield result


def _next_job(folder: Path, elsewhere: set[str]) -> Path | None:
    """Return the first job that is neither paused nor with another process."""
    if is_held(folder):
        return None
    waiting = (job for job in jobs_in_order(folder) if job.name not in elsewhere and not is_paused(job))
    return next(waiting, None)


def _run(job: Path, export: Export, parent: CancelToken) -> JobResult:
    token = PausableToken(job, parent)
    with job_log(job) as log:
        watch = JobWatch(job, token, log)
        try:
            return _ended(job, export, watch, log)
        except (Cancelled, KeyboardInterrupt) as error:
            watch.note()
            if isinstance(error, Cancelled) and not parent.cancelled and token.is_paused:
                log.say("paused")
                return JobResult(job.name, None, is_paused=True)
            log.say("stopped")
            raise


def _ended(job: Path, export: Export, watch: JobWatch, log: JobLog) -> JobResult:
    try:
        call = read_job(job)
        say_call(log, call)
        report = _found_whole(job, call) or _export(job, call, export, watch)
    except VideoInrError as error:
        log.say(f"failed: {error.in_words()}")
        return JobResult(job.name, None, str(error), error.hint)
    except (Cancelled, KeyboardInterrupt):
        raise
    except Exception as error:  # One job must not end the queue.
        say_traceback(log)
        told = unforeseen(error)
        return JobResult(job.name, None, str(told), told.hint)
    log.say(f"done: {report.frames} frames in {report.path}")
    return JobResult(job.name, report, made=watch.made, seconds=watch.seconds)


def _export(job: Path, call: ExportCall, export: Export, watch: JobWatch) -> ExportReport:
    begun = marker(job, "started")
    if not begun.exists():
        write_file(begun, json.dumps({"existed": has_output(call)}), replace=True)
    if resumable(target_of(call)) and not call.options["resume"]:
        with contextlib.suppress(NothingToResumeError):
            return export(call._replace(options={**call.options, "resume": True}), watch)
    return export(call, watch)


def _found_whole(job: Path, call: ExportCall) -> ExportReport | None:
    """Return a report of an output that was complete when the process was killed, before it filed the job away."""
    try:
        existed = json.loads(marker(job, "started").read_text())["existed"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    # Outputs get their names only when they are complete and checked.
    return ExportReport(target_of(call), 0) if existed is False and has_output(call) else None


def _file_away(job: Path, result: JobResult) -> None:
    folder = job.parent / (FAILED if result.report is None else DONE)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ExportError(f"{job.parent} cannot be written to: {error.strerror}.", hint="Check its rights.") from error
    target = free_name(folder / job.name)
    write_file(result_of(target), json.dumps(result.to_dict(), indent=1) + "\n", replace=True)
    move_job(job, target)
