"""The files that ship with the program are there, are found by name, and are what they should be."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest

import videoinr_resources


def demo_frames() -> list[np.ndarray]:
    with av.open(str(videoinr_resources.path("demo/demo.mp4"))) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_a_name_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(FileNotFoundError, match=r"no resource 'demo/nothing\.mp4'.*demo/demo\.mp4"):
        videoinr_resources.path("demo/nothing.mp4")


@pytest.mark.parametrize("name", ["../videoinr/__init__.py", "/etc/hostname", "demo/../../../LICENSE"])
def test_a_name_outside_the_package_is_no_resource(name: str) -> None:
    with pytest.raises(FileNotFoundError, match="no resource"):
        videoinr_resources.path(name)


def test_a_folder_is_found_too() -> None:
    assert videoinr_resources.path("demo").is_dir()


def test_the_demo_clip_is_small_and_says_whose_photographs_it_is_made_of() -> None:
    clip = videoinr_resources.path("demo/demo.mp4")
    assert clip.stat().st_size < 1_000_000
    licence = clip.with_name("LICENCE.md").read_text()
    assert "CC BY 2.0" in licence
    assert "danielbuechele" in licence
    assert "vultilion" in licence


def test_the_demo_clip_is_tagged_and_starts_without_reading_to_its_end() -> None:
    clip = videoinr_resources.path("demo/demo.mp4")
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (stream.width, stream.height, stream.average_rate) == (320, 180, Fraction(12))
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert int(context.color_range) == 1
    written = clip.read_bytes()
    assert written.index(b"moov") < written.index(b"mdat")


def test_the_demo_clip_moves_all_the_time_and_everywhere_shows_a_picture() -> None:
    frames = demo_frames()
    assert len(frames) == 32
    for before, after in pairwise(frames):
        assert np.abs(after.astype(int) - before).mean() > 2
    for frame in frames:
        borders = (frame[0], frame[-1], frame[:, 0], frame[:, -1])
        assert all(border.std() > 1 for border in borders)


def test_every_icon_is_a_square_drawing() -> None:
    icons = list(videoinr_resources.path("icons").glob("*.svg"))
    assert Path(videoinr_resources.path("icons/videoinr-viewer.svg")) in icons
    for icon in icons:
        root = ElementTree.parse(icon).getroot()
        left, top, width, height = map(float, root.attrib["viewBox"].split())
        assert (left, top, width) == (0, 0, height)
