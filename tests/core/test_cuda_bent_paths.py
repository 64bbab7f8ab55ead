"""The CUDA decoder draws the bend of a path as the tiled decoder does. Interpreted where there is no GPU."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

pytest.importorskip("triton")

from helpers import interpreter
from helpers.bent_pairs import bent_pair, even_pair, in_latent_form, model_with_flows
from videoinr.cancel import NEVER
from videoinr.decode.cuda_decoder import CudaDecoder, reach
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid, Rect
from videoinr.types import Instant, PairKey, RegionQuery

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PROFILE = ComputeProfile(DEVICE, tile_side=16, feature_bytes=2**26, tile_bytes=2**26)
GRID, RECT = Grid(40, 32), Rect(13, 10, 13, 11)
EVEN, BENT = PairKey("even", 0), PairKey("bent", 0)


@pytest.mark.parametrize("form", [lambda pair: pair, lambda pair: pair.compact(), in_latent_form])
def test_pairs_with_and_without_a_bend_are_drawn_by_one_decoder(form: object, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter.few_programs(monkeypatch, block_width=64, run=2048)
    assert callable(form)
    by, tiled = (Decoder(model_with_flows(DEVICE), PROFILE) for Decoder in (CudaDecoder, TiledDecoder))
    found = []
    for key, pair in ((BENT, bent_pair(DEVICE)), (EVEN, even_pair(DEVICE))):
        query = RegionQuery(Instant(0, Fraction(2, 5)), GRID, RECT)
        drawn = by.decode(key, form(pair), query, NEVER).numpy().astype(int)
        assert np.abs(drawn - tiled.decode(key, pair, query, NEVER).numpy()).max() <= 1
        found.append(drawn)
    assert isinstance(by, CudaDecoder)
    assert by._plain is None
    assert np.abs(found[0] - found[1]).max() > 20


def test_the_bend_widens_the_box_that_the_flow_probably_reaches() -> None:
    grid, rect = Grid(72, 56), Rect(32, 24, 8, 8)
    # A latent pixel is 8 pixels of the grid. The offset is at most an eighth of the bend, to either side.
    prior = torch.tensor([0.5, 0, -0.25, 0, 0, -4, 0, 0], device=DEVICE).expand(1, 7, 9, 8)
    even, bent = (reach(replace(even_pair(DEVICE), prior=each), grid, rect) for each in (prior[..., :4], prior))
    assert even == Rect(19, 15, 38, 26)
    assert bent == Rect(19, 11, 38, 34)
