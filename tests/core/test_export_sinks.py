"""The files that an export writes: pixels, colours, times, names and errors."""

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.export_jobs import NTSC, job
from helpers.full_disk import fill_disk
from videoinr.colour import ColourSpec
from videoinr.errors import ExportError, UsageError
from videoinr.exporting.image_sink import ImageSink, PictureOutput
from videoinr.exporting.job import ExportJob
from videoinr.exporting.outputs import check_output, notices, sink_for
from videoinr.exporting.picture_names import pattern_from_out
from videoinr.exporting.png import png_from_rgbx, write_png
from videoinr.exporting.verify import verify_video
from videoinr.types import Segment

BT709 = ColourSpec("bt709", "tv", "bt709", "bt709")
BT601 = ColourSpec("smpte170m", "tv", "smpte170m", "smpte170m")
PAL = ColourSpec("bt470bg", "tv", "bt470bg", "gamma28")
FULL_601 = ColourSpec("bt470bg", "pc", "bt709", "iec61966-2-1")
HDR = ColourSpec("bt2020nc", "tv", "bt2020", "smpte2084")
# Kr and Kb of ITU-R BT.601, BT.709 and BT.2020.
COEFFICIENTS = {
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "bt2020nc": (0.2627, 0.0593),
}


def noise(count: int, width: int, height: int) -> NDArray[np.uint8]:
    frames = np.random.default_rng(7).integers(0, 256, (count, height, width, 4), dtype=np.uint8)
    frames[..., 3] = 255
    return frames


def patches(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """[height, width, 4]: 6 x 4 flat patches, 16 pixels each way, of colours far from each other."""
    colours = np.random.default_rng(3).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = colours.repeat(16, axis=0).repeat(16, axis=1)
    return picture


def write(task: ExportJob, frames: NDArray[np.uint8], colour: ColourSpec = BT709) -> Path:
    sink = sink_for(task, colour)
    sink.open()
    for frame in frames:
        sink.write(frame)
    return sink.finish()


def read(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def rgb_by_the_book(frame: av.VideoFrame, colour: ColourSpec) -> NDArray[np.float64]:
    """[height, width, 3], 0..255, from the planes and the formulas of the standards; no swscale in it."""
    planes = [np.frombuffer(bytes(p), np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in frame.planes]
    luma, cb, cr = (p.repeat(frame.height // p.shape[0], 0).repeat(frame.width // p.shape[1], 1) for p in planes)
    kr, kb = COEFFICIENTS[colour.matrix]
    if colour.range == "tv":
        y, u, v = (luma - 16.0) / 219, (cb - 128.0) / 224, (cr - 128.0) / 224
    else:
        y, u, v = luma / 255.0, (cb - 128.0) / 255, (cr - 128.0) / 255
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    rgb: NDArray[np.float64] = np.clip(np.stack([red, green, blue], -1) * 255, 0, 255)
    return rgb


def test_ffv1_is_lossless(tmp_path: Path) -> None:
    frames = noise(5, 63, 41)
    path = write(job(tmp_path / "out.mkv", size=(63, 41), codec="ffv1"), frames)
    for frame, expected in zip(read(path), frames, strict=True):
        np.testing.assert_array_equal(frame.to_ndarray(format="rgb24"), expected[..., :3])
        assert (frame.colorspace, frame.color_range) == (0, 2)


@pytest.mark.parametrize("colour", [BT709, BT601, PAL, FULL_601, HDR], ids=lambda c: f"{c.matrix}-{c.range}")
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_colours_survive_and_are_tagged(tmp_path: Path, colour: ColourSpec, name: str) -> None:
    picture = patches()
    path = write(job(tmp_path / name, size=(96, 64), crf=0), np.stack([picture] * 3), colour)
    frame = read(path)[1]
    assert frame.format.name.replace("j", "") == "yuv420p"
    error = np.abs(rgb_by_the_book(frame, colour) - picture[..., :3])
    inside = np.zeros((64, 96), bool)
    inside[np.ix_(np.arange(64) % 16 // 4 % 3 > 0, np.arange(96) % 16 // 4 % 3 > 0)] = True
    assert error[inside].mean() <= 1.5
    assert error[inside].max() <= 6
    expected = {
        BT709: (1, 1, 1, 1), BT601: (6, 1, 6, 6), PAL: (5, 1, 5, 5), FULL_601: (5, 2, 1, 13), HDR: (9, 1, 9, 16)
    }  # fmt: skip
    tags = (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    assert tags == expected[colour]


def test_the_colour_check_detects_a_wrong_matrix(tmp_path: Path) -> None:
    picture = patches()
    path = write(job(tmp_path / "out.mp4", size=(96, 64), crf=0), np.stack([picture] * 2), BT601)
    assert np.abs(rgb_by_the_book(read(path)[0], BT709) - picture[..., :3]).mean() > 4


@pytest.mark.parametrize("fps", ["24000/1001", "120", "12345/679", "1000", "7/10"])
def test_mp4_times_are_exact_for_any_rate(tmp_path: Path, fps: str) -> None:
    rate = Fraction(fps)
    task = replace(job(tmp_path / "out.mp4", fps=rate), segment=Segment(Fraction(0), 9 / rate))
    frames = read(write(task, noise(9, 64, 48)))
    assert [frame.pts * (frame.time_base or 0) for frame in frames if frame.pts is not None] == [
        index / rate for index in range(9)
    ]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.webm", None), ("a.mkv", None), ("a.mov", "prores"), ("a.mp4", "hevc"), ("a.mp4", "av1"), ("a.mov", None)],
)
def test_every_container_holds_all_frames_with_their_times(tmp_path: Path, name: str, codec: str | None) -> None:
    path = write(job(tmp_path / name, codec=codec), noise(7, 64, 48))
    verify_video(path, width=64, height=48, frames=7, fps=NTSC)
    assert len(read(path)) == 7
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.mov"])
def test_odd_sizes_are_kept(tmp_path: Path, name: str) -> None:
    frame = read(write(job(tmp_path / name, size=(51, 33)), noise(2, 51, 33)))[0]
    assert (frame.width, frame.height) == (51, 33)


def test_a_notice_warns_of_odd_sides_with_chroma_subsampling(tmp_path: Path) -> None:
    assert "odd side" in notices(job(tmp_path / "out.mp4", size=(51, 33)))[0]
    assert notices(job(tmp_path / "out.mp4")) == ()
    assert notices(job(tmp_path / "out.mkv", size=(51, 33), codec="ffv1")) == ()
    assert notices(job(tmp_path / "frames", size=(51, 33))) == ()


def test_no_file_has_the_outputs_name_before_the_end(tmp_path: Path) -> None:
    sink = sink_for(job(tmp_path / "out.mp4"), BT709)
    sink.open()
    sink.write(noise(1, 64, 48)[0])
    assert next(path.suffixes for path in tmp_path.iterdir())[::2] == [".mp4", ".part"]
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_partial_file_is_playable_and_named_partial(tmp_path: Path) -> None:
    sink = sink_for(job(tmp_path / "out.mp4"), BT709)
    sink.open()
    for frame in noise(3, 64, 48):
        sink.write(frame)
    assert sink.finish(partial=True) == tmp_path / "out.partial.mp4"
    sink.abort()
    assert len(read(tmp_path / "out.partial.mp4")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["out.partial.mp4"]


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_a_full_disk_is_an_export_error(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch, after_bytes=100_000)
    sink = sink_for(job(tmp_path / name, size=(256, 256)), BT709)
    with pytest.raises(ExportError, match="disk is full"):
        write_all(sink, noise(24, 256, 256))
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def write_all(sink: object, frames: NDArray[np.uint8]) -> None:
    sink.open()  # type: ignore[attr-defined]
    for frame in frames:
        sink.write(frame)  # type: ignore[attr-defined]
    sink.finish()  # type: ignore[attr-defined]


def test_a_size_that_the_encoder_refuses_is_an_export_error(tmp_path: Path) -> None:
    sink = sink_for(job(tmp_path / "out.mp4", size=(5, 3), codec="libx265"), BT709)
    with pytest.raises(ExportError, match="libx265 cannot encode 5x3"):
        sink.open()
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_lost_frames_fails_its_check(tmp_path: Path) -> None:
    path = write(job(tmp_path / "out.mkv"), noise(5, 64, 48))
    for wrong in ({"frames": 6}, {"fps": NTSC * 2}, {"width": 66}):
        promised: dict[str, object] = {"width": 64, "height": 48, "frames": 5, "fps": NTSC, **wrong}
        with pytest.raises(ExportError, match="failed its check"):
            verify_video(path, **promised)  # type: ignore[arg-type]
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ExportError, match="failed its check"):
        verify_video(path, width=64, height=48, frames=5, fps=NTSC)


def test_png_is_lossless(tmp_path: Path) -> None:
    picture = noise(1, 37, 23)[0]
    write_png(tmp_path / "out.png", picture[:, ::1])
    np.testing.assert_array_equal(read(tmp_path / "out.png")[0].to_ndarray(format="rgb24"), picture[..., :3])
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_png_of_a_view_that_is_not_contiguous() -> None:
    picture = noise(1, 40, 40)[0]
    assert png_from_rgbx(picture[3:20, 5:25]) == png_from_rgbx(picture[3:20, 5:25].copy())


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_png_of_a_picture_one_pixel_wide_or_high(shape: tuple[int, int], tmp_path: Path) -> None:
    picture = noise(1, 20, 20)[0][3 : 3 + shape[0], 5 : 5 + shape[1]]
    write_png(tmp_path / "out.png", picture)
    np.testing.assert_array_equal(read(tmp_path / "out.png")[0].to_ndarray(format="rgb24"), picture[..., :3])


def test_a_png_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "out.png").mkdir()
    with pytest.raises(ExportError, match="could not be written"):
        write_png(tmp_path / "out.png", noise(1, 8, 8)[0])
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize("out", ["frames", "frames/shot_%03d.png"])
def test_pictures_appear_together_at_the_end(tmp_path: Path, out: str) -> None:
    frames = noise(3, 20, 10)
    sink = sink_for(job(tmp_path / out, size=(20, 10)), BT709)
    sink.open()
    sink.write(frames[0])
    assert not list((tmp_path / "frames").glob("*.png"))
    sink.write(frames[1])
    sink.write(frames[2])
    pattern = sink.finish()
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [pattern.name % index for index in range(3)]
    for name, frame in zip(names, frames, strict=True):
        picture = read(tmp_path / "frames" / name)[0].to_ndarray(format="rgb24")
        np.testing.assert_array_equal(picture, frame[..., :3])


def test_aborted_pictures_leave_nothing(tmp_path: Path) -> None:
    sink = ImageSink(PictureOutput(tmp_path / "frames/%05d.png"))
    sink.open()
    sink.write(noise(1, 8, 8)[0])
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_partial_set_of_pictures_has_a_folder_of_its_own(tmp_path: Path) -> None:
    sink = ImageSink(PictureOutput(tmp_path / "frames/%05d.png"))
    sink.open()
    sink.write(noise(1, 8, 8)[0])
    kept = sink.finish(partial=True)
    sink.abort()
    assert [path.name for path in kept.iterdir()] == ["00000.png"]
    assert list(kept.parent.glob("*.png")) == ([kept] if kept.suffix == ".png" else [])


def test_existing_pictures_are_replaced_only_with_overwrite(tmp_path: Path) -> None:
    pattern = tmp_path / "%05d.png"
    for index in (0, 7):
        (tmp_path / f"{index:05}.png").write_bytes(b"old")
    (tmp_path / "holiday.png").write_bytes(b"mine")
    with pytest.raises(ExportError, match="already holds"):
        ImageSink(PictureOutput(pattern)).open()
    sink = ImageSink(PictureOutput(pattern, overwrite=True))
    sink.open()
    sink.write(noise(1, 8, 8)[0])
    sink.finish()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000.png", "00007.png", "holiday.png"]
    assert (tmp_path / "00000.png").read_bytes() != b"old"
    assert [(tmp_path / name).read_bytes() for name in ("00007.png", "holiday.png")] == [b"old", b"mine"]


@pytest.mark.parametrize("name", ["%s.png", "%05d", "%05d.jpg", "%d_%d.png", "100%.png"])
def test_invalid_patterns_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="pattern"):
        check_output(job(pattern_from_out(tmp_path / name)))


def test_a_missing_folder_is_an_export_error(tmp_path: Path) -> None:
    for out in (tmp_path / "no/such/out.mp4", tmp_path / "no/out.mp4"):
        with pytest.raises(ExportError, match="no folder"):
            check_output(job(out))
    with pytest.raises(ExportError, match="no folder"):
        sink_for(job(tmp_path / "no/such/frames"), BT709).open()


def test_a_folder_without_write_permission_is_an_export_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # Whoever runs the tests may be root, who may do all.
    with pytest.raises(ExportError, match="cannot be written to"):
        check_output(job(tmp_path / "out.mp4"))
    with pytest.raises(ExportError, match="cannot be written to"):
        sink_for(job(tmp_path / "frames"), BT709).open()


def test_pictures_need_a_folder_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "frames").write_bytes(b"mine")
    sink = sink_for(job(tmp_path / "frames"), BT709)
    with pytest.raises(ExportError, match="is a file"):
        sink.open()
    sink.abort()
    assert (tmp_path / "frames").read_bytes() == b"mine"


def test_an_existing_file_is_replaced_only_with_overwrite(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"mine")
    with pytest.raises(ExportError, match="already exists"):
        check_output(job(tmp_path / "out.mp4"))
    check_output(job(tmp_path / "out.mp4", overwrite=True))
    assert (tmp_path / "out.mp4").read_bytes() == b"mine"


def test_the_clip_itself_is_never_the_output(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"mine")
    (tmp_path / "link.mp4").symlink_to(clip)
    for out in (clip, tmp_path / "link.mp4", tmp_path / "." / "clip.mp4"):
        task = job(out, overwrite=True)
        with pytest.raises(UsageError, match="clip itself"):
            check_output(replace(task, clip=clip))
    task = job(tmp_path)
    with pytest.raises(UsageError, match="clip itself"):
        check_output(replace(task, clip=tmp_path, overwrite=True))


def test_a_folder_with_a_videos_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(ExportError, match="is a folder"):
        check_output(job(tmp_path / "out.mp4", overwrite=True))
