"""Back and forward through the views that the user rested at."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtGui import QAction

from helpers.stage import Stage
from videoinr.types import ViewState
from videoinr_viewer.picture.view_history import Visited


def actions_of(stage: Stage) -> tuple[QAction, QAction]:
    by_id = stage.viewer.window.actions_by_id
    return by_id["view-back"], by_id["view-forward"]


def rest_at(stage: Stage, time_secs: str, zoom: float) -> ViewState:
    """Go there by many steps, of which the last one is kept."""
    session = stage.viewer.session
    for share in (3, 2, 1):
        session.seek(Fraction(time_secs) / share, moving=True)
        session.zoom_at(zoom / session.view.zoom, (100.0, 80.0))
    stage.viewer.window.views.note()
    return session.view


def test_back_and_forward_visit_time_place_and_zoom(stage: Stage) -> None:
    session, (back, forward) = stage.viewer.session, actions_of(stage)
    start = session.view
    assert (back.isEnabled(), forward.isEnabled()) == (False, False)
    first, second = rest_at(stage, "1/2", 4.0), rest_at(stage, "1", 8.0)
    back.trigger()
    assert session.view == first
    assert forward.isEnabled()
    back.trigger()
    assert session.view == start
    assert session.is_fitted, "a fitted view is fitted again"
    assert not back.isEnabled()
    back.trigger()
    forward.trigger()
    forward.trigger()
    assert session.view == second
    assert (back.isEnabled(), forward.isEnabled()) == (True, False)


def test_a_new_view_forgets_those_ahead_and_is_not_lost_itself(stage: Stage) -> None:
    session, (back, forward) = stage.viewer.session, actions_of(stage)
    first = rest_at(stage, "1/2", 4.0)
    rest_at(stage, "1", 8.0)
    back.trigger()
    # Not rested yet: going back keeps it all the same.
    session.seek(Fraction(3, 2))
    assert back.isEnabled()
    here = session.view
    back.trigger()
    assert session.view == first
    forward.trigger()
    assert session.view == here
    assert not forward.isEnabled()


def test_a_fitted_view_follows_the_window(stage: Stage) -> None:
    session, (back, _) = stage.viewer.session, actions_of(stage)
    fitted = session.view
    rest_at(stage, "1/2", 4.0)
    stage.viewer.window.resize(700, 500)
    stage.wait_for(lambda: session.screen_px[0] < 720)
    back.trigger()
    assert session.view.time_secs == fitted.time_secs
    assert session.view.zoom < fitted.zoom
    assert session.is_fitted


def test_playback_leaves_no_views_and_another_clip_has_its_own(stage: Stage) -> None:
    session, views, (back, forward) = stage.viewer.session, stage.viewer.window.views, actions_of(stage)
    stage.viewer.player.toggle()
    session.seek(Fraction(1), moving=True)
    views.note()
    assert views._views == [Visited(views._views[0].view, fits=True)], "the start alone"
    stage.viewer.player.pause()
    rest_at(stage, "1/2", 4.0)
    assert back.isEnabled()
    stage.open("another.mp4")
    stage.wait_until_complete()
    assert (back.isEnabled(), forward.isEnabled()) == (False, False)
    session.reopen()
    stage.wait_until_complete()
    session.seek(Fraction(1))
    assert back.isEnabled(), "the same clip, read anew, keeps its views"
