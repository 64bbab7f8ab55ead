"""Pairs whose motion prior has the bend of a path are decoded as the dense renderer does, beside pairs without one."""

from __future__ import annotations

import copy
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from helpers.bent_pairs import CPU, bent_pair, even_pair, in_latent_form, model_with_flows
from videoinr.cancel import NEVER
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.decode.trajectory import follow
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid, Rect
from videoinr.images import rgbx_from_tensor
from videoinr.model.encoders.motion_prior_bands import EncodedPart
from videoinr.model.latent import LatentPair
from videoinr.model.projected_regions import ProjectedRegions
from videoinr.render.visible_part import TILE_PX, reached
from videoinr.types import Instant, PairKey, RegionQuery

GRID, RECT = Grid(40, 31), Rect(9, 12, 20, 7)
EVEN, BENT = PairKey("even", 0), PairKey("bent", 0)


@pytest.mark.parametrize(("phase", "is_latent"), [(0.0, False), (0.375, False), (0.375, True)])
def test_tiles_equal_the_dense_renderer_and_a_region_its_crop(phase: float, is_latent: bool) -> None:
    """With a decoder that decodes a pair without a bend, too."""
    pair = in_latent_form(bent_pair()) if is_latent else bent_pair()
    by = TiledDecoder(model_with_flows(), ComputeProfile(CPU, tile_side=16, feature_bytes=2**20, tile_bytes=0))
    whole, region = (RegionQuery(Instant(0, Fraction(phase)), GRID, rect) for rect in (GRID.rect, RECT))
    plain = by.decode(EVEN, even_pair(), whole, NEVER).numpy()
    found: NDArray[np.uint8] = by.decode(BENT, pair, whole, NEVER).numpy()
    with torch.inference_mode():
        picture = model_with_flows().render(bent_pair(), GRID, [torch.tensor([phase])])[0]
    dense = rgbx_from_tensor(picture[0].permute(1, 2, 0)).numpy()
    assert np.abs(found.astype(int) - dense).max() <= 1
    assert (np.abs(found.astype(int) - plain).max() > 20) == (0 < phase < 1)
    np.testing.assert_array_equal(by.decode(BENT, pair, region, NEVER).numpy(), found[RECT.slices])


def test_a_point_is_followed_along_the_bend() -> None:
    """A point that is accelerated evenly: it leaves the chord by t (1 - t) / 2 of the acceleration, against it."""
    model, (height, width) = copy.deepcopy(model_with_flows()), (24, 32)
    model.temporal_head.last.weight.zero_()
    model.temporal_head.last.bias.zero_()
    with torch.inference_mode():
        features = model.encode(torch.rand(1, 2, 3, height, width))
    way, acceleration = np.array([8.0, -2.0]), np.array([-4.0, 8.0])
    prior = torch.from_numpy(np.concatenate((-way / 2, way / 2, acceleration, [0, 0]))).float()
    features = replace(features, prior=prior.expand(1, height, width, 8))
    phases, start = [Fraction(number, 4) for number in range(5)], np.array([10.5, 12.5])
    places = follow(features, (Fraction(0), (start[0], start[1])), phases, NEVER)
    for phase, place in zip(phases, places, strict=True):
        t = float(phase)
        np.testing.assert_allclose(place, start + t * way - t * (1 - t) / 2 * acceleration, atol=0.02)


def test_what_a_view_probably_reads_grows_by_the_bend() -> None:
    clip = Grid(8 * TILE_PX, 8 * TILE_PX)
    frames = torch.zeros(1, 2, 3, 1, 1).expand(1, 2, 3, clip.height, clip.width)
    there = Rect(3 * TILE_PX, 3 * TILE_PX, TILE_PX, TILE_PX)

    def read(*prior: float) -> tuple[int, ...]:
        """Return by how many pixels what is read exceeds the tile at its left, top, right and bottom."""
        values: Tensor = torch.tensor(prior).expand(1, there.height, there.width, len(prior))
        part = EncodedPart(there, values[..., :0], values)
        pair = LatentPair(frames, part, None, model_with_flows(), ProjectedRegions(1))
        found = reached(pair, RegionQuery(Instant(0, Fraction(1, 2)), clip, there))
        return there.x - found.x, there.y - found.y, found.right - there.right, found.bottom - there.bottom

    assert read() == (0, 0, 0, 0)
    assert read(0, 0, 0, 0) == (2, 2, 3, 3)
    assert read(10, 0, 0, -5) == (2, 12, 23, 3)
    assert read(10, 0, 0, -5, 0, 0, 0, 0) == (2, 12, 23, 3)
    # The offset of a bend of 80 pixels is 10 at most, to either side; that of its change is shorter.
    assert read(10, 0, 0, -5, -80, 0, 0, 0) == (12, 12, 33, 3)
    assert read(10, 0, 0, -5, 0, 80, 0, 1000) == (2, 30, 23, 21)
