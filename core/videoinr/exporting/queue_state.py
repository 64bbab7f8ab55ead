"""What a queue of exports looks like now: its jobs, how far they are, and how long they will take."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoinr.errors import VideoInrError
from videoinr.exporting.job_file import ExportCall, read_job
from videoinr.exporting.queue_folder import (
    DONE,
    FAILED,
    checked_queue,
    ended_jobs,
    ended_secs,
    is_held,
    is_paused,
    is_taken,
    jobs_in_order,
    log_of,
    marker,
    result_of,
)
from videoinr.exporting.retime import ConstantRate
from videoinr.journey.curve import CurveRate, curve_from_text
from videoinr.text.clip_time import ClipTime
from videoinr.types import ExportProgress, Segment

_MOST_BYTES = 1 << 20
_LOOKS = 5
"""A queue is read again if jobs were moved meanwhile, at most so often."""


class JobState(Enum):
    """What a job does."""

    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    INVALID = "invalid"
    """Its file cannot be read, or is no job file: it fails as soon as it runs."""
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job of a queue.

    Attributes:
        name: the job file's name.
        path: the job file.
        state: what it does.
        out: what it exports to; None if the job file cannot be read.
        done: how many frames are done.
        total: how many frames it has; 0 if that is not known.
        remaining_secs: how long it will still take, at the speed measured in this queue; None if that is not known.
        message: why it failed, or why its file is invalid.
        hint: what to do about it.
        log: its log; None if there is none yet.
    """

    name: str
    path: Path
    state: JobState
    out: Path | None
    done: int = 0
    total: int = 0
    remaining_secs: float | None = None
    message: str = ""
    hint: str = ""
    log: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        left = self.remaining_secs
        return {
            "job": self.name, "state": self.state.value, "out": None if self.out is None else str(self.out),
            "done": self.done, "total": self.total, "remaining_secs": None if left is None else round(left, 1),
            "message": self.message, "hint": self.hint, "log": None if self.log is None else str(self.log),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue.

    Attributes:
        is_paused: whether all of it is paused.
        jobs: those that have ended, the first first, then the others in their order.
    """

    is_paused: bool
    jobs: tuple[QueuedJob, ...]

    @property
    def remaining_secs(self) -> float | None:
        """How long the jobs that run or wait will take one after the other; None if that is not known of one."""
        lefts = [job.remaining_secs for job in self.jobs if job.state in (JobState.RUNNING, JobState.WAITING)]
        known = [left for left in lefts if left is not None]
        return sum(known) if known and len(known) == len(lefts) else None

    @property
    def ended_jobs(self) -> tuple[QueuedJob, ...]:
        """The jobs that are done or have failed."""
        return tuple(job for job in self.jobs if job.state in _ENDED)

    @property
    def open_jobs(self) -> tuple[QueuedJob, ...]:
        """The jobs that have not ended."""
        return tuple(job for job in self.jobs if job.state not in _ENDED)

    def count(self, *states: JobState) -> int:
        """Return how many jobs are in one of ``states``."""
        return sum(job.state in states for job in self.jobs)


_ENDED = (JobState.DONE, JobState.FAILED)
EMPTY = QueueState(False, ())


@dataclass(frozen=True, slots=True)
class _Work:
    """What a job costs: pixels of a frame and frames, as far as the job file says them; 0 if it does not."""

    pixels: int
    frames: int


def read_queue(folder: Path) -> QueueState:
    """Return the state of the queue ``folder``: each job once, though its process files jobs away meanwhile.

    Raises InputError if there is no such folder.
    """
    checked_queue(folder)
    names = _names(folder)
    for _ in range(_LOOKS):
        before, state, names = names, _read(folder), _names(folder)
        if names == before:
            break
    return state


def _names(folder: Path) -> list[set[str]]:
    return [{path.name for path in (folder / part).glob("*.json")} for part in ("", DONE, FAILED)]


def _read(folder: Path) -> QueueState:
    ended = [_ended(job, kind) for kind in (DONE, FAILED) for job in ended_jobs(folder, kind)]
    ended.sort(key=lambda each: each[0])
    open_jobs = [_open(job) for job in jobs_in_order(folder)]
    speeds = [speed for _, _, speed in ended if speed] + [speed for _, _, speed in open_jobs if speed]
    speed = speeds[-1] if speeds else 0.0
    timed = [_timed(job, work, own or speed) for job, work, own in open_jobs]
    return QueueState(is_held(folder), (*(job for _, job, _ in ended), *timed))


def _ended(path: Path, kind: str) -> tuple[float, QueuedJob, float]:
    """Return when the job ended, the job, and the pixels that it made in a second, 0 if that is not known."""
    result, (call, _) = _values(result_of(path)), _call(path)
    state = JobState.DONE if kind == DONE else JobState.FAILED
    frames = _count(result, "frames")
    job = QueuedJob(
        path.name, path, state, None if call is None else call.out, frames, frames,
        message=str(result.get("message", "")), hint=str(result.get("hint", "")), log=_log(path),
    )  # fmt: skip
    seconds = _number(result, "seconds")
    speed = _count(result, "made") * _work(call).pixels / seconds if seconds > 0 else 0.0
    return ended_secs(path), job, speed


def _open(path: Path) -> tuple[QueuedJob, _Work, float]:
    """Return a job that has not ended, its work, and the pixels that its present run makes in a second."""
    progress, (call, error) = _values(marker(path, "progress")), _call(path)
    work = _work(call)
    done, total = _count(progress, "done"), _count(progress, "total")
    waits = JobState.INVALID if error else JobState.PAUSED if is_paused(path) else JobState.WAITING
    state = JobState.RUNNING if is_taken(path) else waits
    job = QueuedJob(
        path.name, path, state, None if call is None else call.out, done, total or work.frames,
        message=str(error or ""), hint=error.hint if error else "", log=_log(path),
    )  # fmt: skip
    now = ExportProgress(done, total, _number(progress, "elapsed_secs"), _count(progress, "found"))
    if state is JobState.RUNNING and now.remaining_secs is not None:
        job = replace(job, remaining_secs=now.remaining_secs)
    made = now.done - now.found
    speed = made * work.pixels / now.elapsed_secs if made > 0 and now.elapsed_secs > 0 else 0.0
    return job, work, speed


def _timed(job: QueuedJob, work: _Work, speed: float) -> QueuedJob:
    """Return ``job`` with how long it will take, if that can be told from ``speed``, pixels a second."""
    if job.remaining_secs is not None or not (speed and work.pixels and job.total):
        return job
    return replace(job, remaining_secs=(job.total - job.done) * work.pixels / speed)


def _call(path: Path) -> tuple[ExportCall | None, VideoInrError | None]:
    """Return what the job file says, or what is wrong with it."""
    try:
        return read_job(path), None
    except VideoInrError as error:
        return None, error


def _work(call: ExportCall | None) -> _Work:
    if call is None:
        return _Work(0, 0)
    options = call.options
    region, size = options["region"], options["size"]
    width, height = region[2:] if region else size or (0, 0)
    return _Work(width * height, _frame_count(options))


def _frame_count(options: dict[str, Any]) -> int:
    fps = options["fps"]
    try:
        if fps is None:
            return 0
        if options["retime"]:
            return CurveRate(curve_from_text(options["retime"]), Fraction(fps)).frame_count
        start, end = map(_secs, (options["start"], options["end"]))
        if start is None or end is None:
            return 0
        segment = Segment(start, end)
        return ConstantRate(segment, Fraction(fps), Fraction(options["speed"])).frame_count
    except (VideoInrError, ValueError, ArithmeticError):
        return 0  # The job will say what is wrong with it when it runs.


def _secs(time: object) -> Fraction | None:
    """Return the seconds of a time in a job file; None if it is not given, or depends on the clip."""
    if isinstance(time, ClipTime):
        return time.secs
    return Fraction(time) if isinstance(time, int | float) else None


def _log(job: Path) -> Path | None:
    return log_of(job) if log_of(job).exists() else None


def _values(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _count(values: dict[str, Any], name: str) -> int:
    value = values.get(name)
    return value if isinstance(value, int) and value >= 0 else 0


def _number(values: dict[str, Any], name: str) -> float:
    value = values.get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e12 else 0.0
