"""Damaged files: what can be read is read, with a warning; substitutes for lost frames; FFmpeg prints nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import number_in, remux, write_clip
from videoinr.clip import open_clip, video_clip
from videoinr.errors import ClipError

GOP = {"g": "6", "bf": "2"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@pytest.fixture(scope="module")
def intra(folder: Path) -> Path:
    return write_clip(folder / "intra.mov", 40, codec="prores_ks", pix_fmt="yuv422p10le")


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_clip, "DECODED_BYTES", 0)
    monkeypatch.setattr(video_clip, "PICTURE_BYTES", 0)


def cut_off(path: Path, share: float) -> Path:
    short = path.with_stem(f"{path.stem}_short")
    short.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return short


@pytest.mark.parametrize(
    ("name", "container_options"),
    [("a.mkv", {}), ("a.ts", {}), ("a.mp4", {"movflags": "faststart"}), ("a.flv", {}), ("a.avi", {})],
)
def test_a_file_that_is_cut_off_keeps_its_start(tmp_path: Path, name: str, container_options: dict[str, str]) -> None:
    codec = "mpeg4" if name == "a.avi" else "libx264"
    whole = write_clip(tmp_path / name, 100, options=GOP, codec=codec, container_options=container_options)
    with open_clip(cut_off(whole, 0.6)) as clip:
        count = clip.info.frames
        assert 30 < count < 90
        # The last frames shown are not the last ones stored: of those at the very end some are lost.
        assert [number_in(clip.frame(index)) for index in (count - 8, 5, 20)] == [count - 8, 5, 20]
        assert clip.info.warnings


@pytest.mark.parametrize("length", [b"\0\0\0\0", b"\xff\xff\xff\xff"], ids=["none", "endless"])
def test_an_avi_whose_length_is_not_known_is_not_called_cut_off(tmp_path: Path, length: bytes) -> None:
    path = write_clip(tmp_path / "a.avi", 10, options=GOP, codec="mpeg4")
    data = path.read_bytes()
    path.write_bytes(data[:4] + length + data[8:])
    with open_clip(path) as clip:
        assert clip.info.frames == 10
        assert not clip.info.warnings


def test_an_mp4_without_its_index_is_a_clip_error(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "a.mp4", 30, options=GOP)
    with pytest.raises(ClipError, match="holds no video") as caught:
        open_clip(cut_off(whole, 0.8))
    assert "cut off" in caught.value.hint


def test_a_recording_without_its_start_begins_with_its_first_decodable_frame(folder: Path) -> None:
    whole = write_clip(folder / "whole.mkv", 30, codec="mpeg2video", options=GOP)
    late = remux(whole, folder / "late.mkv", lambda number, data: None if number == 0 else data)
    with open_clip(late) as clip:
        first = number_in(clip.frame(0))
        assert 3 <= first <= 6
        assert clip.info.frames == 30 - first
        assert clip.timeline.frame_time(0) == 0
        assert any("cannot be decoded and are left out" in warning for warning in clip.info.warnings)
        assert [number_in(clip.frame(index)) - first for index in (20, 3, 0)] == [20, 3, 0]


def spoil(*numbers: int) -> Callable[[int, bytes], bytes]:
    return lambda number, data: bytes(len(data)) if number in numbers else data


def test_the_nearest_earlier_frame_replaces_a_lost_one(folder: Path, intra: Path) -> None:
    with open_clip(remux(intra, folder / "spoilt.mov", spoil(20, 21, 39))) as clip:
        assert clip.info.frames == 40
        shown = [number_in(clip.frame(index)) for index in (21, 20, 22, 39, 19, 21, 38)]
        assert shown == [19, 19, 22, 38, 19, 19, 38]


def test_a_lost_first_frame_is_left_out(folder: Path, intra: Path) -> None:
    with open_clip(remux(intra, folder / "no_start.mov", spoil(0, 1))) as clip:
        assert clip.info.frames == 38
        assert number_in(clip.frame(0)) == 2


def test_a_file_without_any_decodable_frame_is_a_clip_error(folder: Path, intra: Path) -> None:
    path = remux(intra, folder / "spoilt_throughout.mov", spoil(*range(40)))
    with pytest.raises(ClipError, match=r"No frame of “spoilt_throughout\.mov” can be decoded"):
        open_clip(path)


@pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.mp4"])
def test_damage_in_one_place_leaves_the_rest_exact(tmp_path: Path, name: str) -> None:
    whole = write_clip(tmp_path / name, 60, options={"g": "6", "bf": "2"})
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    spoilt = tmp_path / f"spoilt_{name}"
    spoilt.write_bytes(data)
    with open_clip(whole) as good, open_clip(spoilt) as bad:
        times = {good.timeline.frame_time(index): index for index in range(60)}
        same = 0
        for index in np.random.default_rng(3).permutation(bad.info.frames).tolist():
            twin = times.get(bad.timeline.frame_time(index))
            same += twin is not None and np.array_equal(bad.frame(index), good.frame(twin))
        assert bad.info.frames >= 40
        assert same >= 36


def test_ffmpeg_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = write_clip(tmp_path / "a.ts", 40, options=GOP)
    spoilt = tmp_path / "b.ts"
    data = bytearray(whole.read_bytes())
    data[4000:6000] = bytes(2000)
    spoilt.write_bytes(data)
    capfd.readouterr()
    with open_clip(spoilt) as clip:
        for index in (clip.info.frames - 1, 0):
            clip.frame(index)
    (tmp_path / "c.mp4").write_bytes(bytes(data))
    (tmp_path / "d.mp4").write_bytes(b"nothing at all")
    with pytest.raises(ClipError):
        open_clip(tmp_path / "d.mp4")
    assert capfd.readouterr() == ("", "")
