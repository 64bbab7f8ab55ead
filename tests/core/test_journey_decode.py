"""One picture of a journey: what an export with curve, shutter or camera shows, from Python and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import videoinr
from helpers.clips import write_clip
from helpers.shots import pan
from helpers.tiny_model import save_tiny_model
from videoinr.cli import app
from videoinr.errors import UsageError
from videoinr.exporting.frame_queries import frame_query
from videoinr.exporting.job import job_for
from videoinr.geometry import Grid
from videoinr.journey.camera import CameraPath, Keyframe
from videoinr.journey.curve import curve_from_text
from videoinr.types import Segment

CURVE = "0=0 1/10=1/10~1/20 1/5=3/25"
HALF = Fraction(1, 2)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "pan.mkv", list(pan(1, 5)), codec="ffv1")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def video(clip: Path, model: str) -> Iterator[videoinr.Video]:
    with videoinr.open(clip, model=model, device="cpu") as video:
        yield video


def camera(video: videoinr.Video, *zooms: Fraction | int) -> CameraPath:
    """A path that goes a quarter of the picture to the right while it zooms."""
    width, height = video.info.width, video.info.height
    return CameraPath(
        tuple(
            Keyframe(Fraction(number, 10), Fraction(width * (2 + number), 4), Fraction(height, 2), Fraction(zoom))
            for number, zoom in enumerate(zooms)
        )
    )


def pixels(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)


def test_a_journey_of_nothing_is_the_plain_picture(video: videoinr.Video) -> None:
    time, end = Fraction(7, 100), video.info.duration_secs
    plain = video.decode(time, scale=2)
    identity = f"0=0 {end}={end}"
    whole = video.info.grid.scaled(2)
    rests = CameraPath((Keyframe(Fraction(0), Fraction(video.info.width, 2), Fraction(video.info.height, 2),
                                 Fraction(1)),))  # fmt: skip
    for journey in ({"shutter": 0}, {"retime": identity}, {"camera": rests}, {"fps": 48}, {"readout": 0},
                    {"retime": curve_from_text(identity), "shutter": 0, "camera": rests}):  # fmt: skip
        assert np.array_equal(video.decode(time, scale=2, **journey), plain), journey
    assert plain.shape[:2] == (whole.height, whole.width)


def test_a_picture_is_the_one_that_the_export_has_then(video: videoinr.Video) -> None:
    path, opened = camera(video, 1, 3), video._access.opened
    size = (video.info.width // 2, video.info.height // 2)
    job = job_for(
        video.info, Path("out.mkv"), curve=curve_from_text(CURVE), shutter=Fraction(180), camera=path,
        readout=Fraction(1, 30), fps=Fraction(50), size=video.info.grid, crop=None,
    )  # fmt: skip
    for number in range(job.retiming.frame_count):
        asked = video.query(
            number / job.fps, scale=1, retime=CURVE, shutter=180, camera=path, fps=50, readout=Fraction(1, 30),
        )  # fmt: skip
        assert asked == frame_query(job, opened, number)
    region = video.query(HALF / 10, scale=1, region=(0, 0, *size), camera=path)
    assert (region.rect.width, region.rect.height) == size
    assert region.grid != Grid(video.info.width, video.info.height), "it is nearer than at the first keyframe"


def test_a_shutter_counts_with_the_rate_of_the_output(video: videoinr.Video) -> None:
    time, own = Fraction(1, 10), video.info.fps
    assert video.query(time, shutter=360).exposure == Segment(time - 1 / (2 * own), time + 1 / (2 * own))
    assert video.query(time, shutter=360, fps=10).exposure == Segment(Fraction(1, 20), Fraction(3, 20))


@pytest.mark.parametrize(
    ("journey", "words"),
    [
        ({"shutter": 361}, "out of range"),
        ({"readout": 1}, "longer than two frames"),
        ({"retime": "0=0 1=nothing"}, "not a time"),
        ({"retime": CURVE, "time": Fraction(1, 2)}, "outside the retime curve"),
        ({"retime": "0=0 1=99", "time": Fraction(0)}, "curve shows the clip up to 99 s, but it lasts"),
        ({"time": Fraction(99), "shutter": 90}, "outside the clip"),
        ({"retime": "0=0 1=9"}, "clip"),
    ],
)
def test_what_makes_no_sense_is_named(video: videoinr.Video, journey: dict[str, object], words: str) -> None:
    time = journey.pop("time", Fraction(0))
    with pytest.raises(UsageError, match=words):
        video.query(time, **journey)  # type: ignore[arg-type]


def test_the_command_line_has_the_same(video: videoinr.Video, clip: Path, model: str, tmp_path: Path) -> None:
    path = camera(video, 1, 2)
    (tmp_path / "camera.json").write_text(json.dumps({"videoinr_camera": 1, "keyframes": path.values}))
    out = tmp_path / "out.png"
    arguments = ["decode", str(clip), "--time", "3/20", "-o", str(out), "--model", model, "--device", "cpu",
                 "--scale", "1", "--retime", CURVE, "--shutter", "180", "--fps", "50", "--readout", "-1/60",
                 "--shutter-region", "10,10,30,20=360",
                 "--camera", str(tmp_path / "camera.json")]  # fmt: skip
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    expected = video.decode(
        Fraction(3, 20), scale=1, retime=CURVE, shutter=180, fps=50, camera=path, readout=Fraction(-1, 60),
        shutter_region="10,10,30,20=360",
    )  # fmt: skip
    assert np.array_equal(pixels(out), expected)
    plain = video.decode(Fraction(3, 20), scale=1)
    assert not np.array_equal(expected, plain)
