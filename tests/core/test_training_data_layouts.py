"""Layouts of data sets: which clips are for training, and how a report names the layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.clips import number_in, numbered_frame, write_clip, write_picture
from videoinr.clip.footage import read_stretch
from videoinr.errors import UsageError
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
def test_gopro_takes_sharp_training_frames(tmp_path: Path, sharp: bool) -> None:
    kinds = ("blur", "blur_gamma", "sharp") if sharp else ("blur",)
    for split in ("train", "test"):
        for kind in kinds:
            pictures(tmp_path / split / "GOPR0372_07_00" / kind)
    assert found(tmp_path) == [f"train/GOPR0372_07_00/{'sharp' if sharp else 'blur'}"]
    assert layouts_of(find_training_clips(tmp_path)) == {"GoPro": 1}


def test_gopros_raw_frames(tmp_path: Path) -> None:
    pictures(tmp_path / "train" / "GOPR0372_07_00", 2, first=47)
    assert found(tmp_path) == ["train/GOPR0372_07_00"]
    assert [number_in(frame) for frame in read_stretch(tmp_path / "train" / "GOPR0372_07_00").pixels] == [47, 48]


def test_reds_takes_sharp_frames_at_full_size(tmp_path: Path) -> None:
    for folder in ("train_sharp", "train_sharp_bicubic/X4", "train_blur", "train_blur_bicubic/X4", "val_sharp"):
        pictures(tmp_path / folder / "000", name="{:08d}.png")
    assert found(tmp_path) == ["train_sharp/000"]
    assert layouts_of(find_training_clips(tmp_path)) == {"REDS": 1}


def test_degraded_copies_beside_the_true_frames_are_not_trained_on(tmp_path: Path) -> None:
    for folder in ("HR", "LR_x4", "BDx4", "birds"):
        pictures(tmp_path / folder / "000")
    assert found(tmp_path) == ["HR/000", "birds/000"]


def test_a_folder_named_by_the_user_is_taken_whatever_its_name(tmp_path: Path) -> None:
    pictures(tmp_path / "val_sharp" / "000")
    pictures(tmp_path / "train_sharp" / "000")
    assert found(tmp_path / "val_sharp") == ["000"]


def test_vimeo_takes_the_clips_in_its_list(tmp_path: Path) -> None:
    for clip in ("00001/0001", "00001/0002", "00002/0001"):
        pictures(tmp_path / "sequences" / clip, 7, name="im{}.png", first=1)
    (tmp_path / "sep_trainlist.txt").write_text("00001/0002\n00002/0001\n")
    (tmp_path / "sep_testlist.txt").write_text("00001/0001\n")
    assert found(tmp_path) == ["sequences/00001/0002", "sequences/00002/0001"]
    assert layouts_of(find_training_clips(tmp_path)) == {"Vimeo-90K": 2}
    (tmp_path / "sep_trainlist.txt").unlink()
    assert len(found(tmp_path)) == 3


def test_adobe_as_frames_and_as_the_original_videos(tmp_path: Path) -> None:
    frames, videos = tmp_path / "frames" / "adobe240", tmp_path / "videos" / "adobe240" / "original_high_fps_videos"
    videos.mkdir(parents=True)
    for number in (1, 2, 12):
        pictures(frames / "all" / f"720p_240fps_{number}", 2, name="{}.png")
        write_clip(videos / f"720p_240fps_{number}.mp4", 2)
    for root, suffix in ((frames, ""), (videos.parent, ".mp4")):
        (root / "adobe240fps_folder_train.txt").write_text(f"720p_240fps_1{suffix}\n720p_240fps_12{suffix}\n")
        (root / "adobe240fps_folder_valid.txt").write_text("720p_240fps_2\n")
    assert found(frames) == ["all/720p_240fps_1", "all/720p_240fps_12"]
    names = [f"original_high_fps_videos/720p_240fps_{number}.mp4" for number in (1, 12)]
    assert found(videos.parent) == names
    assert layouts_of(find_training_clips(tmp_path)) == {"Adobe240": 4}


def test_a_text_file_that_names_no_clip_is_not_a_list(tmp_path: Path) -> None:
    pictures(tmp_path / "a")
    (tmp_path / "training_notes.txt").write_text("Recorded in spring.\n")
    assert found(tmp_path) == ["a"]


def test_hidden_and_empty_folders_have_no_clips(tmp_path: Path) -> None:
    pictures(tmp_path / ".cache" / "a")
    with pytest.raises(UsageError, match="no training clips"):
        find_training_clips(tmp_path)
