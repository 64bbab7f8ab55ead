"""Augmentation: downsampling of windows, permuted colour channels and changed tone curves.

A model overfits to a hundred clips. A downsampled window shows content at another size, sharper than the clip and with
weaker compression artefacts. Changed colours keep the network from relying on colour.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from videoinr.images import downsample
from videoinr.training.data.clip_store import Cut
from videoinr.training.data.pixels import upload

GAMMAS = (0.7, 1.4)
"""Least and greatest exponent of a changed tone curve."""


def draw_crop_side(side: int, max_factor: float, rng: np.random.Generator) -> int:
    """Draw the side of the crops to downsample to ``side`` pixels: ``side`` in half of the batches, else up to
    ``max_factor`` times larger."""
    which, chance = rng.random(2)
    return side if which < 0.5 else round(side * (1 + (max_factor - 1) * chance))


def downsampled(cut: Cut, side: int) -> Cut:
    """Downsample windows [B, N, 3, S, S], S >= ``side``, to ``side`` x ``side`` pixels, antialiased."""
    images = cut.images
    if images.shape[-1] == side:
        return cut
    small = downsample(images.flatten(0, 1), height=side, width=side)
    return replace(cut, images=small.view(*images.shape[:3], side, side))


def recoloured(cut: Cut, share: float, rng: np.random.Generator) -> Cut:
    """Permute the colour channels and apply a gamma curve in a random ``share`` of the windows.

    All frames of a window change alike, so that the motion stays consistent.
    """
    count = len(cut.images)
    chosen = rng.random(count) < share
    orders = np.where(chosen[:, None], rng.permuted(np.tile(np.arange(3), (count, 1)), axis=1), np.arange(3))
    low, high = np.log(GAMMAS)
    exponents = np.where(chosen, np.exp(low + (high - low) * rng.random(count)), 1.0).astype(np.float32)
    device = cut.images.device
    order = upload(np.ascontiguousarray(orders), device)[:, None, :, None, None].expand_as(cut.images)
    images: Tensor = torch.gather(cut.images, 2, order)
    return replace(cut, images=images.pow(upload(exponents, device)[:, None, None, None, None]))
