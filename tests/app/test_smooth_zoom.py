"""The wheel zooms in steps: the point under the mouse stays, the last step is exact, and other changes end the way."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from helpers.slow_renderer import SlowRenderer
from helpers.stage import Stage
from helpers.zoom_paths import drift, mouse_on_clip
from videoinr_viewer.picture.navigation import MAX_ZOOM
from videoinr_viewer.picture.smooth_zoom import SmoothZoom
from videoinr_viewer.session import Session
from videoinr_viewer.start.settings import Settings

SIZE = (1920, 1080)
PATHS = 40
"""500 were run once; each path has a hundred steps."""


class Wheel:
    """A session with a clip, its smooth zoom and a clock that only tests move."""

    def __init__(self, screen: tuple[int, int] = (1200, 700)) -> None:
        self.secs = 0.0
        self.session = Session()
        self.session.set_screen(screen, 12.0)
        self.session.clip_opened(SlowRenderer(width=SIZE[0], height=SIZE[1]).opened)
        self.zoom = SmoothZoom(self.session, clock=lambda: self.secs)

    def tick(self, secs: float = 0.015) -> None:
        self.secs += secs
        if self.zoom.is_moving:
            self.zoom.tick()

    def rest(self) -> int:
        """Let it go to its end; return how many steps that took."""
        for steps in range(1000):
            if not self.zoom.is_moving:
                return steps
            self.tick()
        raise AssertionError("it never ends")


def test_a_notch_takes_several_steps_and_ends_exactly(qtbot: QtBot) -> None:
    wheel, start = Wheel(), 2.0
    wheel.session.zoom_to(start)
    zooms: list[float] = []
    wheel.session.view_changed.connect(lambda view: zooms.append(view.zoom))
    wheel.zoom.zoom(2**0.25, (300.0, 200.0))
    assert start < wheel.session.view.zoom < start * 2**0.25, "the first step comes at once"
    assert 3 <= wheel.rest() <= 12
    assert zooms == sorted(zooms)
    assert wheel.session.view.zoom == pytest.approx(start * 2**0.25, rel=1e-12)
    for _ in range(3):  # Notches during the way add up.
        wheel.zoom.zoom(2**0.25, (300.0, 200.0))
        wheel.tick()
    wheel.rest()
    assert wheel.session.view.zoom == 4.0


def test_it_stops_at_the_largest_and_the_least_zoom(qtbot: QtBot) -> None:
    wheel = Wheel()
    for factor in (4.0, 0.25):
        for _ in range(20):
            wheel.zoom.zoom(factor, (0.0, 0.0))
            wheel.rest()
        is_largest = wheel.session.view.zoom == MAX_ZOOM
        assert is_largest == (factor > 1)
    wheel.zoom.zoom(0.5, (0.0, 0.0))
    assert wheel.rest() == 0


def test_the_point_under_the_mouse_stays_there_through_any_path_of_smooth_zooms(qtbot: QtBot) -> None:
    """Random paths from the fitted view of a 1080p clip to x32, as for the session alone, with ticks in between."""
    random = Random(1)
    for _ in range(PATHS):
        wheel = Wheel((random.randint(700, 1900), random.randint(500, 1000)))
        session = wheel.session
        (at, point), worst = mouse_on_clip(session, random), 0.0
        while session.view.zoom < 31:
            wheel.zoom.zoom(2 ** (random.choice((1, 1, 1, -1)) / 4), at)
            for _ in range(random.randint(0, 4)):
                wheel.tick(random.uniform(0.005, 0.05))
            worst = max(worst, drift(session, at, point))
        assert worst < 1


def test_any_other_change_of_the_view_ends_the_way(qtbot: QtBot) -> None:
    changes: list[Callable[[Session], object]] = [
        lambda session: session.pan((5, 0)), lambda session: session.fit(), lambda session: session.zoom_to(3),
        lambda session: session.clip_opened(SlowRenderer().opened),
    ]  # fmt: skip
    for change in changes:
        wheel = Wheel()
        wheel.zoom.zoom(2.0, (300.0, 200.0))
        assert wheel.zoom.is_moving
        change(wheel.session)
        assert not wheel.zoom.is_moving
        view = wheel.session.view
        wheel.tick()
        assert wheel.session.view == view


def test_playback_goes_on_meanwhile(qtbot: QtBot) -> None:
    wheel = Wheel()
    zoom = wheel.session.view.zoom
    wheel.zoom.zoom(2.0, (300.0, 200.0))
    for step in range(1, 20):
        wheel.session.seek(Fraction(step, 50), moving=True)
        wheel.tick()
    assert wheel.session.view.zoom == pytest.approx(2 * zoom)


def test_with_reduced_motion_a_notch_is_one_step(qtbot: QtBot) -> None:
    wheel = Wheel()
    wheel.zoom.is_on = False
    zoom = wheel.session.view.zoom
    wheel.zoom.zoom(2.0, (300.0, 200.0))
    assert not wheel.zoom.is_moving
    assert wheel.session.view.zoom == pytest.approx(2 * zoom)


@pytest.mark.parametrize("is_reduced", [False, True])
def test_the_window_zooms_smoothly_unless_the_settings_say_otherwise(
    stage_of: Callable[..., Stage], is_reduced: bool
) -> None:
    stage = stage_of(settings=Settings(reduced_motion=is_reduced))
    stage.open()
    stage.wait_until_complete()
    window, zoom = stage.viewer.window, stage.viewer.session.view.zoom
    window.frame_view._zoom(2.0, QPointF(100, 80))
    assert window.smooth_zoom.is_moving != is_reduced
    stage.wait_for(lambda: stage.viewer.session.view.zoom == pytest.approx(2 * zoom))
    stage.wait_until_complete()
