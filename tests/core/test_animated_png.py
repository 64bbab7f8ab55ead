"""Animated PNGs show what the format says, whatever FFmpeg takes for a key frame."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from helpers.clips import numbered_frame, write_clip
from videoinr.clip import open_clip
from videoinr.clip.video_file import VideoFile

BLUE, RED, GREEN = (40, 80, 160), (250, 20, 20), (20, 250, 20)
NONE, BACKGROUND, PREVIOUS = 0, 1, 2
SOURCE, OVER = 0, 1


def overlay(colour: tuple[int, int, int], left: int, *, is_opaque: bool = False) -> Image.Image:
    """[24, 32]: a square of ``colour`` at ``left`` and in two corners, on transparent ground, or on black."""
    pixels = np.zeros((24, 32, 4), np.uint8)
    pixels[..., 3] = 255 if is_opaque else 0
    pixels[8:16, left : left + 8] = pixels[0, 0] = pixels[23, 31] = (*colour, 255)
    return Image.fromarray(pixels)


def shown(over: tuple[int, int, int], colour: tuple[int, int, int], left: int) -> NDArray[np.uint8]:
    pixels = np.full((24, 32, 3), over, np.uint8)
    pixels[8:16, left : left + 8] = pixels[0, 0] = pixels[23, 31] = colour
    return pixels


@pytest.mark.parametrize(
    ("disposal", "blending", "last_ground"), [(BACKGROUND, OVER, (0, 0, 0)), (PREVIOUS, SOURCE, BLUE)]
)
def test_frames_of_the_whole_size_are_laid_over_what_was_shown(
    tmp_path: Path, disposal: int, blending: int, last_ground: tuple[int, int, int]
) -> None:
    path = tmp_path / "a.png"
    ground = Image.new("RGBA", (32, 24), (*BLUE, 255))
    ground.save(
        path, save_all=True, append_images=[overlay(RED, 4, is_opaque=blending == SOURCE), overlay(GREEN, 20)],
        duration=100, disposal=[NONE, disposal, NONE], blend=[SOURCE, blending, OVER],
    )  # fmt: skip
    wanted = [
        np.full((24, 32, 3), BLUE, np.uint8),
        shown((0, 0, 0) if blending == SOURCE else BLUE, RED, 4),
        shown(last_ground, GREEN, 20),
    ]
    with open_clip(path) as clip:
        assert clip.info.frames == 3
        for index in (0, 1, 2, 1, 2, 0):
            np.testing.assert_array_equal(clip.frame(index), wanted[index], err_msg=str(index))
    file = VideoFile(path)
    assert [packet.is_keyframe for packet in file.packets] == [True, False, False]
    file.close()


@pytest.mark.parametrize(
    "fps",
    [
        Fraction(12),
        Fraction(15),
        Fraction(24),
        Fraction(30),
        Fraction(60),
        Fraction(25, 2),
        Fraction(24000, 1001),
        Fraction(1000, 9),
    ],
)
def test_a_rate_is_that_of_the_file_not_of_the_ticks_that_it_is_cut_to(tmp_path: Path, fps: Fraction) -> None:
    path = write_clip(tmp_path / "a.apng", 13, codec="apng", pix_fmt="rgb24", fps=fps)
    with open_clip(path) as clip:
        assert (clip.info.fps, clip.info.vfr, clip.info.frames) == (fps, False, 13)
        assert clip.timeline.frame_time(12) == 12 / fps


def test_a_long_animation_keeps_a_constant_rate(tmp_path: Path) -> None:
    frames = [numbered_frame(number, width=16, height=12) for number in range(700)]
    with open_clip(write_clip(tmp_path / "a.apng", frames, codec="apng", pix_fmt="rgb24", fps=Fraction(12))) as clip:
        assert not clip.info.vfr
        assert abs(clip.info.fps - 12) < 1e-3
