"""What is assumed of time, and where the inputs of the heads lie: names of numbers that the formulae share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from videoinr.model.config import TINY
from videoinr.model.head_inputs import (
    DECODER_FIELDS,
    DECODER_LATENTS,
    DECODER_TIME,
    SPATIAL_LATENT,
    SPATIAL_OFFSET,
    TEMPORAL_FIELD,
    TEMPORAL_LATENT,
    TEMPORAL_TIME,
)
from videoinr.model.siren import SirenHead
from videoinr.model.time_laws import bend_of, blend_logit, prior_growth, reach_of_prior
from videoinr.model.video_inr import VideoINR


@pytest.mark.parametrize(
    ("t", "growth"), [(0.0, [0, 0, 2, 2]), (0.5, [1, 1, 1, 1]), (0.75, [1.5, 1.5, 0.5, 0.5]), (1.0, [2, 2, 0, 0])]
)
def test_the_motion_prior_grows_with_the_time_since_each_frame(t: float, growth: list[float]) -> None:
    torch.testing.assert_close(
        prior_growth(torch.full((2, 1, 1, 1), t)), torch.tensor(growth, dtype=torch.float32).expand(2, 1, 1, 4)
    )


def test_a_bend_is_nothing_at_the_frames_and_the_same_for_both_flows_between_them() -> None:
    bend = torch.randn(2, 3, 5, 4)
    for t in (0.0, 1.0):
        assert not bend_of(bend, torch.full((2, 1, 1, 1), t)).any()
    torch.testing.assert_close(bend_of(bend, torch.tensor([0.5])), torch.cat((bend[..., :2],) * 2, -1) / 8)
    offset = bend_of(bend, torch.linspace(0, 1, 3).view(3, 1, 1))
    assert torch.equal(offset[..., :2], offset[..., 2:])
    torch.testing.assert_close(offset[:, 1], bend_of(bend, torch.tensor([0.5]))[:, 1])


def test_a_bent_path_is_the_cubic_through_four_places() -> None:
    """Even motion and the bend lead from where the cubic is at t to where it is at 0 and at 1."""
    frames, places = np.arange(-1, 3), np.random.default_rng(0).normal(size=(4, 2))
    before, first, second, after = places
    about_first, about_second = before - 2 * first + second, first - 2 * second + after
    bend = torch.from_numpy(np.concatenate(((about_first + about_second) / 2, about_second - about_first)))
    chord = torch.from_numpy(np.concatenate((first - second, second - first)) / 2)
    cubic = np.linalg.solve(np.vander(frames, 4), places)
    for t in np.linspace(0, 1, 9):
        here, time = np.vander([t], 4)[0] @ cubic, torch.tensor([t])
        found = chord * prior_growth(time) + bend_of(bend, time)
        np.testing.assert_allclose(found, np.concatenate((first - here, second - here)), atol=1e-12)


def test_the_reach_of_a_prior_bounds_its_flows_at_all_times() -> None:
    torch.manual_seed(0)
    times = torch.linspace(0, 1, 101)[:, None]
    for size in (0.1, 10):
        prior = torch.cat((torch.randn(3, 2, 4), size * torch.randn(3, 2, 4)), -1)
        flows = torch.stack([prior[..., :4] * prior_growth(t) + bend_of(prior[..., 4:], t) for t in times])
        low, high = (torch.tensor(bound) for bound in reach_of_prior(prior))
        least, greatest = flows.amin((0, 1, 2)).clamp(max=0), flows.amax((0, 1, 2)).clamp(min=0)
        assert (low <= least + 1e-5).all()
        assert (high >= greatest - 1e-5).all()
        # No longer than the flow at the ends and the largest offset.
        slack = 0.14 * prior[..., 4:].abs().amax()
        assert (least - low).max() < slack
        assert (high - greatest).max() < slack
    assert reach_of_prior(prior[..., :0]) == ([0.0] * 4, [0.0] * 4)
    assert reach_of_prior(torch.tensor([[0.5, -1.0, -0.25, 2.0]])) == ([0.0, -2.0, -0.5, 0.0], [1.0, 0.0, 0.0, 4.0])


def test_the_bound_of_an_offset_is_its_largest() -> None:
    mean, turn = torch.tensor([[0.0] * 4 + [1, 0, 0, 0], [0.0] * 4 + [0, 0, 1, 0]])
    t = torch.linspace(0, 1, 10001)[:, None]
    for prior in (mean, turn):
        largest = float(bend_of(prior[4:], t).abs().max())
        low, high = reach_of_prior(prior[None])
        assert (low[0], high[2]) == pytest.approx((-largest, largest), rel=1e-4)
        assert low[1] == high[1] == 0


def test_frames_are_blended_by_time_but_neither_is_left_out() -> None:
    shares = torch.sigmoid(blend_logit(torch.tensor([0.0, 0.02, 0.25, 0.5, 1.0])))
    torch.testing.assert_close(shares, torch.tensor([0.98, 0.98, 0.75, 0.5, 0.02]))


def test_each_input_of_a_head_has_the_channels_of_what_it_is_named_after() -> None:
    model, latent, field = VideoINR(TINY), TINY.encoder.feature_channels + 6, TINY.spatial_channels
    spatial = {SPATIAL_LATENT: latent, SPATIAL_OFFSET: 2}
    temporal = {TEMPORAL_FIELD: field, TEMPORAL_LATENT: latent, TEMPORAL_TIME: 1}
    decoder = {**dict.fromkeys(DECODER_FIELDS, field), **dict.fromkeys(DECODER_LATENTS, latent), DECODER_TIME: 1}
    heads: list[tuple[SirenHead, dict[int, int]]] = [
        (model.spatial_head, spatial), (model.temporal_head, temporal), (model.decoder_head, decoder),
    ]  # fmt: skip
    for head, channels in heads:
        assert {index: head.first.weight_of(index).shape[1] for index in range(len(channels))} == channels
        assert sum(channels.values()) == head.first.in_features
