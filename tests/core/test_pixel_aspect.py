"""The shape of a clip's pixels: read, turned with the picture, and kept by exports."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from helpers.clips import write_clip
from videoinr.clip import open_clip
from videoinr.exporting.matroska_header import with_display_width
from videoinr.exporting.outputs import output_aspect
from videoinr.geometry import Grid


def test_the_aspect_turns_with_the_picture(tmp_path: Path) -> None:
    for rotation, aspect in ((0, Fraction(16, 15)), (90, Fraction(15, 16)), (180, Fraction(16, 15))):
        path = write_clip(tmp_path / f"{rotation}.mp4", 2, sample_aspect=Fraction(16, 15), rotation=rotation)
        with open_clip(path) as clip:
            assert clip.info.pixel_aspect == aspect
            assert any("not square" in warning for warning in clip.info.warnings)


def test_square_pixels_stay_square_at_any_size(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 2)) as clip:
        assert clip.info.pixel_aspect == 1
        assert output_aspect(clip.info, Grid(100, 20)) == 1


@pytest.mark.parametrize(
    ("grid", "aspect"),
    [
        (Grid(1440, 1152), Fraction(16, 15)),
        (Grid(901, 721), Fraction(16, 15)),
        (Grid(768, 576), Fraction(1)),
        (Grid(769, 576), Fraction(1)),
        (Grid(720, 288), Fraction(8, 15)),
    ],
)
def test_an_output_shows_in_the_shape_of_the_clip(tmp_path: Path, grid: Grid, aspect: Fraction) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 2)) as clip:
        pal = replace(clip.info, width=720, height=576, pixel_aspect=Fraction(16, 15))
    assert output_aspect(pal, grid) == aspect


def test_wild_aspects_are_not_passed_on(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 2)) as clip:
        for aspect in (Fraction(1, 1000), Fraction(65535)):
            assert output_aspect(replace(clip.info, pixel_aspect=aspect), Grid(128, 96)) == 1


def test_an_unknown_header_stays_as_it_is() -> None:
    assert with_display_width(b"", Fraction(2)) is None
    assert with_display_width(b"\x1a\x45\xdf\xa3\x80 not Matroska", Fraction(2)) is None
