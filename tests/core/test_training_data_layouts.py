"""The data sets' layouts: which clips are taken, in which order frames come, what a report calls them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import number_in, numbered_frame, numbered_frames, write_clip, write_picture, write_pictures
from videoinr.clip.footage import Crop, Extent, extent_of, read_frames, read_stretch
from videoinr.errors import ClipError, UsageError
from videoinr.training.data.layouts import find_training_clips, layouts_of


def pictures(folder: Path, count: int = 1, name: str = "{:06d}.png", first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        write_picture(folder / name.format(number), numbered_frame(number, width=32, height=24))


def found(folder: Path) -> list[str]:
    return [clip.relative_to(folder).as_posix() for clip in find_training_clips(folder)]


def test_videos_and_folders_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "part-0").mkdir()
    write_clip(tmp_path / "part-0" / "a.mp4", 3)
    pictures(tmp_path / "shots" / "b")
    (tmp_path / "notes.txt").write_text("nothing")
    assert found(tmp_path) == ["part-0/a.mp4", "shots/b"]
    assert layouts_of(find_training_clips(tmp_path)) == {"video files": 1, "folders of pictures": 1}


@pytest.mark.parametrize("sharp", [True, False])
def test_gopro_takes_sharp_frames_of_the_training_part(tmp_path: Path, sharp: bool) -> None:
    kinds = ("blur", "blur_gamma", "sharp") if sharp else ("blur",)
    for part in ("train", "test"):
        for kind in kinds:
            pictures(tmp_path / part / "GOPR0372_07_00" / kind)
    assert found(tmp_path) == [f"train/GOPR0372_07_00/{'sharp' if sharp else 'blur'}"]
    assert layouts_of(find_training_clips(tmp_path)) == {"GoPro": 1}


def test_gopros_raw_frames(tmp_path: Path) -> None:
    pictures(tmp_path / "train" / "GOPR0372_07_00", 2, first=47)
    assert found(tmp_path) == ["train/GOPR0372_07_00"]
    assert [number_in(frame) for frame in read_frames(tmp_path / "train" / "GOPR0372_07_00")] == [47, 48]


def test_reds_takes_sharp_frames_at_full_size(tmp_path: Path) -> None:
    for part in ("train_sharp", "train_sharp_bicubic/X4", "train_blur", "train_blur_bicubic/X4", "val_sharp"):
        pictures(tmp_path / part / "000", name="{:08d}.png")
    assert found(tmp_path) == ["train_sharp/000"]
    assert layouts_of(find_training_clips(tmp_path)) == {"REDS": 1}


def test_a_folder_named_by_the_user_is_taken_whatever_its_name(tmp_path: Path) -> None:
    pictures(tmp_path / "val_sharp" / "000")
    pictures(tmp_path / "train_sharp" / "000")
    assert found(tmp_path / "val_sharp") == ["000"]


def test_vimeo_takes_what_its_list_names(tmp_path: Path) -> None:
    for clip in ("00001/0001", "00001/0002", "00002/0001"):
        pictures(tmp_path / "sequences" / clip, 7, name="im{}.png", first=1)
    (tmp_path / "sep_trainlist.txt").write_text("00001/0002\n00002/0001\n")
    (tmp_path / "sep_testlist.txt").write_text("00001/0001\n")
    assert found(tmp_path) == ["sequences/00001/0002", "sequences/00002/0001"]
    assert layouts_of(find_training_clips(tmp_path)) == {"Vimeo-90K": 2}
    (tmp_path / "sep_trainlist.txt").unlink()
    assert len(found(tmp_path)) == 3


def test_adobe_as_frames_and_as_the_original_films(tmp_path: Path) -> None:
    frames, films = tmp_path / "frames" / "adobe240", tmp_path / "films" / "adobe240" / "original_high_fps_videos"
    films.mkdir(parents=True)
    for number in (1, 2, 12):
        pictures(frames / "all" / f"720p_240fps_{number}", 2, name="{}.png")
        write_clip(films / f"720p_240fps_{number}.mp4", 2)
    for root, suffix in ((frames, ""), (films.parent, ".mp4")):
        (root / "adobe240fps_folder_train.txt").write_text(f"720p_240fps_1{suffix}\n720p_240fps_12{suffix}\n")
        (root / "adobe240fps_folder_valid.txt").write_text("720p_240fps_2\n")
    assert found(frames) == ["all/720p_240fps_1", "all/720p_240fps_12"]
    names = [f"original_high_fps_videos/720p_240fps_{number}.mp4" for number in (1, 12)]
    assert found(films.parent) == names
    assert layouts_of(find_training_clips(tmp_path)) == {"Adobe240": 4}


def test_a_text_that_names_no_clip_is_no_list(tmp_path: Path) -> None:
    pictures(tmp_path / "a")
    (tmp_path / "training_notes.txt").write_text("Recorded in spring.\n")
    assert found(tmp_path) == ["a"]


def test_hidden_folders_and_empty_ones(tmp_path: Path) -> None:
    pictures(tmp_path / ".cache" / "a")
    with pytest.raises(UsageError, match="no clips for training"):
        find_training_clips(tmp_path)


def test_frames_come_in_the_order_people_count(tmp_path: Path) -> None:
    pictures(tmp_path, 11, name="{}.png")
    assert [number_in(frame) for frame in read_frames(tmp_path)] == list(range(11))


def test_a_stretch_of_a_folder_and_of_a_film(tmp_path: Path) -> None:
    pictures(tmp_path / "a", 12)
    write_clip(tmp_path / "b.mp4", 30, options={"g": "8"})
    for path, start in ((tmp_path / "a", 5), (tmp_path / "b.mp4", 21)):
        stretch = read_stretch(path, start, 4)
        assert [number_in(frame) for frame in stretch.pixels] == list(range(start, start + 4))
        assert stretch.steady.tolist() == [True] * 3
        assert len(read_stretch(path, 5, 1000).pixels) == extent_of(path).frames - 5


def test_a_crop_is_what_it_says(tmp_path: Path) -> None:
    pictures(tmp_path, 3)
    whole = read_frames(tmp_path)
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
    assert extent_of(tmp_path / "a.mp4") == extent_of(tmp_path / "b.mkv") == Extent(9, 48, 64)
    assert Extent(9, 48, 64).bytes == 9 * 48 * 64 * 3
    (tmp_path / "c.mp4").write_bytes(b"no film")
    with pytest.raises(ClipError):
        extent_of(tmp_path / "c.mp4")


def test_a_frame_that_comes_late_is_no_neighbour(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mkv", 8, times=[0, 40, 80, 120, 280, 320, 360, 400], time_base=Fraction(1, 1000))
    assert read_stretch(tmp_path / "a.mkv").steady.tolist() == [True, True, True, False, True, True, True]
    assert read_stretch(tmp_path / "a.mkv", 2, 4).steady.tolist() == [True, False, True]


def test_frames_of_several_sizes_are_no_clip(tmp_path: Path) -> None:
    pictures(tmp_path, 1)
    write_pictures(tmp_path, numbered_frames(1, width=40, height=24), name="z{}.png")
    with pytest.raises(ClipError, match="one size"):
        read_frames(tmp_path)
