"""The shape of a clip's pixels: read, turned with the picture, and kept by exports."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import write_clip
from helpers.export_jobs import job
from videoinr.clip import open_clip
from videoinr.colour import ColourSpec
from videoinr.exporting.matroska_header import PLACE_HOLDER, with_display_width
from videoinr.exporting.outputs import notices, sink_for
from videoinr.geometry import Grid
from videoinr.render.output_area import output_aspect


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


@pytest.mark.parametrize("out", ["out.mp4", "frames"])
@pytest.mark.parametrize(
    ("size", "is_told"), [((128, 96), False), ((127, 96), False), ((3, 2), False), ((96, 96), True), ((128, 72), True)]
)
def test_a_size_that_stretches_the_picture_is_told(
    tmp_path: Path, out: str, size: tuple[int, int], is_told: bool
) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 2)) as clip:
        told = notices(job(tmp_path / out, size=size), info=replace(clip.info, width=64, height=48))
    assert any("the picture is stretched" in sentence for sentence in told) == is_told


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


@pytest.mark.parametrize(("name", "codec"), [("a.webm", "libvpx-vp9"), ("a.mkv", "ffv1"), ("a.mkv", "libsvtav1")])
def test_matroska_has_width_and_height_as_they_are_shown(tmp_path: Path, name: str, codec: str) -> None:
    sink = sink_for(job(tmp_path / name, codec=codec), ColourSpec("bt709", "tv", "bt709", "bt709"), Fraction(4, 3))
    sink.open()
    for _ in range(3):
        sink.write(np.zeros((48, 64, 4), np.uint8))
    written = sink.finish().read_bytes()
    # MediaInfo takes pixels for square if only one of both is there.
    assert b"\x54\xb0\x81\x55" in written
    assert b"\x54\xba\x81\x30" in written
    assert PLACE_HOLDER.encode() not in written


def test_an_unknown_header_stays_as_it_is() -> None:
    assert with_display_width(b"", Fraction(2)) is None
    assert with_display_width(b"\x1a\x45\xdf\xa3\x80 not Matroska", Fraction(2)) is None
