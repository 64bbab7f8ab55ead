"""Playback along the retime curve and the camera path: the pictures of an export, in the view of the camera."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from helpers.slow_renderer import Pace, gradient
from helpers.stage import Stage
from videoinr.journey.camera import CameraPath, Easing, Keyframe
from videoinr.journey.curve import RetimeCurve, curve_from_text, identity
from videoinr.playing.times import CurveTimes
from videoinr.types import Quality, RegionQuery, Segment
from videoinr_viewer.player import Player
from videoinr_viewer.session import Marks

FRAME = Fraction(1, 25)
SIZE = (700, 500)
TURNS = curve_from_text("0=1/5 1/5=2/5 2/5=1/5 3/5=1/5")


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def small(stage_of: Callable[..., Stage]) -> Stage:
    stage = stage_of(Pace(), size=SIZE)
    stage.open()
    stage.wait_until_complete()
    return stage


@pytest.fixture
def turning(stage: Stage) -> tuple[Player, Clock]:
    """Return a player along TURNS that moves only where the test calls its tick, and its clock."""
    clock = Clock()
    player = Player(stage.viewer.session, clock_ns=clock)
    player._timer.setInterval(10**6)
    player.set_curve(TURNS)
    return player, clock


def turn_on(stage: Stage, *, curve: RetimeCurve | None = None, camera: CameraPath | None = None) -> None:
    window = stage.viewer.window
    window.planner.set_curve(curve)
    if camera is not None:
        window.planner._set_keyframes(camera.keyframes)
    window.actions_by_id["journey-play"].trigger()
    assert window.actions_by_id["journey-play"].isChecked()


def planned(stage: Stage) -> list[RegionQuery]:
    plan = stage.viewer.play_cache.plan
    return [] if plan is None else [plan.query(index) for index in range(plan.count)]


def is_covered(stage: Stage) -> bool:
    coverage = stage.viewer.play_cache.coverage()
    return coverage.done == coverage.wanted > 0


def test_the_player_goes_along_the_curve_and_starts_over(stage: Stage, turning: tuple[Player, Clock]) -> None:
    session, (player, clock) = stage.viewer.session, turning
    player.toggle()
    seen = []
    for _ in range(7):
        seen.append(session.view.time_secs)
        clock.ns += 100_000_000
        player.tick()
    assert seen == [Fraction(n, 10) for n in (2, 3, 4, 3, 2, 2, 2)]
    player.pause()


def test_pausing_after_a_turn_goes_on_from_there(stage: Stage, turning: tuple[Player, Clock]) -> None:
    session, (player, clock) = stage.viewer.session, turning
    player.toggle()
    clock.ns += 300_000_000
    player.tick()
    player.pause()
    player.toggle()
    assert player.position_secs == Fraction(3, 10), "not the first time that the curve is there"
    session.seek(Fraction(7, 20))
    clock.ns += 10_000_000
    player.tick()
    assert player.position_secs == Fraction(15, 100) + Fraction(1, 100), "the user went elsewhere"
    player.pause()


@pytest.mark.parametrize(("loops", "direction", "ends"), [(False, 1, Fraction(1, 5)), (False, -1, Fraction(1, 5))])
def test_the_end_of_a_curve_without_a_loop_ends_playback(
    stage: Stage, turning: tuple[Player, Clock], loops: bool, direction: int, ends: Fraction
) -> None:
    session, (player, clock) = stage.viewer.session, turning
    player.set_loops(loops)
    player.shuttle(direction)
    clock.ns += 10**9
    player.tick()
    assert not player.is_playing
    assert session.view.time_secs == ends


def test_a_straight_curve_plays_the_pictures_of_plain_playback(small: Stage) -> None:
    viewer = small.viewer
    viewer.session.set_marks(Marks(Fraction(0), Fraction(2, 5)))
    small.wait_for(lambda: is_covered(small))
    plain = planned(small)
    small.made[-1].calls.clear()
    turn_on(small, curve=identity(Segment(Fraction(0), Fraction(2, 5))))
    small.wait_for(lambda: viewer.player.curve is not None and is_covered(small))
    assert planned(small) == plain
    assert small.made[-1].asked("full") == [], "they are there already"


def test_pictures_along_a_curve_are_decoded_once_and_played(small: Stage) -> None:
    viewer = small.viewer
    turn_on(small, curve=TURNS)
    small.wait_for(lambda: len(planned(small)) == 15 and is_covered(small))
    plan = viewer.play_cache.plan
    assert plan is not None
    assert isinstance(plan.times, CurveTimes)
    assert [plan.times.time(index) for index in range(15)] == [TURNS.time(index * FRAME) for index in range(15)]
    overview = viewer.window.timeline.overview
    small.wait_for(lambda: "decoded for playback" in overview.describe(overview._x_from_time(Fraction(3, 10))))
    assert "decoded for playback" not in overview.describe(overview._x_from_time(Fraction(1)))
    assert not overview.grab().isNull()
    small.shown.clear()
    viewer.player.toggle()
    small.wait_for(lambda: viewer.play.decoded >= 16)
    viewer.player.pause()
    small.wait_until_complete()
    # The jump to the curve's start shows the source frame there.
    shown = [one for one in small.shown if one.quality is not Quality.SOURCE]
    assert {one.quality for one in shown} == {Quality.FULL}
    assert {one.query for one in shown} <= set(planned(small))
    for one in shown[:5]:
        assert np.array_equal(one.rgbx, gradient(one.query, one.query.instant.position / 50))
    assert not viewer.sound.is_heard


def test_playback_follows_the_camera(small: Stage) -> None:
    viewer = small.viewer
    camera = CameraPath((
        Keyframe(Fraction(0), Fraction(80), Fraction(45), Fraction(1), Easing.LINEAR),
        Keyframe(Fraction(2, 5), Fraction(40), Fraction(30), Fraction(4)),
    ))  # fmt: skip
    whole = viewer.session.view
    viewer.session.set_marks(Marks(Fraction(0), Fraction(3, 5)))
    turn_on(small, camera=camera)
    small.wait_for(lambda: len({one.grid for one in planned(small)}) == 11 and is_covered(small))
    queries = planned(small)
    assert queries[0] == small.viewer.session.last_query, "zoom 1 is the fitted view"
    assert len({(one.grid, one.rect) for one in queries[10:]}) == 1, "it rests after the last keyframe"
    assert viewer.session.view == whole, "only playback moves the view"
    viewer.player.toggle()
    small.wait_for(lambda: viewer.session.view.zoom == pytest.approx(4 * whole.zoom))
    assert viewer.session.view.centre == (40.0, 30.0)
    viewer.player.pause()
    small.wait_until_complete()
    assert viewer.session.last_query in queries, "at rest there is the picture that was played last"


def test_a_camera_that_rests_at_zoom_1_plays_what_plain_playback_does(small: Stage) -> None:
    viewer = small.viewer
    viewer.session.set_marks(Marks(Fraction(0), Fraction(2, 5)))
    small.wait_for(lambda: is_covered(small))
    plain = planned(small)
    small.made[-1].calls.clear()
    turn_on(small, camera=CameraPath((Keyframe(Fraction(0), Fraction(80), Fraction(45), Fraction(1)),)))
    small.wait_for(lambda: viewer.play_cache.plan is not None and viewer.play_cache.plan.flight is not None)
    small.wait_for(lambda: is_covered(small))
    assert planned(small) == plain
    assert small.made[-1].asked("full") == []
    assert viewer.session.is_fitted


def test_turned_off_the_clip_plays_as_it_is(small: Stage) -> None:
    viewer = small.viewer
    turn_on(small, curve=TURNS)
    assert viewer.player.curve == TURNS
    viewer.window.planner.set_curve(None)
    assert viewer.player.curve is None, "it follows the dialog and undo"
    viewer.window.planner.set_curve(TURNS)
    viewer.window.actions_by_id["journey-play"].trigger()
    assert viewer.player.curve is None
    assert not viewer.window.actions_by_id["journey-play"].isChecked()
