"""Chroma samples lie where the file says or its kind implies, in reading and in exports."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.clips import write_clip
from helpers.export_jobs import job
from videoinr.clip import OpenOptions, open_clip
from videoinr.clip.siting import ChromaPlacer, declared_siting
from videoinr.colour import ColourSpec
from videoinr.exporting.codecs import codec_for, encodes
from videoinr.exporting.outputs import sink_for
from videoinr.types import Pixels

TV = ColourSpec("bt709", "tv", "bt709", "bt709")
PC = ColourSpec("bt709", "pc", "bt709", "bt709")
WIDTH, HEIGHT = 64, 48
MIDDLE = slice(16, 48)


def chroma_ramp(pix_fmt: str, spec: ColourSpec = TV) -> list[av.VideoFrame]:
    """Return two frames of mid grey luma whose blue difference is 64 + 2 x column of the chroma plane."""
    frames = []
    for _ in range(2):
        frame = av.VideoFrame(WIDTH, HEIGHT, pix_fmt)
        unit = 4 if "10" in pix_fmt else 1
        for plane, kind in zip(frame.planes, "ybr", strict=True):
            stored = np.frombuffer(memoryview(plane), "u2" if unit > 1 else "u1").reshape(plane.height, -1)
            ramp = 64 + 2 * np.arange(stored.shape[1])
            stored[:] = unit * (ramp if kind == "b" else np.full_like(ramp, 126 if kind == "y" else 128))
        frame.colorspace, frame.color_range = 1, 1 if spec.range == "tv" else 2
        frames.append(frame)
    return frames


def offset_from_left(pixels: Pixels, *, full: bool = False) -> float:
    """Return how many luma pixels right of left siting the chroma of :func:`chroma_ramp` was read."""
    blue = pixels[20:28, MIDDLE, 2].mean(axis=0) / np.iinfo(pixels.dtype).max
    luma, span = (126 / 255, 255) if full else ((126 - 16) / 219, 224)
    stored = (blue - luma) / 1.8556 * span + 128
    return float((np.arange(WIDTH)[MIDDLE] - (stored - 64)).mean())


LOSSLESS: Mapping[str, Mapping[str, str]] = {
    "libx264": {"qp": "0"},
    "libx265": {"x265-params": "lossless=1:log-level=error"},
    "libvpx-vp9": {"lossless": "1"},
    "libsvtav1": {"crf": "1", "preset": "8"},
    "prores_ks": {"profile": "3"},
}


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("h264.mp4", "libx264", "yuv420p"),
        ("h265.mp4", "libx265", "yuv420p"),
        ("vp9.webm", "libvpx-vp9", "yuv420p"),
        ("av1.mp4", "libsvtav1", "yuv420p"),
        ("prores.mov", "prores_ks", "yuv422p10le"),
        ("ffv1.mkv", "ffv1", "yuv420p"),
        ("ffv1_422.mkv", "ffv1", "yuv422p10le"),
        ("ffv1_411.mkv", "ffv1", "yuv411p"),
    ],
)
def test_chroma_of_limited_range_video_is_read_at_the_left(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    path = write_clip(tmp_path / name, chroma_ramp(pix_fmt), codec=codec, pix_fmt=pix_fmt, colour=TV,
                      options=LOSSLESS.get(codec, {}))  # fmt: skip
    with open_clip(path) as clip:
        pixels = clip.frame(0)
    if pix_fmt == "yuv411p":
        # A chroma sample for four luma samples: the ramp is half as steep.
        blue = pixels[20:28, MIDDLE, 2].mean(axis=0) / 255
        stored = (blue - 110 / 219) / 1.8556 * 224 + 128
        assert float((np.arange(WIDTH)[MIDDLE] - 2 * (stored - 64)).mean()) == pytest.approx(0, abs=0.2)
    else:
        assert offset_from_left(pixels) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("siting", ["left", "center", "topleft"])
def test_a_location_in_the_file_is_followed(tmp_path: Path, siting: str) -> None:
    path = write_clip(tmp_path / "clip.mkv", chroma_ramp("yuv420p"), codec="ffv1", colour=TV,
                      options={"chroma_sample_location": siting})  # fmt: skip
    with av.open(str(path)) as container:
        assert declared_siting(container.streams.video[0]) == siting
    with open_clip(path) as clip:
        assert offset_from_left(clip.frame(0)) == pytest.approx(0.5 if siting == "center" else 0, abs=0.1)


def test_full_range_and_y4m_and_motion_jpeg_keep_their_centre(tmp_path: Path) -> None:
    full = write_clip(tmp_path / "full.mkv", chroma_ramp("yuv420p", PC), codec="ffv1", colour=PC)
    y4m = write_clip(tmp_path / "raw.y4m", chroma_ramp("yuv420p"), codec="rawvideo")
    with open_clip(full) as clip:
        assert offset_from_left(clip.frame(0), full=True) == pytest.approx(0.5, abs=0.1)
    with open_clip(y4m, OpenOptions(colour=TV)) as clip:
        assert offset_from_left(clip.frame(0)) == pytest.approx(0.5, abs=0.1)


def test_a_placed_frame_shares_its_pixels() -> None:
    frame = chroma_ramp("yuv420p")[0]
    placer = ChromaPlacer("left")
    assert placer.placed(frame).planes[0].buffer_ptr == frame.planes[0].buffer_ptr
    other = av.VideoFrame(32, 16, "yuv422p")
    assert (placer.placed(other).width, placer.placed(other).format.name) == (32, "yuv422p")


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize(
    ("ending", "encoder"),
    [(".mp4", "libx264"), (".mkv", "libx265"), (".webm", "libvpx-vp9"), (".mp4", "libvpx-vp9"), (".mp4", "libsvtav1"),
     (".mov", "prores_ks")],
)  # fmt: skip
def test_an_export_is_read_back_without_a_shift(tmp_path: Path, ending: str, encoder: str, full_range: bool) -> None:
    codec = codec_for(ending, encoder)
    if not encodes(codec):
        pytest.skip(f"{encoder} does not work here")
    crf = None if codec.crf is None else max(1, codec.crf.most // 50)
    sink = sink_for(job(tmp_path / f"out{ending}", codec=encoder, crf=crf), PC if full_range else TV)
    rising = 48 + 2.5 * np.arange(WIDTH)
    sink.open()
    for blue in (rising, rising[::-1]):
        sink.write(blue_ramp(blue))
    with open_clip(sink.finish()) as clip:
        read = [clip.frame(number) / (np.iinfo(clip.frame(0).dtype).max / 255) for number in (0, 1)]
    up, down = (picture[20:28, MIDDLE, 2].mean(axis=0) for picture in read)
    # The difference of a rising and a falling ramp is free of swscale's rounding, which is down in full range.
    shift = ((up - rising[MIDDLE]) - (down - rising[::-1][MIDDLE])).mean() / 5
    assert shift == pytest.approx(0, abs=0.15)


def blue_ramp(blue: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture whose columns have these amounts of blue, at one BT.709 luma."""
    rgbx = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    rgbx[..., 0] = np.rint((128 * (0.2126 + 0.0722) - 0.0722 * blue) / 0.2126)
    rgbx[..., 1] = 128
    rgbx[..., 2] = np.rint(blue)
    return rgbx


@pytest.mark.parametrize(("ending", "encoder"), [(".mp4", "libx264"), (".webm", "libvpx-vp9"), (".mp4", "libsvtav1")])
def test_an_export_says_where_its_chroma_lies(tmp_path: Path, ending: str, encoder: str) -> None:
    sink = sink_for(job(tmp_path / f"out{ending}", codec=encoder), TV)
    sink.open()
    sink.write(np.full((HEIGHT, WIDTH, 4), 128, np.uint8))
    with av.open(str(sink.finish())) as container:
        assert declared_siting(container.streams.video[0]) == "left"


@pytest.mark.parametrize(
    ("name", "encoder"),
    [("a.mp4", None), ("a.mkv", "ffv1"), ("a.mkv", "libx264"), ("a.webm", None), ("a.mov", "prores_ks"), ("p", None)],
)
def test_an_export_keeps_the_shape_of_pixels(tmp_path: Path, name: str, encoder: str | None) -> None:
    sink = sink_for(job(tmp_path / name, codec=encoder), TV, Fraction(16, 15))
    sink.open()
    sink.write(np.full((HEIGHT, WIDTH, 4), 128, np.uint8))
    out = sink.finish()
    with av.open(str(tmp_path / "p" / "00000.png" if name == "p" else out)) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
    # Matroska stores the shown width in whole pixels.
    assert float(aspect or 1) == pytest.approx(16 / 15, abs=1 / WIDTH)
