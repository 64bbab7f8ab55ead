"""A small pair with and without the bend of a path, in both forms that decoders take."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch

from helpers.tiny_model import tiny_video_inr
from videoinr.geometry import Rect
from videoinr.model.encoders.motion_prior_bands import EncodedPart
from videoinr.model.features import PairFeatures
from videoinr.model.latent import LatentPair
from videoinr.model.projected_regions import ProjectedRegions
from videoinr.model.video_inr import VideoINR

CPU = torch.device("cpu")


@cache
def model_with_flows(device: torch.device = CPU) -> VideoINR:
    """Return a model whose heads correct the flows by some tenths of a pixel."""
    model = tiny_video_inr()
    model.temporal_head.last.weight.mul_(4)
    return model.to(device)


@cache
def even_pair(device: torch.device = CPU) -> PairFeatures:
    """Return a pair whose motion prior has four channels: even motion."""
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        return model_with_flows(device).encode(torch.rand((1, 2, 3, 7, 9), generator=generator).to(device))


@cache
def bent_pair(device: torch.device = CPU) -> PairFeatures:
    """Return the same pair with a bend: offsets of a latent pixel or two in the middle of its path."""
    even = even_pair(device)
    bend = 12 * torch.randn(even.prior.shape, generator=torch.Generator().manual_seed(1))
    return replace(even, prior=torch.cat((even.prior, bend.to(device)), -1))


def in_latent_form(features: PairFeatures) -> LatentPair:
    """Return one of these pairs, with its own prior, kept as its latent feature: of float16 on a GPU."""
    (height, width), model = features.latent_hw, model_with_flows(features.frames.device)
    with torch.inference_mode():
        feature, _ = model.latent(features.frames)
    feature = feature.permute(0, 2, 3, 1).contiguous()
    feature = feature.half() if feature.is_cuda else feature
    part = EncodedPart(Rect(0, 0, width, height), feature, features.prior)
    return LatentPair(features.frames, part, None, model, ProjectedRegions(2**20))
