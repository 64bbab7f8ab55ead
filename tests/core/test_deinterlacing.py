"""Interlaced clips: deinterlaced by default and said so, alike in any order of reading."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.clips import write_clip
from helpers.command_line import run_here
from videoinr.clip import OpenOptions, open_clip
from videoinr.errors import UsageError

COUNT, WIDTH, HEIGHT = 6, 64, 48


def field(number: int) -> NDArray[np.uint8]:
    """Return a grey picture with a bright bar that moves by 4 pixels from one field to the next."""
    picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    picture[:, 4 * number : 4 * number + 8] = 200
    return picture


def woven(number: int) -> Any:
    """Return frame ``number``: rows of field 2 n and of field 2 n + 1, the top field first."""
    rows = field(2 * number)
    rows[1::2] = field(2 * number + 1)[1::2]
    frame: Any = av.VideoFrame.from_ndarray(rows, "rgb24").reformat(format="yuv444p")
    return frame


@pytest.fixture(params=["libx264", "mpeg2video"])
def interlaced(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    h264 = request.param == "libx264"
    options = (
        {"qp": "0", "x264-params": "tff=1"} if h264 else {"flags": "+ildct+ilme", "qmin": "1", "qmax": "1", "g": "1"}
    )
    frames = [woven(number).reformat(format="yuv422p") for number in range(COUNT)]
    return write_clip(tmp_path / "clip.mkv", frames, codec=request.param, pix_fmt="yuv422p", options=options)


def combs(pixels: NDArray[Any]) -> float:
    """Return how much neighbouring rows differ beyond what rows two apart do: large where fields are woven."""
    grey = pixels.astype(float).mean(axis=2)
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())


def test_an_interlaced_clip_is_deinterlaced_and_says_so(interlaced: Path) -> None:
    with open_clip(interlaced) as clip, open_clip(interlaced, OpenOptions(deinterlace="off")) as raw:
        assert clip.info.interlaced
        assert clip.info.frames == raw.info.frames == COUNT
        assert any("deinterlaced" in warning for warning in clip.info.warnings)
        assert any("without deinterlacing" in warning for warning in raw.info.warnings)
        assert clip.identity != raw.identity
        for number in range(1, COUNT - 1):
            assert combs(clip.frame(number)) < combs(raw.frame(number)) / 4


def test_frames_are_alike_in_any_order(interlaced: Path) -> None:
    with open_clip(interlaced) as forward:
        frames = [forward.frame(number) for number in range(COUNT)]
    for order in (range(COUNT - 1, -1, -1), (3, 0, 5, 4, 1, 2)):
        with open_clip(interlaced) as clip:
            for number in order:
                assert np.array_equal(clip.frame(number), frames[number])


def test_progressive_clips_are_left_alone_unless_asked(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", [field(number) for number in range(4)], codec="ffv1", pix_fmt="bgr0")
    with open_clip(path) as clip, open_clip(path, OpenOptions(deinterlace="on")) as forced:
        assert np.array_equal(clip.frame(1), field(1))
        assert not clip.info.warnings
        assert "as asked" in forced.info.warnings[0]
        assert forced.frame(3).shape == (HEIGHT, WIDTH, 3)


def test_a_clip_of_one_frame_can_be_read(tmp_path: Path) -> None:
    # There is no other frame by which bwdif could tell what moves.
    path = write_clip(tmp_path / "clip.mkv", [woven(0)], codec="ffv1", pix_fmt="yuv444p")
    with open_clip(path, OpenOptions(deinterlace="on")) as clip, open_clip(path) as raw:
        assert np.array_equal(clip.frame(0), raw.frame(0))


def test_the_command_line_reads_a_clip_alike(interlaced: Path, tmp_path: Path) -> None:
    asked = ("--time", "0.04", "--scale", "1", "--model", "lite", "--device", "cpu")
    for mode in ("auto", "off"):
        outcome = run_here("decode", interlaced, "--out", tmp_path / f"{mode}.png", *asked, "--deinterlace", mode)
        assert outcome.exit_code == 0
        assert "interlaced" in outcome.stderr + outcome.stdout
        assert run_here("probe", interlaced, "--deinterlace", mode).exit_code == 0
    assert run_here("probe", interlaced, "--deinterlace", "maybe").exit_code != 0


def test_an_unknown_way_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="deinterlacing"):
        open_clip(tmp_path, OpenOptions(deinterlace="maybe"))
