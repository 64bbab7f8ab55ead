"""What is done to a queue while it runs or rests: jobs added, moved, paused, resumed, tried again, removed.

Each function changes files of the queue's folder only, so any process may call it; the one that runs the queue looks
at them four times a second.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from videoinr.errors import InputError, OutputExistsError, UsageError
from videoinr.exporting.job_file import read_job
from videoinr.exporting.journal import resumable
from videoinr.exporting.outcome_files import target_of
from videoinr.exporting.queue_folder import (
    DONE,
    FAILED,
    checked_queue,
    ended_jobs,
    jobs_in_order,
    log_of,
    marker,
    move_job,
    remove_markers,
    result_of,
    set_held,
    set_paused,
    taken,
    write_order,
)
from videoinr.writing.partial_folder import PartialFolder
from videoinr.writing.whole_files import write_file
from videoinr.writing.words import write_errors

PLACES = ("first", "up", "down", "last")


def add_job(folder: Path, text: str, *, stem: str) -> Path:
    """Add a job at the end of the queue ``folder``, which is made if there is none.

    Args:
        folder: the queue.
        text: the content of a job file whose paths are absolute.
        stem: the wish for its name, without an ending.

    Returns:
        The job file.

    Raises:
        ExportError: the folder cannot be written to.
    """
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        name = f"{stem}.json" if number == 1 else f"{stem}-{number}.json"
        number += 1
        if any(os.path.lexists(folder / part / name) for part in ("", DONE, FAILED)):
            continue
        write_order(folder, [*(path.name for path in jobs_in_order(folder)), name])
        with contextlib.suppress(OutputExistsError):
            write_file(folder / name, text, replace=False)
            return folder / name


def add_job_file(folder: Path, job: Path) -> Path:
    """Add a copy of a job file at the end of a queue, see :func:`add_job`. Raises InputError, ExportError."""
    call = read_job(job)
    values = json.loads(job.read_bytes())
    values |= {"clip": str(call.clip), "out": str(call.out)}
    if call.options["model"] is not None:
        values["model"] = call.options["model"]
    return add_job(folder, json.dumps(values, indent=2, ensure_ascii=False) + "\n", stem=job.stem)


def place_job(folder: Path, name: str, place: int | str) -> None:
    """Move a job that has not ended.

    Args:
        folder: the queue.
        name: the job's file, with or without its ending.
        place: its new place, counted from 1, or one of PLACES.

    Raises:
        InputError: there is no such queue or job.
        UsageError: there is no such place.
        ExportError: the folder cannot be written to.
    """
    jobs = jobs_in_order(checked_queue(folder))  # Read once: a job may end meanwhile.
    job, names = _named(jobs, name, folder), [path.name for path in jobs]
    now, last = names.index(job.name), len(names) - 1
    if place not in PLACES and (isinstance(place, str) or place < 1):
        raise UsageError(f"{place} is no place in a queue.", hint=f"Give a number from 1 on, or {', '.join(PLACES)}.")
    new = place - 1 if isinstance(place, int) else {"first": 0, "up": now - 1, "down": now + 1, "last": last}[place]
    names.insert(min(max(new, 0), last), names.pop(now))
    write_order(folder, names)


def pause(folder: Path, name: str | None = None) -> None:
    """Pause a job, or the whole queue. A job that runs stops, frees the device and leaves its finished frames.

    Raises:
        InputError: there is no such queue or job.
        ExportError: the folder cannot be written to.
    """
    if name is None:
        set_held(checked_queue(folder), held=True)
    else:
        set_paused(_waiting(folder, name), paused=True)


def resume(folder: Path, name: str | None = None) -> None:
    """End the pause of a job, or of the whole queue with all of its jobs. Raises as :func:`pause` does."""
    if name is not None:
        set_paused(_waiting(folder, name), paused=False)
        return
    for job in jobs_in_order(checked_queue(folder)):
        set_paused(job, paused=False)
    set_held(folder, held=False)


def release(folder: Path) -> None:
    """End the pause of the whole queue; jobs that are paused by themselves stay so. Raises ExportError."""
    set_held(folder, held=False)


def retry(folder: Path, name: str | None = None) -> list[str]:
    """Put a job that failed, or all of them, back to the end of the queue.

    Returns:
        The names of these jobs.

    Raises:
        InputError: there is no such queue, or no such job that failed.
        ExportError: the folder cannot be written to.
    """
    failed = ended_jobs(checked_queue(folder), FAILED)
    if name is not None:
        failed = [_named(failed, name, folder / FAILED)]
    return [_put_back(folder, job) for job in failed]


def _put_back(folder: Path, job: Path) -> str:
    waiting = [path.name for path in jobs_in_order(folder)]
    target, number = folder / job.name, 1
    while target.name in waiting:
        number += 1
        target = folder / f"{job.stem}-{number}.json"
    write_order(folder, [*waiting, target.name])
    result = result_of(job)
    move_job(job, target)
    with write_errors(result):
        result.unlink(missing_ok=True)
    return target.name


def remove(folder: Path, name: str) -> None:
    """Remove a job from the queue, with its log and the frames that an unfinished export has left; no output.

    Raises:
        InputError: there is no such queue or job.
        UsageError: the job runs.
        ExportError: the folder cannot be written to.
    """
    ended = [*ended_jobs(checked_queue(folder), FAILED), *ended_jobs(folder, DONE)]
    job = _named([*jobs_in_order(folder), *ended], name, folder)
    with taken(job) as is_ours:
        if not is_ours:
            raise UsageError(f"{job.name} is being exported.", hint="Pause it first.")
        _discard_unfinished(job)
        with write_errors(job):
            job.unlink(missing_ok=True)
            for path in (log_of(job), result_of(job)):
                path.unlink(missing_ok=True)
            remove_markers(job)


def _discard_unfinished(job: Path) -> None:
    """Discard the frames of an export that this job has begun."""
    if not marker(job, "started").exists():
        return
    with contextlib.suppress(InputError, UsageError, OSError):
        target = target_of(read_job(job))
        for left in resumable(target):
            PartialFolder(target, left_over=left).discard()


def _waiting(folder: Path, name: str) -> Path:
    return _named(jobs_in_order(checked_queue(folder)), name, folder)


def _named(jobs: list[Path], name: str, folder: Path) -> Path:
    for job in jobs:
        if name in (job.name, job.stem):
            return job
    known = ", ".join(job.stem for job in jobs[:10])
    raise InputError(f"{folder} has no job {name}.", hint=f"Its jobs: {known}." if known else "It has no such jobs.")
