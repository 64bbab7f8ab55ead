"""The window of the rolling shutter: what it sets, what the view shows, undo, projects and the export."""

from __future__ import annotations

from fractions import Fraction

import pytest
from PySide6.QtCore import Qt

from helpers.stage import Stage
from videoinr.geometry import Readout
from videoinr.types import RenderRequest
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.journey.shutter_dialog import ShutterDialog


def planner_of(stage: Stage) -> JourneyPlanner:
    return stage.viewer.window.planner


def readout_in(stage: Stage) -> Readout | None:
    query = stage.viewer.session.last_query
    assert query is not None
    return query.readout


@pytest.fixture
def dialog(stage: Stage) -> ShutterDialog:
    stage.viewer.window.actions_by_id["rolling-shutter"].trigger()
    made = stage.viewer.window.side_windows.shutter
    assert made is not None
    assert made.isVisible()
    return made


def test_a_typed_time_is_corrected_told_and_undone(stage: Stage, dialog: ShutterDialog) -> None:
    planner, window = planner_of(stage), stage.viewer.window
    assert readout_in(stage) is None
    assert not dialog.reset.isEnabled()
    dialog.secs.setValue(12.5)
    assert planner.journey.readout == Fraction(1, 80)
    assert readout_in(stage) == Readout(Fraction(1, 80))
    assert "6.25 ms before and after" in dialog.words.text()
    assert window.status.readout.text() == "rolling shutter 12.5 ms"
    assert not window.status.readout.isHidden()
    assert dialog.slider.value() == 125
    assert window.history.stack.undoText() == "correct the rolling shutter"
    dialog.secs.setValue(-12.5)
    assert "The last row was read first" in dialog.words.text()
    for expected in (Fraction(1, 80), Fraction(0)):
        window.actions_by_id["undo"].trigger()
        assert planner.journey.readout == expected
    assert dialog.secs.value() == 0
    assert readout_in(stage) is None
    assert window.status.readout.isHidden()


def test_while_the_slider_is_dragged_the_view_follows_and_letting_go_is_one_step(
    stage: Stage, dialog: ShutterDialog
) -> None:
    planner, history = planner_of(stage), stage.viewer.window.history
    steps = history.stack.index()
    dialog.slider.setSliderDown(True)
    for value in (30, 60, 90):
        dialog.slider.setValue(value)
        assert readout_in(stage) == Readout(Fraction(value, 10_000))
        assert dialog.secs.value() == pytest.approx(value / 10)
    assert planner.journey.readout == 0
    dialog.slider.setSliderDown(False)
    assert planner.journey.readout == Fraction(9, 1000)
    assert history.stack.index() == steps + 1
    dialog.reset.click()
    assert planner.journey.readout == 0
    assert readout_in(stage) is None


def test_a_readout_is_at_most_two_frames_long(stage: Stage, dialog: ShutterDialog) -> None:
    clip = stage.viewer.session.clip
    assert clip is not None
    most = 2 / clip.info.fps
    dialog.secs.setValue(1e9)
    assert planner_of(stage).journey.readout == pytest.approx(float(most), abs=1e-6)
    planner_of(stage).set_readout(10 * most)
    assert readout_in(stage) is None, "no export would take it"


def test_an_export_has_it_and_says_so(stage: Stage) -> None:
    stage.viewer.window.actions_by_id["export"].trigger()
    form = stage.viewer.window.exports.dialog
    assert form is not None
    planner_of(stage).set_readout(Fraction(1, 80))
    stage.wait_for(lambda: "Rolling shutter of 12.5 ms corrected." in form.form.summary.text())
    assert form.form.job.readout == Fraction(1, 80)


def test_every_picture_of_a_moving_view_is_corrected_too(stage: Stage) -> None:
    planner_of(stage).set_readout(Fraction(1, 80))
    asked = list[RenderRequest]()
    stage.viewer.session.requested.connect(asked.append, Qt.ConnectionType.DirectConnection)
    stage.viewer.session.seek(Fraction(1, 3), moving=True)
    assert [request.query.readout for request in asked] == [Readout(Fraction(1, 80))]
    assert all(request.on_screen is None or request.on_screen.readout for request in asked)
