"""Signals that stop an export, the files that it leaves, and the end of the process."""

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from helpers import fork_server
from helpers.command_line import environment
from helpers.waiting import wait_until
from videoinr.cancel import CancelToken
from videoinr.commands import export_jobs, signals, stop_lines
from videoinr.commands.export_progress import progress_reporter
from videoinr.commands.screen import say
from videoinr.exporting.journal import resumable
from videoinr.types import ExportProgress, ExportReport


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip")
    return path


def frame_count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def line(clip: Path, extra: list[str], secs_per_frame: str = "0.4") -> list[object]:
    """Return an export to ``out.mp4``, or to what ``extra`` names first."""
    out = extra[0] if extra and not extra[0].startswith("-") else "out.mp4"
    options = [each for each in extra if each != out]
    return [secs_per_frame, "export", clip, clip.parent / out, "--json-progress", *options]


@pytest.fixture
def exporting(clip: Path, request: pytest.FixtureRequest) -> Iterator[fork_server.Fork]:
    """An export that would take 20 s for 50 frames, with its first frames done."""
    with fork_server.start(*line(clip, getattr(request, "param", [])), module="helpers.slow_cli") as process:
        while json.loads(process.stdout.readline() or '{"done": 99}').get("done", 0) < 2:
            pass
        yield process
        process.kill()


def test_an_export_that_ctrl_c_stops_leaves_nothing(exporting: fork_server.Fork, clip: Path) -> None:
    assert len(list(clip.parent.glob("out.mp4.*.part"))) == 1
    exporting.send_signal(signal.SIGINT)
    stdout, stderr = exporting.communicate(timeout=20)
    assert exporting.returncode == 130
    assert json.loads(stdout.splitlines()[-1])["event"] == "failed"
    assert "Traceback" not in stderr
    assert re.search(r"note: \d+ finished frames were removed. --keep-partial keeps them.", stderr)
    assert [path.name for path in clip.parent.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize("exporting", [["pictures/%03d.png"]], indirect=True)
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
def test_an_export_that_the_end_of_the_session_stops_goes_on_later(
    exporting: fork_server.Fork, clip: Path, stop: signal.Signals
) -> None:
    exporting.send_signal(stop)
    stdout, stderr = exporting.communicate(timeout=20)
    assert exporting.returncode == 130
    assert json.loads(stdout.splitlines()[-1])["event"] == "failed"
    assert "--resume goes on with it" in stderr
    assert len(resumable(clip.parent / "pictures/%03d.png")) == 1
    with fork_server.start(*line(clip, ["pictures/%03d.png"], "0"), "--resume", module="helpers.slow_cli") as process:
        stdout, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert min(json.loads(line)["done"] for line in stdout.splitlines() if '"done"' in line) >= 2
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "pictures"]


def test_no_empty_folder_is_left_where_nothing_was_finished(exporting: fork_server.Fork, clip: Path) -> None:
    exporting.send_signal(signal.SIGTERM)
    exporting.communicate(timeout=20)
    assert [path.name for path in clip.parent.iterdir()] == ["clip.mp4"], "the first part of the video was not done"


@pytest.mark.parametrize("exporting", [["pictures/%03d.png"]], indirect=True)
def test_an_export_whose_reader_is_gone_goes_on_later(exporting: fork_server.Fork, clip: Path) -> None:
    exporting.stdout.close()
    assert "--resume goes on with it" in exporting.stderr.read()
    assert len(resumable(clip.parent / "pictures/%03d.png")) == 1


def test_a_fork_that_ended_just_now_can_be_killed() -> None:
    with open(os.devnull) as out, open(os.devnull) as err:
        reading, writing = os.pipe()
        with os.fdopen(reading) as status, os.fdopen(writing, "w") as told, subprocess.Popen(["true"]) as ended:
            print(ended.pid, file=told, flush=True)
            assert ended.wait() == 0
            fork = fork_server.Fork(out, err, status)
            fork.kill()
            print(0, file=told, flush=True)
            assert fork.wait(1) == 0


@pytest.mark.parametrize(
    ("lines", "keeps", "leaves"),
    [(b"stop\n", False, False), (b"other\r\nleave\r\n", False, True), (b"keep\n", True, False)],
)
def test_lines_stop_an_export_where_there_are_no_signals(
    monkeypatch: pytest.MonkeyPatch, lines: bytes, keeps: bool, leaves: bool
) -> None:
    receiver, sender = os.pipe()
    monkeypatch.setattr(stop_lines, "_INPUT", receiver)
    with (
        signals.cancel_on_signals(report_forced=lambda: None) as token,
        stop_lines.heed_lines(token),
        os.fdopen(sender, "wb") as told,
    ):
        told.write(lines)
        told.flush()
        wait_until(lambda: token.cancelled)
    assert (token.keeps, token.leaves) == (keeps, leaves)


def test_lines_are_those_of_the_input_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of one test took the lines of the next one, which waited for ever."""
    (first, told), (second, _) = os.pipe(), os.pipe()
    monkeypatch.setattr(stop_lines, "_INPUT", first)
    with signals.cancel_on_signals(report_forced=lambda: None) as token, stop_lines.heed_lines(token):
        monkeypatch.setattr(stop_lines, "_INPUT", second)
        os.write(told, b"keep\n")
        wait_until(lambda: token.cancelled)


def test_a_queue_heeds_the_lines_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    heeded: list[bool] = []

    @contextmanager
    def heed_lines(_token: CancelToken, *, keeps: bool) -> Iterator[None]:
        heeded.append(keeps)
        yield

    monkeypatch.setattr(export_jobs, "heed_lines", heed_lines)
    for as_json in (False, True):
        export_jobs.run_jobs(tmp_path, as_json=as_json)
    assert heeded == [False], "that of --json-progress, and not to keep a part: the queue does that itself"


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, _text: str) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_closed_terminal_ends_no_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stderr", Gone())
    say("a sentence")
    with progress_reporter(as_json=False) as made:
        made.notice("a sentence")
        made.progress(ExportProgress(1, 2, 1.0))
        made.finished(ExportReport(tmp_path / "out.mp4", 2))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("exporting", [["--keep-partial"]], indirect=True)
def test_a_stopped_export_keeps_its_frames_with_keep_partial(
    exporting: fork_server.Fork, clip: Path, stop: signal.Signals
) -> None:
    exporting.send_signal(stop)
    stdout, stderr = exporting.communicate(timeout=20)
    assert exporting.returncode == 3
    kept = clip.with_name("out.partial.mp4")
    assert str(kept) in json.loads(stdout.splitlines()[-1])["message"]
    assert str(kept) in stderr
    assert 2 <= frame_count(kept) < 50
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "out.partial.mp4"]


def test_a_second_ctrl_c_at_once_is_ignored(exporting: fork_server.Fork, clip: Path) -> None:
    exporting.send_signal(signal.SIGINT)
    time.sleep(0.01)
    exporting.send_signal(signal.SIGINT)
    _, stderr = exporting.communicate(timeout=20)
    assert exporting.returncode == 130
    assert "Traceback" not in stderr
    assert [path.name for path in clip.parent.iterdir()] == ["clip.mp4"]


def test_a_later_signal_interrupts_work_that_ignores_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "PATIENCE_SECS", 0.0)
    before = signal.getsignal(signal.SIGINT)
    with signals.cancel_on_signals() as token:
        signal.raise_signal(signal.SIGTERM)
        assert token.cancelled
        time.sleep(0.001)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_get_a_token_without_signals() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: signals.cancel_on_signals().__enter__()).result().cancelled is False


@pytest.mark.parametrize(("imported", "looks"), [("json", "False"), ("triton", "True")])
def test_the_end_of_a_command_does_not_look_for_garbage_unless_triton_would_tell(imported: str, looks: str) -> None:
    """That took a third of a second, once torch was imported. Triton's bindings write what is left to stderr."""
    pytest.importorskip(imported)
    code = (
        "import atexit, gc, sys; sys.argv = ['videoinr', '--version']\n"
        f"import {imported}\n"
        "atexit.register(lambda: print(len(gc.get_objects()) > gc.get_freeze_count()))\n"
        "from videoinr.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert done.stdout.splitlines()[1:] == [looks]
    assert done.stderr == ""
