"""Folders and patterns of pictures as clips: the files, their order, and the errors."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from helpers.clips import number_in, numbered_frame, write_picture, write_pictures
from videoinr.cancel import CancelToken
from videoinr.clip import OpenOptions, open_clip
from videoinr.clip.picture_file import decode_picture
from videoinr.clip.picture_folder import find_pictures, natural_key, with_counter
from videoinr.errors import Cancelled, ClipError, UsageError


def numbers(path: Path | str) -> list[int]:
    with open_clip(path) as clip:
        return [number_in(clip.frame(index)) for index in range(clip.info.frames)]


def test_a_folder_is_a_clip_in_natural_order(tmp_path: Path) -> None:
    write_pictures(tmp_path, 12)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._img_3.png").write_text("not one either")
    assert numbers(tmp_path) == list(range(12))
    with open_clip(tmp_path, OpenOptions(picture_fps=Fraction(30000, 1001))) as clip:
        info = clip.info
        assert (info.frames, info.width, info.height, info.fps) == (12, 64, 48, Fraction(30000, 1001))
        assert info.duration_secs == 12 * Fraction(1001, 30000)
        assert (info.codec, info.pix_fmt, info.bit_depth, info.vfr) == ("png", "rgb24", 8, False)
        assert (info.colour.matrix, info.colour.range) == ("rgb", "pc")
        assert clip.pair(3).key.pair == 3
        assert np.array_equal(clip.pair(3).second, numbered_frame(4))


def test_patterns_choose_pictures(tmp_path: Path) -> None:
    write_pictures(tmp_path, [numbered_frame(n) for n in range(4)], name="img_{:03d}.png")
    write_pictures(tmp_path, [numbered_frame(n) for n in range(40, 42)], name="other_{}.png")
    assert numbers(tmp_path / "img_%03d.png") == [0, 1, 2, 3]
    assert numbers(tmp_path / "other_%d.png") == [40, 41]
    assert numbers(str(tmp_path / "*_*1.png")) == [1, 41]
    assert numbers(tmp_path / "img_00[12].png") == [1, 2]
    assert numbers(tmp_path / "img_002.png") == [2]


def test_a_number_pattern_sorts_by_number_and_keeps_its_width(tmp_path: Path) -> None:
    for name in ("a1.png", "a10.png", "a9.png", "a010.png", "b3.png", "a3.png.txt"):
        (tmp_path / name).touch()
    found = find_pictures(tmp_path / "a%d.png")
    assert found is not None
    assert [path.name for path in found] == ["a1.png", "a9.png", "a010.png", "a10.png"]
    wide = find_pictures(tmp_path / "a%02d.png")
    assert wide is not None
    assert [path.name for path in wide] == ["a010.png", "a10.png"]


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=20))
def test_natural_order_sorts_numbers_by_value(values: list[int]) -> None:
    names = [Path(f"Shot{value}_x.png") for value in values]
    assert sorted(names, key=natural_key) == [Path(f"Shot{value}_x.png") for value in sorted(values)]


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "tiff", "ppm", "qoi"])
def test_picture_formats(tmp_path: Path, kind: str) -> None:
    write_pictures(tmp_path, 3, name=f"{{}}.{kind}")
    with open_clip(tmp_path) as clip:
        assert number_in(clip.frame(2)) == 2
        tolerance = 10 if kind == "jpg" else 0
        assert np.abs(clip.frame(1).astype(int) - numbered_frame(1)).max() <= tolerance


def test_16_bit_and_grey_and_transparent_pictures(tmp_path: Path) -> None:
    deep = numbered_frame(6).astype(np.uint16) * 257
    write_picture(tmp_path / "deep.png", deep)
    with open_clip(tmp_path / "deep.png") as clip:
        assert clip.info.bit_depth == 16
        assert np.array_equal(clip.frame(0), deep)
    write_picture(tmp_path / "grey.png", numbered_frame(6), pix_fmt="gray")
    write_picture(tmp_path / "alpha.png", numbered_frame(6), pix_fmt="rgba")
    assert numbers(tmp_path / "grey.png") == numbers(tmp_path / "alpha.png") == [6]


def test_pictures_of_different_sizes_are_an_error_that_names_one(tmp_path: Path) -> None:
    write_pictures(tmp_path, 4)
    write_picture(tmp_path / "img_2.png", numbered_frame(2, width=32, height=48))
    with pytest.raises(ClipError, match=r"img_2\.png.*32x48.*64x48") as caught:
        open_clip(tmp_path)
    assert "same size" in caught.value.hint


def test_a_size_that_changes_after_opening_is_an_error_too(tmp_path: Path) -> None:
    write_pictures(tmp_path, 4)
    with open_clip(tmp_path) as clip:
        write_picture(tmp_path / "img_2.png", numbered_frame(2, width=32, height=48))
        with pytest.raises(ClipError, match="32x48"):
            clip.frame(2)


def test_a_damaged_picture_is_an_error_that_names_it(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    with open_clip(tmp_path) as clip:
        (tmp_path / "img_1.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
        with pytest.raises(ClipError, match=r"img_1\.png"):
            clip.frame(1)
        (tmp_path / "img_2.png").unlink()
        with pytest.raises(ClipError, match=r"img_2\.png"):
            clip.frame(2)
        assert number_in(clip.frame(0)) == 0
    with pytest.raises(ClipError, match=r"img_1\.png"):
        open_clip(tmp_path)


def test_a_folder_or_pattern_without_pictures_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "*.png", tmp_path / "img_%03d.png", tmp_path / "gone" / "img_%d.png"):
        with pytest.raises(ClipError, match=r"No picture matches|holds no pictures") as caught:
            open_clip(path)
        assert "png" in caught.value.hint


def test_a_counter_may_be_written_as_hashes(tmp_path: Path) -> None:
    write_pictures(tmp_path, 12, name="shot#a.{:04d}.png")
    write_pictures(tmp_path, 3, name="b_{:04d}.png")
    assert numbers(tmp_path / "b_####.png") == numbers(tmp_path / "b_##.png") == [0, 1, 2]
    with pytest.raises(ClipError, match=r"No picture matches .*b_#####\.png"):
        open_clip(tmp_path / "b_#####.png")
    with pytest.raises(ClipError, match="There is no file"):
        open_clip(tmp_path / "shot#a.####.png")  # Two runs: which of them counts is not known.
    write_picture(tmp_path / "####.png", numbered_frame(7))
    assert numbers(tmp_path / "####.png") == [7]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.####.exr", "a.%04d.exr"), ("##.png", "%02d.png"), ("take#2.png", "take#2.png"), ("####", "####"),
        ("a_%04d.png", "a_%04d.png"), ("##_%04d.png", "##_%04d.png"), ("##_##.png", "##_##.png"), ("##.mp4", "##.mp4"),
    ],
)  # fmt: skip
def test_only_one_run_of_hashes_in_a_name_of_pictures_is_a_counter(name: str, expected: str) -> None:
    assert with_counter(Path("f##") / name) == Path("f##") / expected


def test_an_existing_file_is_preferred_to_its_name_as_a_pattern(tmp_path: Path) -> None:
    write_picture(tmp_path / "img_%03d.png", numbered_frame(7))
    write_picture(tmp_path / "img_001.png", numbered_frame(1))
    assert numbers(tmp_path / "img_%03d.png") == [7]


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Return ``jpeg`` with an Exif orientation tag."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\x00\x2a" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    payload = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


@pytest.mark.parametrize(("orientation", "degrees"), [(1, 0), (3, 180), (6, 90), (8, 270)])
def test_photographs_are_rotated_by_their_exif_orientation(tmp_path: Path, orientation: int, degrees: int) -> None:
    plain = write_picture(tmp_path / "plain.jpg", numbered_frame(3))
    held = tmp_path / "held.jpg"
    held.write_bytes(with_orientation(plain.read_bytes(), orientation))
    with open_clip(plain) as stored, open_clip(held) as clip:
        assert clip.info.rotation == degrees
        assert np.array_equal(clip.frame(0), np.rot90(stored.frame(0), -degrees // 90))


def test_a_header_of_a_huge_picture_is_an_error(tmp_path: Path) -> None:
    data = bytearray(write_picture(tmp_path / "a.png", numbered_frame(0)).read_bytes())
    data[16:24] = struct.pack(">II", 60000, 60000)
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ClipError, match=r"a\.png"):
        open_clip(tmp_path)


def test_usage_errors(tmp_path: Path) -> None:
    write_pictures(tmp_path, 2)
    with pytest.raises(UsageError, match="frames per second"):
        open_clip(tmp_path, OpenOptions(picture_fps=Fraction(0)))
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        open_clip(tmp_path, token=token)
    clip = open_clip(tmp_path)
    with pytest.raises(UsageError):
        clip.frame(2)
    clip.close()
    clip.close()
    with pytest.raises(UsageError, match="closed"):
        clip.frame(0)


def test_a_changed_picture_gives_the_clip_another_identity(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    with open_clip(tmp_path) as clip:
        first = clip.identity
    with open_clip(tmp_path) as clip:
        assert clip.identity == first
    write_picture(tmp_path / "img_1.png", numbered_frame(900))
    with open_clip(tmp_path) as clip:
        assert clip.identity != first


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_made_of_tiles_is_refused_and_not_shown_scrambled(
    tmp_path: Path, planar: Literal["contig", "separate"], order: Literal["<", ">"]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    stored = pixels if planar == "contig" else np.ascontiguousarray(pixels.transpose(2, 0, 1))
    how: dict[str, Any] = {"photometric": "rgb", "planarconfig": planar, "byteorder": order}
    tifffile.imwrite(tmp_path / "tiles.tif", stored, tile=(16, 16), **how)
    with pytest.raises(ClipError, match="TIFF picture made of tiles") as caught:
        open_clip(tmp_path / "tiles.tif")
    assert "made of strips" in caught.value.hint
    tifffile.imwrite(tmp_path / "strips.tif", stored, rowsperstrip=7, **how)
    with open_clip(tmp_path / "strips.tif") as clip:
        np.testing.assert_array_equal(clip.frame(0), pixels)


def test_a_later_page_of_a_tiff_may_be_made_of_tiles(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        for tile in (None, (16, 16)):
            file.write(np.zeros((48, 64, 3), np.uint8), photometric="rgb", tile=tile)
    assert decode_picture(tmp_path / "pages.tif", 0).frame.width == 64
    with pytest.raises(ClipError, match="made of tiles"):
        decode_picture(tmp_path / "pages.tif", 1)
