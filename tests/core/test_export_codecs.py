"""The codecs of an export: names, files, quality, and tests of which work on this machine."""

import errno
from pathlib import Path

import numpy as np
import pytest

from helpers.export_jobs import job
from videoinr.colour import ColourSpec
from videoinr.errors import ExportError, UsageError
from videoinr.exporting.codecs import CODECS, Codec, codec_for, encodes, working_encoders
from videoinr.exporting.outputs import check_output, sink_for

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
    assert "libx264" in caught.value.hint
    assert "ffv1" in caught.value.hint


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
    for more in ({"codec": "libx264"}, {"crf": 3}):
        with pytest.raises(UsageError, match="PNG"):
            check_output(job(tmp_path / "frames", **more))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.encoder)
def test_each_codec_that_works_here_writes_a_file_and_obeys_its_quality(tmp_path: Path, codec: Codec) -> None:
    if not encodes(codec):
        pytest.skip(f"{codec.encoder} does not work on this machine")
    sizes = []
    for crf in (None,) if codec.crf is None else (codec.crf.least, codec.crf.most):
        out = tmp_path / f"{crf}{codec.endings[0]}"
        sink = sink_for(job(out, size=(128, 96), codec=codec.encoder, crf=crf), BT709)
        sink.open()
        for seed in range(3):
            sink.write(np.random.default_rng(seed).integers(0, 256, (96, 128, 4), dtype=np.uint8))
        sizes.append(sink.finish().stat().st_size)
    assert all(size > 0 for size in sizes)
    assert codec.crf is None or sizes[0] > 1.5 * sizes[1]


def test_working_encoders_are_found_by_encoding_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    working = working_encoders()
    assert {"libx264", "ffv1"} <= set(working)
    assert set(working) == {codec.encoder for codec in CODECS if encodes(codec)}


def test_a_codec_that_does_not_work_here_is_refused(tmp_path: Path) -> None:
    broken = [codec for codec in CODECS if codec.encoder.startswith(("h264_", "hevc_")) and not encodes(codec)]
    for codec in broken:
        sink = sink_for(job(tmp_path / f"out{codec.endings[0]}", codec=codec.encoder), BT709)
        with pytest.raises(ExportError, match="does not work on this machine"):
            sink.open()
        sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_each_system_error_has_its_own_message() -> None:
    from videoinr.exporting.target import write_errors

    with pytest.raises(ExportError, match="disk is full"), write_errors(Path("a.png")):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ExportError, match="Permission denied"), write_errors(Path("a.png")):
        raise PermissionError(errno.EACCES, "Permission denied")
