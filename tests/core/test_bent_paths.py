"""Pairs whose motion prior has the bend of a path are decoded as the dense renderer does, beside pairs without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from helpers.tiny_model import tiny_video_inr
from videoinr.cancel import NEVER
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid, Rect
from videoinr.images import rgbx_from_tensor
from videoinr.model.encoders.motion_prior_bands import EncodedPart
from videoinr.model.features import PairFeatures
from videoinr.model.latent import LatentPair
from videoinr.model.projected_regions import ProjectedRegions
from videoinr.model.video_inr import VideoINR
from videoinr.render.visible_part import TILE_PX, reached
from videoinr.types import Instant, PairKey, RegionQuery

CPU = torch.device("cpu")
GRID, RECT = Grid(60, 47), Rect(13, 21, 30, 9)
MIDDLE = Fraction(3, 8)
EVEN, BENT = PairKey("even", 0), PairKey("bent", 0)
Form = Callable[[PairFeatures], PairFeatures | LatentPair]


@cache
def tiny() -> VideoINR:
    """Return a model with flows of some pixels, so that a wrong warp shows."""
    model = tiny_video_inr()
    model.temporal_head.last.weight.mul_(25)
    return model


@cache
def even() -> PairFeatures:
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        return tiny().encode(torch.rand((1, 2, 3, 7, 9), generator=generator))


@cache
def bent() -> PairFeatures:
    """Return the pair with offsets of a latent pixel or two in the middle of its path."""
    bend = 12 * torch.randn(even().prior.shape, generator=torch.Generator().manual_seed(1))
    return replace(even(), prior=torch.cat((even().prior, bend), -1))


def in_maps(features: PairFeatures) -> PairFeatures:
    return features


def in_latent_form(features: PairFeatures) -> LatentPair:
    """Return the pair, with its own prior, kept as its latent feature."""
    height, width = features.latent_hw
    with torch.inference_mode():
        feature, _ = tiny().latent(features.frames)
    part = EncodedPart(Rect(0, 0, width, height), feature.permute(0, 2, 3, 1).contiguous(), features.prior)
    return LatentPair(features.frames, part, None, tiny(), ProjectedRegions(2**20))


def query(phase: Fraction, rect: Rect = GRID.rect) -> RegionQuery:
    return RegionQuery(Instant(0, Fraction(phase)), GRID, rect)


@cache
def dense(phase: Fraction) -> NDArray[np.int_]:
    with torch.inference_mode():
        picture = tiny().render(bent(), GRID, [torch.tensor([float(phase)])])[0]
    return rgbx_from_tensor(picture[0].permute(1, 2, 0)).numpy().astype(int)


@pytest.mark.parametrize(("form", "phase"), [(in_maps, 0), (in_maps, MIDDLE), (in_maps, 1), (in_latent_form, MIDDLE)])
def test_tiles_equal_the_dense_renderer_and_a_region_its_crop(form: Form, phase: Fraction) -> None:
    """With a decoder that decodes a pair without a bend, too."""
    by = TiledDecoder(tiny(), ComputeProfile(CPU, tile_side=16, feature_bytes=2**20, tile_bytes=0))
    plain = by.decode(EVEN, even(), query(phase), NEVER).numpy()
    found: NDArray[np.uint8] = by.decode(BENT, form(bent()), query(phase), NEVER).numpy()
    assert np.abs(found - dense(phase)).max() <= 1
    assert (np.abs(found.astype(int) - plain).max() > 20) == (0 < phase < 1)
    region = by.decode(BENT, form(bent()), query(phase, RECT), NEVER).numpy()
    np.testing.assert_array_equal(region, found[RECT.slices])
    np.testing.assert_array_equal(by.decode(EVEN, even(), query(phase), NEVER).numpy(), plain)


def test_what_a_view_probably_reads_grows_by_the_bend() -> None:
    clip = Grid(8 * TILE_PX, 8 * TILE_PX)
    frames = torch.zeros(1, 2, 3, 1, 1).expand(1, 2, 3, clip.height, clip.width)
    there = Rect(3 * TILE_PX, 3 * TILE_PX, TILE_PX, TILE_PX)

    def read(*prior: float) -> tuple[int, ...]:
        """Return by how many pixels what is read exceeds the tile at its left, top, right and bottom."""
        values: Tensor = torch.tensor(prior).expand(1, there.height, there.width, len(prior))
        pair = LatentPair(frames, EncodedPart(there, values[..., :0], values), None, tiny(), ProjectedRegions(1))
        found = reached(pair, RegionQuery(Instant(0, Fraction(1, 2)), clip, there))
        return there.x - found.x, there.y - found.y, found.right - there.right, found.bottom - there.bottom

    assert read() == (0, 0, 0, 0)
    assert read(0, 0, 0, 0) == (2, 2, 3, 3)
    assert read(10, 0, 0, -5) == (2, 12, 23, 3)
    assert read(10, 0, 0, -5, 0, 0, 0, 0) == (2, 12, 23, 3)
    # The offset of a bend of 80 pixels is 10 at most, to either side; that of its change is shorter.
    assert read(10, 0, 0, -5, -80, 0, 0, 0) == (12, 12, 33, 3)
    assert read(10, 0, 0, -5, 0, 80, 0, 1000) == (2, 30, 23, 21)
