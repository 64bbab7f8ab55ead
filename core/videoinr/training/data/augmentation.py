"""More footage out of the same: windows seen from further away, and in other colours and tones.

A hundred clips are soon known by heart. A window made smaller shows content of another size, sharper than the clip's
own and freer of its codec's traces; one in other colours shows what the network must not lean on.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from videoinr.images import downsample
from videoinr.training.data.clip_store import Cut
from videoinr.training.data.pixels import upload

GAMMAS = (0.7, 1.4)
"""Least and most exponent of a bent tone curve."""


def taken_side(side: int, furthest: float, rng: np.random.Generator) -> int:
    """Side of the crop to take for windows of ``side`` pixels: as large in half of the batches, else up to
    ``furthest`` times larger."""
    shrinks, chance = rng.random(2)
    return side if shrinks < 0.5 else round(side * (1 + (furthest - 1) * chance))


def seen_from_afar(cut: Cut, side: int) -> Cut:
    """Windows [B, N, 3, S, S] made ``side`` pixels square, antialiased; S >= ``side``."""
    images = cut.images
    if images.shape[-1] == side:
        return cut
    small = downsample(images.flatten(0, 1), height=side, width=side)
    return Cut(small.view(*images.shape[:3], side, side), cut.times)


def recoloured(cut: Cut, share: float, rng: np.random.Generator) -> Cut:
    """Of the windows, ``share`` with their colour channels in another order and their tone curve bent by an exponent.

    All frames of a window alike, so that what moves is still the same thing.
    """
    count = len(cut.images)
    chosen = rng.random(count) < share
    orders = np.where(chosen[:, None], rng.permuted(np.tile(np.arange(3), (count, 1)), axis=1), np.arange(3))
    low, high = np.log(GAMMAS)
    exponents = np.where(chosen, np.exp(low + (high - low) * rng.random(count)), 1.0).astype(np.float32)
    device = cut.images.device
    order = upload(np.ascontiguousarray(orders), device)[:, None, :, None, None].expand_as(cut.images)
    images: Tensor = torch.gather(cut.images, 2, order)
    return Cut(images.pow(upload(exponents, device)[:, None, None, None, None]), cut.times)
