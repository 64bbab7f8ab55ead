"""A tiny model with random weights, for tests that do not depend on a trained model."""

from __future__ import annotations

from pathlib import Path

import torch

from videoinr.model.config import TINY
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import LoadedModel, load_model, save_model


def tiny_video_inr(*, seed: int = 0) -> VideoINR:
    """Return a tiny model with seeded weights; its flows are tenths of a pixel, its residuals a few levels."""
    torch.manual_seed(seed)
    model = VideoINR(TINY)
    with torch.no_grad():
        # As initialised, both heads are almost silent, and a wrong warp would not show.
        model.temporal_head.last.weight.mul_(60)
        model.decoder_head.last.weight.mul_(20)
    return model.eval().requires_grad_(False)


def save_tiny_model(folder: Path, *, seed: int = 0, model: VideoINR | None = None) -> Path:
    """Write the tiny model (or ``model``), weights and card, to ``folder``; return the path of the weights."""
    path = folder / "tiny.safetensors"
    save_model(
        model or tiny_video_inr(seed=seed),
        path,
        name="tiny",
        description="random weights, for tests",
        trained_scales=(1.0, 4.0),
        training={},
        metrics={},
        protocol="none",
    )
    return path


def load_tiny_model(folder: Path, *, seed: int = 0) -> LoadedModel:
    """Save the tiny model and load it as the program does."""
    return load_model(str(save_tiny_model(folder, seed=seed)))
