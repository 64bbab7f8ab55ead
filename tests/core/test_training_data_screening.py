"""Screening: runs, cuts, repeated and static frames, and motion in pixels."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from videoinr.clip.footage import Stretch
from videoinr.training.data.dataset_report import DatasetReport
from videoinr.training.data.screening import Screened, screen, thumbnails_of

Frames = NDArray[np.uint8]


def texture(seed: int, *, size: int = 400) -> NDArray[np.float64]:
    """Return a smooth noise texture with detail at several sizes, 0 ... 255."""
    rng, picture = np.random.default_rng(seed), np.zeros((size, size))
    for cell in (8, 20, 50, 100):
        count = size // cell + 2
        grid = rng.normal(size=(count, count))
        where = np.arange(size) / cell
        rows = np.array([np.interp(where, np.arange(count), column) for column in grid.T]).T
        picture += np.array([np.interp(where, np.arange(count), row) for row in rows]) * cell**0.8
    return np.clip(128 + 3 * picture, 0, 255)


def panning(seed: int, frames: int, *, step: float = 3.0, height: int = 96, width: int = 160) -> Frames:
    """Return a pan to the right by ``step`` pixels per frame, and down by half of that."""
    picture, clip = texture(seed), np.empty((frames, height, width, 3), np.uint8)
    for number in range(frames):
        x, y = number * step, number * step / 2
        left, top = int(x), int(y)
        fx, fy = x - left, y - top
        crop = picture[top : top + height + 1, left : left + width + 1]
        crop = crop[:-1] * (1 - fy) + crop[1:] * fy
        clip[number] = (crop[:, :-1] * (1 - fx) + crop[:, 1:] * fx).round()[..., None]
    return clip


def screened(*shots: Frames, steady: NDArray[np.bool_] | None = None) -> Screened:
    pixels = np.concatenate(shots)
    return screen(Stretch(pixels, np.ones(len(pixels) - 1, bool) if steady is None else steady))


def runs_of(result: Screened) -> list[range]:
    return [run.frames for run in result.runs]


def test_one_shot_is_one_run() -> None:
    result = screened(panning(1, 12))
    assert runs_of(result) == [range(12)]
    assert (result.cuts, result.left_out, result.frames) == (0, {}, 12)


def test_a_clip_is_split_at_cuts() -> None:
    result = screened(panning(1, 7), panning(2, 5), panning(3, 9))
    assert runs_of(result) == [range(7), range(7, 12), range(12, 21)]
    assert result.cuts == 2


def test_damaged_frames_are_left_out_and_end_a_run() -> None:
    pixels = panning(1, 14)
    result = screen(Stretch(pixels, np.ones(13, bool), frozenset({0, 5, 6, 12})))
    assert runs_of(result) == [range(1, 5), range(7, 12)]
    assert result.left_out == {"damaged": 4, "too short": 1}


def test_fast_motion_is_not_a_cut() -> None:
    assert runs_of(screened(panning(1, 9, step=20))) == [range(9)]


def test_a_cut_in_fast_motion_is_found() -> None:
    slow, other = panning(1, 8, step=6), 255 - panning(5, 8, step=6)
    assert runs_of(screened(slow, other)) == [range(8), range(8, 16)]


def test_a_cut_between_static_shots_is_found() -> None:
    result = screened(*(np.repeat(panning(seed, 1), 6, 0) for seed in (1, 2)))
    assert (runs_of(result), result.cuts, result.left_out) == ([], 1, {"static": 12})


def test_a_clip_is_split_at_a_repeated_frame() -> None:
    clip = panning(1, 9)
    result = screened(clip[:5], clip[4:])
    assert runs_of(result) == [range(5), range(5, 10)]
    assert result.left_out == {}


def test_24_fps_shown_at_30_fps_is_split_at_repeated_frames() -> None:
    """At 30 fps every fourth frame is shown twice."""
    clip = panning(1, 16)
    doubled = clip[[n for n in range(16) for _ in range(2 if n % 4 == 3 else 1)]]
    assert runs_of(screened(doubled)) == [range(4), range(4, 9), range(9, 14), range(14, 19)]


@pytest.mark.parametrize("held", [2, 3])
def test_animation_with_equal_holds_is_one_run_with_a_step(held: int) -> None:
    result = screened(np.repeat(panning(1, 8), held, 0))
    assert runs_of(result) == [range(held - 1, 8 * held, held)]
    assert result.left_out == {"repeated": 8 * (held - 1)}
    assert result.runs[0].motion == pytest.approx(3.35, rel=0.4)  # From one drawing to the next.


def test_a_clip_may_start_inside_a_hold() -> None:
    clip = np.repeat(panning(1, 8), 2, 0)[1:]
    (frames,) = runs_of(screened(clip))
    assert frames.step == 2
    changes = [bool((clip[a] != clip[b]).any()) for a, b in pairwise(frames)]
    assert all(changes)


def test_static_stretches_are_left_out() -> None:
    clip = panning(1, 14)
    result = screened(clip[:6], np.repeat(clip[5:6], 10, 0), clip[6:])
    assert runs_of(result) == [range(6), range(15, 24)]
    assert result.left_out == {"static": 9}


def test_compression_noise_is_static_but_a_small_moving_object_is_not() -> None:
    rng, still = np.random.default_rng(0), np.repeat(panning(1, 1), 8, 0)
    dithered = np.clip(still + rng.integers(-1, 2, still.shape), 0, 255).astype(np.uint8)
    assert runs_of(screened(dithered)) == []
    for number, frame in enumerate(dithered):
        frame[40:48, 8 * number + 20 : 8 * number + 28] = 255
    assert runs_of(screened(dithered)) == [range(8)]


def test_a_clip_is_split_at_gaps_in_time() -> None:
    steady = np.array([True, True, True, False, True, True, True])
    assert runs_of(screened(panning(1, 8), steady=steady)) == [range(4), range(4, 8)]


def test_shots_shorter_than_a_window_are_left_out() -> None:
    result = screened(panning(1, 6), panning(2, 2), panning(3, 6))
    assert runs_of(result) == [range(6), range(8, 14)]
    assert result.left_out == {"too short": 2}


@pytest.mark.parametrize("frames", [1, 2])
def test_clips_of_one_or_two_frames_have_no_runs(frames: int) -> None:
    result = screened(panning(1, frames))
    assert (runs_of(result), result.left_out) == ([], {"too short": frames})


@pytest.mark.parametrize("step", [0.5, 2.0, 8.0, 16.0])
def test_motion_is_measured_in_pixels(step: float) -> None:
    """In a pan every pixel moves alike, so the 90th percentile is the pan's motion."""
    result = screened(panning(4, 8, step=step, height=200, width=240))
    assert len(result.runs) == 1
    assert float(np.median(result.runs[0].motion)) == pytest.approx(step * 1.118, rel=0.33)
    assert len(result.runs[0].motion) == 8


def test_thumbnails_are_means_of_luma() -> None:
    frame = np.zeros((1, 100, 131, 3), np.uint8)
    frame[0, 8:16, 16:24] = (200, 100, 50)
    frame[0, :8, :4] = 255
    small = thumbnails_of(frame)
    assert small.shape == (1, 12, 16)
    assert small[0, 1, 2] == pytest.approx(0.299 * 200 + 0.587 * 100 + 0.114 * 50, abs=0.01)
    assert small[0, 0, 0] == pytest.approx(127.5, abs=0.01)
    assert small.sum() == pytest.approx(small[0, 1, 2] + small[0, 0, 0], abs=0.01)


def test_the_dataset_report_sums_over_clips() -> None:
    report = DatasetReport(Path("set"), [Path("a.mp4"), Path("b.mp4")])
    report.count(Path("a.mp4"), screened(panning(1, 10, step=20)))
    report.count(Path("b.mp4"), screened(panning(1, 7), panning(2, 2)))
    text = "\n".join(report.lines())
    assert "2 video files; 19 frames" in text
    assert "17 frames in 2 runs; 1 cut; 10.5 % left out (2 too short)" in text
    assert ">= 16: 60%" in text  # 9 of 15 pairs.
