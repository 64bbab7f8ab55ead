"""Exports destroy nothing: foreign files, sources, two writers, kills, full disks; no file pretends to be whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers import fork_server
from helpers.clips import numbered_frames, write_clip, write_pictures
from helpers.command_line import environment, run_here
from helpers.export_jobs import job
from helpers.full_disk import fill_disk
from helpers.slow_renderer import SlowRenderer
from helpers.tiny_model import save_tiny_model
from videoinr.cancel import CancelToken
from videoinr.colour import ColourSpec
from videoinr.errors import ExportError
from videoinr.exporting.export import write_frames
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.outputs import check_output, notices, sink_for
from videoinr.exporting.target import NameTakenError, PartialKeptError
from videoinr.exporting.verify import verify_video
from videoinr.exporting.video_mux import complete_prefixes
from videoinr.types import Quality, RegionQuery, RenderedRegion

COLOUR = ColourSpec("bt709", "tv", "bt709", "bt709")
SLOW = "helpers.slow_cli"
KILLS, FULL_DISKS = 20, 15


def noise(count: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (count, height, width, 4), dtype=np.uint8)


def frame_count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip")
    return path


# ---- foreign files ----


@pytest.mark.parametrize("name", ["out.mp4", "frames"])
def test_foreign_files_beside_the_output_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    for foreign in ("out.mp4.part", "out.partial.mp4", "out.mp4.partial", "out.part", "frames.part", "frames.partial"):
        (tmp_path / foreign).write_bytes(b"foreign")
    (tmp_path / "link.mp4.part").symlink_to(tmp_path / "mine")
    before = contents(tmp_path)
    for stop_after in (3, None):
        sink = sink_for(job(tmp_path / name, keep_partial=True), COLOUR)
        sink.open()
        for frame in noise(4)[:stop_after]:
            sink.write(frame)
        path = sink.finish(partial=stop_after is not None)
        assert path.exists() or path.parent.is_dir()
        sink.abort()
    after = contents(tmp_path)
    assert {foreign: after[foreign] for foreign in before} == before
    kept = tmp_path / ("out.partial-2.mp4" if name == "out.mp4" else "frames/%05d.partial")
    assert kept.exists()


@pytest.mark.parametrize("name", ["out.mp4.part", "out.part", "out.partial.mp4", "out.mp4.partial"])
def test_a_source_with_the_name_of_an_unfinished_file_stays(tmp_path: Path, name: str) -> None:
    source = write_clip(tmp_path / "clip.mp4", 6)
    source.rename(tmp_path / name)
    before = (tmp_path / name).read_bytes()
    model = save_tiny_model(tmp_path / "model")
    options = ("--model", model, "--device", "cpu", "--scale", "1", "--overwrite")
    assert run_here("export", tmp_path / name, tmp_path / "out.mp4", *options).exit_code == 0
    assert (tmp_path / name).read_bytes() == before
    assert frame_count(tmp_path / "out.mp4") == 6


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_a_file_that_appears_during_the_export_is_not_replaced(tmp_path: Path, name: str) -> None:
    sink = sink_for(job(tmp_path / name), COLOUR)
    sink.open()
    for frame in noise(3):
        sink.write(frame)
    (tmp_path / name).write_bytes(b"foreign")
    with pytest.raises(NameTakenError, match=r"appeared during the export .* Saved 3 frames to .*out-2\.") as caught:
        sink.finish()
    assert (tmp_path / name).read_bytes() == b"foreign"
    assert frame_count(caught.value.path) == 3
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("folder_exists", [False, True])
def test_pictures_that_appear_during_the_export_are_not_replaced(tmp_path: Path, folder_exists: bool) -> None:
    folder = tmp_path / "frames"
    if folder_exists:
        folder.mkdir()
    sink = sink_for(job(folder), COLOUR)
    sink.open()
    for frame in noise(3):
        sink.write(frame)
    folder.mkdir(exist_ok=True)
    (folder / "00001.png").write_bytes(b"foreign")
    with pytest.raises(NameTakenError) as caught:
        sink.finish()
    sink.abort()
    assert contents(folder) == {"00001.png": b"foreign"}
    assert sorted(path.name for path in caught.value.path.iterdir()) == ["00000.png", "00001.png", "00002.png"]


def test_a_folder_that_appears_without_such_pictures_is_used(tmp_path: Path) -> None:
    sink = sink_for(job(tmp_path / "frames"), COLOUR)
    sink.open()
    sink.write(noise(1)[0])
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "notes.txt").write_bytes(b"mine")
    sink.finish()
    assert sorted(contents(tmp_path / "frames")) == ["00000.png", "notes.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_overwriting_pictures_leaves_other_numbers_and_says_so(tmp_path: Path) -> None:
    for name in ("00000.png", "20240101.png", "00500.png"):
        (tmp_path / name).write_bytes(b"mine")
    task = job_for(SlowRenderer().opened.info, tmp_path, overwrite=True)
    check_output(task)
    assert "2 other numbered pictures" in notices(task)[0]
    write_frames(task, SlowRenderer(), sink_for(task, COLOUR))
    assert len(contents(tmp_path)) == 52
    assert all((tmp_path / name).read_bytes() == b"mine" for name in ("20240101.png", "00500.png"))


def test_a_picture_of_the_clip_is_never_the_output(tmp_path: Path) -> None:
    write_pictures(tmp_path / "shot", 3, name="{}.png")
    before = contents(tmp_path / "shot")
    for source in (tmp_path / "shot", tmp_path / "shot" / "%d.png", tmp_path / "sho*" / "*.png"):
        decoded = run_here("decode", source, "--time", "0", "-o", tmp_path / "shot" / "1.png")
        exported = run_here("export", source, tmp_path / "shot" / "%d.png", "--overwrite", "--scale", "1")
        for outcome in (decoded, exported):
            assert outcome.exit_code == 2
            assert "of the clip" in outcome.stderr or "clip itself" in outcome.stderr
    assert contents(tmp_path / "shot") == before


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.mp4")
    with pytest.raises(ExportError, match="not an ordinary file"):
        check_output(job(tmp_path / "out.mp4", overwrite=True))


# ---- two writers ----


@pytest.mark.parametrize("name", ["same.mp4", "frames"])
def test_the_second_of_two_exports_to_one_name_is_refused(clip: Path, name: str) -> None:
    out = clip.with_name(name)
    with fork_server.start("0.004", "export", clip, out, "--json-progress", module=SLOW) as first:
        assert first.stdout is not None
        assert json.loads(first.stdout.readline())["event"] == "progress"
        first.send_signal(signal.SIGSTOP)  # It must not end before the second begins, however slow the machine is.
        with fork_server.start("0", "export", clip, out, "--overwrite", module=SLOW) as second:
            _, words = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"is being written by another export (process {first.pid})" in words
        first.send_signal(signal.SIGCONT)
        stdout, _ = first.communicate(timeout=60)
    assert first.returncode == 0
    assert json.loads(stdout.splitlines()[-1])["event"] == "finished"
    assert (frame_count(out) if out.is_file() else len(list(out.iterdir()))) == 50
    assert sorted(path.name for path in clip.parent.iterdir()) == sorted(["clip.mp4", name])


# ---- kills ----


@pytest.mark.parametrize("name", ["out.mp4", "frames"])
def test_an_export_that_is_killed_leaves_no_file_that_pretends_to_be_whole(tmp_path: Path, name: str) -> None:
    moments = [index / (KILLS / 2) for index in range(KILLS // 2)]
    folders = [tmp_path / str(index) for index in range(len(moments))]
    for folder in folders:
        folder.mkdir()
        (folder / "clip.mp4").write_bytes(b"a clip")
        (folder / f"{name}.part").write_bytes(b"foreign")
    for folder, moment in zip(folders, moments, strict=True):
        command = ("0.004", "export", folder / "clip.mp4", folder / name, "--json-progress")
        with fork_server.start(*command, module=SLOW) as process:
            assert process.stdout is not None
            for _ in range(1 + int(moment * 55)):  # 52 lines: the last moments lie in the end of the export
                process.stdout.readline()
            process.kill()
        assert contents(folder).items() >= {"clip.mp4": b"a clip", f"{name}.part": b"foreign"}.items()
        whole = folder / name
        if whole.is_file():
            verify_video(whole, width=320, height=180, frames=50, fps=Fraction(25))
        elif whole.is_dir():
            assert len(list(whole.glob("*.png"))) == 50


# ---- full disks ----


class NoiseRenderer(SlowRenderer):
    """Renders noise, which no codec makes much smaller."""

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        shape = (query.rect.height, query.rect.width, 4)
        seed = int(1000 * query.instant.position)
        return RenderedRegion(query, quality, np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), 0.0)


WHOLE_BYTES = {"out.mp4": 260_000, "out.mkv": 560_000, "frames": 500_000}
"""Somewhat more than the output of 25 frames takes."""


@pytest.mark.parametrize("keep_partial", [False, True])
@pytest.mark.parametrize("name", WHOLE_BYTES)
def test_a_full_disk_at_any_moment(tmp_path: Path, name: str, keep_partial: bool) -> None:
    codec = {"out.mkv": "ffv1"}.get(name)
    ends: Counter[str] = Counter()
    for number in range(FULL_DISKS):
        folder = tmp_path / str(number)
        folder.mkdir()
        task = job(folder / name, size=(96, 64), fps=Fraction(25), keep_partial=keep_partial, codec=codec)
        room = WHOLE_BYTES[name] * (2 * number + 1) // (2 * FULL_DISKS)
        end, path, count = export_with_room(task, room)
        ends[end] += 1
        if path is None:
            assert list(folder.iterdir()) == []
        else:
            assert (frame_count(path) if path.is_file() else len(list(path.parent.rglob("*.png")))) == count
            assert len(list(folder.iterdir())) == 1
    assert ends["failed"] + ends["kept"] >= FULL_DISKS // 2
    assert (ends["kept"] >= FULL_DISKS // 3) is keep_partial
    assert ends["saved"] or keep_partial


def export_with_room(task: ExportJob, room: int) -> tuple[str, Path | None, int]:
    """Export on a disk with ``room`` bytes. Return how it ended, and the output with its number of frames."""
    with pytest.MonkeyPatch.context() as patch:
        fill_disk(patch, after_bytes=room)
        try:
            return "saved", write_frames(task, NoiseRenderer(), sink_for(task, COLOUR)), 25
        except PartialKeptError as error:
            words, kept, frames = str(error), error.path, error.frames
        except ExportError as error:
            words, kept, frames = str(error), None, 0
    assert "disk is full" in words
    assert kept is None or "partial" in kept.name
    return ("kept" if kept else "failed"), kept, frames


def test_packets_end_where_no_frame_is_missing() -> None:
    assert complete_prefixes([0, 3, 1, 2, 6, 4, 5], 0, -1) == [0, 1, 4, 7]
    assert complete_prefixes([1, 2, 6, 4], 2, 3) == [2]
    assert complete_prefixes([], 4, 3) == [0]


# ---- the check of a written file ----


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
@pytest.mark.parametrize("share", [(0.75, 1.0), (0.4, 0.6)])
def test_a_file_that_lost_data_fails_its_check(tmp_path: Path, name: str, share: tuple[float, float]) -> None:
    codec, pix_fmt = ("prores_ks", "yuv422p10le") if name == "a.mov" else ("libx264", "yuv420p")
    path = write_clip(
        tmp_path / name, 300, options={"g": "30"} if codec == "libx264" else {}, codec=codec, pix_fmt=pix_fmt,
        container_options={} if name == "a.mkv" else {"movflags": "faststart"},
    )  # fmt: skip
    verify_video(path, width=64, height=48, frames=300, fps=Fraction(25))
    data = bytearray(path.read_bytes())
    first, last = (int(len(data) * end) for end in share)
    data[first:last] = bytes(last - first)
    path.write_bytes(data)
    with pytest.raises(ExportError, match="failed its check"):
        verify_video(path, width=64, height=48, frames=300, fps=Fraction(25))


# ---- signals ----


INTERRUPTED = """
import os, runpy, signal, sys
class Interrupter:
    def find_spec(self, name, *_):
        if name == moment:
            os.kill(os.getpid(), signal.SIGINT)
moment = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupter())
runpy.run_module("videoinr.cli", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("moment", ["typer", "videoinr.errors", "videoinr.commands.export", "torch"])
def test_ctrl_c_while_modules_are_imported_prints_no_traceback(tmp_path: Path, moment: str) -> None:
    """The moments are the beginnings of imports: after a time, a busy machine may be anywhere."""
    clip = write_clip(tmp_path / "clip.mp4", numbered_frames(3))
    process = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, moment, "export", clip, tmp_path / "out.mp4"],
        env=environment(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == 130, process.stderr
    assert "Traceback" not in process.stderr
    assert list(tmp_path.iterdir()) == [clip]


STUCK = """
import ctypes, sys
from pathlib import Path
from videoinr.commands import signals
from videoinr.writing.partial_file import PartialFile
from videoinr.writing.partial_folder import PartialFolder
signals.FORCE_SECS = 0.3
with signals.cancel_on_signals(report_forced=lambda: print("stopped", flush=True)):
    PartialFile(Path(sys.argv[1])).write(b"half")
    PartialFolder(Path(sys.argv[1]))
    print("started", flush=True)
    ctypes.CDLL(None).sleep(0) or [ctypes.CDLL(None).sleep(30) for _ in range(9)]  # no Python code runs meanwhile
"""


@pytest.mark.parametrize(("stop", "left"), [(signal.SIGINT, []), (signal.SIGTERM, [True])])
def test_a_process_stuck_in_a_library_ends_soon_and_removes_what_no_later_run_can_use(
    tmp_path: Path, stop: signal.Signals, left: list[bool]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, tmp_path / "out.mp4"], stdout=subprocess.PIPE, text=True,
        env=environment(),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(stop)
        stdout, _ = process.communicate(timeout=60)  # The library would take five minutes.
    assert (process.returncode, stdout) == (130, "stopped\n")
    assert [path.is_dir() for path in tmp_path.iterdir()] == left
