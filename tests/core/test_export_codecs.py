"""The codecs of an export: names, files, quality, and tests of which work on this machine."""

import errno
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from helpers.export_jobs import job
from videoinr.colour import ColourSpec
from videoinr.errors import ExportError, UsageError
from videoinr.exporting.codecs import (
    CODECS,
    Codec,
    Effort,
    check_encodes,
    codec_for,
    effort_named,
    encodes,
    why_not,
)
from videoinr.exporting.coding import Coding
from videoinr.exporting.outputs import check_output, sink_for
from videoinr.exporting.tags import tags_from_colour

BT709 = ColourSpec("bt709", "tv", "bt709", "bt709")


def test_the_default_codec_depends_on_the_ending() -> None:
    assert [codec_for(ending, None).encoder for ending in (".mp4", ".MOV", ".mkv", ".webm")] == [
        "libx264", "libx264", "libx264", "libvpx-vp9",
    ]  # fmt: skip


def test_a_codec_may_be_named_by_its_format() -> None:
    assert codec_for(".mp4", "H264").encoder == "libx264"
    assert codec_for(".mov", "prores").encoder == "prores_ks"


def test_the_error_of_an_unknown_codec_lists_the_working_ones() -> None:
    with pytest.raises(UsageError) as caught:
        codec_for(".mp4", "divx")
    for name in ("h264", "prores", "dnxhr", "ffv1"):
        assert f" {name}," in caught.value.hint
        assert codec_for(".mkv" if name == "ffv1" else ".mov", name)


@pytest.mark.parametrize("name", ["png", "PNG16", "tiff", "exr"])
def test_a_video_file_of_pictures_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"A \.mov file holds no .* pictures") as caught:
        check_output(job(tmp_path / "out.mov", codec=name))
    assert "give a folder" in caught.value.hint


def test_a_codec_in_the_wrong_container_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot hold"):
        codec_for(".webm", "libx264")
    for ending in (".avi", ".png", ""):
        with pytest.raises(UsageError):
            codec_for(ending, None)


def test_crf_is_checked_against_the_encoders_range() -> None:
    assert codec_for(".webm", None).options_for(60)["crf"] == "60"
    for name, crf in (("libx264", 52), ("libx264", -1), ("ffv1", 3)):
        with pytest.raises(UsageError):
            codec_for(".mkv", name).options_for(crf)


def test_pictures_have_no_codec_and_no_crf(tmp_path: Path) -> None:
    check_output(job(tmp_path / "frames", codec="png"))
    for more in ({"codec": "libx264"}, {"crf": 3}, {"effort": Effort.FAST}):
        with pytest.raises(UsageError, match="PNG"):
            check_output(job(tmp_path / "frames", **more))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.encoder)
def test_each_codec_that_works_here_writes_a_file_and_obeys_its_quality(tmp_path: Path, codec: Codec) -> None:
    if not encodes(codec):
        pytest.skip(f"{codec.encoder} does not work on this machine")
    sizes = []
    for crf in (None,) if codec.crf is None else (codec.crf.least, codec.crf.most):
        out = tmp_path / f"{crf}{codec.endings[0]}"
        sink = sink_for(job(out, size=(256, 128), codec=codec.encoder, crf=crf), BT709)
        sink.open()
        for seed in range(3):
            sink.write(np.random.default_rng(seed).integers(0, 256, (128, 256, 4), dtype=np.uint8))
        sizes.append(sink.finish().stat().st_size)
    assert all(size > 0 for size in sizes)
    assert codec.crf is None or sizes[0] > 1.5 * sizes[1]


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec.efforts], ids=lambda codec: codec.encoder)
def test_an_encoder_takes_each_effort(codec: Codec) -> None:
    options = [codec.options_for(None, effort=effort) for effort in Effort]
    assert len({tuple(option.items()) for option in options}) == 3
    assert options[1] == codec.options_for(None)
    if encodes(codec):
        for option in options:
            assert encodes(replace(codec, options=tuple(option.items()), efforts=None, crf=None))


def test_the_effort_reaches_x264_and_an_encoder_without_one_refuses_it(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 4), dtype=np.uint8)
    found = []
    for effort in Effort:
        sink = sink_for(job(tmp_path / f"{effort.value}.mp4", size=(64, 64), effort=effort), BT709)
        sink.open()
        sink.write(pixels)
        # x264 writes its settings into the file: subme is how finely it searches for motion.
        settings = re.search(rb"subme=(\d+)", sink.finish().read_bytes())
        assert settings
        found.append(int(settings[1]))
    assert found == [2, 7, 8]
    with pytest.raises(UsageError, match="no setting for its effort"):
        check_output(job(tmp_path / "out.mkv", codec="ffv1", effort=Effort.SLOW))
    with pytest.raises(UsageError, match="no effort") as caught:
        effort_named("quick")
    assert "fast, medium, slow" in caught.value.hint


def test_messages_call_a_codec_as_the_user_did(tmp_path: Path) -> None:
    for name in ("dnxhr", "dnxhd"):
        with pytest.raises(UsageError, match=f"^{name} has no quality setting"):
            codec_for(".mov", name).options_for(3)
        with pytest.raises(UsageError, match=f"^.mp4 files cannot hold {name}"):
            codec_for(".mp4", name)
    with pytest.raises(UsageError, match="out of range for h264"):
        check_output(job(tmp_path / "out.mp4", codec="h264", crf=99))
    with pytest.raises(UsageError, match="out of range for libx264"):
        check_output(job(tmp_path / "out.mp4", crf=99))


def test_working_encoders_are_found_by_encoding_a_picture() -> None:
    assert {"libx264", "ffv1"} <= {codec.encoder for codec in CODECS if encodes(codec)}


def test_a_codec_that_does_not_work_here_is_refused(tmp_path: Path) -> None:
    broken = [codec for codec in CODECS if codec.encoder.startswith(("h264_", "hevc_")) and not encodes(codec)]
    for codec in broken:
        sink = sink_for(job(tmp_path / f"out{codec.endings[0]}", codec=codec.encoder), BT709)
        with pytest.raises(ExportError, match="does not work on this machine"):
            sink.open()
        sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="h264_vaapi cannot be used") as caught:
        codec_for(".mp4", "h264_vaapi")
    assert "built without it" in caught.value.hint or "memory of the GPU" in caught.value.hint
    monkeypatch.setattr(av, "codecs_available", {*av.codecs_available, "h264_vaapi"})
    with pytest.raises(UsageError) as caught:
        codec_for(".mp4", "h264_vaapi")
    assert "memory of the GPU" in caught.value.hint
    assert why_not(replace(CODECS[0], encoder="no_such_encoder")) == "The FFmpeg that PyAV brings is built without it."
    wrong = replace(CODECS[0], pix_fmt="rgb48be")
    assert "answered" in str(why_not(wrong))
    with pytest.raises(ExportError) as failed:
        check_encodes(wrong)
    assert "answered" in failed.value.hint
    assert "ffv1" in failed.value.hint


def test_each_system_error_has_its_own_message() -> None:
    from videoinr.exporting.target import write_errors

    with pytest.raises(ExportError, match="disk is full"), write_errors(Path("a.png")):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ExportError, match="Permission denied"), write_errors(Path("a.png")):
        raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("crf", [1, 10, 18, 22])
def test_ten_bit_av1_follows_a_change_of_brightness_at_every_quality(crf: int) -> None:
    codec = codec_for(".mkv", "av1")
    if not encodes(codec):
        pytest.skip("SVT-AV1 does not work on this machine")
    tags = tags_from_colour(BT709, rgb=False, full_range=True)
    coding = Coding(codec, ".mkv", 96, 64, Fraction(25), crf, tags, Fraction(1), deep=True)
    encoder, reader = coding.new_encoder(), av.CodecContext.create("libdav1d", "r")
    assert isinstance(reader, VideoCodecContext)
    y, x = np.mgrid[0:64, 0:96]
    given = [np.rint(250 + 300 * x / 96 + 150 * y / 64 + 20 * number) for number in range(8)]
    packets = []
    for number, luma in enumerate(given):
        frame = av.VideoFrame(96, 64, "yuv420p10le")
        for plane, levels in zip(frame.planes, (luma, *[np.full((32, 48), 512)] * 2), strict=True):
            np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, -1)[:, : plane.width] = levels
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    read = [frame for packet in packets for frame in reader.decode(av.Packet(bytes(packet)))] + reader.decode(None)
    for frame, wanted in zip(read, given, strict=True):
        assert np.abs(luma_of(frame) - wanted).mean() < 2, "levels of 1023; presets from 8 on are off by 13 at CRF 1"


def luma_of(frame: av.VideoFrame) -> NDArray[np.float64]:
    plane = frame.planes[0]
    levels = np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, -1)
    return levels[:, : plane.width].astype(np.float64)
