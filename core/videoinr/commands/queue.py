"""``videoinr queue``: lists and changes a queue of exports, also while ``videoinr export --queue`` runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import JsonOption
from videoinr.commands.screen import say, show_json, show_table
from videoinr.text.phrases import format_count, format_secs

if TYPE_CHECKING:
    from videoinr.exporting.queue_state import QueuedJob

queue = typer.Typer(add_completion=False, name="queue", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The queue: a folder of job files.")]
Job = Annotated[str, typer.Argument(metavar="JOB", help="The name of a job file, with or without .json.")]
AnyJob = Annotated[str | None, typer.Argument(metavar="JOB", help="The name of a job file. Default: the whole queue.")]


@queue.callback()
def change_queue() -> None:
    """List the jobs of a queue; add, move, pause, resume, retry and remove them.

    `videoinr export --queue DIR` runs a queue, and looks at it four times a second; the commands here may be used
    meanwhile. Each job has a log beside it: JOB.log in DIR, and in done/ or failed/ when it has ended.
    """


@queue.command("list")
def list_jobs(folder: Folder, as_json: JsonOption = False) -> None:
    """List the jobs: state, frames done, time left at the speed measured in this queue, output."""
    from videoinr.exporting.queue_state import read_queue

    state = read_queue(folder)
    if as_json:
        left = state.remaining_secs
        show_json({
            "paused": state.is_paused, "remaining_secs": None if left is None else round(left, 1),
            "jobs": [job.to_dict() for job in state.jobs],
        })  # fmt: skip
        return
    header = ("job", "state", "frames", "left", "output or reason")
    show_table("The queue is paused" if state.is_paused else "", header, [_row(job) for job in state.jobs])
    if state.remaining_secs is not None:
        say(f"In all about {format_secs(state.remaining_secs)} left.")


def _row(job: QueuedJob) -> tuple[str, ...]:
    frames = f"{job.done} of {job.total}" if job.total else ""
    left = "" if job.remaining_secs is None else format_secs(job.remaining_secs)
    return job.name, job.state.value, frames, left, job.message or str(job.out or "")


@queue.command()
def add(
    folder: Folder,
    jobs: Annotated[list[Path], typer.Argument(metavar="FILE.json", help="Job files; copies of them are added.")],
) -> None:
    """Add jobs at the end of the queue. DIR is made if there is none; each copy has absolute paths."""
    from videoinr.exporting.job_file import read_job
    from videoinr.exporting.queue_control import add_job_file

    for job in jobs:
        read_job(job)  # All are right, or none is added.
    for job in jobs:
        say(f"Added {add_job_file(folder, job).name}.")


@queue.command()
def move(
    folder: Folder,
    job: Job,
    place: Annotated[str, typer.Argument(metavar="PLACE", help="first, up, down, last, or a number from 1 on.")],
) -> None:
    """Move a job that waits to another place."""
    from videoinr.exporting.queue_control import place_job

    place_job(folder, job, int(place) if place.isdecimal() and len(place) < 10 else place)


@queue.command()
def pause(folder: Folder, job: AnyJob = None) -> None:
    """Pause a job or the whole queue.

    A job that runs stops within a second or so, frees the device, and leaves its finished frames for later. The queue
    goes on with the next job; if all of it is paused, `videoinr export --queue` ends (exit code 4).
    """
    from videoinr.exporting.queue_control import pause as pause_jobs

    pause_jobs(folder, job)


@queue.command()
def resume(folder: Folder, job: AnyJob = None) -> None:
    """End the pause of a job, or of the whole queue with all of its jobs; `videoinr export --queue` then runs them."""
    from videoinr.exporting.queue_control import resume as resume_jobs

    resume_jobs(folder, job)


@queue.command()
def retry(
    folder: Folder,
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", help="A job that failed. Default: all that failed.")
    ] = None,
) -> None:
    """Put jobs that failed back to the end of the queue."""
    from videoinr.exporting.queue_control import retry as retry_jobs

    say(f"{format_count(len(retry_jobs(folder, job)), 'job')} put back.")


@queue.command()
def remove(folder: Folder, job: Job) -> None:
    """Remove a job, its log, and the unfinished frames that it has left. Finished outputs stay."""
    from videoinr.exporting.queue_control import remove as remove_job

    remove_job(folder, job)
