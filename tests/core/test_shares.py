"""The blend mask: exactly the weights with which a whole picture is mixed, whatever part of it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import videoinr.decode.shares as shares
from helpers.released_models import small_released_model
from helpers.tiny_model import tiny_video_inr
from videoinr.cancel import NEVER, CancelToken
from videoinr.decode.shares import decode_first_share, mixes_frames
from videoinr.errors import Cancelled
from videoinr.geometry import Grid, Rect
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.video_inr import VideoINR

GRID, PHASE = Grid(60, 50), 0.3


@pytest.fixture(scope="module")
def model() -> VideoINR:
    return tiny_video_inr()


@pytest.fixture(scope="module")
def frames() -> Tensor:
    torch.manual_seed(3)
    return torch.rand(1, 2, 3, 20, 24)


def whole_share(model: VideoINR, frames: Tensor) -> Tensor:
    """Return the shares of :meth:`VideoINR.render`'s blend, by its own lines."""
    features = model.encode(frames)
    points = Points.make(GRID.rect, GRID, latent_hw=features.latent_hw, device=frames.device)
    spatial = model.spatial_feature(features, points)
    t = torch.full((1, 1, 1, 1), PHASE)
    flow = model.motion(model.motion_basis(features, points, spatial), t)

    def read(points: Points, way: Tensor) -> Tensor:
        return sample(spatial, *points.shifted_on_grid(way))

    return model.first_share(features, points, flow, t, read)[0, ..., 0]


@pytest.mark.parametrize("rect", [GRID.rect, Rect(7, 11, 30, 20)], ids=["whole", "region"])
@pytest.mark.parametrize("most_px", [shares.MOST_FIELD_PX, 60], ids=["at once", "in parts"])
def test_it_is_the_share_of_the_whole_pictures_blend(
    model: VideoINR, frames: Tensor, rect: Rect, most_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MOST_FIELD_PX", most_px)
    with torch.inference_mode():
        features, expected = model.encode(frames), whole_share(model, frames)
        assert mixes_frames(features)
        found = decode_first_share(features, PHASE, NEVER, grid=GRID, rect=rect)
    assert found.shape == (rect.height, rect.width)
    np.testing.assert_allclose(found, expected[rect.slices], atol=2e-5)
    assert float(expected.std()) > 0.005, "the model tells places apart"


def test_it_goes_from_the_first_frame_to_the_second(model: VideoINR, frames: Tensor) -> None:
    with torch.inference_mode():
        at_start, at_end = (
            decode_first_share(model.encode(frames), phase, NEVER, grid=GRID, rect=GRID.rect) for phase in (0.0, 1.0)
        )
    assert float(at_start.mean()) > 0.5 > float(at_end.mean())


def test_it_can_be_cancelled_and_other_models_have_none(model: VideoINR, frames: Tensor) -> None:
    token = CancelToken()
    token.cancel()
    with torch.inference_mode():
        features = model.encode(frames)
        with pytest.raises(Cancelled):
            decode_first_share(features, PHASE, token, grid=GRID, rect=GRID.rect)
        assert not mixes_frames(small_released_model().encode(frames))
