"""Times from Python as people type them: the same picture as in seconds, and clear words for what is no time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import videoinr
from helpers.clips import write_clip
from helpers.tiny_model import save_tiny_model
from videoinr.errors import UsageError
from videoinr.text.clip_time import clip_time
from videoinr.text.timecode import Timecode

FRAMES = 5
"""Of the clip, at 25 frames per second: 0.2 s."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("times")
    write_clip(folder / "clip.mp4", FRAMES)
    save_tiny_model(folder)
    return folder


@pytest.fixture(scope="module")
def video(folder: Path) -> Iterator[videoinr.Video]:
    with videoinr.open(folder / "clip.mp4", model=folder / "tiny.safetensors", device="cpu") as opened:
        yield opened


@pytest.mark.parametrize(
    ("time", "secs"),
    [
        ("0.05", Fraction(1, 20)),
        ("1/20", Fraction(1, 20)),
        ("0:00.05", Fraction(1, 20)),
        ("00:00:00:02", Fraction(2, 25)),
        ("f1.25", Fraction(1, 20)),
        ("25%", Fraction(1, 20)),
        (np.str_("f2"), Fraction(2, 25)),
        (clip_time("f2"), Fraction(2, 25)),
        (Timecode(0, 2), Fraction(2, 25)),
    ],
)
def test_a_time_as_it_is_typed_is_the_time_in_seconds(video: videoinr.Video, time: Any, secs: Fraction) -> None:
    assert video.query(time, scale=1) == video.query(secs, scale=1)
    assert video.query(time, scale=1, shutter=180) == video.query(secs, scale=1, shutter=180)


def test_frames_between_typed_times(video: videoinr.Video) -> None:
    typed = list(video.frames(start="f1", end="60%", scale=1))
    plain = list(video.frames(start=Fraction(1, 25), end=Fraction(3, 25), scale=1))
    assert len(typed) == 2
    np.testing.assert_array_equal(typed, plain)


def test_an_export_between_typed_times(folder: Path, tmp_path: Path) -> None:
    out = videoinr.export(
        folder / "clip.mp4", tmp_path / "out.mkv", start="f1", end="00:00:00:03", scale=1, codec="ffv1",
        model=folder / "tiny.safetensors", device="cpu",
    )  # fmt: skip
    with av.open(str(out)) as container:
        assert len(list(container.decode(video=0))) == 2


@pytest.mark.parametrize("name", ["start", "end", "sample_at"])
def test_what_is_no_time_is_said_before_a_model_loads(folder: Path, tmp_path: Path, name: str) -> None:
    for value, words in (("soon", "'soon' is not a time"), (["f1"], "is not a number")):
        options: dict[str, Any] = {name: value, "model": tmp_path / "missing.safetensors"}
        with pytest.raises(UsageError, match=words):
            videoinr.export(folder / "clip.mp4", tmp_path / "out.mkv", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("time", "options", "words"),
    [
        ("soon", {}, "'soon' is not a time"),
        ("f6", {}, "outside the clip"),
        ("-1", {}, "outside the clip"),
        ("00:00:00:25", {}, "has no frame 25"),
        ("f1", {"retime": "0=0 1/10=1/10"}, "one of the output"),
        ("50%", {"retime": "0=0 1/10=1/10"}, "one of the output"),
    ],
)
def test_times_that_the_clip_does_not_have(
    video: videoinr.Video, time: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        video.decode(time, **options)
    assert caught.value.hint


def test_seconds_of_the_output_of_a_curve_may_be_typed(video: videoinr.Video) -> None:
    assert video.query("0:00.05", retime="0=0 1/10=1/5") == video.query(0.05, retime="0=0 1/10=1/5")
