"""Footage for training and evaluation: which clips are found, the stretches and crops read from them, their extents."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import number_in, numbered_frame, numbered_frames, write_clip, write_picture, write_pictures
from helpers.damage import spoilt_clip
from videoinr.clip import open_clip
from videoinr.clip.clip_search import clips_below
from videoinr.clip.extent import Extent, extent_of
from videoinr.clip.footage import Crop, read_picture, read_stretch
from videoinr.clip.suffixes import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from videoinr.errors import ClipError


def pictures(folder: Path, count: int = 1, name: str = "{:06d}.png") -> None:
    write_pictures(folder, [numbered_frame(number, width=32, height=24) for number in range(count)], name=name)


def below(folder: Path) -> list[str]:
    return sorted(clip.relative_to(folder).as_posix() for clip in clips_below(folder))


def test_every_kind_of_video_and_picture_is_found(tmp_path: Path) -> None:
    for suffix in VIDEO_SUFFIXES:
        (tmp_path / f"video{suffix.upper()}").touch()
    for suffix in PICTURE_SUFFIXES:
        (tmp_path / suffix[1:]).mkdir()
        (tmp_path / suffix[1:] / f"0{suffix}").touch()
    videos = {f"video{suffix.upper()}" for suffix in VIDEO_SUFFIXES}
    assert set(below(tmp_path)) == videos | {suffix[1:] for suffix in PICTURE_SUFFIXES}


def test_no_suffix_is_listed_twice() -> None:
    suffixes = [*VIDEO_SUFFIXES, *PICTURE_SUFFIXES]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


def test_hidden_files_and_folders_are_skipped(tmp_path: Path) -> None:
    pictures(tmp_path / "a")
    (tmp_path / "a" / "._000000.png").write_bytes(b"a file system's own notes")
    (tmp_path / "a" / ".film.mp4").touch()
    pictures(tmp_path / ".thumbnails")
    pictures(tmp_path / "b" / ".trash")
    assert below(tmp_path) == ["a"]
    assert len(read_stretch(tmp_path / "a").pixels) == extent_of(tmp_path / "a").frames == 1


def test_the_caller_chooses_the_folders_to_enter_and_gets_the_other_files(tmp_path: Path) -> None:
    pictures(tmp_path / "keep" / "a")
    pictures(tmp_path / "drop" / "b")
    (tmp_path / "keep" / "list.txt").touch()
    others = list[Path]()
    found = clips_below(tmp_path, enter=lambda names: [name for name in names if name != "drop"], others=others)
    assert list(found) == [tmp_path / "keep" / "a"]
    assert others == [tmp_path / "keep" / "list.txt"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that this user may not read")
def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0)
    with pytest.raises(ClipError, match="locked"):
        list(clips_below(tmp_path))


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    pictures(tmp_path, 11, name="{}.png")
    assert [number_in(frame) for frame in read_stretch(tmp_path).pixels] == list(range(11))


def test_a_stretch_of_a_folder_and_of_a_video(tmp_path: Path) -> None:
    pictures(tmp_path / "a", 12)
    write_clip(tmp_path / "b.mp4", 30, options={"g": "8"})
    for path, start in ((tmp_path / "a", 5), (tmp_path / "b.mp4", 21)):
        stretch = read_stretch(path, start, 4)
        assert [number_in(frame) for frame in stretch.pixels] == list(range(start, start + 4))
        assert stretch.steady.tolist() == [True] * 3
        assert len(read_stretch(path, 5, 1000).pixels) == extent_of(path).frames - 5


def test_a_stretch_that_begins_after_the_last_frame_is_an_error(tmp_path: Path) -> None:
    pictures(tmp_path / "a", 2)
    write_clip(tmp_path / "b.mp4", 2)
    for path in (tmp_path / "a", tmp_path / "b.mp4"):
        with pytest.raises(ClipError):
            read_stretch(path, 2)


def test_a_stretch_of_one_frame_has_no_steps(tmp_path: Path) -> None:
    write_clip(tmp_path / "one.mkv", 1, codec="ffv1", pix_fmt="bgr0")
    write_clip(tmp_path / "more.mkv", 3, codec="ffv1", pix_fmt="bgr0")
    assert read_stretch(tmp_path / "one.mkv").steady.tolist() == []
    assert read_stretch(tmp_path / "more.mkv", 2).steady.tolist() == []


def test_crops_of_frames(tmp_path: Path) -> None:
    pictures(tmp_path, 3)
    whole = read_stretch(tmp_path).pixels
    corner = read_stretch(tmp_path, crop=Crop(10, 0.999, 0.0)).pixels
    np.testing.assert_array_equal(corner, whole[:, 14:24, :10])
    np.testing.assert_array_equal(read_stretch(tmp_path, crop=Crop(28, 0.5, 0.5)).pixels, whole[:, :, 2:30])


def test_extents_are_read_without_decoding(tmp_path: Path) -> None:
    pictures(tmp_path / "png", 3)
    write_pictures(tmp_path / "jpg", numbered_frames(2, width=40, height=24), name="{}.jpg")
    write_clip(tmp_path / "a.mp4", 9)
    write_clip(tmp_path / "b.mkv", 9)
    assert extent_of(tmp_path / "png") == Extent(3, 24, 32)
    assert extent_of(tmp_path / "jpg") == Extent(2, 24, 40)
    assert extent_of(tmp_path / "png" / "000000.png") == Extent(1, 24, 32)
    assert extent_of(tmp_path / "a.mp4") == extent_of(tmp_path / "b.mkv") == Extent(9, 48, 64)
    assert Extent(9, 48, 64).bytes == 9 * 48 * 64 * 3


def test_the_extent_of_a_file_that_is_not_a_clip_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "c.mp4").write_bytes(b"no video")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "c.mp4", tmp_path / "empty", tmp_path / "absent.mp4"):
        with pytest.raises(ClipError):
            extent_of(path)


def test_a_step_across_a_gap_in_time_is_not_steady(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mkv", 8, times=[0, 40, 80, 120, 280, 320, 360, 400], time_base=Fraction(1, 1000))
    assert read_stretch(tmp_path / "a.mkv").steady.tolist() == [True, True, True, False, True, True, True]
    assert read_stretch(tmp_path / "a.mkv", 2, 4).steady.tolist() == [True, False, True]


def test_frames_of_several_sizes_are_an_error(tmp_path: Path) -> None:
    pictures(tmp_path, 1)
    write_pictures(tmp_path, numbered_frames(1, width=40, height=24), name="z{}.png")
    with pytest.raises(ClipError, match="one size"):
        read_stretch(tmp_path)


def test_16_bit_frames_are_rounded_to_8_bits(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 1024).round().astype(np.uint16).reshape(32, 32, 1).repeat(3, axis=2)
    expected = np.rint(deep / 257.0).astype(np.uint8)
    write_pictures(tmp_path / "pictures", [deep])
    np.testing.assert_array_equal(read_picture(tmp_path / "pictures" / "img_0.png"), expected)
    np.testing.assert_array_equal(read_stretch(tmp_path / "pictures").pixels[0], expected)
    write_clip(tmp_path / "film.mkv", [deep, deep], codec="ffv1", pix_fmt="gbrp16le")
    with open_clip(tmp_path / "film.mkv") as clip:
        assert clip.info.bit_depth == 16
    np.testing.assert_array_equal(read_stretch(tmp_path / "film.mkv").pixels[1], expected)


def test_a_png_that_is_damaged_after_its_header_still_has_an_extent(tmp_path: Path) -> None:
    write_picture(tmp_path / "0.png", numbered_frame(0, width=32, height=24))
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "0.png").write_bytes(whole[:40])
    assert extent_of(tmp_path) == Extent(1, 24, 32)
    with pytest.raises(ClipError):
        read_stretch(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["0", "1", "2", "3"], [True, True, True]),
        (["0010", "0012", "0014", "0018", "0020"], [True, True, False, True]),
        (["a1", "a2", "b1", "b2"], [True, False, True]),
        (["tree", "house"], [True]),
        (["1000", "2071"], [True]),
        (["1", "2", "3", "100", "101", "102"], [True, True, False, True, True]),
        (["0000", "0033", "0067", "0100", "0200", "0233"], [True, True, True, False, True]),
        (["0"], []),
    ],
    ids=["whole", "gap", "two sequences", "no numbers", "far apart", "wide gap", "milliseconds", "one"],
)
def test_pictures_are_neighbours_where_their_numbers_are(
    tmp_path: Path, names: list[str], expected: list[bool]
) -> None:
    for number, name in enumerate(names):
        write_picture(tmp_path / f"{name}.png", numbered_frame(number, width=32, height=24))
    assert read_stretch(tmp_path).steady.tolist() == expected
    assert read_stretch(tmp_path, 0, 3).steady.tolist() == expected[:2]


def test_pictures_of_two_formats_are_read_one_sequence_after_another(tmp_path: Path) -> None:
    for number in range(3):
        for suffix in ("png", "tif"):
            write_picture(tmp_path / f"{number}.{suffix}", numbered_frame(number))
    stretch = read_stretch(tmp_path)
    assert [number_in(pixels) for pixels in stretch.pixels] == [0, 1, 2, 0, 1, 2]
    assert stretch.steady.tolist() == [True, True, False, True, True]


def test_a_stretch_says_which_of_its_frames_are_damaged(tmp_path: Path) -> None:
    whole, spoilt = spoilt_clip(tmp_path)
    assert read_stretch(spoilt, 10, 10).damaged == {7, 8, 9}
    assert read_stretch(spoilt, 24).damaged == {1, 2, 3, 4, 5}
    assert read_stretch(whole).damaged == read_stretch(spoilt, 0, 12).damaged == set()
