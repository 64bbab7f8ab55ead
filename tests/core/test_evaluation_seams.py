"""Seams between pairs: their measure, and the half-open pairs of the viewer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.clips import numbered_frames, write_pictures
from helpers.tiny_model import load_tiny_model, tiny_video_inr
from videoinr.clip import open_clip
from videoinr.devices import profile_for
from videoinr.evaluation.clips import method_from_model
from videoinr.evaluation.footage import find_footage
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.seams import End, measure_seams, seams_of_clip
from videoinr.geometry import Grid
from videoinr.images import downsample, upsample_bicubic
from videoinr.render.engine import Engine
from videoinr.types import Instant, RegionQuery

CPU = torch.device("cpu")


class Flat:
    """A method that returns flat frames of levels 100, 101, 102, and so on."""

    def __init__(self) -> None:
        self.level = 99

    def __call__(self, low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        assert list(times) == [0, 1]
        self.level += 2
        return [torch.full((3, grid.height, grid.width), (self.level + k - 1) / 255) for k in (0, 1)]


def test_a_seam_is_the_difference_between_a_pairs_end_and_the_next_pairs_start() -> None:
    clip = torch.stack([torch.full((3, 32, 32), 3 * number / 255) for number in range(9)])
    seams, ends = seams_of_clip(clip, "c", Protocol(4, 4), Flat())
    # Levels 100 and 101 for the first pair, 102 and 103 for the second. The truth changes by three levels per frame.
    assert [(seam.frame, round(seam.step, 3), round(seam.motion, 3)) for seam in seams] == [(4, 1, 3)]
    assert [(end.frame, end.phase) for end in ends] == [(0, 0), (4, 1), (4, 0), (8, 1)]
    levels = {0: 100, 1: 101, 2: 102, 3: 103}
    for index, end in enumerate(ends):
        steps = abs(levels[index] - 3 * end.frame) * 219 / 255
        assert end.psnr_db == pytest.approx(20 * math.log10(255 / steps), abs=1e-3)


def test_ends_are_compared_with_bicubic_upsampling() -> None:
    frames = torch.rand(3, 3, 32, 48, generator=torch.Generator().manual_seed(1))

    def enlarge(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        return list(upsample_bicubic(low, height=grid.height, width=grid.width))

    _, ends = seams_of_clip(frames, "c", Protocol(2, 2), enlarge)
    assert [end.gain_db for end in ends] == [0, 0]
    large = upsample_bicubic(downsample(frames[[2]], height=16, width=24), height=32, width=48)
    assert float((large[0] - frames[2]).abs().mean()) > 0.1  # Bicubic upsampling is not exact.
    assert End("c", 4, 1, math.inf, math.inf).gain_db == 0
    assert End("c", 4, 1, 20.0, 21.5).gain_db == -1.5


def test_a_models_seams_are_measured_on_its_own_frames(tmp_path: Path) -> None:
    write_pictures(tmp_path / "long", numbered_frames(4, width=48, height=32))
    write_pictures(tmp_path / "short", numbered_frames(1, width=48, height=32))
    model, protocol = tiny_video_inr(), Protocol(2, 1)
    report = measure_seams(find_footage(tmp_path), protocol, "tiny", method_from_model(model), CPU)
    assert report.clips == ["long"]
    assert list(report.left_out) == ["short"]
    assert [seam.frame for seam in report.seams] == [1, 2]
    with find_footage(tmp_path)[0].open(CPU) as clip, torch.inference_mode():
        low = downsample(torch.stack([clip[index] for index in range(3)]), height=16, width=24)
        ends = [
            model.render(model.encode(low[None, k : k + 2]), Grid(48, 32), [torch.tensor([1.0 - k])])[0] for k in (0, 1)
        ]
    step = (ends[0].clamp(0, 1) - ends[1].clamp(0, 1)).abs().mean() * 255
    assert report.seams[0].step == pytest.approx(float(step), abs=1e-3)
    assert report.seams[0].step > 0.01  # There is something to measure.
    assert all(end in report.below for end in report.ends if end.psnr_db < end.bicubic_db)


def test_a_source_frame_is_shown_from_the_pair_that_starts_there(tmp_path: Path) -> None:
    """Pairs are half-open: frame k's time is pair k at phase 0, never pair k - 1 at phase 1."""
    write_pictures(tmp_path / "c", numbered_frames(4, width=32, height=24))
    grid = Grid(48, 36)
    with Engine(open_clip(tmp_path / "c"), load_tiny_model(tmp_path), profile_for(CPU)) as engine:

        def shown(instant: Instant) -> np.ndarray:
            return engine.render(RegionQuery(instant, grid, grid.rect)).rgbx

        timeline, moment = engine.clip.timeline, Fraction(1, 10**6)
        for frame in (1, 2):
            time = timeline.frame_time(frame)
            at, before = timeline.instant_from_time(time), timeline.instant_from_time(time - moment)
            assert (at, before.pair) == (Instant(frame, Fraction(0)), frame - 1)
            assert before.phase < 1
            from_below = shown(Instant(frame - 1, Fraction(1)))
            assert not np.array_equal(shown(at), from_below)  # The rule has a visible effect,
            assert np.abs(shown(before).astype(int) - from_below).max() <= 1  # and a pair's end is continuous.
        assert timeline.instant_from_time(timeline.frame_time(3)) == Instant(2, Fraction(1))
