"""Transparent pixels, scene-linear pictures and short GIF delays are shown as viewers and browsers show them."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.clips import write_clip, write_picture
from videoinr.clip import OpenOptions, open_clip
from videoinr.clip.background import Background, background_named
from videoinr.clip.gif_delays import delay_places, with_browsers_delays
from videoinr.clip.transparency import laid_over
from videoinr.errors import UsageError

RED, GREEN = (220, 30, 30), (0, 200, 0)


def square() -> NDArray[np.uint8]:
    """[48, 64, 4]: an opaque red square on a transparent ground, whose hidden colour is green."""
    rgba = np.zeros((48, 64, 4), np.uint8)
    rgba[..., :3] = GREEN
    rgba[12:36, 16:48] = (*RED, 255)
    return rgba


def rgba_frame(rgba: NDArray[np.uint8], pix_fmt: str) -> Any:
    frame: Any = av.VideoFrame.from_ndarray(rgba, "rgba")
    return frame if pix_fmt == "rgba" else frame.reformat(format=pix_fmt, dst_colorspace=5, dst_color_range=1)


def write_still(path: Path, frame: Any, codec: str, **options: str) -> Path:
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, frame.format.name, Fraction(1, 25)
    encoder.options = options
    path.write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]))
    return path


def check_square(
    path: Path, tolerance: int, ground: tuple[int, int, int] = (0, 0, 0), background: str = "black"
) -> None:
    with open_clip(path, OpenOptions(background=background)) as clip:
        pixels = clip.frame(clip.info.frames - 1)
        levels = pixels.astype(float) / (np.iinfo(pixels.dtype).max / 255)
        assert np.abs(levels[3, 3] - ground).max() <= tolerance
        assert np.abs(levels[24, 32] - RED).max() <= tolerance
        assert any("transparent" in warning for warning in clip.info.warnings)


@pytest.mark.parametrize(
    ("ending", "codec", "pix_fmt"), [("png", "png", "rgba"), ("tga", "targa", "bgra"), ("webp", "libwebp", "bgra")]
)
def test_hidden_colours_of_pictures_stay_hidden(tmp_path: Path, ending: str, codec: str, pix_fmt: str) -> None:
    options = {"lossless": "1"} if ending == "webp" else {}
    path = write_still(tmp_path / f"a.{ending}", rgba_frame(square(), pix_fmt), codec, **options)
    check_square(path, 0)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "tolerance"),
    [("a.mov", "qtrle", "argb", 0), ("b.mov", "prores_ks", "yuva444p10le", 4), ("c.png", "apng", "rgba", 0),
     ("d.mkv", "ffv1", "yuva420p", 3)],
)  # fmt: skip
def test_hidden_colours_of_videos_stay_hidden(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, tolerance: int
) -> None:
    options = {"profile": "4"} if codec == "prores_ks" else {}
    frames = [rgba_frame(square(), pix_fmt) for _ in range(2)]
    path = write_clip(tmp_path / name, frames, codec=codec, pix_fmt=pix_fmt, options=options,
                      container_format="apng" if codec == "apng" else None)  # fmt: skip
    check_square(path, tolerance)


def test_the_background_can_be_chosen(tmp_path: Path) -> None:
    path = write_picture_rgba(tmp_path / "a.png")
    check_square(path, 0, (255, 255, 255), background="white")
    check_square(path, 0, (32, 96, 255), background="#2060ff")
    with open_clip(path, OpenOptions(background="checkerboard")) as squares, open_clip(path) as black:
        assert len(np.unique(squares.frame(0)[:12].reshape(-1, 3), axis=0)) == 2
        assert squares.identity != black.identity
    with pytest.raises(UsageError, match="no background"):
        open_clip(path, OpenOptions(background="plaid"))


def write_picture_rgba(path: Path) -> Path:
    return write_still(path, rgba_frame(square(), "rgba"), "png")


def test_opaque_pictures_give_no_warning(tmp_path: Path) -> None:
    rgba = square()
    rgba[..., 3] = 255
    with open_clip(write_still(tmp_path / "a.png", rgba_frame(rgba, "rgba"), "png")) as clip:
        assert not clip.info.warnings
        assert np.array_equal(clip.frame(0), rgba[..., :3])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_half_transparent_pixels_are_mixed(dtype: Any) -> None:
    peak = np.iinfo(dtype).max
    pixels = np.full((2, 3, 3), peak, dtype)
    alpha = np.array([[0, peak // 2, peak]] * 2, dtype)
    mixed = laid_over(pixels, alpha, Background("a grey", (51, 51, 51)))
    assert mixed[0, :, 0] / peak == pytest.approx([0.2, 0.6, 1], abs=1 / 255)
    premultiplied = laid_over(pixels // 2, alpha, background_named("black"), is_premultiplied=True)
    assert premultiplied[0, 1, 0] == peak // 2


@pytest.mark.parametrize("codec", ["exr", "hdr"])
def test_linear_light_is_shown_as_srgb(tmp_path: Path, codec: str) -> None:
    ramp = np.repeat(np.linspace(0, 1.5, 64, dtype=np.float32)[None], 48, axis=0)
    frame = av.VideoFrame.from_ndarray(np.repeat(ramp[..., None], 3, axis=2), "gbrpf32le")
    path = write_still(tmp_path / f"a.{codec}", frame, codec)
    with open_clip(path) as clip:
        shown = clip.frame(0)[20, :, 1] / 65535
        assert clip.info.colour.transfer == "iec61966-2-1"
        assert any("linear light" in warning for warning in clip.info.warnings)
    light = np.clip(ramp[20], 0, 1)
    right = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert shown == pytest.approx(right, abs=0.005)


def test_linear_pictures_are_laid_over_the_background_in_light(tmp_path: Path) -> None:
    rgba = np.zeros((48, 64, 4), np.float32)
    rgba[..., :3], rgba[..., 3] = 0.25, 0.5
    path = write_still(tmp_path / "a.exr", av.VideoFrame.from_ndarray(rgba, "gbrapf32le"), "exr")
    with open_clip(path) as black, open_clip(path, OpenOptions(background="white")) as white:
        assert black.frame(0)[9, 9, 0] / 65535 == pytest.approx(0.537, abs=0.002)
        assert white.frame(0)[9, 9, 0] / 65535 == pytest.approx(0.881, abs=0.002)


def test_short_gif_delays_are_those_of_browsers(tmp_path: Path) -> None:
    frames = [np.full((48, 64, 3), level, np.uint8) for level in (40, 80, 120, 160)]
    slow = write_clip(tmp_path / "slow.gif", frames, codec="gif", pix_fmt="rgb8", fps=Fraction(25))
    data = bytearray(slow.read_bytes())
    places = delay_places(data)
    assert len(places) == 4
    for place, delay in zip(places, (1, 1, 2, 20), strict=True):
        data[place : place + 2] = delay.to_bytes(2, "little")
    fast = tmp_path / "fast.gif"
    fast.write_bytes(data)
    with open_clip(slow) as clip:
        assert clip.info.duration_secs == Fraction(4, 25)
        assert not clip.info.warnings
    with open_clip(fast) as clip:
        starts = clip.timeline.ticks * float(clip.timeline.tick_secs)
        assert starts == pytest.approx([0, 0.1, 0.2, 0.22])
        assert any("2 delays of 0.01 s" in warning for warning in clip.info.warnings)
        assert clip.frame(3)[5, 5, 0] > 130
    assert with_browsers_delays(slow) is None


def test_damaged_gifs_end_the_search() -> None:
    assert delay_places(b"GIF89a") == []
    assert delay_places(b"GIF89a" + bytes(7) + b"\x21\xf9\x04\x00\x01") == []


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libvpx"])
def test_webm_is_decoded_with_its_alpha_channel(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.webm"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options={"g": "4", "b": "2M", "auto-alt-ref": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        stream.metadata["alpha_mode"] = "1"
        for number in range(12):
            rgba = square()
            rgba[40:, 4 * number : 4 * number + 8] = (255, 255, 255, 255)
            frame = rgba_frame(rgba, "yuva420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    check_square(path, 12)
    with open_clip(path) as clip:
        assert clip.info.frames == 12
        for number in (11, 3, 0, 7):
            row = clip.frame(number)[44, :, 0]
            assert row[4 * number + 4] > 200
            assert np.count_nonzero(row > 100) <= 12


def test_a_hidden_alpha_channel_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("videoinr.clip.video_file._ALPHA_DECODERS", {"vp9": "a decoder that this FFmpeg lacks"})
    path = tmp_path / "a.webm"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libvpx-vp9", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        stream.metadata["alpha_mode"] = "1"
        frame = rgba_frame(square(), "yuva420p")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_clip(path) as clip:
        assert any("transparency is not decoded" in warning for warning in clip.info.warnings)


def test_an_alpha_channel_that_the_decoder_returns_is_not_called_hidden(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        stream.metadata["alpha_mode"] = "1"
        container.mux([*stream.encode(rgba_frame(square(), "yuva420p")), *stream.encode(None)])

    with open_clip(path) as clip:
        assert clip.info.warnings == ("The clip has transparent pixels. They are shown on black.",)


def test_pictures_with_16_bits_are_laid_over_too(tmp_path: Path) -> None:
    rgba = square().astype(np.uint16) * 257
    frame: Any = av.VideoFrame.from_ndarray(rgba, "rgba64le").reformat(format="rgba64be")
    check_square(write_still(tmp_path / "a.png", frame, "png"), 0)
    write_picture(tmp_path / "b.png", rgba[..., :3])
    with open_clip(tmp_path / "b.png") as clip:
        assert not clip.info.warnings


def test_avif_is_laid_over_the_background_too(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    if not pytest.importorskip("PIL.features").check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    pictures = [image.fromarray(square()) for _ in range(3)]
    pictures[0].save(tmp_path / "a.avif", quality=100)
    pictures[1].putpixel((0, 0), (1, 2, 3, 255))
    pictures[0].save(tmp_path / "b.avif", quality=100, save_all=True, append_images=pictures[1:], duration=100)
    for name, count in (("a.avif", 1), ("b.avif", 3)):
        check_square(tmp_path / name, 6)
        check_square(tmp_path / name, 6, (255, 255, 255), background="white")
        with open_clip(tmp_path / name) as clip:
            assert (clip.info.frames, len(clip.info.warnings)) == (count, 1)
