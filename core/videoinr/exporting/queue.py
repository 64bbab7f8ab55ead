"""A queue of exports: a folder of job files. Each finished job moves to done/ or failed/, with its result beside it.

Several processes may work on one folder: each takes jobs that no other has locked. A process that is killed leaves its
job where it was; the next one goes on with what it has left.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videoinr.errors import Cancelled, ExportError, InputError, UsageError, VideoInrError
from videoinr.exporting.codecs import is_video
from videoinr.exporting.job_file import ExportCall, read_job
from videoinr.exporting.journal import NothingToResumeError, resumable
from videoinr.exporting.parts import share_from_text
from videoinr.exporting.picture_names import check_pattern, pattern_from_out
from videoinr.exporting.share_file import share_path
from videoinr.types import ExportReport
from videoinr.writing.claims import lock_now
from videoinr.writing.names import free_name
from videoinr.writing.whole_files import write_file

_STARTED = ".started"
_DONE, _FAILED = "done", "failed"

Export = Callable[[ExportCall], ExportReport]


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of a job.

    Attributes:
        name: the job file's name.
        report: the output; None if the job failed.
        message: why it failed; empty if it did not.
        hint: what to do about it.
    """

    name: str
    report: ExportReport | None
    message: str = ""
    hint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        if self.report is None:
            return {"job": self.name, "state": "failed", "message": self.message, "hint": self.hint}
        report = self.report
        return {
            "job": self.name, "state": "done", "path": str(report.path), "frames": report.frames,
            "sound": report.sound, "dropped": list(report.dropped),
        }  # fmt: skip


def run_queue(folder: Path, export: Export, *, started: Callable[[str], None] = lambda _: None) -> Iterator[JobResult]:
    """Run the jobs of ``folder`` one after the other, in the order of their names, and yield what became of each.

    Jobs that are added meanwhile are run too.

    Args:
        folder: the folder of the job files (*.json).
        export: runs one export; raises as :func:`videoinr.export` does.
        started: called with the name of each job before it starts.

    Raises:
        InputError: there is no such folder.
        ExportError: the folder cannot be written to.
        Cancelled: ``export`` was cancelled. Its job stays in the queue.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", hint="Create it, and put job files into it.")
    tried: set[str] = set()
    while (path := _next_job(folder, tried)) is not None:
        tried.add(path.name)
        with _taken(path) as is_ours:
            if is_ours:
                started(path.name)
                result = _run(path, export)
                _file_away(path, result)
                yield result


def _next_job(folder: Path, tried: set[str]) -> Path | None:
    waiting = sorted(path for path in folder.glob("*.json") if path.name not in tried and path.is_file())
    return waiting[0] if waiting else None


@contextlib.contextmanager
def _taken(path: Path) -> Iterator[bool]:
    """Lock the job file during the block; False if another process has it, or has filed it away."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        yield lock_now(descriptor) and path.exists()
    finally:
        os.close(descriptor)


def _run(path: Path, export: Export) -> JobResult:
    try:
        call = read_job(path)
        report = _found_whole(path, call) or _export(path, call, export)
        return JobResult(path.name, report)
    except (Cancelled, KeyboardInterrupt):
        raise
    except VideoInrError as error:
        return JobResult(path.name, None, str(error), error.hint)
    except Exception as error:  # One job must not end the queue.
        return JobResult(path.name, None, f"An unexpected error occurred: {error!r}.")


def _export(path: Path, call: ExportCall, export: Export) -> ExportReport:
    marker = path.with_name(path.name + _STARTED)
    if not marker.exists():
        write_file(marker, json.dumps({"existed": _is_there(call)}), replace=True)
    if resumable(_target(call)) and not call.options["resume"]:
        with contextlib.suppress(NothingToResumeError):
            return export(call._replace(options={**call.options, "resume": True}))
    return export(call)


def _found_whole(path: Path, call: ExportCall) -> ExportReport | None:
    """Return a report of an output that was complete when the process was killed, before it filed the job away."""
    marker = path.with_name(path.name + _STARTED)
    try:
        existed = json.loads(marker.read_text())["existed"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    target = _target(call)
    # Outputs get their names only when they are complete and checked.
    return ExportReport(target, 0) if existed is False and _is_there(call) else None


def _is_there(call: ExportCall) -> bool:
    """Return whether the output exists: of pictures the first, which gets its name last."""
    target, pattern = _target(call), pattern_from_out(call.out)
    if is_video(call.out):
        return os.path.lexists(target)
    try:
        check_pattern(pattern)
    except UsageError:
        return False
    return os.path.lexists(pattern.with_name(pattern.name % 0))


def _target(call: ExportCall) -> Path:
    part = call.options["part"]
    return call.out if part is None else share_path(call.out, share_from_text(part))


def _file_away(path: Path, result: JobResult) -> None:
    folder = path.parent / (_FAILED if result.report is None else _DONE)
    try:
        folder.mkdir(exist_ok=True)
        target = free_name(folder / path.name)
        write_file(target.with_suffix(".result.json"), json.dumps(result.to_dict(), indent=1) + "\n", replace=True)
        os.replace(path, target)
        path.with_name(path.name + _STARTED).unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(f"{path.parent} cannot be written to: {error.strerror}.", hint="Check its rights.") from error
