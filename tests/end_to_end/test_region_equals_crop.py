"""A region is the crop of the whole picture, bit for bit: the promise that lets the window decode what it shows."""

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import videoinr_resources
from helpers.command_line import run_here
from helpers.fork_server import run
from videoinr.clip import open_clip
from videoinr.exporting.job import ExportJob
from videoinr.exporting.outputs import sink_for
from videoinr.geometry import Grid, Rect
from videoinr.types import Segment

CLIP_SIZE = Grid(60, 34)
SCALES = ("1", "2.5", "4", "13")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The middle of the demo clip, three frames, without loss; small, so that x13 of it takes seconds on a CPU."""
    path = tmp_path_factory.mktemp("region") / "clip.mkv"
    with open_clip(videoinr_resources.path("demo/demo.mp4")) as demo:
        fps, colour = demo.info.fps, demo.info.colour
        frames = [demo.frame(index)[70:104, 120:180] for index in range(3)]
    job = ExportJob(path, path, Segment(3 / fps - 3 / fps, 3 / fps), fps, fps / fps, CLIP_SIZE, CLIP_SIZE.rect, "ffv1")
    sink = sink_for(job, colour)
    sink.open()
    for frame in frames:
        sink.write(np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]))
    return sink.finish()


def picture(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)


def command(clip: Path, scale: str, out: Path, rect: Rect | None = None) -> list[object]:
    region = [] if rect is None else ["--region", f"{rect.x},{rect.y},{rect.width},{rect.height}"]
    return ["decode", clip, "--time", "0.06", "--scale", scale, "--device", "cpu", *region, "-o", out]


@pytest.fixture(scope="module")
def whole(clip: Path) -> dict[str, NDArray[np.uint8]]:
    """The whole picture at each scale, each decoded by a process of its own."""
    pictures = {}
    for scale in SCALES:
        out = clip.with_name(f"whole-{scale}.png")
        outcome = run(*command(clip, scale, out))
        assert outcome.exit_code == 0, outcome
        pictures[scale] = picture(out)
    return pictures


@pytest.mark.parametrize("scale", SCALES)
def test_the_whole_has_the_size_of_the_grid(whole: dict[str, NDArray[np.uint8]], scale: str) -> None:
    grid = Grid(CLIP_SIZE.width, CLIP_SIZE.height).scaled(float(scale))
    assert whole[scale].shape == (grid.height, grid.width, 3)
    assert whole[scale].std() > 10  # It shows something, so that equality means something.


@pytest.mark.parametrize("scale", SCALES)
def test_a_region_from_another_process_is_the_crop(
    clip: Path, whole: dict[str, NDArray[np.uint8]], scale: str, tmp_path: Path
) -> None:
    height, width, _ = whole[scale].shape
    rect = Rect(width // 3, height // 4, width // 2, height // 3)
    assert run(*command(clip, scale, tmp_path / "part.png", rect)).exit_code == 0
    assert_is_crop(tmp_path / "part.png", whole[scale], rect)


@pytest.mark.parametrize("scale", SCALES)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_region_is_the_crop(
    clip: Path, whole: dict[str, NDArray[np.uint8]], scale: str, tmp_path: Path, data: st.DataObject
) -> None:
    height, width, _ = whole[scale].shape
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    rect = Rect(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    assert run_here(*command(clip, scale, tmp_path / "part.png", rect)).exit_code == 0
    assert_is_crop(tmp_path / "part.png", whole[scale], rect)


def assert_is_crop(path: Path, whole: NDArray[np.uint8], rect: Rect) -> None:
    np.testing.assert_array_equal(picture(path), whole[rect.y : rect.bottom, rect.x : rect.right])
