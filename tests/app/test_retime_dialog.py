"""The menu "Time and camera": the retime curve, the shutter in the view, camera keyframes, and their export."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from helpers.stage import Stage
from videoinr.journey.camera import Easing
from videoinr.journey.curve import curve_from_text
from videoinr.types import Segment
from videoinr_viewer.journey.curve_plot import CurvePlot
from videoinr_viewer.journey.journey import Journey
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.journey.retime_dialog import RetimeDialog


def trigger(stage: Stage, *names: str) -> None:
    for name in names:
        stage.viewer.window.actions_by_id[name].trigger()


def planner_of(stage: Stage) -> JourneyPlanner:
    return stage.viewer.window.planner


def exposure_in(stage: Stage) -> Segment | None:
    query = stage.viewer.session.last_query
    assert query is not None
    return query.exposure


@pytest.fixture
def dialog(stage: Stage) -> RetimeDialog:
    trigger(stage, "retime")
    made = stage.viewer.window.side_windows.retime
    assert made is not None
    stage.wait_for(made.isVisible)
    return made


def rows(dialog: RetimeDialog) -> list[list[str]]:
    cells = [[dialog.table.item(row, column) for column in range(3)] for row in range(dialog.table.rowCount())]
    return [[cell.text() for cell in row if cell is not None] for row in cells]


def type_in(dialog: RetimeDialog, row: int, column: int, text: str) -> None:
    item = dialog.table.item(row, column)
    assert item is not None
    item.setText(text)


def test_what_is_shown_without_a_curve_is_called_what_it_is(stage: Stage, dialog: RetimeDialog) -> None:
    assert "this is the whole clip" in dialog.words.text()
    stage.viewer.session.seek(Fraction(1))
    stage.viewer.session.mark_in()
    assert "this is the marked segment" in dialog.words.text()
    stage.viewer.session.clear_marks()
    assert "this is the whole clip" in dialog.words.text()


def test_the_marked_segment_is_proposed_and_numbers_are_typed(stage: Stage, dialog: RetimeDialog) -> None:
    planner = planner_of(stage)
    assert rows(dialog) == [["0", "0", "0"], ["2", "2", "0"]]
    assert planner.journey == Journey()
    assert not dialog.reset.isEnabled()
    dialog.add.click()
    type_in(dialog, 1, 1, "1/3")
    type_in(dialog, 1, 2, "0,5")
    assert str(planner.journey.curve) == "0=0 1=1/3~1/2 2=2"
    assert rows(dialog)[1] == ["1", "1/3", "0.5"]
    assert "1/3 to 5/3" in dialog.words.text()
    for column, text, words in (
        (1, "3", "ends at 2 s"),
        (0, "9", "does not come after"),
        (2, "x", "not a time"),
        (2, "50%", "not a time in seconds"),
    ):
        before = planner.journey
        type_in(dialog, 1, column, text)
        assert words in dialog.words.text()
        assert planner.journey == before
        assert rows(dialog)[1] == ["1", "1/3", "0.5"]
    dialog.table.selectRow(1)
    dialog.remove.click()
    assert len(rows(dialog)) == 2
    dialog.reset.click()
    assert planner.journey.curve is None


@pytest.mark.parametrize(("text", "shown"), [("f10", "0.4"), ("00:00:00:20", "0.8"), ("25%", "0.5"), ("0:01.5", "1.5")])
def test_the_clips_times_are_typed_in_any_form(stage: Stage, dialog: RetimeDialog, text: str, shown: str) -> None:
    dialog.add.click()
    type_in(dialog, 1, 1, text)
    assert rows(dialog)[1] == ["1", shown, "0"]


def test_points_are_dragged_and_each_drag_is_one_step_of_undo(stage: Stage, dialog: RetimeDialog) -> None:
    planner, history = planner_of(stage), stage.viewer.window.history
    dialog.add.click()
    steps = history.stack.index()
    handle = dialog.plot.handles[1]
    handle.setPos(0.5, 1.25)
    assert str(planner.journey.curve) == "0=0 1=1 2=2", "while it is dragged, nothing is set"
    handle.sigPositionChangeFinished.emit(handle)
    assert str(planner.journey.curve) == "0=0 1/2=5/4 2=2"
    assert history.stack.index() == steps + 1
    assert history.stack.undoText() == "change the retime curve"
    # Beyond its neighbour it makes no curve, and goes back.
    handle.setPos(2.5, 1)
    handle.sigPositionChangeFinished.emit(handle)
    assert str(planner.journey.curve) == "0=0 1/2=5/4 2=2"
    assert dialog.plot.handles[1].pos().x() == pytest.approx(0.5)
    # The first point stays at output time 0, and no point leaves the clip.
    first = dialog.plot.handles[0]
    first.setPos(0.7, 9)
    first.sigPositionChangeFinished.emit(first)
    assert str(planner.journey.curve) == "0=2 1/2=5/4 2=2"
    trigger(stage, "undo", "undo")
    assert str(planner.journey.curve) == "0=0 1=1 2=2"
    assert rows(dialog)[1] == ["1", "1", "0"]


def test_an_export_goes_along_the_curve_with_shutter_and_camera(stage: Stage) -> None:
    planner, session = planner_of(stage), stage.viewer.session
    trigger(stage, "export")
    stage.wait_for(lambda: stage.viewer.window.exports.dialog is not None)
    dialog = stage.viewer.window.exports.dialog
    assert dialog is not None
    assert dialog.form.segment.isEnabled()
    planner.set_curve(curve_from_text("0=0 1=1~1/2 2=3/2"))
    trigger(stage, "shutter-180", "camera-keyframe")
    session.seek(Fraction(1))
    session.zoom_to(session.view.zoom * 4)
    trigger(stage, "camera-keyframe")
    stage.wait_for(lambda: not dialog.form.segment.isEnabled())
    job = dialog.form.job
    assert Journey(job.curve, job.shutter, job.camera) == planner.journey
    assert job.shutter == 180
    assert job.segment == Segment(Fraction(0), Fraction(3, 2))
    assert all(
        words in dialog.form.summary.text() for words in ("Along the retime curve", "Shutter 180°", "keyframes: 2")
    )
    assert job.camera is not None
    first, second = job.camera.keyframes
    assert [first.time_secs, first.zoom, second.time_secs] == [0, 1, 1]
    assert second.zoom > 2
    trigger(stage, "annotations")
    listed = stage.viewer.window.side_windows.annotations
    assert listed is not None
    assert [listed.list.topLevelItem(row).text(0)[:6] for row in range(2)] == ["Camera"] * 2  # type: ignore[union-attr]
    second_row = listed.list.topLevelItem(1)
    assert second_row is not None
    listed.list.setCurrentItem(second_row)
    assert not listed.rename.isEnabled()
    listed.remove.click()
    assert list(planner.keyframes) == [first]
    session.seek(Fraction(0))
    trigger(stage, "camera-keyframe")
    assert planner.journey.camera is None
    trigger(stage, "undo", "undo")
    assert list(planner.keyframes) == [first, second]
    trigger(stage, "camera-clear")
    assert list(planner.keyframes) == []


def test_the_easing_is_chosen_in_the_menu_and_in_the_list(stage: Stage) -> None:
    planner, session, actions = planner_of(stage), stage.viewer.session, stage.viewer.window.actions_by_id
    easings = {easing: actions[f"camera-{easing.value}"] for easing in Easing}

    def checked() -> list[Easing]:
        return [easing for easing, action in easings.items() if action.isChecked()]

    trigger(stage, "camera-hold")
    assert (planner.keyframes, checked()) == ((), []), "there is no keyframe to go on from"
    for secs in (Fraction(1, 2), Fraction(1)):
        session.seek(secs)
        trigger(stage, "camera-keyframe")
    assert checked() == [Easing.SMOOTH]
    session.seek(Fraction(3, 4))
    trigger(stage, "camera-linear")
    assert [one.easing for one in planner.keyframes] == [Easing.LINEAR, Easing.SMOOTH]
    shown = []
    for secs in (Fraction(0), Fraction(1, 2), Fraction(1)):
        session.seek(secs)
        shown.append(checked())
    assert shown == [[], [Easing.LINEAR], [Easing.SMOOTH]]
    trigger(stage, "annotations")
    listed = stage.viewer.window.side_windows.annotations
    assert listed is not None
    assert not listed.easing.isEnabled()
    first_row = listed.list.topLevelItem(0)
    assert first_row is not None
    listed.list.setCurrentItem(first_row)
    assert (listed.easing.isEnabled(), listed.easing.currentData()) == (True, Easing.LINEAR)
    listed.easing.setCurrentIndex(list(Easing).index(Easing.HOLD))
    listed.easing.activated.emit(listed.easing.currentIndex())
    assert [one.easing for one in planner.keyframes] == [Easing.HOLD, Easing.SMOOTH]
    assert "with a jump" in listed.list.topLevelItem(0).text(0)  # type: ignore[union-attr]
    trigger(stage, "undo", "undo")
    assert [one.easing for one in planner.keyframes] == [Easing.SMOOTH, Easing.SMOOTH]
    assert checked() == [Easing.SMOOTH]


def test_the_view_at_rest_shows_the_shutter_and_undo_takes_it_back(stage: Stage) -> None:
    session, actions = stage.viewer.session, stage.viewer.window.actions_by_id
    session.seek(Fraction(1))
    trigger(stage, "shutter-180")
    assert session.clip is not None
    half = 1 / (4 * session.clip.info.fps)
    assert exposure_in(stage) == Segment(1 - half, 1 + half)
    stage.wait_until_complete()
    session.seek(Fraction(1, 2), moving=True)
    assert exposure_in(stage) is None, "drafts of a moving view need no exposure"
    trigger(stage, "undo")
    assert actions["shutter-0"].isChecked()
    assert not actions["shutter-180"].isChecked()
    assert exposure_in(stage) is None


def test_another_clip_begins_without_a_journey(stage: Stage, tmp_path: Path) -> None:
    trigger(stage, "shutter-90", "camera-keyframe")
    stage.open(str(tmp_path / "other.mp4"))
    stage.wait_until_complete()
    assert planner_of(stage).journey == Journey()
    assert exposure_in(stage) is None


def test_the_curve_is_drawn_through_its_exact_times(qtbot: QtBot) -> None:
    curve = curve_from_text("0=1 1=2~1/2 7/3=1/3~1/3 3=5")
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.draw(curve)
    outs, clips = plot.curve.getData()
    assert len(outs) > 200
    assert {float(piece.out_secs) for piece in curve.pieces} <= set(outs.tolist()), "no corner is cut off"
    assert np.allclose(clips, [float(curve.time(Fraction(out))) for out in outs.tolist()], rtol=0, atol=1e-9)
