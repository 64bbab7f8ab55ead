"""Animated pictures, and pictures of 8, 16 and 32 bits: what each format keeps, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from helpers.clicks import write_clicks
from helpers.clips import write_clip
from helpers.export_jobs import job
from helpers.full_disk import fill_disk
from helpers.held_frames import HeldFrames
from videoinr.cancel import CancelToken
from videoinr.clip import open_clip
from videoinr.colour import ColourSpec
from videoinr.errors import Cancelled, ExportError, UsageError
from videoinr.exporting.export import export_job
from videoinr.exporting.job import job_for
from videoinr.exporting.outputs import _rate_notes, check_colour, losses, notices, sink_for
from videoinr.exporting.parts import Share
from videoinr.exporting.picture_formats import PICTURES
from videoinr.exporting.sinks import Sink
from videoinr.exporting.sound.choice import SoundChoice
from videoinr.exporting.target import PartialKeptError
from videoinr.types import ExportProgress, ExportReport

BT709 = ColourSpec("bt709", "tv", "bt709", "bt709")
PQ = ColourSpec("bt2020nc", "tv", "bt2020", "smpte2084")


def levels(dtype: type, *, count: int = 4, width: int = 47, height: int = 33) -> NDArray[Any]:
    peak = int(np.iinfo(dtype).max)
    frames: NDArray[Any] = np.random.default_rng(1).integers(0, peak + 1, (count, height, width, 4)).astype(dtype)
    return frames


def write(out: Path, frames: NDArray[Any], **options: Any) -> Path:
    height, width = frames.shape[1:3]
    sink = sink_for(job(out, size=(width, height), fps=Fraction(4), **options), BT709)
    sink.open()
    for frame in frames:
        sink.write(frame)
    return sink.finish()


def export(
    clip: Path,
    out: Path,
    *,
    token: CancelToken | None = None,
    notice: Callable[[str], None] = print,
    **options: Any,
) -> ExportReport:
    with HeldFrames(open_clip(clip)) as engine:
        task = job_for(engine.opened.info, out, scale=Fraction(1), **options)
        return export_job(task, engine, token=token or CancelToken(), notice=notice)


def halves_of(frame: av.VideoFrame) -> NDArray[Any]:
    """Return the half floats of a frame of FFmpeg's gbrpf16le, [height, width, 3], RGB; PyAV makes no array of it."""
    planes = [np.frombuffer(memoryview(plane), np.float16).reshape(plane.height, -1) for plane in frame.planes]
    green, blue, red = (plane[:, : frame.width] for plane in planes)
    return np.stack([red, green, blue], -1)


# tifffile sets the shape of an array, of which NumPy 2.5 warns.
@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize("kind", PICTURES, ids=lambda kind: kind.name)
def test_pictures_hold_every_level_of_their_depth(tmp_path: Path, kind: Any) -> None:
    frames = levels(np.uint16 if kind.depth == 16 else np.uint8)
    pattern = write(tmp_path / "frames", frames, codec=kind.name)
    for number, frame in enumerate(frames):
        file = pattern.with_name(pattern.name % number)
        assert file.suffix == kind.endings[0]
        if kind.encoder == "tiff":
            np.testing.assert_array_equal(tifffile.imread(file), frame[..., :3])
        with av.open(str(file)) as container:
            (read,) = container.decode(video=0)
        wanted = frame[..., :3]
        if kind.is_light:
            level = wanted.astype(np.float64) / 65535
            light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
            # Half floats have 11 bits.
            np.testing.assert_allclose(halves_of(read), light, rtol=2**-11, atol=1e-7)
        else:
            layout = "rgb24" if frames.dtype == np.uint8 else "rgb48le"
            np.testing.assert_array_equal(read.to_ndarray(format=layout), wanted)


@pytest.mark.parametrize("bits", [8, 10])
def test_pictures_have_the_depth_of_the_clip(tmp_path: Path, bits: int) -> None:
    pix_fmt = "yuv420p" if bits == 8 else "yuv420p10le"
    clip = write_clip(tmp_path / "clip.mkv", 3, codec="libx264", pix_fmt=pix_fmt)
    for name in ("png", "tiff"):
        export(clip, tmp_path / name, codec=name)
        with av.open(str(next((tmp_path / name).iterdir()))) as container:
            assert ("48" in str(container.streams.video[0].pix_fmt)) == (bits > 8)


def test_openexr_is_opened_again_as_it_was(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", 3)
    export(clip, tmp_path / "light", codec="exr")
    with open_clip(clip) as source, open_clip(tmp_path / "light") as light:
        for number in range(3):
            found = light.frame(number).astype(np.float64) / 257
            assert np.abs(found - source.frame(number)).max() < 0.51


@pytest.mark.parametrize("name", ["out.gif", "out.webp", "out.apng"])
def test_animations_play_for_ever_at_their_rate(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, levels(np.uint8, count=5))
    with Image.open(path) as image:
        durations = [(each.load(), each.info["duration"])[1] for each in ImageSequence.Iterator(image)]
        assert image.info["loop"] == 0
        assert image.size == (47, 33)
    assert durations == [250] * 5
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize(
    ("name", "crf"), [("out.gif", None), ("out.apng", None), ("out.webp", 0), ("out.webp", 10), ("out.webp", 100)]
)
def test_equal_frames_and_a_single_one_are_written_too(tmp_path: Path, name: str, crf: int | None, count: int) -> None:
    frames = np.repeat(levels(np.uint8, count=1), count, axis=0)
    path = write(tmp_path / name, frames, crf=crf)
    with Image.open(path) as image:
        assert image.size == (47, 33)


@pytest.mark.parametrize("name", ["out.gif", "out.webp", "out.apng"])
def test_an_animation_leaves_sound_and_the_rest_out_and_says_so(tmp_path: Path, name: str) -> None:
    clip = write_clicks(tmp_path / "clip.mkv", list(range(0, 400, 40)), [3], end_msecs=400)
    title = {"out.gif": "GIF", "out.webp": "WebP", "out.apng": "APNG"}[name]
    report = export(clip, tmp_path / name, fps=Fraction(25))
    assert report.dropped[0] == f"the sound, which {title} files do not hold"
    with pytest.raises(UsageError, match="hold no sound"):
        export(clip, tmp_path / f"second-{name}", sound=SoundChoice.COPY)


@pytest.mark.parametrize(
    ("name", "codec", "title"), [("%05d.png", None, "PNG"), ("d", "tiff16", "TIFF"), ("%d.exr", None, "EXR")]
)
def test_pictures_leave_sound_and_the_rest_out_and_say_so(
    tmp_path: Path, name: str, codec: str | None, title: str
) -> None:
    clip = write_clicks(tmp_path / "clip.mkv", list(range(0, 400, 40)), [3], end_msecs=400)
    said: list[str] = []
    report = export(clip, tmp_path / name, fps=Fraction(5), codec=codec, notice=said.append)
    assert (report.sound, report.dropped) == ("", (f"the sound, which {title} files do not hold",))
    assert f"Left out: {report.dropped[0]}." in said
    with pytest.raises(UsageError, match="hold no sound"):
        export(clip, tmp_path / f"2{name}", codec=codec, sound=SoundChoice.COPY)


def test_pictures_of_a_clip_without_sound_leave_nothing_out(tmp_path: Path) -> None:
    report = export(write_clip(tmp_path / "clip.mp4", 3), tmp_path / "frames")
    assert report.dropped == ()


CHROMA = [
    ("yuv444p", 1, 0, "out.mp4", "libx265", "4:4:4", "4:2:0"),
    ("yuv444p", 1, 0, "out.mov", "prores", "4:4:4", "4:2:2"),
    ("yuv422p", 1, 0, "out.mp4", "libx264", "4:2:2", "4:2:0"),
    ("yuv422p", 1, 90, "out.mov", "prores", "4:4:0", "4:2:2"),
    ("rgb24", 1, 0, "out.webm", None, "RGB", "4:2:0"),
    ("yuv444p", Fraction(3, 2), 0, "out.mp4", None, "4:4:4", "4:2:0"),
    ("yuv444p", 2, 0, "out.mp4", None, "", ""),
    ("yuv444p", 1, 0, "out.mkv", "ffv1", "", ""),
    ("yuv422p", 1, 0, "out.mov", "prores", "", ""),
    ("yuv420p", Fraction(1, 2), 0, "out.mp4", None, "", ""),
    ("gray", 1, 0, "out.mp4", None, "", ""),
    ("yuv444p", 1, 0, "frames", None, "", ""),
]


@pytest.mark.parametrize(("pix_fmt", "scale", "rotation", "name", "codec", "had", "kept"), CHROMA)
def test_colour_samples_that_the_file_does_not_hold_are_named(
    tmp_path: Path, pix_fmt: str, scale: Fraction, rotation: int, name: str, codec: str | None, had: str, kept: str
) -> None:
    with open_clip(write_clip(tmp_path / "clip.mkv", 2)) as clip:
        info = replace(clip.info, pix_fmt=pix_fmt, rotation=rotation)
    task = job_for(info, tmp_path / name, scale=Fraction(scale), codec=codec)
    expected = (f"colour samples (the clip has {had}, the file {kept})",) if had else ()
    assert losses(task, info) == expected
    assert [each for each in notices(task, None, info) if "colour samples" in each] == [
        f"Left out: {each}. FFV1 and PNG keep them." for each in expected
    ]


def test_the_result_names_lost_colour_samples(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", 2, pix_fmt="yuv444p")
    assert export(clip, tmp_path / "out.mp4").dropped == ("colour samples (the clip has 4:4:4, the file 4:2:0)",)


def test_what_an_animation_cannot_do_is_refused(tmp_path: Path) -> None:
    job(tmp_path / "out.gif", fps=Fraction(50)).check()
    job(tmp_path / "out.apng", fps=Fraction(60)).check()
    with pytest.raises(UsageError, match="more slowly") as caught:
        job(tmp_path / "out.gif", fps=Fraction(60)).check()
    assert "--fps 50" in caught.value.hint
    for task in (job(tmp_path / "out.webp", share=Share(1, 2)), job(tmp_path / "out.webp", resume=True)):
        with pytest.raises(UsageError, match="one piece"):
            task.check()
    for name, codec in (("out.mp4", "gif"), ("%05d.png", "exr"), ("%05d.jpg", None)):
        with pytest.raises(UsageError):
            job(tmp_path / name, codec=codec).check()


@pytest.mark.parametrize("name", ["out.gif", "frames", "%04d.exr"])
def test_hdr_is_refused_where_programs_read_srgb(tmp_path: Path, name: str) -> None:
    clip = write_clip(tmp_path / "clip.mkv", 2, codec="libx265", pix_fmt="yuv420p10le", colour=PQ)
    with open_clip(clip) as source, pytest.raises(UsageError, match=r"HDR \(PQ\)"):
        check_colour(job(tmp_path / name), source.info)


def test_linear_light_is_said(tmp_path: Path) -> None:
    assert any("linear light" in words for words in notices(job(tmp_path / "%05d.exr")))
    assert not any("linear light" in words for words in notices(job(tmp_path / "%05d.png")))


def test_a_cancelled_animation_keeps_what_it_has(tmp_path: Path) -> None:
    clip, token = write_clip(tmp_path / "clip.mkv", 20), CancelToken()

    def progress(now: ExportProgress) -> None:
        if now.done == 7:
            token.cancel(keep=True)

    with HeldFrames(open_clip(clip)) as engine:
        task = job_for(engine.opened.info, tmp_path / "out.gif", scale=Fraction(1))
        with pytest.raises(PartialKeptError) as caught:
            export_job(task, engine, progress=progress, token=token)
    assert caught.value.frames == 7
    with Image.open(caught.value.path) as image:
        assert len(list(ImageSequence.Iterator(image))) == 7
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        export(clip, tmp_path / "none.gif", token=token)
    assert {each.name for each in tmp_path.iterdir()} == {"clip.mkv", "out.partial.gif"}


@pytest.mark.parametrize("name", ["out.gif", "out.webp", "out.apng"])
def test_a_full_disk_leaves_nothing_of_an_animation(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch, after_bytes=3000)
    sink = sink_for(job(tmp_path / name, fps=Fraction(4), size=(47, 33)), BT709)
    with pytest.raises(ExportError, match="disk is full"):
        write_all(sink, levels(np.uint8, count=9))
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def write_all(sink: Sink, frames: NDArray[Any]) -> None:
    sink.open()
    for frame in frames:
        sink.write(frame)
    sink.finish()


@pytest.mark.parametrize(
    ("fps", "meant"),
    [("23.976", "24000/1001"), ("23.98", "24000/1001"), ("29.97", "30000/1001"), ("59.94", "60000/1001"),
     ("119.88", "120000/1001"), ("24000/1001", ""), ("24", ""), ("12.5", ""), ("29.9", "")],
)  # fmt: skip
def test_a_rate_of_ntsc_in_short_is_named(fps: str, meant: str) -> None:
    said = _rate_notes(Fraction(fps))
    assert bool(said) == bool(meant)
    assert all(f"--fps {meant}" in sentence for sentence in said)
