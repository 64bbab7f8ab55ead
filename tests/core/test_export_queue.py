"""Job files and queues of them."""

from __future__ import annotations

import inspect
import json
import re
import signal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from helpers.clicks import write_clicks
from helpers.command_line import run_here
from helpers.export_jobs import job as job_to
from helpers.fork_server import run, start
from helpers.job_queues import assert_finished, fill, write_job
from helpers.job_strategies import jobs, parsed
from videoinr.commands import export as export_command
from videoinr.errors import InputError
from videoinr.exporting import queue_control
from videoinr.exporting.job import ExportJob
from videoinr.exporting.job_file import job_from_text, read_job, text_of_job
from videoinr.exporting.queue_state import JobState, read_queue
from videoinr.text.clip_time import ClipTime
from videoinr.text.timecode import Timecode

SLOW = "helpers.slow_cli"
GOOD, BAD = 12, 3


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clicks(tmp_path / "clip.mkv", list(range(0, 2000, 40)), [6], end_msecs=2000)


# ---- job files ----


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs())
def test_a_job_file_describes_the_job(tmp_path: Path, job: ExportJob) -> None:
    path = tmp_path / "job.json"
    path.write_text(text_of_job(job))
    again = parsed(["export", "--job", str(path)])
    # The stub clip's own path stands in for the job's.
    assert again.out == job.out.absolute()
    for name in ("segment", "fps", "speed", "grid", "crop", "codec", "crf", "device", "options", "overwrite", "sound",
                 "keep_partial", "across_cuts", "share", "resume"):  # fmt: skip
        assert getattr(again, name) == getattr(job, name), name


@pytest.mark.parametrize(
    "values",
    [
        {}, {"retime": "0=0 1=1~1/2 3=3/2"}, {"shutter": 180}, {"shutter_region": "40,0,32,24=180"},
        {"readout": "1/60"}, {"camera": [{"time": 0, "centre": [16, 12], "zoom": 2}]}, {"scale": 2, "sound": "none"},
    ],
    ids=str,
)  # fmt: skip
def test_the_example_of_the_help_may_have_every_key(tmp_path: Path, values: dict[str, Any]) -> None:
    help_text = " ".join((inspect.getdoc(export_command.export) or "").split())
    found = re.search(r'\{"videoinr_export".*?\}', help_text)
    assert found is not None
    call = job_from_text(json.dumps({**json.loads(found[0]), **values}).encode(), tmp_path / "a.json")
    assert (call.clip, call.out) == (tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert call.options["speed"] == Fraction(1, 4)
    assert all(call.options[name] for name in values)


def test_paths_are_relative_to_the_job_file_and_numbers_are_exact(tmp_path: Path) -> None:
    path = write_job(tmp_path / "a.json", clip="in/clip.mp4", out="/out.mp4", start=0.3, fps="24000/1001", scale="x2.5",
                     end="00:00:01:06")  # fmt: skip
    call = read_job(path)
    assert (call.clip, call.out) == (tmp_path / "in/clip.mp4", Path("/out.mp4"))
    assert (call.options["start"], call.options["end"]) == (0.3, ClipTime(Timecode(1, 6)))
    assert (call.options["fps"], call.options["scale"]) == (Fraction(24000, 1001), Fraction(5, 2))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"clip": "a"}, "out is missing"), ({"clip": "a", "out": 1}, "out must be"), ([1], "an object of keys"),
        ({"clip": "a", "out": "b", "scale": [2]}, "scale must be a number or a text"),
        ({"clip": "a", "out": "b", "scale": float("nan")}, "scale must be a finite number"),
        ({"clip": "a", "out": "b", "size": [1, 2, 3]}, "size must have at most 2 values"),
        ({"clip": "a", "out": "b", "tempo": 2}, "tempo is unknown"), ({"clip": "a", "out": ""}, "out must not"),
        ({"clip": "a", "out": "b", "start": "1e999999999"}, "start: "),
        ({"clip": "a", "out": "b", "crf": "1"}, "crf"),
        ({"clip": "a", "out": "b", "sound": "loud"}, "sound"), ({"clip": "a", "out": "b", "size": [1]}, "size"),
        ({"clip": "a", "out": "b", "videoinr_export": 3}, "videoinr_export"), ({"clip": "a\nb", "out": "b"}, "clip"),
        ({"clip": "a", "out": "b", "start": True}, "start"), ({"clip": "a", "out": "b", "fps": "fast"}, "fps: "),
    ],
)  # fmt: skip
def test_a_wrong_job_file_is_explained(tmp_path: Path, values: Any, words: str) -> None:
    text = json.dumps({"videoinr_export": 1, **values} if isinstance(values, dict) else values).encode()
    with pytest.raises(InputError, match="is no job file") as caught:
        job_from_text(text, tmp_path / "a.json")
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
    assert not str(caught.value).endswith("..")


@pytest.mark.parametrize("model", ["mine.safetensors", "runs/mine.safetensors", "lite", None])
def test_a_model_in_the_present_folder_stays_that_one_in_a_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    text = text_of_job(job_to(Path("out.mp4"), model=model))
    call = job_from_text(text.encode(), tmp_path / "queue" / "a.json")
    assert call.options["model"] == (str(tmp_path / model) if model and "." in model else model)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b" " * (2 << 20)])
def test_what_is_no_json_is_explained(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(InputError, match="is no job file"):
        job_from_text(text, tmp_path / "a.json")


def test_a_job_of_the_command_line(tmp_path: Path, clip: Path) -> None:
    job = write_job(tmp_path / "job.json", clip="clip.mkv", out="out.mkv", codec="ffv1", end="1/2", scale=1)
    outcome = run("0", "export", "--job", job, "--json-progress", module=SLOW)
    assert outcome.exit_code == 0, outcome
    finished = json.loads(outcome.stdout.splitlines()[-1])
    assert (finished["frames"], finished["path"]) == (13, str(tmp_path / "out.mkv"))
    assert "already exists" in run("0", "export", "--job", job, module=SLOW).stderr
    assert run("0", "export", "--job", job, "--overwrite", module=SLOW).exit_code == 0
    for wrong in (("--job", job, "--fps", "5"), ("--job", job, clip, "out.mp4"), ("--queue", tmp_path, "--crf", "3"),
                  (), (clip,)):  # fmt: skip
        assert run_here("export", *wrong).exit_code == 2, wrong
    assert run_here("export", "--job", tmp_path / "none.json").exit_code == 1


# ---- queues ----


def test_bad_jobs_do_not_stop_a_queue(tmp_path: Path, clip: Path) -> None:
    queue = tmp_path / "queue"
    fill(queue, clip, good=GOOD, bad=BAD)
    outcome = run("0", "export", "--queue", queue, "--json-progress", module=SLOW)
    assert outcome.exit_code == 1, outcome
    assert f"{GOOD} jobs done, {BAD} failed" in outcome.stderr
    assert_finished(queue, tmp_path, good=GOOD, bad=BAD)
    ended = [json.loads(line) for line in outcome.stdout.splitlines() if '"state"' in line]
    assert [each["state"] for each in ended].count("failed") == BAD


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_queue_that_is_stopped_in_the_middle_loses_nothing(tmp_path: Path, clip: Path, stop: signal.Signals) -> None:
    queue = tmp_path / "queue"
    fill(queue, clip, good=GOOD, bad=BAD)
    for ended in (4, 3):
        with start("0.01", "export", "--queue", queue, "--json-progress", module=SLOW) as process:
            assert process.stdout is not None
            while ended:
                ended -= '"state"' in process.stdout.readline()
            process.stdout.readline()
            process.send_signal(stop)
            process.communicate(timeout=60)
    assert list(queue.glob("*.json"))
    outcome = run("0", "export", "--queue", queue, "--json-progress", module=SLOW)
    assert outcome.exit_code in (0, 1), outcome
    assert_finished(queue, tmp_path, good=GOOD, bad=BAD)


def test_what_a_kill_left_beside_a_job_that_was_filed_away_is_removed(tmp_path: Path, clip: Path) -> None:
    queue = tmp_path / "queue"
    fill(queue, clip, good=1, bad=0)
    names = [f"{job}.json.{what}" for job in ("00", "07") for what in ("started", "progress", "progress.new")]
    names += [f"{job}.json.started.4294967295-0123abcd.part" for job in ("00", "07")]
    for name in (*names, "07.json.paused"):
        (queue / name).write_text('{"existed": false}')
    assert run_here("export", "--queue", queue).exit_code == 0
    assert [path.name for path in queue.glob("*.*")] == ["07.json.paused"], "pausing says nothing about a run"


def test_two_processes_share_a_queue(tmp_path: Path, clip: Path) -> None:
    queue = tmp_path / "queue"
    fill(queue, clip, good=GOOD, bad=BAD)
    workers = [start("0.005", "export", "--queue", queue, "--json-progress", module=SLOW) for _ in range(2)]
    lines = [line for worker in workers for line in worker.communicate(timeout=120)[0].splitlines()]
    assert sum('"state": "done"' in line for line in lines) == GOOD
    assert_finished(queue, tmp_path, good=GOOD, bad=BAD)


def test_a_queue_that_does_not_exist(tmp_path: Path) -> None:
    assert run_here("export", "--queue", tmp_path / "none").exit_code == 1


@pytest.mark.parametrize(("text", "words"), [
    ("{", "is no job file"), ('{"videoinr_export": 1, "clip": "a.mp4", "out": "b.mp4", "speed": "fast"}', "speed: "),
])  # fmt: skip
def test_a_file_that_is_no_job_is_listed_as_invalid_with_why(tmp_path: Path, text: str, words: str) -> None:
    write_job(tmp_path / "a.json", clip="clip.mp4", out="a.mp4", start="00:00:00:05", end="00:00:01:00", fps=25)
    (tmp_path / "b.json").write_text(text)
    queue_control.pause(tmp_path, "b")
    good, bad = read_queue(tmp_path).jobs
    assert (bad.state, words in bad.message, bool(bad.hint)) == (JobState.INVALID, True, True)
    assert (good.state, good.total) == (JobState.WAITING, 0), "the frames of timecode depend on the clip"
    listed = next(line for line in run_here("queue", "list", tmp_path).stdout.splitlines() if "b.json" in line)
    assert "invalid" in listed
