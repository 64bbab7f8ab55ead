"""What reading met: decode errors, replaced frames, other sizes; bounds on memory; side data that are never read."""

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import videoinr
from helpers.clips import number_in, numbered_frame, remux, write_clip, write_picture
from helpers.damage import spoil_middle, spoilt_clip
from helpers.tiny_model import save_tiny_model
from videoinr.cancel import NEVER
from videoinr.clip import OpenOptions, open_clip, picture_file, video_clip, video_file, video_opening
from videoinr.clip.base import ReadReport
from videoinr.clip.found import Found
from videoinr.clip.pixels import Orientation, orientation_of
from videoinr.clip.video_opening import open_video_stream
from videoinr.errors import ClipError


def test_frames_decoded_with_errors_are_counted_and_said(tmp_path: Path) -> None:
    whole, path = spoilt_clip(tmp_path)
    with open_clip(path) as clip:
        assert (clip.report, clip.info.warnings) == (ReadReport(), ())
        for index in range(30):
            clip.frame(index)
        assert clip.report == ReadReport(with_errors=2)
        assert clip.info.warnings == ("2 frames decoded with errors: the file is damaged there.",)
        assert clip.info is clip.info
        assert clip.damaged == {*range(17, 24), *range(25, 30)}, "also what is built on such a frame"
    with open_clip(whole) as clip:
        for index in range(30):
            clip.frame(index)
        assert (clip.info.warnings, clip.damaged) == ((), frozenset())


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_frames_that_are_shown_before_a_damaged_one_and_built_on_it_are_damaged(tmp_path: Path, codec: str) -> None:
    options = {"g": "12", "bf": "2", "x264-params": "scenecut=0:b-adapt=0"}
    frames = [numbered_frame(number, width=160, height=96) for number in range(30)]
    whole = write_clip(tmp_path / "whole.mkv", frames, codec=codec, options=options)
    # I B B P B B P: the packet of frame 18 comes before those of 16 and 17.
    spoilt = remux(whole, tmp_path / "spoilt.mkv", spoil_middle(16))
    with open_clip(whole) as good, open_clip(spoilt) as bad:
        differ = {number for number in range(30) if not np.array_equal(good.frame(number), bad.frame(number))}
        assert {16, 17, 18} <= differ
        assert differ <= bad.damaged <= {*range(16, 24)}


def test_a_deinterlaced_frame_beside_a_damaged_one_is_damaged(tmp_path: Path) -> None:
    _, spoilt = spoilt_clip(tmp_path)
    with open_clip(spoilt, OpenOptions(deinterlace="on")) as clip:
        for number in range(30):
            clip.frame(number)
    assert clip.damaged == {*range(16, 30)}, "each takes lines of both neighbours"


def test_an_export_ends_with_what_was_met(tmp_path: Path) -> None:
    weights = save_tiny_model(tmp_path / "model")
    whole = write_clip(
        tmp_path / "a.mkv",
        [numbered_frame(n, width=160, height=96) for n in range(14)],
        codec="mpeg4",
        options={"g": "12"},
    )
    path = remux(whole, tmp_path / "b.mkv", spoil_middle(11))
    told: list[str] = []
    videoinr.export(
        path, tmp_path / "out", start=Fraction(9, 25), scale=Fraction(1, 4), model=weights, device="cpu",
        notice=told.append, progress=lambda now: told.append(str(now.done)),
    )  # fmt: skip
    assert told == ["0", "1", "2", "3", "4", "5", "1 frame decoded with errors: the file is damaged there."]


@pytest.mark.parametrize("threads", [1, 16])
def test_frames_that_are_replaced_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """With 16 threads, as on large machines, the decoder meets the error when it has all packets."""
    monkeypatch.setattr(video_file, "DECODER_THREADS", threads)
    whole = write_clip(tmp_path / "a.mov", 30, codec="prores_ks", pix_fmt="yuv422p10le")
    path = remux(whole, tmp_path / "b.mov", lambda number, data: bytes(len(data)) if number == 20 else data)
    with open_clip(path) as clip:
        assert number_in(clip.frame(20)) == 19
        assert clip.report == ReadReport(replaced=1)
        assert clip.damaged == {20}
        assert any("1 frame could not be decoded" in warning for warning in clip.info.warnings)
        assert [number_in(clip.frame(number)) for number in range(30)] == [*range(20), 19, *range(21, 30)]
        assert clip.report == ReadReport(replaced=1)


@pytest.mark.parametrize("bad", [3, 15, 28])
def test_as_many_frames_of_h264_are_lost_with_many_threads_as_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: int
) -> None:
    """Where frames have threads of their own, FFmpeg's decoder of H.264 drops the last ones without an error."""
    whole = write_clip(tmp_path / "a.mp4", 30, codec="libx264", pix_fmt="yuv420p")
    path = remux(whole, tmp_path / "b.mp4", lambda number, data: bytes(len(data)) if number == bad else data)
    found = list[tuple[list[int], ReadReport, frozenset[int]]]()
    for threads in (1, 16):
        monkeypatch.setattr(video_file, "DECODER_THREADS", threads)
        with open_clip(path) as clip:
            found.append(([number_in(clip.frame(number)) for number in range(30)], clip.report, clip.damaged))
    assert found[0] == found[1]


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_file_that_is_gone_is_read_on_after_its_end_was_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_file, "DECODER_THREADS", 16)
    whole = write_clip(tmp_path / "a.mov", 30, codec="prores_ks", pix_fmt="yuv422p10le")
    path = remux(whole, tmp_path / "b.mov", lambda number, data: bytes(len(data)) if number == 20 else data)
    with open_clip(path) as clip:
        clip.hold_at_most(1)
        path.unlink()
        for number in range(16, 20):
            clip.frame(number)
        with pytest.raises(ClipError):
            clip.frame(20)
        assert number_in(clip.frame(3)) == 3


def joined_sizes(folder: Path, codec: str, name: str, size: tuple[int, int]) -> Path:
    parts = []
    for part, (width, height), first in (("a", (64, 48), 0), ("b", size, 6)):
        frames = [numbered_frame(number, width=width, height=height) for number in range(first, first + 6)]
        parts.append(write_clip(folder / f"{part}{name}", frames, codec=codec, options={"g": "3", "bf": "0"}))
    path = folder / f"joined{name}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(("codec", "name"), [("libx264", ".h264"), ("mpeg2video", ".m2v"), ("libx264", ".ts")])
def test_a_change_of_size_is_said_and_keeps_the_shape(tmp_path: Path, codec: str, name: str) -> None:
    path = joined_sizes(tmp_path, codec, name, (96, 48))
    with open_clip(path) as clip:
        assert any("changes (to 96x48)" in warning for warning in clip.info.warnings)
        picture = clip.frame(8)
        assert picture.shape == (48, 64, 3)
        assert np.all(picture[:8] == 0)
        assert np.all(picture[40:] == 0)
        assert number_in(picture[8:40]) == 8
        assert number_in(clip.frame(2)) == 2
        assert clip.report.other_size >= 1


def test_another_key_packet_of_the_same_size_is_no_change(tmp_path: Path) -> None:
    with open_clip(joined_sizes(tmp_path, "libx264", ".h264", (64, 48))) as clip:
        assert not any("changes" in warning for warning in clip.info.warnings)


def test_a_change_of_size_in_vp9_is_seen(tmp_path: Path) -> None:
    small = write_clip(tmp_path / "a.webm", 3, codec="libvpx-vp9")
    wide = [numbered_frame(number, width=96, height=48) for number in range(3)]
    large = write_clip(tmp_path / "b.webm", wide, codec="libvpx-vp9")
    path = tmp_path / "c.webm"
    with av.open(str(path), "w") as writer:
        stream: Any = None
        for number, source in enumerate((small, large)):
            with av.open(str(source)) as reader:
                stream = stream or writer.add_stream_from_template(reader.streams.video[0])
                for packet in (each for each in reader.demux(video=0) if each.size):
                    assert packet.pts is not None
                    packet.pts = packet.dts = packet.pts + 120 * number
                    packet.stream = stream
                    writer.mux(packet)
    with open_clip(path) as clip:
        assert any("changes (to 96x48)" in warning for warning in clip.info.warnings)


def test_the_head_of_large_frames_is_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mp4", 20)
    for budget, kept in ((1, 1), (3 * 64 * 48 * 3 // 2, 3), (1 << 20, 8)):
        monkeypatch.setattr(video_opening, "HEAD_BYTES", budget)
        video = open_video_stream(path, OpenOptions(), NEVER, Found())
        video.file.close()
        assert len(video.head) == kept
    monkeypatch.setattr(video_opening, "HEAD_BYTES", 1)
    monkeypatch.setattr(video_clip, "DECODED_BYTES", 1)
    monkeypatch.setattr(video_clip, "PICTURE_BYTES", 1)
    with open_clip(path) as clip:
        assert [number_in(clip.frame(index)) for index in (0, 5, 2, 19, 3)] == [0, 5, 2, 19, 3]
        pair = clip.pair(6)
        assert (number_in(pair.first), number_in(pair.second)) == (6, 7)
        # One frame of each kind stays, however small the budget.
        assert clip.held_bytes == 64 * 48 * 3 + 64 * 48 * 3 // 2  # type: ignore[attr-defined]


def test_a_picture_that_is_too_large_is_refused_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("videoinr.clip.video_file.MAX_PIXELS", 3000)
    for path in (write_clip(tmp_path / "a.mp4", 2), write_picture(tmp_path / "a.png", numbered_frame(0))):
        with pytest.raises(ClipError, match="64x48 pixels, which is more than can be read") as caught:
            open_clip(path)
        assert "At most" in caught.value.hint


class Guarded:
    """A frame whose side data must not be read: in PyAV 18.1, that ended the process for some valid pictures."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)

    @property
    def side_data(self) -> Any:
        raise AssertionError("the side data of a still picture were read")


def test_side_data_of_pictures_are_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write_picture(tmp_path / f"a.{kind}", numbered_frame(1)) for kind in ("png", "jpg", "tif", "bmp")]
    frames: list[Any] = []

    class Context:
        def __init__(self, context: Any) -> None:
            self._context = context
            self.options: Any = None
            self.codec, self.sample_aspect_ratio = context.codec, context.sample_aspect_ratio

        def decode(self, packet: Any) -> list[Any]:
            guarded = [Guarded(frame) for frame in self._context.decode(packet)]
            frames.extend(guarded)
            return guarded

    class Contexts:
        @staticmethod
        def create(codec: str, mode: Any) -> Context:
            return Context(create(codec, mode))

    create = av.CodecContext.create
    monkeypatch.setattr(av, "CodecContext", Contexts)
    for path in paths:
        picture = picture_file.decode_picture(path)
        assert picture.orientation == Orientation()
    assert len(frames) == len(paths)


@pytest.mark.parametrize("codec", ["mjpeg", "png", "webp", "gif", "tiff"])
def test_side_data_of_pictures_in_videos_are_never_read(codec: str) -> None:
    class Turned:
        rotation = -90

    frame: Any = Guarded(Turned())
    assert orientation_of(frame, codec) == Orientation(1)


def test_motion_jpeg_is_turned_by_the_angle(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mov", 3, codec="mjpeg", pix_fmt="yuvj420p", rotation=90, fps=Fraction(25))
    with open_clip(path) as clip:
        assert (clip.info.rotation, clip.info.width, clip.info.height) == (90, 48, 64)
