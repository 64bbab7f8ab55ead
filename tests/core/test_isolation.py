"""A file that ends or stops the process that opens it costs only that file; what opening finds is the same."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import videoinr
from helpers import command_line, faulty_helper
from helpers.clips import write_clip, write_pictures
from helpers.tiny_model import save_tiny_model
from videoinr.cancel import CancelToken
from videoinr.clip import OpenOptions, open_clip, video_opening
from videoinr.clip.describe import describe
from videoinr.clip.found import Found, Scan
from videoinr.clip.head import FrameFacts, HeadFacts
from videoinr.clip.open_options import DEFAULT_OPTIONS
from videoinr.clip.packet_index import PacketTable
from videoinr.clip.stream_timecode import GopTimecode
from videoinr.colour import ColourSpec, ColourTags
from videoinr.errors import Cancelled, ClipError, UsageError
from videoinr.isolation import helper_process, helpers
from videoinr.isolation.findings import found_from_message, message_from_found
from videoinr.isolation.helper_process import HelperProcess
from videoinr.isolation.helpers import Helpers
from videoinr.isolation.messages import Message, read_message, write_message
from videoinr.isolation.questions import asked_for, question_about

GONE_SECS = 30.0
"""How long a process may take to end on a busy machine. Nothing waits that long unless it fails."""


@pytest.fixture(scope="module")
def warm() -> Iterator[Helpers]:
    """Helpers that the tests of this file share: each start takes a part of a second."""
    shared = Helpers()
    yield shared
    shared.close()


@pytest.fixture(autouse=True)
def isolation(monkeypatch: pytest.MonkeyPatch, warm: Helpers) -> None:
    monkeypatch.setenv(helpers.SWITCH, "1")
    monkeypatch.setattr(helper_process, "SERVER", faulty_helper.__name__)
    monkeypatch.setattr(helpers, "HELPERS", warm)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("isolation") / "plain.mp4", 12, audio_secs=0.2)


@pytest.fixture
def named(plain: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a valid clip whose name asks the helper for a fault."""
    return lambda name: Path(shutil.copy(plain, tmp_path / f"{name}.mp4"))


def idle_pids(helpers: Helpers) -> list[int]:
    return [helper.pid for helper in helpers._idle]


def is_gone(pid: int) -> bool:
    end = time.monotonic() + GONE_SECS
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # Nobody has asked for its exit code yet.
        except OSError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("kind", ["mp4", "mkv", "webm", "gif", "folder", "interlaced options"])
def test_opening_finds_the_same_with_and_without_a_helper(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = DEFAULT_OPTIONS
    if kind == "folder":
        path = write_pictures(tmp_path / "pictures", 3)[0].parent
    elif kind == "gif":
        path = write_clip(tmp_path / "clip.gif", 5, codec="gif", pix_fmt="rgb8")
    elif kind == "webm":
        path = write_clip(tmp_path / "clip.webm", 6, codec="libvpx-vp9")
    else:
        path = write_clip(tmp_path / f"clip.{kind[:3] if kind != 'interlaced options' else 'mp4'}", 12)
    if kind == "interlaced options":
        options = OpenOptions(deinterlace="on", stream=0, background="white")
    seen = []
    for switch in ("1", "0"):
        monkeypatch.setenv(helpers.SWITCH, switch)
        with open_clip(path, options) as clip:
            frames = [clip.frame(index) for index in range(clip.info.frames)]
            seen.append((describe(clip), clip.identity, clip.report, frames))
    assert seen[0][:3] == seen[1][:3]
    assert all(np.array_equal(first, second) for first, second in zip(seen[0][3], seen[1][3], strict=True))


def test_this_process_does_not_scan_what_the_helper_has_scanned(
    named: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_opening, "scan_packets", None)
    for _ in range(2):
        with open_clip(named("unscanned")) as clip:
            assert clip.info.frames == 12


def test_a_file_that_has_changed_is_asked_about_again(named: Callable[[str], Path]) -> None:
    path = named("changing")
    open_clip(path).close()
    write_clip(path, 5)
    with open_clip(path) as clip:
        assert clip.info.frames == 5


@pytest.mark.parametrize(("name", "how"), [("exits", f"exit code {faulty_helper.EXIT_CODE}"), ("killed", "SIGTERM")])
def test_a_file_that_ends_the_helper_is_an_error_and_the_next_file_opens(
    name: str, how: str, plain: Path, named: Callable[[str], Path]
) -> None:
    if name == "killed" and sys.platform == "win32":
        pytest.skip("Windows has no signals")
    with pytest.raises(ClipError, match=rf"“{name}\.mp4” ended the process that reads it \({how}\)") as caught:
        open_clip(named(name))
    assert "Everything else goes on" in caught.value.hint
    open_clip(plain).close()


def test_a_file_that_stops_the_helper_is_an_error_after_a_while(
    named: Callable[[str], Path], warm: Helpers, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_clip(named("awake")).close()
    (pid,) = idle_pids(warm)
    monkeypatch.setattr(helpers, "SILENCE_SECS", 0.2)
    with pytest.raises(ClipError, match=r"did not get on for 0\.2 seconds"):
        open_clip(named("sleeps"))
    assert is_gone(pid)


def test_a_helper_that_something_else_ended_is_replaced(
    named: Callable[[str], Path], warm: Helpers, caplog: pytest.LogCaptureFixture
) -> None:
    open_clip(named("before")).close()
    (pid,) = idle_pids(warm)
    os.kill(pid, signal.SIGTERM)
    open_clip(named("after")).close()
    assert idle_pids(warm) != [pid]
    assert is_gone(pid)


def test_cancelling_ends_the_wait_and_the_helper(named: Callable[[str], Path]) -> None:
    class Soon(CancelToken):
        checks = 0

        def check(self) -> None:
            self.checks += 1
            if self.checks > 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        open_clip(named("sleeps"), token=Soon())


def test_refusals_keep_class_message_and_hint(tmp_path: Path, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "list.mp4"
    text.write_text("#EXTM3U\n")
    for path, options in ((text, DEFAULT_OPTIONS), (plain, OpenOptions(stream=7))):
        seen = []
        for switch in ("1", "0"):
            monkeypatch.setenv(helpers.SWITCH, switch)
            with pytest.raises((ClipError, UsageError)) as caught:
                open_clip(path, options)
            seen.append((type(caught.value), str(caught.value), caught.value.hint))
        assert seen[0] == seen[1]


def test_where_no_helper_works_files_are_opened_here(
    named: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(helpers, "HELPERS", Helpers())
    with monkeypatch.context() as context:
        context.setattr(helper_process, "SERVER", "there.is.no.such.module")
        open_clip(named("first")).close()
    assert "helper processes do not work here" in caplog.text
    monkeypatch.setattr(helper_process, "start_command", lambda: ["/there/is/no/such/program"])
    open_clip(named("second")).close()
    assert "no helper process can be started" in caplog.text


def test_a_fault_of_the_program_in_the_helper_shows_in_this_process(
    named: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    open_clip(named("fails")).close()
    assert "AssertionError: a fault of the program" in caplog.text


def test_a_fork_leaves_the_helpers_to_its_parent(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Helpers()
    monkeypatch.setattr(helpers, "HELPERS", own)
    own.warm_up()
    (pid,) = idle_pids(own)
    with monkeypatch.context() as context:
        context.setattr(os, "getpid", lambda: -1)
        own.close()
        assert idle_pids(own) == [pid]
    own.close()
    assert idle_pids(own) == []
    assert is_gone(pid)


def test_commands_and_the_api_name_the_file(named: Callable[[str], Path], tmp_path: Path) -> None:
    model = str(save_tiny_model(tmp_path))
    path = named("exits")
    words = "“exits.mp4” ended the process that reads it"
    probed = command_line.run_here("probe", path, "--isolated")
    exported = command_line.run_here("export", path, tmp_path / "out.mp4", "--model", model, "--device", "cpu")
    for outcome in (probed, exported):
        assert outcome.exit_code == 1
        assert words in outcome.stderr
        assert not outcome.has_traceback
    assert not (tmp_path / "out.mp4").exists()
    with pytest.raises(ClipError, match=words):
        videoinr.open(path, model=model, device="cpu")


PARENT = """
import sys, time
sys.path[:] = {path!r}
from pathlib import Path
from videoinr.isolation import helper_process
helper_process.SERVER = {server!r}
from videoinr.isolation.helper_process import HelperProcess
from videoinr.isolation.messages import Message, write_message
helper = HelperProcess()
write_message(helper._process.stdin, Message({{"where": {clip!r}, "folder": "", "options": {options}}}))
if sys.argv[1] != "at once":
    helper._process.stdout.read(1)  # It has begun.
print(helper.pid, flush=True)
if sys.argv[1] != "quits":
    time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("end", ["quits", "killed", "killed while a library holds Python's lock"])
def test_no_helper_outlives_its_parent(end: str, named: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faulty_helper.WATCHDOG, "1")
    clip = named("holds_the_lock" if "lock" in end else "sleeps")
    options = question_about(clip, DEFAULT_OPTIONS, "")["options"]
    code = PARENT.format(path=sys.path, server=faulty_helper.__name__, clip=str(clip), options=options)
    command = [sys.executable, "-W", "ignore", "-c", code, end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
        finally:
            if end != "quits":
                parent.kill()
            parent.wait(GONE_SECS)
    assert is_gone(pid)


def test_an_idle_helper_ends_with_its_input() -> None:
    helper = HelperProcess()
    assert helper.is_alive
    helper.end()
    assert not helper.is_alive
    helper.end()


def test_a_question_comes_back_as_it_was() -> None:
    options = OpenOptions(
        colour=ColourSpec("bt709", "tv", "bt709", "bt709", ("matrix",)), stream=2, background="#2060ff", cuts="3,-4"
    )
    where = Path("clips/ü \udce9.mp4")
    question = json.loads(json.dumps(question_about(where, options, "/")))
    assert asked_for(question) == (where, options)


def found_with(frames: int) -> Found:
    table = PacketTable(is_encrypted=True)
    for column in (table.pts, table.dts, table.duration, table.size):
        column.extend(range(-5, frames - 5))
    for flags in (table.key, table.shown, table.closed):
        flags.extend(b"\x01" * frames)
    first = FrameFacts(-5, 64, 48, False)
    facts = HeadFacts(
        (-5, None), 0, (first, replace(first, pts=None)), "yuv420p", ColourTags("bt709"), (1, True), False, 1, "left"
    )
    heads = {None: facts, 1: replace(facts, turns=None, notes=("A note.",), timecodes=("01:02:03;04", ""))}
    groups = (GopTimecode("10:00:00:00", -5, 2),)
    return Found({None: Scan(table, ("A warning.",), groups), 1: Scan(table, ())}, heads, sizes_agree=True)


def test_what_was_found_comes_back_as_it_was() -> None:
    stream = io.BytesIO()
    write_message(stream, message_from_found(found_with(4)))
    stream.seek(0)
    message = read_message(stream)
    assert message is not None
    back = found_from_message(message)
    assert back.sizes_agree
    assert back.heads == found_with(4).heads
    assert {number: (scan.table, scan.warnings, scan.timecodes) for number, scan in back.scans.items()} == {
        number: (scan.table, scan.warnings, scan.timecodes) for number, scan in found_with(4).scans.items()
    }
    assert read_message(stream) is None


@pytest.mark.parametrize(
    "written",
    [
        b"\x7f\xff\xff\xff{}", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x02{}", b"\x00\x00\x00\x03nul",
        b'\x00\x00\x00\x0e{"blobs":[-1]}', b'\x00\x00\x00\x17{"blobs":[999999999999]}',
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(written: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_message(io.BytesIO(written))


@pytest.mark.parametrize(
    "written", [b"", b"\x00\x00", b'\x00\x00\x00\x0d{"blobs":', b'\x00\x00\x00\x0d{"blobs":[3]}ab']
)
def test_a_message_that_breaks_off_is_the_end(written: bytes) -> None:
    assert read_message(io.BytesIO(written)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pts", []), ("pts", ["1", 2]), ("pts", [2**63, 2]), ("errors", True), ("frames", []), ("frames", [{}]),
        ("frames", [{"pts": 0, "width": 1 << 15, "height": 1 << 15, "is_corrupt": False}]), ("format", "no_format"),
        ("format", None), ("format", "a b"), ("tags", {"matrix": "\x1b"}), ("tags", {"other": "bt709"}),
        ("turns", [1]), ("turns", ["1", True]), ("is_interlaced", 0), ("siting", 3), ("notes", "a note"),
        ("notes", [3]), ("notes", ["x" * 3000]), ("timecodes", ["soon"]), ("timecodes", [3]), ("timecodes", 3),
    ],
)  # fmt: skip
def test_a_head_of_another_form_is_refused(name: str, value: object) -> None:
    values, blobs = message_from_found(found_with(2))
    values = json.loads(json.dumps(values))
    values["scans"][0]["head"][name] = value
    with pytest.raises(ValueError, match=r"."):
        found_from_message(Message(values, blobs))


@pytest.mark.parametrize(
    "change", ["short", "odd", "flag", "columns", "warnings", "timecodes", "stream", "scans", "head"]
)
def test_findings_of_other_forms_are_refused(change: str) -> None:
    values, blobs = message_from_found(found_with(2))
    blobs = list(blobs)
    if change == "short":
        blobs[1] = blobs[1][:8]
    elif change == "odd":
        blobs[0] = blobs[0][:-1]
    elif change == "flag":
        blobs[4] = b"\x01\x02"
    elif change == "columns":
        blobs.pop()
    elif change == "scans":
        values["scans"] = None
    else:
        values["scans"][0][change] = "x"
    with pytest.raises(ValueError, match=r"."):
        found_from_message(Message(values, blobs))
