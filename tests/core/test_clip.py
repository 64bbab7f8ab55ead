"""Opening a video file: its properties, times and rotation, the errors, and what closing releases."""

import gc
import os
import resource
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import number_in, numbered_frame, remux, write_audio, write_clip
from videoinr.cancel import CancelToken
from videoinr.clip import OpenOptions, open_clip, packet_index, video_clip
from videoinr.clip.frame_cache import FrameCache
from videoinr.clip.video_clip import VideoClip
from videoinr.clip.video_file import VideoFile
from videoinr.colour import ColourSpec
from videoinr.errors import Cancelled, ClipError, UsageError
from videoinr.types import AudioInfo

GOP = {"g": "8", "bf": "2"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def plain(folder: Path) -> Path:
    return write_clip(folder / "plain.mp4", 24, options=GOP)


def test_the_properties_of_a_clip(folder: Path) -> None:
    path = write_clip(folder / "sound.mp4", 30, fps=Fraction(30000, 1001), options=GOP, audio_secs=1.0)
    with open_clip(path) as clip:
        info = clip.info
    assert (info.path, info.width, info.height, info.rotation) == (path, 64, 48, 0)
    assert (info.fps, info.frames, info.vfr) == (Fraction(30000, 1001), 30, False)
    assert info.duration_secs == Fraction(1001, 1000)
    assert (info.codec, info.pix_fmt, info.bit_depth) == ("h264", "yuv420p", 8)
    assert info.audio == (AudioInfo("aac", 1, 44100),)
    assert info.interlaced is False
    assert info.warnings == ()


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001), Fraction(12)])
@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts", "avi", "mov"])
def test_a_constant_rate_is_found_despite_rounded_times(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    path = write_clip(tmp_path / f"a.{suffix}", 40, fps=rate, codec="mpeg2video" if suffix == "ts" else "mpeg4")
    with open_clip(path) as clip:
        assert clip.info.fps == rate
        assert clip.info.vfr is False
        assert abs(clip.info.duration_secs - 40 / rate) <= Fraction(1, 1000)
        assert clip.timeline.frame_at(clip.info.duration_secs) == 39


@pytest.mark.parametrize(("suffix", "tick"), [("mp4", Fraction(1, 600)), ("mkv", Fraction(1, 1000))])
def test_variable_times_stay_exact(tmp_path: Path, suffix: str, tick: Fraction) -> None:
    times = [7, 17, 50, 51, 90, 200]
    path = write_clip(tmp_path / f"a.{suffix}", 6, times=times, time_base=tick, options=GOP)
    with open_clip(path) as clip:
        assert clip.info.vfr is True
        assert [clip.timeline.frame_time(index) for index in range(6)] == [(time - 7) * tick for time in times]
        assert [number_in(clip.frame(index)) for index in range(6)] == list(range(6))


def test_frames_before_an_edit_list_are_not_counted(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 24, times=range(-7, 17), time_base=Fraction(1, 25), options=GOP)
    with open_clip(path) as clip:
        assert clip.info.frames == 17
        assert clip.timeline.frame_time(0) == 0
        assert [number_in(clip.frame(index)) for index in (16, 0, 9)] == [23, 7, 16]
        assert clip.info.warnings == ()


def test_a_clip_whose_times_start_late_starts_at_second_zero(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", 8, times=range(100, 108), time_base=Fraction(1, 25), options=GOP)
    with open_clip(path) as clip:
        assert [clip.timeline.frame_time(index) for index in range(3)] == [0, Fraction(1, 25), Fraction(2, 25)]
        assert clip.info.fps == 25


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_display_matrix_is_applied(tmp_path: Path, rotation: int, mirrored: bool) -> None:
    path = write_clip(tmp_path / "a.mp4", 3, codec="mpeg4", rotation=rotation, mirrored=mirrored)
    with open_clip(write_clip(tmp_path / "b.mp4", 3, codec="mpeg4")) as clip:
        stored = clip.frame(2)
    with open_clip(path) as clip:
        turned = np.rot90(stored, -rotation // 90)
        assert np.array_equal(clip.frame(2), np.fliplr(turned) if mirrored else turned)
        assert (clip.info.height, clip.info.width) == turned.shape[:2]
        if not mirrored:
            assert clip.info.rotation == rotation


def test_interlaced_and_anamorphic_clips_give_a_warning(tmp_path: Path) -> None:
    interlaced = write_clip(tmp_path / "a.mpg", 8, codec="mpeg2video", options={"flags": "+ilme+ildct"})
    with open_clip(interlaced) as clip:
        assert clip.info.interlaced is True
        assert any("interlaced" in warning for warning in clip.info.warnings)
    with open_clip(write_clip(tmp_path / "b.mkv", 4, sample_aspect=Fraction(4, 3))) as clip:
        assert clip.info.interlaced is False
        assert any("4/3" in warning for warning in clip.info.warnings)


def test_a_clip_of_one_frame_has_a_pair_of_that_frame_twice(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "a.mp4", 1)) as clip:
        pair = clip.pair(0)
        assert (clip.info.frames, clip.info.vfr, clip.info.fps) == (1, False, Fraction(25))
        assert number_in(pair.first) == number_in(pair.second) == 0
        with pytest.raises(UsageError):
            clip.pair(1)


@pytest.mark.parametrize("index", [-1, 24])
def test_a_frame_index_out_of_range_is_a_usage_error(plain: Path, index: int) -> None:
    with open_clip(plain) as clip, pytest.raises(UsageError, match="24"):
        clip.frame(index)


@pytest.mark.parametrize("name", ["a:b.mp4", "part_%d.mp4", "[x]*.mp4", "ünï çödé.mp4", "-i.mp4"])
def test_odd_names_open(tmp_path: Path, plain: Path, name: str) -> None:
    odd = tmp_path / name
    odd.write_bytes(plain.read_bytes())
    with open_clip(odd) as clip:
        assert clip.info.frames == 24


def broken_files(folder: Path, plain: Path) -> dict[str, Path]:
    files = {
        "no file": folder / "nothing.mp4",
        "is empty": folder / "empty.mp4",
        "read as video": folder / "text.mp4",
        "is text": folder / "text.txt",
        "only sound": write_audio(folder / "sound.m4a"),
        "holds no frames": write_clip(folder / "zero.avi", 0, codec="mpeg4"),
        "holds no pictures": folder / "bare",
    }
    files["holds no pictures"].mkdir(exist_ok=True)
    files["is empty"].write_bytes(b"")
    files["read as video"].write_text("Once upon a time.\n" * 100)
    files["is text"].write_text("Once upon a time.\n" * 100)
    return files


def test_errors_of_opening_have_a_reason_and_a_hint(folder: Path, plain: Path) -> None:
    for words, path in broken_files(folder, plain).items():
        with pytest.raises(ClipError, match=words) as caught:
            open_clip(path)
        assert path.name in str(caught.value)


def test_opening_a_pipe_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    with pytest.raises(ClipError, match="not a file"):
        open_clip(pipe)


def test_a_name_that_no_file_system_allows_is_a_clip_error() -> None:
    for name in ("x" * 5000, "nul\0byte.mp4"):
        with pytest.raises(ClipError):
            open_clip(name)


def test_a_deleted_file_is_a_clip_error_but_cached_frames_remain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_clip, "DECODED_BYTES", 0)
    path = write_clip(tmp_path / "a.h264", 24, options=GOP)
    with open_clip(path) as clip:
        clip.frame(20)
        path.unlink()
        with pytest.raises(ClipError, match="cannot be read"):
            clip.frame(10)
        assert number_in(clip.frame(20)) == 20


def test_an_unreadable_file_is_a_clip_error(tmp_path: Path, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ClipError, match="Permission denied"):
        open_clip(plain)


def test_opening_can_be_cancelled(plain: Path) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        open_clip(plain, token=token)


def test_a_changed_file_has_another_identity(tmp_path: Path, plain: Path) -> None:
    def identity(colour: ColourSpec | None = None) -> str:
        with open_clip(path, OpenOptions(colour=colour)) as clip:
            return clip.identity

    path = tmp_path / "a.mp4"
    path.write_bytes(plain.read_bytes())
    first = identity()
    assert identity() == first
    assert identity(ColourSpec("bt709", "pc", "bt709", "bt709")) != first
    write_clip(path, 9)
    assert identity() != first


def test_a_closed_clip_cannot_be_read_and_can_be_closed_again(plain: Path) -> None:
    clip = open_clip(plain)
    clip.close()
    clip.close()
    with pytest.raises(UsageError, match="closed"):
        clip.frame(0)


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_closing_ends_the_decoders_threads(plain: Path) -> None:
    def threads() -> int:
        gc.collect()
        return len(list(Path("/proc/self/task").iterdir()))

    open_clip(plain).close()
    before = threads()
    clips = [open_clip(plain) for _ in range(4)]
    for clip in clips:
        clip.frame(20)
        clip.frame(3)
    during = threads()
    for clip in clips:
        clip.close()
    assert during > before
    assert threads() == before


def test_a_clip_can_be_used_by_one_thread_after_another(plain: Path) -> None:
    numbers: list[int] = []
    with open_clip(plain) as clip:
        for index in (3, 21, 8):
            worker = threading.Thread(target=lambda at=index: numbers.append(number_in(clip.frame(at))))
            worker.start()
            worker.join()
    assert numbers == [3, 21, 8]


def test_cached_frames_are_bounded_in_bytes(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_clip, "DECODED_BYTES", 20_000)
    monkeypatch.setattr(video_clip, "PICTURE_BYTES", 40_000)
    with open_clip(plain) as clip:
        assert isinstance(clip, VideoClip)
        for index in (*range(24), *reversed(range(24))):
            assert number_in(clip.frame(index)) == index
            assert clip.held_bytes <= 60_000
        clip.close()
        assert clip.held_bytes == 0


def test_a_cache_drops_what_was_unused_for_longest() -> None:
    cache: FrameCache[str] = FrameCache(10, at_least=1)
    for index in range(3):
        cache.put(index, str(index), 4)
    assert [cache.get(index) for index in range(3)] == [None, "1", "2"]
    cache.get(1)
    cache.put(3, "3", 4)
    assert [cache.get(index) for index in (1, 2, 3)] == ["1", None, "3"]
    cache.put(4, "large", 100)
    assert (len(cache), cache.get(4), cache.held_bytes) == (1, "large", 100)
    cache.put(4, "small", 1)
    assert cache.held_bytes == 1


def test_opening_decodes_no_more_than_the_first_frames(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(folder / "long.mp4", 400, codec="mpeg4", options={"g": "10"})
    steps = 0
    step = VideoFile.step

    def counted(file: VideoFile) -> object:
        nonlocal steps
        steps += 1
        return step(file)

    monkeypatch.setattr(VideoFile, "step", counted)
    with open_clip(path) as clip:
        assert clip.info.frames == 400
        assert steps < 80
        clip.frame(390)
    assert steps < 200


def hostile_y4m(path: Path) -> Path:
    path.write_bytes(b"YUV4MPEG2 W60000 H60000 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(4096))
    return path


def test_a_header_of_huge_frames_takes_no_memory(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ClipError):
        open_clip(hostile_y4m(tmp_path / "huge.y4m"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_frames_of_another_size_are_resampled_to_the_first_ones(tmp_path: Path) -> None:
    small = write_clip(tmp_path / "a.h264", 6, options={"g": "3"})
    large = write_clip(
        tmp_path / "b.h264", [numbered_frame(n, width=128, height=96) for n in range(6, 12)], options={"g": "3"}
    )
    joined = tmp_path / "joined.h264"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    with open_clip(joined) as clip:
        assert clip.info.frames == 12
        assert {clip.frame(index).shape for index in range(12)} == {(48, 64, 3)}
        assert [number_in(clip.frame(index)) for index in range(12)] == list(range(12))


def hidden_every_third(number: int, data: bytes) -> bytes:
    return bytes([data[0] & ~0x10]) + data[1:] if number % 3 == 2 else data


@pytest.mark.parametrize("known_in_advance", [True, False], ids=["by its header", "by decoding once"])
def test_hidden_reference_frames_are_not_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, known_in_advance: bool
) -> None:
    whole = write_clip(folder / "vp8.webm", 30, codec="libvpx", options={"cpu-used": "8", "deadline": "realtime"})
    path = remux(whole, folder / "hidden.webm", hidden_every_third)
    if not known_in_advance:
        monkeypatch.setattr(packet_index, "_is_hidden_vp8", lambda packet: False)
    with open_clip(path) as clip:
        shown = [number for number in range(30) if number % 3 != 2]
        assert [number_in(clip.frame(index)) for index in range(clip.info.frames)] == shown
        assert number_in(clip.frame(2)) == 3
        assert any("decoded once" in warning for warning in clip.info.warnings) is not known_in_advance


def test_importing_the_clip_package_does_not_load_pyav() -> None:
    core = Path(__file__).resolve().parents[2] / "core"
    script = "import videoinr.clip, videoinr.clip.describe, videoinr.colour, sys; print('av' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=core, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"
