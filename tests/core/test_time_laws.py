"""What is assumed of time, and where the inputs of the heads lie: names of numbers that the formulae share."""

from __future__ import annotations

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
from videoinr.model.time_laws import blend_logit, prior_growth
from videoinr.model.video_inr import VideoINR


@pytest.mark.parametrize(
    ("t", "growth"), [(0.0, [0, 0, 2, 2]), (0.5, [1, 1, 1, 1]), (0.75, [1.5, 1.5, 0.5, 0.5]), (1.0, [2, 2, 0, 0])]
)
def test_the_motion_prior_grows_with_the_time_since_each_frame(t: float, growth: list[float]) -> None:
    torch.testing.assert_close(
        prior_growth(torch.full((2, 1, 1, 1), t)), torch.tensor(growth, dtype=torch.float32).expand(2, 1, 1, 4)
    )


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
