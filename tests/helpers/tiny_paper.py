"""Tiny forms of the paper's model and its ablations, for tests of the switches."""

from __future__ import annotations

from dataclasses import replace

import torch

from videoinr.model.config import ModelConfig, ZoomingSlowMoConfig
from videoinr.model.layers import DeformableConv
from videoinr.model.video_inr import VideoINR

TINY_PAPER = ModelConfig(
    encoder=ZoomingSlowMoConfig(channels=4, groups=2, front_blocks=1, back_blocks=1),
    spatial_channels=8,
    spatial_hidden=(8, 12),
    temporal_hidden=(8, 12),
    decoder_hidden=(8, 12),
    blend=False,
)
TINY_VARIANTS = {
    "paper": TINY_PAPER,
    "paper-f": replace(TINY_PAPER, flow=False),
    "paper-m": replace(TINY_PAPER, multi_scale=False),
    "paper-s": replace(TINY_PAPER, single_network=True),
}


def tiny_paper_model(variant: str = "paper", *, seed: int = 0) -> VideoINR:
    """Return a tiny paper model with seeded weights; offsets and flows are some pixels, so that a wrong warp shows."""
    torch.manual_seed(seed)
    model = VideoINR(TINY_VARIANTS[variant])
    with torch.no_grad():
        wake_offsets(model)
        for head in (model.spatial_head,) if hasattr(model, "spatial_head") else ():
            head.last.weight.mul_(3)
        if model.config.flow:
            model.temporal_head.last.weight.mul_(40)
        model.decoder_head.last.weight.mul_(8)
        model.decoder_head.last.bias.fill_(0.5)
    return model.eval().requires_grad_(False)


def wake_offsets(model: torch.nn.Module) -> None:
    """Give every deformable convolution offsets of about a pixel; as initialised, all are zero."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, DeformableConv):
                module.offsets_and_masks.weight.normal_(std=0.3)
                module.offsets_and_masks.bias.uniform_(-1, 1)  # type: ignore[union-attr]
