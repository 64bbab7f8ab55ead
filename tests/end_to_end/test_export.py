"""Exports of the demo clip: frames, size, times and colours; each frame equals a decode of its instant."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import videoinr_resources
from helpers.command_line import Outcome, run, run_here
from helpers.tiny_model import save_tiny_model
from videoinr.clip import open_clip
from videoinr.geometry import Rect

DEMO = videoinr_resources.path("demo/demo.mp4")
SEGMENT = ("--start", "0.5", "--end", "0.75", "--scale", "1.5", "--fps", "60")
CROP = Rect(301, 153, 160, 90)
SPOTS = (0, 1, 5, 7, 14)
"""The frames that are compared with a decode of their instant: both ends, and one at a source frame."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model: many frames are decoded, and an export does not depend on the weights."""
    return save_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """A quarter of a second of the demo clip, exported by a process of its own with the default codec."""
    out = tmp_path_factory.mktemp("coded") / "out.mp4"
    outcome = run("export", DEMO, out, *SEGMENT, "--model", model, "--device", "cpu")
    assert outcome == Outcome(0, "", f"Saved 15 frames to {out}\n")
    assert [path.name for path in out.parent.iterdir()] == ["out.mp4"]
    return out


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory, model: Path) -> list[NDArray[np.uint8]]:
    """The region CROP of the same frames, lossless."""
    out = tmp_path_factory.mktemp("exact") / "out.mkv"
    crop = f"{CROP.width}x{CROP.height}+{CROP.x}+{CROP.y}"
    outcome = run("export", DEMO, out, *SEGMENT, "--crop", crop, "--codec", "ffv1", "--model", model, "--device", "cpu")
    assert outcome == Outcome(0, "", f"Saved 15 frames to {out}\n")
    return read(out)


def read(path: Path) -> list[NDArray[np.uint8]]:
    """Return all frames, converted to RGB by the program's own reader."""
    with open_clip(path) as clip:
        return [clip.frame(index).astype(np.uint8) for index in range(clip.info.frames)]


def test_frames_size_tags_and_duration(coded: Path) -> None:
    with av.open(str(coded)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert Fraction(container.duration or 0, av.time_base) == Fraction(1, 4)
        times = [(frame.pts or 0) * (stream.time_base or 0) for frame in frames]
    assert times == [Fraction(index, 60) for index in range(15)]
    assert {(frame.width, frame.height, frame.format.name) for frame in frames} == {(480, 270, "yuv420p")}
    assert {(f.colorspace, f.color_range, f.color_primaries, f.color_trc) for f in frames} == {(1, 1, 1, 1)}


def test_the_programs_reader_finds_the_same_properties(coded: Path) -> None:
    with open_clip(coded) as clip, open_clip(DEMO) as demo:
        info = clip.info
        assert (info.frames, info.vfr) == (15, False)
        assert (info.fps, info.duration_secs) == (Fraction(60), Fraction(1, 4))
        assert (info.colour, info.warnings) == (demo.info.colour, ())


def test_a_lossless_frame_equals_the_decode_of_its_instant(
    exact: list[NDArray[np.uint8]], model: Path, tmp_path: Path
) -> None:
    assert len(exact) == 15
    region = f"{CROP.x},{CROP.y},{CROP.width},{CROP.height}"
    for index in SPOTS:
        out = tmp_path / f"{index}.png"
        time = Fraction(1, 2) + Fraction(index, 60)
        asked = ("--time", time, "--scale", "1.5", "--region", region)
        assert run_here("decode", DEMO, *asked, "--model", model, "--device", "cpu", "-o", out).exit_code == 0
        np.testing.assert_array_equal(exact[index], read(out)[0], err_msg=f"frame {index}")


def test_a_coded_frame_differs_only_by_the_codecs_loss(exact: list[NDArray[np.uint8]], coded: Path) -> None:
    shown = [frame[CROP.y : CROP.bottom, CROP.x : CROP.right].astype(int) for frame in read(coded)]
    errors = [np.abs(frame - coded_frame).mean() for frame, coded_frame in zip(exact, shown, strict=True)]
    # The tiny model adds colour noise, the hardest thing to code: half of its chroma is gone in 4:2:0.
    assert max(errors) < 6
    # Its own frame is the nearest of all: nothing is early or late.
    for index in (5, 7, 9):
        nearby = [np.abs(exact[other] - shown[index]).mean() for other in range(index - 5, index + 6)]
        assert int(np.argmin(nearby)) == 5


def test_the_shipped_model_exports_slow_motion(tmp_path: Path) -> None:
    out = tmp_path / "slow.mp4"
    arguments = ("--start", "1", "--end", "1.1", "--speed", "1/4", "--crop", "96x64+20+30", "--device", "cpu")
    assert run("export", DEMO, out, *arguments) == Outcome(0, "", f"Saved 5 frames to {out}\n")  # 4.8 frames of 12 fps
    assert [frame.shape for frame in read(out)] == [(64, 96, 3)] * 5
