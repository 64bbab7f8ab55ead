"""Pictures of numbers other than integers without a sign: read as what they are, or refused in words."""

import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from helpers.exr import exr
from videoinr.clip import open_clip
from videoinr.clip.exr_windows import with_display_window_at_zero
from videoinr.clip.picture_file import decode_picture
from videoinr.clip.picture_format import is_jpeg_ls_by_pixel, unread_numbers, with_unit_scale
from videoinr.errors import ClipError

RAMP = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64)


def pfm(values: NDArray[np.float32], scale: str) -> bytes:
    """Return a PFM file: rows from the bottom up, the sign of the scale is the order of bytes."""
    header = f"{'PF' if values.ndim == 3 else 'Pf'}\n{values.shape[1]} {values.shape[0]}\n{scale}\n"
    return header.encode() + values[::-1].astype("<f4" if scale.startswith("-") else ">f4").tobytes()


@pytest.mark.parametrize("scale", ["-1.0", "1", "-0.003922", "2.5e1"])
def test_the_scale_of_a_pfm_changes_no_number(tmp_path: Path, scale: str) -> None:
    (tmp_path / "depth.pfm").write_bytes(pfm(np.stack([RAMP, RAMP / 2, RAMP / 4], axis=2), scale))
    stored = decode_picture(tmp_path / "depth.pfm").frame.to_ndarray()
    np.testing.assert_array_equal(stored, np.stack([RAMP, RAMP / 2, RAMP / 4], axis=2))


def test_damaged_headers_of_a_pfm_are_left_to_the_decoder() -> None:
    for data in (b"", b"PF", b"Pf\n64 48\n", b"Pf\n64\n-1.0\n", b"P6\n1 1\n255\n"):
        assert with_unit_scale(data) == data
    assert with_unit_scale(b"Pf\n6 4\n-2.0\n\0\1") == b"Pf\n6 4\n-1\n\0\1"


def test_grey_floating_point_numbers_keep_their_contrast(tmp_path: Path) -> None:
    (tmp_path / "depth.pfm").write_bytes(pfm(RAMP, "-1.0"))
    with open_clip(tmp_path / "depth.pfm") as clip:
        shown = clip.frame(0)
    assert shown.dtype == np.uint16
    np.testing.assert_allclose(shown, np.repeat(RAMP[..., None], 3, axis=2) * 65535, atol=8)


def test_grey_half_floats_are_shown_as_light_with_and_without_alpha(tmp_path: Path) -> None:
    half = RAMP.astype(np.float16)
    light = half.astype(np.float64)
    wanted = 65535 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    (tmp_path / "a.exr").write_bytes(exr({"Y": half}))
    (tmp_path / "b.exr").write_bytes(exr({"Y": half, "A": np.ones_like(half)}))
    for name in ("a.exr", "b.exr"):
        with open_clip(tmp_path / name) as clip:
            np.testing.assert_allclose(clip.frame(0)[..., 1], wanted, atol=1)


@pytest.mark.parametrize(
    ("corner", "display"),
    [((100, 50), None), ((0, 0), (8, 8, 39, 31)), ((-5, 7), (-10, 0, 20, 60)), ((-8, -8), (0, 0, 31, 23))],
)
def test_an_exr_shows_its_display_window_wherever_it_is(
    tmp_path: Path, corner: tuple[int, int], display: tuple[int, int, int, int] | None
) -> None:
    half = (RAMP + np.float32(0.25)).astype(np.float16)
    (tmp_path / "a.exr").write_bytes(exr({"Y": half}, corner, display))
    (left, top), window = corner, display or (*corner, corner[0] + 63, corner[1] + 47)
    plane = np.zeros((400, 400), np.float32)
    plane[200 + top : 248 + top, 200 + left : 264 + left] = half
    wanted = plane[200 + window[1] : 201 + window[3], 200 + window[0] : 201 + window[2]]
    decoded = decode_picture(tmp_path / "a.exr").frame.to_ndarray()
    np.testing.assert_array_equal(decoded[..., 1], wanted)


def test_damaged_windows_of_an_exr_are_left_to_the_decoder() -> None:
    whole = exr({"Y": RAMP.astype(np.float16)}, (3, 4))
    assert with_display_window_at_zero(whole) != whole
    for length in (0, 3, 8, 9, 40, 200, 330, len(whole) // 2):
        assert with_display_window_at_zero(whole[:length]) == whole[:length]
    table = whole.index(struct.pack("<f", 1), whole.index(b"screenWindowWidth")) + 5
    far = whole[:table] + b"\xff" * 8 + whole[table + 8 :]
    assert with_display_window_at_zero(far) == far
    at_zero = exr({"Y": RAMP.astype(np.float16)})
    assert with_display_window_at_zero(at_zero) is at_zero


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (RAMP.astype(np.float16), "floating-point numbers of 16 bits"),
        (np.stack([RAMP.astype(np.float16)] * 3, axis=2), "floating-point numbers of 16 bits"),
        (RAMP, "floating-point numbers of 32 bits"),
        (np.stack([RAMP.astype(np.float64)] * 3, axis=2), "floating-point numbers of 64 bits"),
        ((RAMP * 200 - 100).astype(np.int16), "signed integers of 16 bits"),
        (np.stack([(RAMP * 200 - 100).astype(np.int8)] * 3, axis=2), "signed integers of 8 bits"),
        (np.stack([(RAMP * 200).astype(np.uint32)] * 3, axis=2), "integers of 32 bits"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_other_numbers_is_refused_and_not_shown_as_noise(
    tmp_path: Path, stored: NDArray[Any], words: str, order: Any
) -> None:
    form = "rgb" if stored.ndim == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=form, byteorder=order)
    with pytest.raises(ClipError, match=words) as caught:
        open_clip(tmp_path / "a.tif")
    assert "8 or 16 bits" in caught.value.hint


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_rgb_floats_is_read(tmp_path: Path, order: Any) -> None:
    stored = np.stack([RAMP, RAMP / 2, RAMP / 4], axis=2)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", byteorder=order)
    np.testing.assert_array_equal(decode_picture(tmp_path / "a.tif").frame.to_ndarray(), stored)


@pytest.mark.parametrize(("extra", "share"), [("assocalpha", 1.0), ("unassalpha", 0.5)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_colours_of_a_tiff_that_alpha_was_multiplied_into_are_not_darkened(
    tmp_path: Path, extra: str, share: float, kind: type[np.uint8]
) -> None:
    peak = int(np.iinfo(kind).max)
    pixels = np.full((48, 64, 4), peak // 4, kind)
    pixels[..., 3] = peak // 2
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=[extra])
    with open_clip(tmp_path / "a.tif") as clip:
        np.testing.assert_allclose(clip.frame(0), share * (peak // 4), rtol=0.02)


def grey_tiff(levels: NDArray[np.uint16], compression: int) -> bytes:
    """Return a TIFF of one strip of 12-bit levels, as they are (1) or compressed by Deflate (8)."""
    packed = np.packbits((levels[..., None] >> np.arange(11, -1, -1)) & 1).tobytes()
    strip = packed if compression == 1 else zlib.compress(packed)
    height, width = levels.shape
    tags = ((256, width), (257, height), (258, 12), (259, compression), (262, 1), (273, 8), (277, 1), (278, height),
            (279, len(strip)))  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_compressed_12_bits_of_a_tiff_are_refused_and_not_shown_black(tmp_path: Path) -> None:
    levels = np.rint(RAMP * 4095).astype(np.uint16)
    (tmp_path / "plain.tif").write_bytes(grey_tiff(levels, 1))
    np.testing.assert_array_equal(decode_picture(tmp_path / "plain.tif").frame.to_ndarray(), levels)
    (tmp_path / "deflate.tif").write_bytes(grey_tiff(levels, 8))
    with pytest.raises(ClipError, match="compressed integers of 12 bits"):
        decode_picture(tmp_path / "deflate.tif")


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr", "CMYK"])
def test_a_tiff_compressed_by_jpeg_is_refused_and_not_shown_black(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(np.rint(RAMP * 255).astype(np.uint8)).convert("RGB").convert(mode)
    picture.save(tmp_path / "a.tif", compression="jpeg")
    with pytest.raises(ClipError, match="TIFF picture of JPEG-compressed pixels"):
        open_clip(tmp_path / "a.tif")
    picture.save(tmp_path / "a.tif", compression="tiff_lzw")
    with open_clip(tmp_path / "a.tif") as clip:
        np.testing.assert_allclose(clip.frame(0), np.asarray(picture.convert("RGB")), atol=3)


def test_the_sycc_of_jpeg_2000_has_the_full_range(tmp_path: Path) -> None:
    pixels = np.stack([np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))] * 3, axis=2)
    encoder = av.CodecContext.create("jpeg2000", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "yuv444p", Fraction(1, 25)
    encoder.options = {"pred": "dwt53"}
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(
        format="yuv444p", src_color_range=2, dst_color_range=2, dst_colorspace=5
    )
    (packet,) = [*encoder.encode(frame), *encoder.encode(None)]
    (tmp_path / "a.jp2").write_bytes(bytes(packet))
    with open_clip(tmp_path / "a.jp2") as clip:
        assert (clip.info.pix_fmt, clip.info.colour.range) == ("yuv444p", "pc")
        np.testing.assert_allclose(clip.frame(0), pixels, atol=4)


def test_a_jpeg_ls_with_colours_by_pixel_is_refused_and_not_shown_black(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    encoder = av.CodecContext.create("jpegls", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "rgb24", Fraction(1, 25)
    (packet,) = [*encoder.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")), *encoder.encode(None)]
    by_line = bytes(packet)
    (tmp_path / "a.jpg").write_bytes(by_line)
    np.testing.assert_array_equal(decode_picture(tmp_path / "a.jpg").frame.to_ndarray(), pixels)
    at = by_line.index(b"\xff\xda") + 12
    assert by_line[at] == 1
    (tmp_path / "a.jpg").write_bytes(by_line[:at] + b"\2" + by_line[at + 1 :])
    with pytest.raises(ClipError, match="JPEG-LS picture with its colours pixel by pixel"):
        decode_picture(tmp_path / "a.jpg")
    for damaged in (by_line[:at], by_line[: at - 3], b"\xff\xd8\xff\xda", b"\xff\xd8\xff\xf7\0\0"):
        assert not is_jpeg_ls_by_pixel(damaged)


def test_a_damaged_tiff_holds_no_numbers_that_are_known() -> None:
    for data in (b"II*\0", b"MM\0*" + bytes(8), b"II*\0" + b"\xff" * 8):
        assert unread_numbers(data) == ""
