"""The true flow of windows made of photographs, against the windows' own pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from videoinr.model.ops import warp
from videoinr.training.data.still_flow import true_flow
from videoinr.training.data.still_motion import BLOB_CHANCES, MOTION_CHANCES, Motion, blob, motion_from_chance
from videoinr.training.data.stills import REACH, show
from videoinr.training.losses import flow_error

SIDE, PATCH, COUNT = 96, 96, 4


def smooth(count: int) -> torch.Tensor:
    """Return smooth pictures [count, 3, M, M], which are easy to interpolate."""
    side = int(REACH * SIDE)
    coarse = torch.rand(count, 3, side // 8, side // 8)
    return F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False).clamp(0, 1)


def window(motions: tuple[Motion, Motion], outline: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Return the first, the middle and the last frame: [COUNT, 3, 3, SIDE, SIDE]."""
    times = torch.tensor([[0.0, 0.5, 1.0]]).expand(COUNT, -1)
    behind, before = (motion.points(times, SIDE) for motion in motions)
    cover = blob(before, outline, SIDE) * present[:, None, None, None, None]
    return torch.lerp(show(smooth(COUNT), behind), show(smooth(COUNT), before), cover)


def test_the_known_flow_warps_both_end_frames_to_the_middle_frame() -> None:
    torch.manual_seed(4)
    motions = (
        motion_from_chance(torch.rand(COUNT, MOTION_CHANCES), SIDE, 1.0),
        motion_from_chance(torch.rand(COUNT, MOTION_CHANCES), SIDE, 1.0),
    )
    outline, present = torch.rand(COUNT, BLOB_CHANCES), torch.tensor([True, True, True, False])
    first, middle, last = window(motions, outline, present).unbind(1)
    truth = true_flow(*motions, outline, present, side=SIDE, patch=PATCH)
    for end, way, known in ((first, truth[:, :2], truth[:, 4:5]), (last, truth[:, 2:4], truth[:, 5:])):
        assert 0.4 < known.mean() < 1
        error = ((warp(end, way) - middle).abs() * known).sum() / known.sum() / 3
        assert error < 0.01
        assert ((end - middle).abs() * known).sum() / known.sum() / 3 > 5 * error


def test_the_true_flow_scales_with_the_size_of_the_inputs() -> None:
    torch.manual_seed(5)
    motions = (
        motion_from_chance(torch.rand(COUNT, MOTION_CHANCES), SIDE),
        motion_from_chance(torch.rand(COUNT, MOTION_CHANCES), SIDE),
    )
    outline, present = torch.rand(COUNT, BLOB_CHANCES), torch.zeros(COUNT, dtype=torch.bool)
    whole = true_flow(*motions, outline, present, side=SIDE, patch=SIDE)
    small = true_flow(*motions, outline, present, side=SIDE, patch=SIDE // 2)
    torch.testing.assert_close(F.avg_pool2d(whole[:, :4], 2) / 2, small[:, :4], atol=1e-3, rtol=1e-4)


def test_the_flow_error_counts_only_pixels_with_a_known_flow() -> None:
    truth = torch.zeros(2, 6, 4, 4)
    truth[0, 4:] = 1
    prior = torch.zeros(2, 4, 4, 4)
    prior[:, 0], prior[:, 1] = 3, 4
    # Five pixels off in one of two flows, in one of two windows.
    torch.testing.assert_close(flow_error(prior, truth), torch.tensor(5.0 / 4), atol=0.01, rtol=0)
    assert flow_error(truth[:, :4], truth) == 0
