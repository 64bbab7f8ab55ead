"""Colours of clips: tags, guesses where they are missing, and RGB checked against the formulas."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import flat_yuv_frame, numbered_frame, write_clip
from videoinr.clip import OpenOptions, open_clip
from videoinr.colour import ColourSpec, ColourTags, PixelFamily, check_colour, colour_from_tags
from videoinr.errors import UsageError
from videoinr.types import Pixels

LUMA = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
"""Kr and Kb of each matrix."""

COLOURS = [(0.9, 0.2, 0.1), (0.1, 0.7, 0.3), (0.2, 0.3, 0.95), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)]

HD = ColourSpec("bt709", "tv", "bt709", "bt709")


def yuv_from_rgb(rgb: tuple[float, float, float], spec: ColourSpec, bits: int) -> list[int]:
    """The stored numbers of a colour (0..1), by the formulas of BT.601, BT.709 and BT.2020."""
    red, green, blue = rgb
    kr, kb = LUMA[spec.matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    u, v = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    unit, peak = 2 ** (bits - 8), 2**bits - 1
    if spec.range == "tv":
        return [round(unit * (16 + 219 * luma)), round(unit * (128 + 224 * u)), round(unit * (128 + 224 * v))]
    return [min(max(round(value), 0), peak) for value in (peak * luma, peak * u + 128 * unit, peak * v + 128 * unit)]


def read_one(path: Path, colour: ColourSpec | None = None) -> Pixels:
    with open_clip(path, OpenOptions(colour=colour)) as clip:
        return clip.frame(0)


def shares(pixels: Pixels) -> tuple[float, ...]:
    """The colour in the middle of the picture, 0..1."""
    height, width = pixels.shape[:2]
    return tuple((pixels[height // 2, width // 2] / np.iinfo(pixels.dtype).max).tolist())


@pytest.mark.parametrize("range_", ["tv", "pc"])
@pytest.mark.parametrize("matrix", list(LUMA))
@pytest.mark.parametrize(
    ("pix_fmt", "bits"),
    [
        ("yuv420p", 8),
        ("yuv422p", 8),
        ("yuv444p", 8),
        ("yuv411p", 8),
        ("yuva420p", 8),
        ("yuv420p10le", 10),
        ("yuv422p10le", 10),
        ("yuv444p10le", 10),
        ("yuv420p12le", 12),
        ("yuv444p16le", 16),
    ],
)
def test_rgb_follows_the_matrix_and_range(tmp_path: Path, pix_fmt: str, bits: int, matrix: str, range_: str) -> None:
    spec = ColourSpec(matrix, range_, "bt709", "bt709")
    alpha = [255] if "a" in pix_fmt else []
    frames = [flat_yuv_frame([*yuv_from_rgb(rgb, spec, bits), *alpha], pix_fmt, width=32, height=16) for rgb in COLOURS]
    path = write_clip(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt=pix_fmt, colour=spec)
    with open_clip(path) as clip:
        assert clip.info.colour == spec
        assert clip.info.bit_depth == bits
        for index, rgb in enumerate(COLOURS):
            pixels = clip.frame(index)
            assert pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
            assert shares(pixels) == pytest.approx(rgb, abs=2 / 255 if bits == 8 else 0.6 / 255)


@pytest.mark.parametrize("range_", ["tv", "pc"])
@pytest.mark.parametrize(("pix_fmt", "bits"), [("yuv420p10le", 10), ("yuv444p12le", 12), ("gray10le", 10)])
def test_white_and_black_of_deep_clips_reach_the_ends_of_the_range(
    tmp_path: Path, pix_fmt: str, bits: int, range_: str
) -> None:
    spec = replace(HD, range=range_)
    chroma = [2 ** (bits - 1)] * 2 if pix_fmt.startswith("yuv") else []
    ends = (16 << bits - 8, 235 << bits - 8) if range_ == "tv" else (0, 2**bits - 1)
    frames = [flat_yuv_frame([end, *chroma], pix_fmt) for end in ends]
    path = write_clip(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt=pix_fmt)
    with open_clip(path, OpenOptions(colour=spec)) as clip:
        assert clip.frame(0).max() <= 64
        assert clip.frame(1).min() >= 65535 - 64


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), "bt709"), ((640, 360), "smpte170m")])
def test_the_matrix_of_untagged_clips_is_guessed_by_size(tmp_path: Path, size: tuple[int, int], matrix: str) -> None:
    rgb = (0.9, 0.2, 0.1)
    stored = yuv_from_rgb(rgb, ColourSpec(matrix, "tv", "", ""), 8)
    frame = flat_yuv_frame(stored, "yuv420p", width=size[0], height=size[1])
    path = write_clip(tmp_path / "a.mkv", [frame], codec="ffv1")
    with open_clip(path) as clip:
        assert clip.info.colour.matrix == matrix
        assert set(clip.info.colour.guessed) == {"matrix", "range", "primaries", "transfer"}
        assert shares(clip.frame(0)) == pytest.approx(rgb, abs=1.5 / 255)


def test_colours_given_at_opening_override_tags_and_guesses(tmp_path: Path) -> None:
    rgb, told = (0.2, 0.3, 0.95), ColourSpec("bt2020nc", "pc", "bt2020", "smpte2084")
    frame = flat_yuv_frame(yuv_from_rgb(rgb, told, 8), "yuv444p")
    path = write_clip(tmp_path / "a.mkv", [frame], codec="ffv1", pix_fmt="yuv444p", colour=HD)
    with open_clip(path, OpenOptions(colour=told)) as clip:
        assert clip.info.colour == told
        assert shares(clip.frame(0)) == pytest.approx(rgb, abs=1.5 / 255)
        assert any("HDR" in warning for warning in clip.info.warnings)
    assert shares(read_one(path)) != pytest.approx(rgb, abs=0.02)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video", "libvpx-vp9", "prores_ks", "mjpeg"])
def test_tags_survive_real_codecs(tmp_path: Path, codec: str) -> None:
    pix_fmt = {"prores_ks": "yuv422p10le", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
    # On one thread and in order: on several it once gave a packet that the container refused.
    params = "log-level=none:bframes=0:pools=none:frame-threads=1"
    options = {"x265-params": params} if codec == "libx265" else {}
    suffix = "mpg" if codec == "mpeg2video" else "mov" if codec == "prores_ks" else "mkv"
    frame = flat_yuv_frame(yuv_from_rgb((0.9, 0.2, 0.1), HD, 10 if "10" in pix_fmt else 8), pix_fmt)
    path = write_clip(tmp_path / f"a.{suffix}", [frame], codec=codec, pix_fmt=pix_fmt, options=options, colour=HD)
    with open_clip(path) as clip:
        if codec == "mjpeg":
            # JPEG knows one range. Its decoder states one matrix too, but the container is believed.
            assert (clip.info.colour.matrix, clip.info.colour.range) == ("bt709", "pc")
        else:
            assert clip.info.colour.matrix == "bt709"
            assert shares(clip.frame(0)) == pytest.approx((0.9, 0.2, 0.1), abs=3 / 255)


def test_motion_jpeg_without_tags_has_the_matrix_of_jpeg(tmp_path: Path) -> None:
    frame = flat_yuv_frame(yuv_from_rgb((0.9, 0.2, 0.1), HD, 8), "yuvj420p")
    path = write_clip(tmp_path / "a.avi", [frame], codec="mjpeg", pix_fmt="yuvj420p")
    with open_clip(path) as clip:
        assert (clip.info.colour.matrix, clip.info.colour.range) == ("bt470bg", "pc")


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [
        *(("ffv1", each) for each in ("bgr0", "bgra", "gbrp10le", "gbrp12le", "rgb48le")),
        *(("utvideo", "gbrp"), ("rawvideo", "bgr24"), ("rawvideo", "rgb24")),
    ],
)
def test_rgb_clips_are_read_unchanged(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    deep = pix_fmt in ("gbrp10le", "gbrp12le", "rgb48le")
    picture = numbered_frame(5)
    frame = picture.astype(np.uint16) * 257 if deep else picture
    path = write_clip(tmp_path / "a.nut", [frame], codec=codec, pix_fmt=pix_fmt, fps=Fraction(1))
    with open_clip(path) as clip:
        assert (clip.info.colour.matrix, clip.info.colour.range) == ("rgb", "pc")
        assert "matrix" not in clip.info.colour.guessed
        read = clip.frame(0)
    tolerance = 64 if deep else 0
    assert read.dtype == frame.dtype
    assert np.abs(read.astype(int) - frame).max() <= tolerance


def test_limited_range_rgb_is_expanded(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", [np.full((48, 64, 3), 235, np.uint8)], codec="ffv1", pix_fmt="bgr0")
    assert read_one(path).max() == 235
    limited = ColourSpec("rgb", "tv", "bt709", "iec61966-2-1")
    assert read_one(path, limited).min() == 255


@pytest.mark.parametrize(("codec", "pix_fmt"), [("ffv1", "gray"), ("ffv1", "gray16le"), ("libx264", "gray")])
@pytest.mark.parametrize("level", [30, 128, 240])
def test_grey_keeps_its_levels(tmp_path: Path, codec: str, pix_fmt: str, level: int) -> None:
    frame = flat_yuv_frame([level * 257 if "16" in pix_fmt else level], pix_fmt)
    said = replace(HD, range="pc") if codec == "libx264" else None
    pixels = read_one(write_clip(tmp_path / "a.mkv", [frame], codec=codec, pix_fmt=pix_fmt, colour=said))
    assert shares(pixels) == pytest.approx([level / 255] * 3, abs=1.5 / 255)


def test_limited_range_grey_is_expanded(tmp_path: Path) -> None:
    limited = ColourSpec("bt709", "tv", "bt709", "bt709")
    for pix_fmt, levels in (("gray", (16, 235)), ("gray12le", (256, 3760))):
        for level, expected in zip(levels, (0.0, 1.0), strict=True):
            frame = flat_yuv_frame([level], pix_fmt)
            path = write_clip(tmp_path / "a.mkv", [frame], codec="ffv1", pix_fmt=pix_fmt)
            assert shares(read_one(path, limited)) == pytest.approx([expected] * 3, abs=0.002)


def test_an_unsupported_matrix_gives_a_warning(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", 1, codec="ffv1", pix_fmt="yuv444p")
    with open_clip(path, OpenOptions(colour=replace(HD, matrix="ycgco"))) as clip:
        assert any("ycgco" in warning for warning in clip.info.warnings)
        assert clip.frame(0).shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("width", "height", "tags", "expected"),
    [
        (1920, 1080, ColourTags(), ("bt709", "tv", "bt709", "bt709")),
        (1280, 534, ColourTags(), ("bt709", "tv", "bt709", "bt709")),
        (720, 576, ColourTags(), ("smpte170m", "tv", "bt470bg", "bt709")),
        (720, 480, ColourTags(), ("smpte170m", "tv", "smpte170m", "bt709")),
        (640, 360, ColourTags(), ("smpte170m", "tv", "bt709", "bt709")),
        (640, 360, ColourTags(primaries="bt2020"), ("bt2020nc", "tv", "bt2020", "bt709")),
        (3840, 2160, ColourTags(matrix="bt2020nc"), ("bt2020nc", "tv", "bt2020", "bt709")),
        (640, 360, ColourTags(matrix="bt709", range="pc"), ("bt709", "pc", "bt709", "bt709")),
        (1920, 1080, ColourTags(matrix="rgb"), ("bt709", "tv", "bt709", "bt709")),
    ],
)
def test_guesses(width: int, height: int, tags: ColourTags, expected: tuple[str, ...]) -> None:
    spec = colour_from_tags(tags, width=width, height=height, family=PixelFamily.YUV)
    assert (spec.matrix, spec.range, spec.primaries, spec.transfer) == expected
    said = {name for name in ("matrix", "range", "primaries", "transfer") if getattr(tags, name)}
    assert set(spec.guessed) == {"matrix", "range", "primaries", "transfer"} - said


def test_rgb_and_grey_are_guessed_at_full_range() -> None:
    rgb = colour_from_tags(ColourTags(matrix="bt709"), width=64, height=48, family=PixelFamily.RGB)
    assert rgb == ColourSpec("rgb", "pc", "bt709", "iec61966-2-1", ("range", "primaries", "transfer"))
    grey = colour_from_tags(ColourTags(), width=64, height=48, family=PixelFamily.GREY)
    assert (grey.matrix, grey.range) == ("smpte170m", "pc")


def test_tags_are_made_of_codes_and_filled_from_others() -> None:
    tags = ColourTags.from_codes(matrix=9, range_=2, primaries=2, transfer=999)
    assert tags == ColourTags("bt2020nc", "pc", None, None)
    assert tags.filled_from(ColourTags("bt709", "tv", "bt2020", None)) == ColourTags("bt2020nc", "pc", "bt2020", None)


@pytest.mark.parametrize("field", ["matrix", "range", "primaries", "transfer"])
def test_an_unknown_name_is_a_usage_error(field: str, tmp_path: Path) -> None:
    check_colour(HD)
    names = {"matrix": "bt709", "range": "tv", "primaries": "bt709", "transfer": "bt709", field: "mauve"}
    with pytest.raises(UsageError, match=f"no colour {field}") as caught:
        open_clip(tmp_path, OpenOptions(colour=ColourSpec(**names, guessed=())))
    assert "bt709" in caught.value.hint or field == "range"
