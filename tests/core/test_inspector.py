"""What the inspector reads of the representation: motion on any grid, the way of a point, doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.clips import write_clip
from helpers.released_models import small_released_model
from helpers.shots import pan
from helpers.tiny_model import load_tiny_model, tiny_video_inr
from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import open_clip
from videoinr.decode.flow import decode_flow
from videoinr.decode.trajectory import follow
from videoinr.devices import ComputeProfile
from videoinr.errors import Cancelled
from videoinr.geometry import Grid, Rect
from videoinr.model.representation import Features, Representation
from videoinr.render.engine import Engine
from videoinr.render.inspected import Between
from videoinr.types import Instant, PairKind, RegionQuery

PROFILE = ComputeProfile(torch.device("cpu"), tile_side=32, feature_bytes=2**20, tile_bytes=2**20)
STEP = (1.5, 0.5)
"""Pixels by which the window of the pan moves from frame to frame; what it shows moves the other way."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Three frames of one shot, and three of another."""
    folder = tmp_path_factory.mktemp("inspection")
    frames = [*pan(1, 3, step=STEP), *pan(2, 3, step=STEP)]
    path = write_clip(folder / "two shots.mkv", frames, codec="ffv1")
    with Engine(open_clip(path), load_tiny_model(folder), PROFILE) as engine:
        yield engine


def encoded(model: Representation) -> Features:
    torch.manual_seed(3)
    with torch.inference_mode():
        return model.encode(torch.rand(1, 2, 3, 20, 24))


def test_on_the_clips_own_grid_it_is_the_engines_flow(engine: Engine) -> None:
    instant, grid = Instant(1, Fraction(1, 4)), engine.clip.info.grid
    field = engine.inspector.flow(RegionQuery(instant, grid, grid.rect), NEVER)
    assert np.array_equal(field.flow, engine.flow(instant).numpy())
    assert field.between == Between(1, 2, Fraction(1, 4))
    assert field.kind is PairKind.MOTION


def test_a_region_of_another_grid_holds_the_same_motion(engine: Engine) -> None:
    instant, grid = Instant(1, Fraction(1, 4)), engine.clip.info.grid
    plain = engine.flow(instant).numpy()
    finer = Grid(3 * grid.width, 3 * grid.height)
    field = engine.inspector.flow(RegionQuery(instant, finer, Rect(30, 15, 60, 45)), NEVER)
    assert field.flow.shape == (2, 45, 60, 2)
    # The middle one of three pixels has the same centre as the clip's pixel.
    np.testing.assert_allclose(field.flow[:, 1::3, 1::3], plain[:, 5:20, 10:30], atol=1e-5)


def test_across_a_cut_it_looks_at_the_nearer_scene(engine: Engine) -> None:
    grid = engine.clip.info.grid
    before = engine.inspector.flow(RegionQuery(Instant(2, Fraction(1, 4)), grid, grid.rect), NEVER)
    assert before.between == Between(1, 2, Fraction(1))
    assert before.kind is PairKind.CUT
    after = engine.inspector.doubt(Instant(2, Fraction(1, 2)), NEVER)
    assert after.between == Between(3, 4, Fraction(0))
    assert after.kind is PairKind.CUT
    assert np.array_equal(after.failure.error, engine.failure(3).error)


def test_the_blend_mask_of_a_region_is_that_of_the_picture(engine: Engine) -> None:
    instant, grid, rect = Instant(1, Fraction(1, 4)), engine.clip.info.grid, Rect(30, 15, 40, 25)
    whole = engine.inspector.blend_mask(RegionQuery(instant, grid, grid.rect), NEVER)
    part = engine.inspector.blend_mask(RegionQuery(instant, grid, rect), NEVER)
    assert whole.between == part.between == Between(1, 2, Fraction(1, 4))
    assert whole.first_share is not None
    assert part.first_share is not None
    np.testing.assert_allclose(part.first_share, whole.first_share[rect.slices], atol=1e-5)
    assert 0.5 < float(whole.first_share.mean()) < 1, "the first frame is nearer"
    across = engine.inspector.blend_mask(RegionQuery(Instant(2, Fraction(1, 4)), grid, rect), NEVER)
    assert (across.between, across.kind) == (Between(1, 2, Fraction(1)), PairKind.CUT)


def test_a_point_is_followed_along_the_motion_that_the_flow_tells(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "pan.mkv", list(pan(5, 2, step=(3, 1))), codec="ffv1")
    from videoinr.model.weights import load_model

    with Engine(open_clip(path), load_model("lite"), PROFILE) as engine:
        instant, place = Instant(0, Fraction(1, 4)), (48.3, 30.6)
        way = engine.inspector.trajectory(instant, place, NEVER)
    assert way.phases == tuple(Fraction(tick, 16) for tick in range(17))
    assert way.places[4] == place
    for phase, (x, y) in zip(way.phases, way.places, strict=True):
        passed = float(phase - instant.phase)
        assert x == pytest.approx(place[0] - 3 * passed, abs=0.3)
        assert y == pytest.approx(place[1] - 1 * passed, abs=0.3)


def test_every_tick_leads_to_the_same_points_of_both_frames() -> None:
    features = encoded(tiny_video_inr())
    phases = [Fraction(tick, 8) for tick in range(9)]
    place = (11.25, 8.5)
    places = follow(features, (Fraction(3, 8), place), phases, NEVER)
    assert places[3] == place
    wanted = ends_of(features, place, Fraction(3, 8))
    for phase, at in zip(phases, places, strict=True):
        shares = np.array([[1 - float(phase)], [float(phase)]])
        apart = ((ends_of(features, at, phase) - wanted) * shares).sum(0)
        assert np.abs(apart).max() < 0.05, phase


def ends_of(features: Features, at: tuple[float, float], phase: Fraction) -> np.ndarray:
    """Return where a point lies in both frames: [2, 2]."""
    rect = Rect(int(at[0] * 64), int(at[1] * 64), 1, 1)
    flow = decode_flow(features, float(phase), NEVER, grid=Grid(24 * 64, 20 * 64), rect=rect)
    moved: np.ndarray = np.asarray(at)[None] + flow[:, 0, 0].numpy()
    return moved


def test_a_point_is_followed_through_motion_without_any_order() -> None:
    """The flows of the random network are long and torn: a place need not exist, but an answer must."""
    features = encoded(small_released_model(corrected=True))
    place = (11.25, 8.5)
    places = follow(features, (Fraction(1, 2), place), [Fraction(0), Fraction(1, 2), Fraction(3, 4)], NEVER)
    assert places[1] == place
    assert np.isfinite(places).all()


def test_following_a_point_can_be_cancelled() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        follow(encoded(tiny_video_inr()), (Fraction(0), (3.0, 3.0)), [Fraction(1)], token)


def test_motion_of_a_part_of_large_frames_needs_no_more_than_that_part(engine: Engine) -> None:
    """The whole engine must not encode all of a frame for the motion of a view: it asks for what is around it."""
    asked: list[Rect | None] = []
    inspector, real = engine.inspector, engine.inspector._features_of

    def features_of(footing: object, token: CancelToken, needed: Rect | None = None) -> Features:
        asked.append(needed)
        return real(footing, token, needed)  # type: ignore[arg-type]

    grid = Grid(1920, 1200)
    inspector._features_of = features_of
    try:
        view = RegionQuery(Instant(1, Fraction(1, 2)), grid, Rect(0, 0, 100, 100))
        inspector.flow(replace(view, grid=grid), NEVER)
    finally:
        inspector._features_of = real
    assert asked[0] is not None
    assert asked[0].width < engine.clip.info.grid.width
