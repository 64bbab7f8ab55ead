"""The files of a queue of exports: job files in a folder, what lies beside each, and their order.

a.json            a job that waits or runs; a process that runs it has it locked
a.json.started    it was begun; whether its output existed before
a.json.progress   how far it is, as JSON
a.json.paused     it is passed over until it is resumed
a.log             what happened to it
order.txt         names of jobs in their order; jobs that it does not name follow, by name
paused            no job is begun
done/, failed/    jobs that have ended, each with a.result.json and a.log
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from videoinr.errors import ExportError, InputError
from videoinr.writing.claims import has_locks, left_over, lock_now
from videoinr.writing.whole_files import write_file
from videoinr.writing.words import write_errors

DONE, FAILED = "done", "failed"
RESULT = ".result.json"
_ORDER, _HELD = "order.txt", "paused"
_MOST_BYTES = 1 << 20
_TRIES, _PAUSE_SECS = 25, 0.02
"""Who asks whether a job runs locks it for an instant, which is long on a busy machine; so a process that wants to run
it tries again: a job that it passes over stays in the queue."""


def checked_queue(folder: Path) -> Path:
    """Return ``folder``; raise InputError if there is none."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", hint="Create it, and put job files into it.")
    return folder


def marker(job: Path, what: str) -> Path:
    """Return the file beside a job file for ``what``: started, progress, paused."""
    return job.with_name(f"{job.name}.{what}")


def log_of(job: Path) -> Path:
    """Return the log of a job file."""
    return job.with_suffix(".log")


def result_of(job: Path) -> Path:
    """Return the result of a job file that has ended."""
    return job.with_suffix(RESULT)


def jobs_in_order(folder: Path) -> list[Path]:
    """Return the job files that have not ended, in the order in which they run."""
    places = {name: place for place, name in enumerate(_order(folder))}
    found = [path for path in folder.glob("*.json") if path.is_file()]
    return sorted(found, key=lambda path: (places.get(path.name, len(places)), path.name))


def ended_jobs(folder: Path, kind: str) -> list[Path]:
    """Return the job files in ``kind``, DONE or FAILED, the first that ended first."""
    found = [path for path in (folder / kind).glob("*.json") if not path.name.endswith(RESULT)]
    return sorted(found, key=lambda path: (ended_secs(path), path.name))


def ended_secs(job: Path) -> float:
    """Return when a job file in DONE or FAILED got its result, seconds of the epoch; 0 if it has none."""
    try:
        return result_of(job).stat().st_mtime
    except OSError:
        return 0.0


def write_order(folder: Path, names: Iterable[str]) -> None:
    """Let the jobs ``names`` run in this order. Raises ExportError."""
    write_file(folder / _ORDER, "".join(f"{name}\n" for name in names).encode(errors="surrogateescape"), replace=True)


def _order(folder: Path) -> list[str]:
    try:
        with (folder / _ORDER).open("rb") as file:
            text = file.read(_MOST_BYTES).decode(errors="surrogateescape")
    except OSError:
        return []
    return list(dict.fromkeys(text.split("\n")))


def is_held(folder: Path) -> bool:
    """Return whether the whole queue is paused."""
    return (folder / _HELD).exists()


def is_paused(job: Path) -> bool:
    """Return whether a job is paused by itself."""
    return marker(job, "paused").exists()


def set_held(folder: Path, *, held: bool) -> None:
    """Pause the whole queue, or end its pause. Raises ExportError."""
    _set(folder / _HELD, there=held)


def set_paused(job: Path, *, paused: bool) -> None:
    """Pause a job, or end its pause. Raises ExportError."""
    _set(marker(job, "paused"), there=paused)


def _set(path: Path, *, there: bool) -> None:
    with write_errors(path):
        if there:
            path.touch()
        else:
            path.unlink(missing_ok=True)


_OF_A_RUN = "started", "progress", "progress.new"
_NAME_OF_A_RUN = re.compile(r"(.+\.json)\.(?:progress\.new|progress|started)(?=\.|$)")


@contextlib.contextmanager
def taken(job: Path) -> Iterator[bool]:
    """Lock the job file during the block; False if another process has it, or has filed it away."""
    if not has_locks():
        yield job.exists()  # Windows moves no open file: the job could not be filed away.
        return
    try:
        descriptor = os.open(job, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        yield _locked(descriptor) and job.exists()
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    for number in range(_TRIES):
        if lock_now(descriptor):
            return True
        if number + 1 < _TRIES:
            time.sleep(_PAUSE_SECS)
    return False


def is_taken(job: Path) -> bool:
    """Return whether a process runs the job file now; False where the system has no locks."""
    try:
        descriptor = os.open(job, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not lock_now(descriptor)
    finally:
        os.close(descriptor)


def move_job(job: Path, target: Path) -> None:
    """Move a job file with its log to ``target``. Raises ExportError."""
    try:
        target.parent.mkdir(exist_ok=True)
        if log_of(job).exists():
            os.replace(log_of(job), log_of(target))
        os.replace(job, target)
        remove_markers(job)
    except OSError as error:
        raise ExportError(f"{job.parent} cannot be written to: {error.strerror}.", hint="Check its rights.") from error


def remove_markers(job: Path) -> None:
    """Remove what lies beside a job file while it has not ended. Raises OSError."""
    for what in (*_OF_A_RUN, "paused"):
        marker(job, what).unlink(missing_ok=True)


def remove_stray_markers(folder: Path) -> None:
    """Remove the notes of runs beside jobs that are not there, and unfinished notes beside any job.

    A process leaves them that is killed while it files the job away, or while it notes that it begins the job.
    """
    for name in os.listdir(folder):
        found = _NAME_OF_A_RUN.match(name)
        if found is None:
            continue
        path = folder / found[0]
        for stray in [*left_over(path), *([] if (folder / found[1]).exists() else [path])]:
            with contextlib.suppress(OSError):
                stray.unlink(missing_ok=True)
