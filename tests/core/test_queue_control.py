"""A queue that is changed: jobs are added, moved, paused, resumed, tried again and removed; its state and its logs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from helpers.command_line import run_here
from helpers.job_queues import frame_count, write_job
from helpers.slow_cli import engine_module
from helpers.waiting import wait_until
from videoinr import api
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, InputError, UsageError
from videoinr.exporting import queue_control, queue_folder, queue_state, queue_watch
from videoinr.exporting.job_file import ExportCall, read_job
from videoinr.exporting.journal import resumable
from videoinr.exporting.queue import JobResult, run_queue
from videoinr.exporting.queue_folder import ended_jobs, jobs_in_order, move_job
from videoinr.exporting.queue_state import JobState, QueuedJob, read_queue
from videoinr.exporting.queue_watch import JobWatch
from videoinr.types import ExportProgress, ExportReport
from videoinr.writing.claims import lock_now

FRAMES = 50
"""Of the stub's clip, 25 a second."""


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", engine_module())
    monkeypatch.setattr(queue_watch, "LOOK_SECS", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clip.mkv").write_bytes(b"a clip")
    (tmp_path / "queue").mkdir()
    return tmp_path / "queue"


def add(folder: Path, name: str, **values: Any) -> Path:
    """Write a job whose frames and sizes are known."""
    known: dict[str, Any] = {"clip": "../clip.mkv", "out": f"../{name}.mkv", "start": 0, "end": 2, "fps": 25}
    known |= {"size": [80, 44], "codec": "ffv1", "sound": "none"}
    return write_job(folder / f"{name}.json", **{**known, **values})


def exporting(at: Callable[[ExportProgress], None]) -> Callable[[ExportCall, JobWatch], ExportReport]:
    """Return an export that calls ``at`` after each frame."""

    def export(call: ExportCall, watch: JobWatch) -> ExportReport:
        def progress(now: ExportProgress) -> None:
            watch.progress(now)
            at(now)

        reports: list[ExportReport] = []
        api.export(
            call.clip, call.out, progress=progress, notice=watch.notice, cancel=watch.token, report=reports.append,
            **call.options,
        )  # fmt: skip
        return reports[0]

    return export


def run(folder: Path, at: Callable[[ExportProgress], None] = lambda _: None, **options: Any) -> list[JobResult]:
    return list(run_queue(folder, exporting(at), **options))


def noted(call: ExportCall, _watch: JobWatch) -> ExportReport:
    return ExportReport(call.out, 1)


def frames_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]


def names(folder: Path) -> list[str]:
    return [path.stem for path in jobs_in_order(folder)]


def state_of(folder: Path, name: str) -> QueuedJob:
    return next(job for job in read_queue(folder).jobs if job.name == f"{name}.json")


# ---- order ----


@pytest.mark.parametrize(
    ("name", "place", "order"),
    [("c", "first", "cabd"), ("a", "last", "bcda"), ("c", "up", "acbd"), ("b", "down", "acbd"), ("a", "up", "abcd"),
     ("d", "down", "abcd"), ("d", 2, "adbc"), ("a", 99, "bcda")],
)  # fmt: skip
def test_jobs_run_in_the_order_they_are_given(folder: Path, name: str, place: int | str, order: str) -> None:
    for each in "abcd":
        add(folder, each)
    queue_control.place_job(folder, name, place)
    assert "".join(names(folder)) == order
    assert "".join(result.name[0] for result in run_queue(folder, noted)) == order


def test_added_jobs_come_last_and_never_take_a_name_that_was_used(folder: Path) -> None:
    add(folder, "b")
    elsewhere = folder.parent / "jobs"
    elsewhere.mkdir()
    job = write_job(elsewhere / "a.json", clip="x/clip.mkv", out="a.mkv", model="m.safetensors", end="1/3")
    assert queue_control.add_job_file(folder, job) == folder / "a.json"
    assert read_job(folder / "a.json") == read_job(job)
    assert names(folder) == ["b", "a"]
    list(run_queue(folder, noted))
    assert queue_control.add_job_file(folder, job).name == "a-2.json"
    write_job(folder / "0.json", clip="c.mkv", out="0.mkv")  # By hand: after those with a place.
    assert names(folder) == ["a-2", "0"]
    new = queue_control.add_job(folder.parent / "new" / "queue", job.read_text(), stem="film")
    assert new == folder.parent / "new" / "queue" / "film.json"


def test_a_job_that_is_moved_to_the_front_meanwhile_is_next(folder: Path) -> None:
    for each in "abc":
        add(folder, each)
    order = []
    for result in run_queue(folder, noted):
        order.append(result.name[0])
        if result.name == "a.json":
            queue_control.place_job(folder, "c", "first")
    assert order == ["a", "c", "b"]


# ---- pause ----


def pause_at(folder: Path, frame: int, name: str | None) -> Callable[[ExportProgress], None]:
    """Return what pauses a job, or the queue, at a frame, when at least one part of 13 frames is encoded."""
    is_done: list[bool] = []

    def at(now: ExportProgress) -> None:
        if now.done >= frame and not is_done:
            is_done.append(True)
            wait_until(lambda: bool(list(folder.parent.glob("*.part/*.packets"))))
            queue_control.pause(folder, name)

    return at


def test_a_paused_job_stops_keeps_its_frames_and_goes_on_later(folder: Path) -> None:
    add(folder, "a", keep_partial=True)
    add(folder, "b")
    results = run(folder, pause_at(folder, 30, "a"))
    assert [(each.name, each.is_paused, each.has_failed) for each in results] == [
        ("a.json", True, False), ("b.json", False, False),
    ]  # fmt: skip
    assert resumable(folder.parent / "a.mkv")
    paused = state_of(folder, "a")
    assert (paused.state, paused.total) == (JobState.PAUSED, FRAMES)
    assert 30 <= paused.done < FRAMES
    assert run(folder) == []
    queue_control.resume(folder, "a")
    seen: list[ExportProgress] = []
    (result,) = run(folder, seen.append)
    assert result.report is not None
    assert result.report.frames == FRAMES
    assert seen[0].found >= 13
    assert frames_of(folder.parent / "a.mkv") == frames_of(folder.parent / "b.mkv"), "as of an unbroken run"
    assert not [*folder.glob("*.*"), *folder.parent.glob("*.part"), *folder.parent.glob("*partial*")]
    log = (folder / "done" / "a.log").read_text()
    assert log.index("paused") < log.index(f"{FRAMES} of {FRAMES} frames") < log.index("done: 50 frames")


def test_a_part_that_becomes_whole_after_the_last_frame_is_kept(folder: Path) -> None:
    add(folder, "a")
    run(folder, pause_at(folder, 13, "a"))
    queue_control.resume(folder, "a")
    seen: list[ExportProgress] = []
    run(folder, seen.append)
    assert seen[0].found == 13


def test_a_job_that_is_resumed_while_the_queue_runs_goes_on_in_the_same_process(folder: Path) -> None:
    add(folder, "a")
    add(folder, "b")
    found, pause = [], pause_at(folder, 30, "a")

    def at(now: ExportProgress) -> None:
        found.append(now.found)
        pause(now)

    order = []
    for result in run_queue(folder, exporting(at)):
        order.append((result.name, result.is_paused))
        if result.is_paused:
            queue_control.resume(folder, "a")
    assert order == [("a.json", True), ("a.json", False), ("b.json", False)]
    assert max(found) >= 13
    assert not list(folder.parent.glob("*.part"))


def test_a_paused_queue_ends_its_run_and_loses_nothing(folder: Path) -> None:
    add(folder, "a")
    add(folder, "b")
    (result,) = run(folder, pause_at(folder, 20, None))
    assert result.is_paused
    assert read_queue(folder).is_paused
    outcome = run_here("export", "--queue", folder)
    assert (outcome.exit_code, "2 left" in outcome.stderr) == (4, True), outcome
    queue_control.resume(folder)
    assert [each.report is not None for each in run(folder)] == [True, True]


def test_resuming_the_queue_resumes_its_jobs(folder: Path) -> None:
    add(folder, "a")
    queue_control.pause(folder, "a.json")
    queue_control.pause(folder)
    queue_control.resume(folder)
    assert (read_queue(folder).is_paused, state_of(folder, "a").state) == (False, JobState.WAITING)


def test_stopping_the_queue_is_no_pause(folder: Path) -> None:
    add(folder, "a")
    token = CancelToken()
    with pytest.raises(Cancelled):
        run(folder, lambda now: token.cancel() if now.done == 20 else None, token=token)
    left = state_of(folder, "a")
    assert (left.state, left.done) == (JobState.WAITING, 20)
    assert "stopped" in (folder / "a.log").read_text()
    assert [each.report is not None for each in run(folder)] == [True]


# ---- retry, remove ----


def test_failed_jobs_are_tried_again_and_their_log_goes_on(folder: Path) -> None:
    add(folder, "a", out="../later/a.mkv")
    add(folder, "b", out="../later/b.mkv")
    assert all(each.has_failed for each in run(folder))
    failed = state_of(folder, "b")
    assert (failed.state, "no folder" in failed.message) == (JobState.FAILED, True)
    (folder.parent / "later").mkdir()
    assert queue_control.retry(folder, "b") == ["b.json"]
    assert queue_control.retry(folder) == ["a.json"]
    assert names(folder) == ["b", "a"]
    assert all(each.report for each in run(folder))
    log = (folder / "done" / "b.log").read_text()
    assert log.count("started by process") == 2
    assert log.index("failed: There is no folder") < log.index("done: 50 frames")
    assert not list((folder / "failed").iterdir())
    with pytest.raises(InputError, match="has no job b"):
        queue_control.retry(folder, "b")


def test_an_unexpected_error_is_in_the_log_with_its_traceback(folder: Path) -> None:
    add(folder, "a")

    def export(_call: ExportCall, _watch: JobWatch) -> ExportReport:
        raise ZeroDivisionError("of the test")

    (result,) = run_queue(folder, export)
    assert result.has_failed
    log = (folder / "failed" / "a.log").read_text()
    assert "Traceback" in log
    assert "ZeroDivisionError: of the test" in log


def test_a_removed_job_leaves_nothing(folder: Path) -> None:
    add(folder, "a")
    add(folder, "b", out="../none/b.mkv")
    run(folder, pause_at(folder, 30, "a"))
    assert list(folder.parent.glob("*.part"))
    queue_control.remove(folder, "a")
    queue_control.remove(folder, "b")
    assert not [*folder.glob("*.*"), *(folder / "failed").iterdir(), *folder.parent.glob("*.part")]
    with pytest.raises(InputError, match="has no job a"):
        queue_control.remove(folder, "a")


def test_a_running_job_is_not_removed(folder: Path) -> None:
    add(folder, "a")
    seen = []

    def at(now: ExportProgress) -> None:
        if now.done == 10:
            seen.append(state_of(folder, "a"))
            with pytest.raises(UsageError, match="is being exported"):
                queue_control.remove(folder, "a")

    assert [each.report is not None for each in run(folder, at)] == [True]
    assert (seen[0].state, seen[0].total) == (JobState.RUNNING, FRAMES)


# ---- state ----


def test_a_job_that_is_filed_away_while_the_queue_is_read_is_there_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add(folder, "a")
    add(folder, "b")

    def look_and_file(where: Path, kind: str) -> list[Path]:
        found = ended_jobs(where, kind)
        if kind == queue_folder.FAILED and job.exists():
            move_job(job, where / queue_folder.DONE / job.name)
        return found

    monkeypatch.setattr(queue_state, "ended_jobs", look_and_file)
    assert [(each.name, each.state) for each in read_queue(folder).jobs] == [
        ("a.json", JobState.DONE), ("b.json", JobState.WAITING),
    ]  # fmt: skip


def test_who_looks_at_a_job_slowly_does_not_take_it_from_the_queue(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(folder, "a")
    waits: list[float] = []
    with (folder / "a.json").open("rb") as looking:
        assert lock_now(looking.fileno())

        def wait(secs: float) -> None:
            waits.append(secs)
            if len(waits) == 15:
                looking.close()

        monkeypatch.setattr("videoinr.exporting.queue_folder.time.sleep", wait)
        results = list(run_queue(folder, exporting(lambda _: None)))
    assert [(each.name, each.has_failed) for each in results] == [("a.json", False)]


def test_the_time_left_follows_from_the_speed_of_the_queue(folder: Path) -> None:
    for name, size in (("a", [80, 44]), ("b", [80, 44]), ("c", [160, 88]), ("d", [80, 44])):
        add(folder, name, size=size)
    add(folder, "e", fps=None)
    assert read_queue(folder).remaining_secs is None
    next(iter(run_queue(folder, exporting(lambda _: None))))
    result = folder / "done" / "a.result.json"
    result.write_text(json.dumps({**json.loads(result.read_text()), "made": 50, "seconds": 10.0}))
    left = {job.name[0]: job.remaining_secs for job in read_queue(folder).jobs}
    assert left == {"a": None, "b": 10.0, "c": 40.0, "d": 10.0, "e": None}
    queue_control.remove(folder, "e")
    assert read_queue(folder).remaining_secs == 60.0
    progress = {"done": 25, "total": 50, "found": 0, "elapsed_secs": 2.5}
    (folder / "b.json.progress").write_text(json.dumps(progress))
    left = {job.name[0]: job.remaining_secs for job in read_queue(folder).jobs}
    assert left["b"] == 2.5, "a job that was begun has its own speed"


@pytest.mark.parametrize("text", ["", "[1]", '{"done": "x", "total": -1, "elapsed_secs": "1e9"}', "[" * 100_000])
def test_damaged_files_of_a_queue_are_passed_over(folder: Path, text: str) -> None:
    add(folder, "a")
    (folder / "b.json").write_text(text)
    for name in ("a.json.progress", "order.txt", "a.json.started"):
        (folder / name).write_text(text)
    by_name = {job.name: job for job in read_queue(folder).jobs}
    assert by_name["b.json"].out is None
    assert (by_name["a.json"].done, by_name["a.json"].total) == (0, FRAMES)
    assert [each.report is not None for each in run(folder)] == [True, False]


def test_a_retime_curve_says_how_many_frames_there_are(folder: Path) -> None:
    write_job(folder / "a.json", videoinr_export=2, clip="c.mkv", out="a.mkv", fps=25, size=[80, 44], retime="0=0 4=2")
    assert state_of(folder, "a").total == 100


# ---- the command line ----


def test_the_command_line_changes_a_queue(folder: Path) -> None:
    elsewhere = folder.parent / "jobs"
    elsewhere.mkdir()
    files = [add(elsewhere, name) for name in "ab"]
    files.append(write_job(elsewhere / "bad.json", clip="x.mkv", out="no/x.mkv"))
    commands: list[tuple[object, ...]] = [
        ("add", folder, *files), ("move", folder, "b", "first"), ("move", folder, "b", 2), ("move", folder, "b", "up"),
        ("pause", folder), ("resume", folder), ("pause", folder, "a"),
    ]  # fmt: skip
    for command in commands:
        outcome = run_here("queue", *command)
        assert outcome.exit_code == 0, (command, outcome)
    outcome = run_here("export", "--queue", folder)
    assert outcome.exit_code == 1, outcome
    assert "1 job done, 1 failed. 1 left." in outcome.stderr
    listed = json.loads(run_here("queue", "list", folder, "--json").stdout)
    assert {each["job"][:-5]: each["state"] for each in listed["jobs"]} == {
        "b": "done", "bad": "failed", "a": "paused",
    }  # fmt: skip
    assert all(left["log"] for left in listed["jobs"][:2])
    shown = run_here("queue", "list", folder).stdout
    assert all(words in shown for words in ("b.json", "There is no folder", "paused", "50 of 50"))
    assert "1 job put back" in run_here("queue", "retry", folder).stderr
    assert run_here("queue", "remove", folder, "bad").exit_code == 0
    assert run_here("queue", "resume", folder).exit_code == 0
    assert run_here("export", "--queue", folder).exit_code == 0
    assert frame_count(folder.parent / "a.mkv") == FRAMES
