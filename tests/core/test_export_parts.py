"""Exports in parts: killed and resumed, shared and joined, cancelled and kept; the frames are those of one run."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from helpers import held_frames
from helpers.clicks import readers, write_clicks
from helpers.command_line import run_here
from helpers.export_jobs import job
from helpers.fork_server import start
from helpers.killed_exports import assert_same, frames_of, kill_again_and_again, leave_as_another_process, wait_for_part
from helpers.slow_cli import engine_module
from helpers.slow_renderer import SlowRenderer
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, ExportError, InputError, UsageError
from videoinr.exporting.export import export_job
from videoinr.exporting.job import job_for
from videoinr.exporting.joining import join_shares
from videoinr.exporting.packet_file import PacketFile, PacketWriter
from videoinr.exporting.parts import Share, share_from_text
from videoinr.exporting.target import PartialKeptError
from videoinr.exporting.video_sink import VideoSink
from videoinr.types import ExportProgress

SLOW = "helpers.slow_cli"
KILLS = 5
A_PART_DONE = 40
"""Frames after which the first part, of 25, is drawn, and will soon be whole."""
MSECS = 2000
"""The length of a SlowRenderer's clip."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A real file with sound; a SlowRenderer draws the pictures."""
    return write_clicks(tmp_path / "clip.mkv", list(range(0, MSECS, 40)), [6, 31], end_msecs=MSECS)


@pytest.fixture
def slow_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make commands that run in this process open a SlowRenderer, as helpers.slow_cli does in one of its own."""
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", engine_module())


def export(clip: Path, out: Path, **options: Any) -> Path:
    engine = SlowRenderer(clip)
    return export_job(job_for(engine.opened.info, out, **options), engine).path


# ---- files of packets ----


def packets(count: int) -> list[av.Packet[Any]]:
    made = []
    for number in range(count):
        packet: Any = av.Packet(bytes([number]) * (number + 5))
        packet.pts = packet.dts = number
        made.append(packet)
    return made


def test_a_file_of_packets_without_an_end_holds_what_was_written(tmp_path: Path) -> None:
    writer = PacketWriter(tmp_path / "a.open", {"first": 0})
    for packet in packets(4):
        writer.add(packet)
    writer.close()
    whole = (tmp_path / "a.open").read_bytes()
    assert PacketFile(tmp_path / "a.open").notes is None
    (tmp_path / "cut").write_bytes(whole[:-3])
    assert [packet.pts for packet in PacketFile(tmp_path / "cut").packets] == [0, 1, 2]
    (tmp_path / "changed").write_bytes(whole[:-1] + b"x")
    with pytest.raises(ExportError, match="not a whole part"):
        PacketFile(tmp_path / "changed").check()


# ---- kills ----


@pytest.mark.usefixtures("slow_engine")
@pytest.mark.parametrize(("name", "codec"), [("out.mkv", "ffv1"), ("out.mp4", "libx264")])
def test_an_export_that_is_killed_again_and_again_goes_on(tmp_path: Path, clip: Path, name: str, codec: str) -> None:
    options = ("--codec", codec, "--fps", "50")
    assert run_here("export", clip, tmp_path / f"whole-{name}", *options).exit_code == 0
    out = tmp_path / name
    kill_again_and_again(
        [clip, out, *options], out, kills=KILLS, seed=codec, secs_per_frame="0.01", module=SLOW, at_least=A_PART_DONE
    )
    outcome = run_here("export", clip, out, *options, "--resume", "--json-progress")
    assert outcome.exit_code == 0, outcome
    assert json.loads(outcome.stdout.splitlines()[0])["done"] > 0
    assert_same(out, tmp_path / f"whole-{name}")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["clip.mkv", name, f"whole-{name}"])


def killed(clip: Path, out: Path, *options: str) -> Path:
    """Start an export and kill it after its first part; return what it leaves."""
    with start("0.01:unfinished", "export", clip, out, "--json-progress", *options, module=SLOW) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["done"] < A_PART_DONE:
            pass
        wait_for_part(out)
        process.kill()
    (left,) = (path for path in out.parent.iterdir() if path.name.startswith(out.name))
    return left


@pytest.mark.parametrize("folder_exists", [False, True])
def test_pictures_that_are_killed_again_and_again_go_on(
    tmp_path: Path, clip: Path, folder_exists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", engine_module())
    whole, out, options = tmp_path / "whole", tmp_path / "frames", ("--scale", "1", "--fps", "100")
    assert run_here("export", clip, whole, *options).exit_code == 0
    if folder_exists:
        out.mkdir()
    target = out / "00000.png"
    kill_again_and_again(
        [clip, out, *options], target, kills=3, seed=str(folder_exists), secs_per_frame="0.01", module=SLOW
    )
    (left,) = (path for path in (out if folder_exists else tmp_path).iterdir() if path.suffix == ".part")
    damaged = sorted(left.glob("*.png"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-5])
    outcome = run_here("export", clip, out, *options, "--resume", "--json-progress")
    assert outcome.exit_code == 0, outcome
    assert 0 < json.loads(outcome.stdout.splitlines()[0])["done"] < 200
    assert_same(out, whole)
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in whole.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mkv", "frames", "whole"]


def test_a_clip_of_variable_rate_goes_on_in_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [time for time in range(0, MSECS, 40) if time % 200 in (0, 40) or 400 <= time < 600]
    flashes = [times.index(time) for time in (240, 640, 1640)]
    clip = write_clicks(tmp_path / "clip.mkv", times, flashes, end_msecs=MSECS)
    out, options = tmp_path / "out.mp4", ("--scale", "1", "--fps", "50")
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", held_frames.engine_module())
    assert run_here("export", clip, tmp_path / "whole.mp4", *options).exit_code == 0
    kill_again_and_again(
        [clip, out, *options], out, kills=2, seed="vfr", secs_per_frame="0.01", module="helpers.held_frames",
        at_least=A_PART_DONE,
    )  # fmt: skip
    assert run_here("export", clip, out, *options, "--resume").exit_code == 0
    assert_same(out, tmp_path / "whole.mp4")
    for reader in readers():
        for found in reader(out):
            np.testing.assert_allclose(found, [0.24, 0.64, 1.64], atol=0.001, err_msg=reader.__name__)


def stop(*_: object) -> None:
    raise Cancelled


@pytest.mark.parametrize("frames", [12, 13])
def test_an_export_that_was_stopped_after_its_last_part_goes_on(tmp_path: Path, clip: Path, frames: int) -> None:
    engine, out, token = SlowRenderer(clip, frames=frames), tmp_path / "out.mkv", CancelToken()
    task = job_for(engine.opened.info, out, codec="ffv1", scale=Fraction(1))
    assert task.plan.length == 6, "so that 13 frames end with a shorter part"
    token.leaves = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VideoSink, "_written", stop)
        with pytest.raises(Cancelled):
            export_job(task, engine, token=token)
    leave_as_another_process(out)
    done: list[int] = []
    export_job(replace(task, resume=True), engine, progress=lambda now: done.append(now.done))
    assert done == [frames]
    assert len(frames_of(out)) == frames


@pytest.mark.parametrize("kind", ["png", "tiff", "exr"])
def test_pictures_are_resumed_by_the_same_job_alone(tmp_path: Path, clip: Path, kind: str) -> None:
    token = CancelToken()
    token.leaves = True

    def progress(now: ExportProgress) -> None:
        if now.done == 12:
            token.cancel()

    out, engine = tmp_path / "frames", SlowRenderer(clip, cuts=frozenset({3}))
    task = job_for(engine.opened.info, out, scale=Fraction(1), fps=Fraction(50), codec=kind)
    with pytest.raises(Cancelled):
        export_job(task, engine, progress=progress, token=token)
    leave_as_another_process(out)
    with pytest.raises(ExportError, match="differs in size, crop"):
        export(clip, out, resume=True, codec=kind)
    (left,) = tmp_path.glob("frames.*.part")
    first, *_ = (path for path in sorted(left.iterdir()) if path.stem == "00000")
    whole = first.read_bytes()
    first.write_bytes(whole[:-9])
    said: list[str] = []
    found: list[int] = []
    again = replace(task, resume=True)
    export_job(again, engine, notice=said.append, progress=lambda now: found.append(now.done))
    assert 0 < found[0] < 12, "the damaged picture is not counted"
    assert next(out.glob("00000.*")).read_bytes() == whole
    assert any("cut" in sentence for sentence in said), "the cut was met before the stop"
    assert len(list(out.iterdir())) == 100


def test_what_is_left_is_resumed_by_the_same_job_alone(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out.mkv"
    outcome = run_here("export", clip, out, "--resume")
    assert (outcome.exit_code, "No unfinished export" in outcome.stderr) == (1, True)
    left = killed(clip, out, "--codec", "ffv1")
    with pytest.raises(ExportError, match="differs in size, crop, coding"):
        export(clip, out, codec="ffv1", resume=True, scale=Fraction(3))
    said: list[str] = []
    engine = SlowRenderer(clip)
    export_job(job_for(engine.opened.info, tmp_path / "out.mkv", codec="ffv1"), engine, notice=said.append)
    assert any(str(left) in sentence and "--resume" in sentence for sentence in said)
    assert left.is_dir()
    out.unlink()
    (tmp_path / "other").mkdir()
    clip.write_bytes(clip.read_bytes() + b"x")
    with pytest.raises(ExportError, match="differs in content"):
        export(clip, out, codec="ffv1", resume=True)


def test_a_damaged_part_is_made_again(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out.mkv"
    export(clip, tmp_path / "whole.mkv", codec="ffv1")
    left = killed(clip, out, "--codec", "ffv1")
    part = sorted(left.glob("*.packets"))[0]
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    export(clip, out, codec="ffv1", resume=True)
    assert_same(out, tmp_path / "whole.mkv")


# ---- shares ----


@pytest.mark.usefixtures("slow_engine")
@pytest.mark.parametrize(("name", "codec"), [("out.mkv", "ffv1"), ("out.mp4", "libx264"), ("out.webm", "libvpx-vp9")])
def test_joined_shares_equal_one_run(tmp_path: Path, clip: Path, name: str, codec: str) -> None:
    options = ("--codec", codec, "--start", "0.1", "--fps", "50", "--scale", "1")
    whole = tmp_path / f"whole-{name}"
    assert run_here("export", clip, whole, *options).exit_code == 0
    for share in ("3/4", "1/4", "4/4", "2/4"):
        outcome = run_here("export", clip, tmp_path / name, *options, "--part", share)
        assert outcome.exit_code == 0, outcome
    outcome = run_here("join", tmp_path / name)
    assert outcome.exit_code == 0, outcome
    assert "Sound: encoded" in outcome.stderr
    assert_same(tmp_path / name, whole)


def test_shares_that_do_not_fit_together(tmp_path: Path, clip: Path) -> None:
    for share in ("1/2", "2/2"):
        export(clip, tmp_path / "a.mkv", codec="ffv1", share=share_from_text(share))
        export(clip, tmp_path / "b.mkv", codec="ffv1", share=share_from_text(share), scale=Fraction(1))
    first, second = tmp_path / "a.mkv.1of2", tmp_path / "a.mkv.2of2"
    other = tmp_path / "b.mkv.2of2"
    for files, words in (
        ([first], "share 2/2 is missing"), ([first, first, second], "named twice"),
        ([first, tmp_path / "none"], "cannot be read"), ([first, clip], "not a whole part"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            join_shares(tmp_path / "out.mkv", files)
    with pytest.raises(UsageError, match=r"a\.mkv\.1of2 and .*b\.mkv\.2of2 are .* differ in coding, crop, size"):
        join_shares(tmp_path / "out.mkv", [first, second, other])
    with pytest.raises(UsageError, match=r"those of a \.mkv file"):
        join_shares(tmp_path / "out.mp4", [first, second])
    second.write_bytes(second.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"not a whole part|is not whole"):
        join_shares(tmp_path / "out.mkv", [first, second])
    assert not (tmp_path / "out.mkv").exists()


def test_machines_may_have_the_clip_in_folders_of_their_own(tmp_path: Path, clip: Path) -> None:
    out, said = tmp_path / "out.mkv", list[str]()
    there = tmp_path / "there" / "copy.mkv"
    there.parent.mkdir()
    export(clip, out, share=Share(1, 2))
    there.write_bytes(clip.read_bytes())
    export(there, out, share=Share(2, 2))
    clip.rename(tmp_path / "moved.mkv")
    assert join_shares(out).sound, "the other machine's clip is there"
    there.write_bytes(b"another clip")
    report = join_shares(out, overwrite=True, notice=said.append)
    assert (report.sound, len(report.dropped)) == ("", 1)
    assert report.dropped[0].startswith("sound")
    assert str(clip) in said[0]
    assert join_shares(out, clip=tmp_path / "moved.mkv", overwrite=True).sound
    with pytest.raises(UsageError, match="not the clip of these shares"):
        join_shares(out, clip=there, overwrite=True)


@pytest.mark.parametrize("change", ["crf", "effort", "frames", "clip", "coding", "speed"])
def test_a_share_with_wrong_facts_is_refused(tmp_path: Path, clip: Path, change: str) -> None:
    export(clip, tmp_path / "a.mkv", codec="ffv1", share=Share(1, 2))
    export(clip, tmp_path / "a.mkv", codec="ffv1", share=Share(2, 2))
    files = [tmp_path / "a.mkv.1of2", tmp_path / "a.mkv.2of2"]
    for file in files:
        header, rest = file.read_bytes().split(b"\n", 1)
        values = json.loads(header)
        facts = values["facts"]
        facts.update({"crf": {}, "effort": {}, "frames": {"frames": "many"}, "clip": {"clip": "a\nb"},
                      "speed": {"speed": "1/0"},
                      "coding": {"coding": {**facts["coding"], "encoder": "rot13"}}}[change])  # fmt: skip
        if change == "crf":
            facts["coding"]["crf"] = "low"
        if change == "effort":
            facts["coding"]["effort"] = "none at all"
        file.write_bytes(json.dumps(values).encode() + b"\n" + rest)
    with pytest.raises(InputError):
        join_shares(tmp_path / "out.mkv", files)


def test_pictures_and_partial_shares_are_refused(tmp_path: Path) -> None:
    for task in (
        job(tmp_path / "frames", share=Share(1, 2)), job(tmp_path / "a.mkv", share=Share(1, 2), keep_partial=True),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            task.check()


# ---- cancel ----


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "frames"])
def test_a_cancelled_export_keeps_a_playable_part_on_request(tmp_path: Path, clip: Path, name: str) -> None:
    engine = SlowRenderer(clip)
    token = CancelToken()

    def progress(now: ExportProgress) -> None:
        if now.done == 30:
            token.cancel(keep=True)

    with pytest.raises(PartialKeptError, match="Saved 30 frames") as caught:
        export_job(job_for(engine.opened.info, tmp_path / name), engine, progress=progress, token=token)
    path = caught.value.path
    if name == "frames":
        assert len(list(path.iterdir())) == 30
        return
    assert path.name == f"out.partial{path.suffix}"
    assert len(frames_of(path)) == 30
    with av.open(str(path)) as container:
        assert (container.duration or 0) / av.time_base == pytest.approx(30 / 25, abs=1e-4)
        assert len(container.streams.audio) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["clip.mkv", path.name]
