"""Exhaustive matching: what it finds, what it leaves as it is, and where the search asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.model.config import LITE_BENT, TINY, ModelConfig, MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.motion_step import MotionStep, limited, matching_step
from videoinr.model.encoders.path_bend import CoarseSearch
from videoinr.model.matching import MOST_SHARE, is_clearly_better, matched


def moved(shift: tuple[int, int], size: tuple[int, int] = (48, 80)) -> Tensor:
    """Return a random picture that moves by twice ``shift`` (x, y): [1, 2, 3, *size]; frame 0 shows it at -shift."""
    (x, y), (height, width) = shift, size
    torch.manual_seed(3)
    scene = torch.rand(1, 3, height + 40, width + 40)
    views = [scene[:, :, 20 + way * y :, 20 + way * x :][:, :, :height, :width] for way in (1, -1)]
    return torch.stack(views, 1)


def offered(frames: Tensor, flow: Tensor, radius: int) -> Tensor:
    """Return ``flow`` with the matches that are clearly better."""
    match = matched(frames, flow, radius)
    return torch.where(is_clearly_better(frames, match, than=flow), match, flow)


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-7, 1), (5, 7)])
def test_a_motion_that_the_flow_misses_is_found(shift: tuple[int, int]) -> None:
    frames = moved(shift)
    flow = offered(frames, torch.zeros(1, 4, 48, 80), 7)
    # A point p of mid-time lies at p - shift in frame 0, whose view of the scene begins shift further on.
    expected = torch.tensor([-shift[0], -shift[1], shift[0], shift[1]], dtype=torch.float32)
    inner = flow[0, :, 8:-8, 8:-8]
    assert torch.equal(inner, expected[:, None, None].expand_as(inner))


def test_a_right_flow_is_kept() -> None:
    frames = moved((4, 2))
    flow = torch.tensor([-4.0, -2.0, 4.0, 2.0])[None, :, None, None].expand(1, 4, 48, 80)
    inner = (..., slice(8, -8), slice(8, -8))
    assert torch.equal(offered(frames, flow, 7)[inner], flow[inner])


def test_where_nothing_can_be_told_apart_the_flow_is_kept() -> None:
    torch.manual_seed(0)
    flow = torch.randn(2, 4, 48, 64)
    assert torch.equal(offered(torch.full((2, 2, 3, 48, 64), 0.5), flow, 7), flow)


def test_no_match_leads_out_of_the_frames_or_beyond_the_radius() -> None:
    torch.manual_seed(1)
    frames, far = torch.rand(1, 2, 3, 40, 60), torch.full((1, 4, 40, 60), 1000.0)
    flow = matched(frames, far, 5)
    found = flow[:, 0] < 1000
    assert found.any()
    assert flow[:, :2].movedim(1, 0)[:, found].abs().max() <= 5
    assert torch.equal(flow[:, 2:].movedim(1, 0)[:, found], -flow[:, :2].movedim(1, 0)[:, found])
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
    ends = torch.stack([flow[:, way] + (x if way % 2 == 0 else y) for way in range(4)], 1)
    # A window may reach over the border; its middle lies within half of it.
    assert ends[:, ::2].movedim(1, 0)[:, found].min() >= -6
    assert ends[:, ::2].movedim(1, 0)[:, found].max() <= 65


def test_the_radius_is_bounded_by_the_frames_size() -> None:
    frames = moved((4, 0), (MOST_SHARE * 3, 60))
    flow = offered(frames, torch.zeros(1, 4, MOST_SHARE * 3, 60), 7)
    assert flow.abs().max() <= 3
    tiny = torch.rand(1, 2, 3, MOST_SHARE - 1, 60)
    still = torch.randn(1, 4, MOST_SHARE - 1, 60)
    assert torch.equal(offered(tiny, still, 7), still)


def test_pairs_of_a_batch_are_matched_alone() -> None:
    frames, flow = torch.cat((moved((3, 1)), moved((-2, 5)))), torch.zeros(2, 4, 48, 80)
    each = torch.cat([offered(frames[one : one + 1], flow[one : one + 1], 7) for one in (0, 1)])
    assert torch.equal(offered(frames, flow, 7), each)


class Nudge(MotionStep):
    """A step that adds a parameter to every flow and fills the hidden map with the length of the flow it began with."""

    def __init__(self) -> None:
        super().__init__(3, 1)
        self.nudge = torch.nn.Parameter(torch.zeros(1))

    def forward(self, first: Tensor, second: Tensor, flow: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        return flow + self.nudge, hidden + flow.abs().amax(1, keepdim=True) + 0 * first[:, :1] + 0 * second[:, :1]


def test_each_point_keeps_the_better_outcome_of_both_steps() -> None:
    frames, step = moved((5, 0)), Nudge()
    flow = torch.zeros(1, 4, 48, 80)
    flow[..., 40:] = torch.tensor([-5.0, 0, 5, 0])[None, :, None, None]
    found, hidden = matching_step(step, frames, frames, flow, torch.ones(1, 1, 48, 80), 7)
    inner = (0, slice(None), slice(10, -10), slice(14, -14))
    assert torch.equal(found[inner][0], torch.full((28, 52), -5.0))
    assert torch.equal(hidden[inner], torch.full((1, 28, 52), 6.0))
    found.sum().backward()  # type: ignore[no-untyped-call, unused-ignore]
    assert step.nudge.grad is not None
    assert step.nudge.grad == found.numel()


def test_convolutions_are_told_of_flows_within_the_limit_only() -> None:
    flow = torch.tensor([-40.0, -3.0, 0.0, 16.5])
    assert torch.equal(limited(flow, 16), torch.tensor([-16.0, -3.0, 0.0, 16.0]))
    assert torch.equal(limited(flow, 0), flow)
    torch.manual_seed(0)
    step = MotionStep(4, 4, 16).eval().requires_grad_(False)
    maps, hidden = torch.rand(2, 1, 4, 12, 12), torch.rand(1, 4, 12, 12)
    flows = [torch.full((1, 4, 12, 12), length) for length in (16.0, 90.0)]
    near, far = (step.refine(maps[0], maps[1], one, hidden) for one in flows)
    assert torch.allclose(near[0] - flows[0], far[0] - flows[1], atol=1e-5)
    assert torch.equal(near[1], far[1])


def encoder(**changes: Any) -> MotionPriorEncoder:
    torch.manual_seed(0)
    assert isinstance(TINY.encoder, MotionPriorConfig)
    config = replace(TINY.encoder, levels=4, coarsest_lines=12, match_radius=7, flow_limit=16, **changes)
    return MotionPriorEncoder(config).eval().requires_grad_(False)


@pytest.mark.parametrize(("lines", "matched_lines"), [(96, 24), (180, 45), (352, 44), (720, 45), (1080, 67)])
def test_motion_is_matched_two_levels_above_the_coarsest(
    lines: int, matched_lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = list[int]()
    original = MotionPriorEncoder.matched_step

    def noted(
        self: MotionPriorEncoder, number: int, frames: Tensor, level: Tensor, coarse: CoarseSearch
    ) -> CoarseSearch:
        sizes.append(level.shape[-2])
        return original(self, number, frames, level, coarse)

    monkeypatch.setattr(MotionPriorEncoder, "matched_step", noted)
    encoder().outline(torch.rand(1, 2, 3, lines, 2 * lines))
    assert sizes == [-(-lines // round(lines / matched_lines))]


def test_the_search_follows_a_match() -> None:
    scene = F.interpolate(torch.rand(1, 3, 60, 90), scale_factor=8, mode="bicubic").clamp(0, 1)
    frames = torch.stack((scene[:, :, 64:-64, 104:-24], scene[:, :, 64:-64, 24:-104]), 1)  # 80 px to the right
    flow = encoder().flows(frames)
    assert flow[0, 0, 80:-80, 120:-120].median() == pytest.approx(-40, abs=4)


def test_cards_without_the_new_sizes_mean_none() -> None:
    data = LITE_BENT.to_dict()
    assert data["encoder"]["match_radius"] == 7
    for name in ("match_radius", "flow_limit"):
        del data["encoder"][name]
    old = ModelConfig.from_dict(data)
    assert isinstance(old.encoder, MotionPriorConfig)
    assert (old.encoder.match_radius, old.encoder.flow_limit) == (0, 0)
    assert old.to_dict() == data
