"""The mean motion of clips, on made clips whose motion is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.shots import texture
from videoinr.evaluation.motion import Motion, MotionMeter, measure_step
from videoinr.evaluation.optical_flow import agreeing_flow
from videoinr.evaluation.protocols import Protocol

LINES, COLUMNS = 352, 448


def view(number: int, x: int, y: int) -> Tensor:
    """Return a window of a made texture whose top left corner is at (x, y)."""
    picture = texture(number, size=700)[y : y + LINES, x : x + COLUMNS] / 255
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)


def two_layers(number: int, shift: int) -> Tensor:
    """Return a texture moved by ``shift`` px, and a disc of another one before it that moves the other way."""
    y, x = torch.meshgrid(torch.arange(LINES), torch.arange(COLUMNS), indexing="ij")
    disc = (x - COLUMNS / 2 - shift / 2).square() + (y - LINES / 2).square() < 80**2
    return torch.where(disc, view(number + 1, 120 - shift, 80), view(number, 120 + shift, 80))


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (1, 0), (4, -3), (16, 12), (-24, 32), (48, -36), (60, 0), (0, 60)])
def test_the_motion_of_a_whole_frame_is_measured_up_to_60_px(number: int, dx: int, dy: int) -> None:
    motion = measure_step(view(number, 100, 100), view(number, 100 + dx, 100 + dy))
    assert motion.px == pytest.approx(math.hypot(dx, dy), rel=0.03, abs=0.06)
    assert motion.share == pytest.approx(motion.px / LINES)
    assert motion.agreeing > 0.4
    assert not motion.is_uncertain


@pytest.mark.parametrize("shift", [2, 10, 20, 40])
def test_two_motions_are_measured_together(shift: int) -> None:
    motion = measure_step(two_layers(2, 0), two_layers(2, shift))
    assert motion.px == pytest.approx(shift, rel=0.1, abs=0.1)


def test_small_frames_are_measured_at_their_own_size() -> None:
    first, second = (view(3, x, 50)[:, :96, :128] for x in (50, 55))
    assert measure_step(first, second).px == pytest.approx(5, rel=0.03)
    tiny = torch.rand(3, 16, 20, generator=torch.Generator().manual_seed(1))
    assert measure_step(tiny, tiny).px == pytest.approx(0, abs=1e-3)


def test_the_motion_of_unlike_frames_is_uncertain() -> None:
    motion = measure_step(view(4, 0, 0), view(5, 0, 0))
    assert motion.is_uncertain


def test_flows_agree_where_nothing_is_hidden() -> None:
    first, second = view(6, 100, 100)[:, :120, :160], view(6, 108, 100)[:, :120, :160]
    flow, agrees = agreeing_flow(first, second)
    assert flow.shape == (2, 120, 160)
    assert agrees.dtype == torch.bool
    # Content at the left edge leaves the frame.
    assert not agrees[:, :6].any()
    assert agrees[10:-10, 20:-10].float().mean() > 0.95
    assert (flow[:, agrees] - torch.tensor([[-8.0], [0.0]])).norm(dim=0).mean() < 0.1


class Reads:
    """Frames that count how often each is read."""

    def __init__(self, frames: Tensor) -> None:
        self.frames, self.read = frames, list[int]()

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Tensor:
        self.read.append(index)
        return self.frames[index]


def test_a_clip_is_measured_over_its_windows_and_each_step_once() -> None:
    places = (0, 2, 4, 6, 8, 30)
    frames = Reads(torch.stack([view(7, 50 + x, 50)[:, :96, :131] for x in places]))
    meter = MotionMeter()
    motion = meter.measure(frames, "clip", Protocol(1, 4))
    # The last step, which is in no window of T = 4, does not count.
    assert motion.px == pytest.approx(2, rel=0.05)
    assert motion.steps == 4
    assert motion.share == pytest.approx(motion.px / 96)
    reads = len(frames.read)
    assert meter.measure(frames, "clip", Protocol(2, 2)) == motion
    assert len(frames.read) == reads
    assert meter.measure(frames, "clip", Protocol(2, 1)).px == pytest.approx((4 * 2 + 22) / 5, rel=0.05)
    assert meter.measure(frames, "clip", Protocol(2, 12)).steps == 0


def test_means_are_weighted_by_steps() -> None:
    unknown = Motion(math.nan, math.nan, 0.0, 4)
    mean = Motion.mean([Motion(1.0, 0.01, 0.8, 4), Motion(4.0, 0.02, 0.4, 8), unknown])
    assert mean.px == pytest.approx(3)
    assert mean.share == pytest.approx(0.05 / 3)
    assert mean.steps == 16
    assert mean.agreeing == pytest.approx((0.8 * 4 + 0.4 * 8) / 16)
    assert math.isnan(Motion.mean([unknown]).px)
    assert math.isnan(Motion.mean([]).px)
