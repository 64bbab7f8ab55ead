"""The window of the rolling shutter: what it sets, what the view shows, undo, projects and the export."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette, QTransform

from helpers.stage import Stage
from videoinr.geometry import Readout, Rect, rect_on_grid
from videoinr.journey.shutter_region import ShutterRegion
from videoinr.types import ExposedPart, RenderRequest, Segment
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.journey.shutter_dialog import ShutterDialog
from videoinr_viewer.journey.shutter_outline import ShutterOutline
from videoinr_viewer.picture.picture_item import Pane
from videoinr_viewer.timeline.tick_slider import GROOVE_PX, HANDLE_RADIUS_PX


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
    assert window.status.shutter.text() == "rolling shutter 12.5 ms"
    assert not window.status.shutter.isHidden()
    assert dialog.slider.value() == 125
    assert window.history.stack.undoText() == "correct the rolling shutter"
    dialog.secs.setValue(-12.5)
    assert "The last row was read first" in dialog.words.text()
    for expected in (Fraction(1, 80), Fraction(0)):
        window.actions_by_id["undo"].trigger()
        assert planner.journey.readout == expected
    assert dialog.secs.value() == 0
    assert readout_in(stage) is None
    assert window.status.shutter.isHidden()


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
    # Its modules are imported first, unless another test had them imported.
    stage.wait_for(lambda: stage.viewer.window.exports.dialog is not None)
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


# ---- the region with a shutter of its own ----


def part_in(stage: Stage) -> ExposedPart | None:
    query = stage.viewer.session.last_query
    assert query is not None
    return query.part


def test_what_is_in_view_gets_a_shutter_of_its_own_that_is_changed_and_removed(
    stage: Stage, dialog: ShutterDialog
) -> None:
    planner, window, session = planner_of(stage), stage.viewer.window, stage.viewer.session
    assert not dialog.degrees.isEnabled()
    session.zoom_to(session.view.zoom * 4)
    dialog.take.click()
    region, clip = planner.journey.shutter_region, session.clip
    assert region is not None
    assert clip is not None
    assert region.degrees == 180
    assert region.rect.area < clip.info.grid.rect.area / 8
    assert window.status.shutter.text() == "own shutter in a region"
    assert str(region.rect.width) in dialog.region.text()
    part, query = part_in(stage), session.last_query
    assert part is not None
    assert query is not None
    assert part.rect == rect_on_grid(region.rect, clip.info.grid, query.grid)
    assert (part.exposure, query.exposure) == (Segment(Fraction(0), 1 / (4 * clip.info.fps)), None)
    dialog.degrees.setValue(90)
    assert planner.journey.shutter_region == replace(region, degrees=Fraction(90))
    assert window.history.stack.undoText() == "set the shutter of a region"
    session.fit()
    dialog.take.click()
    whole = planner.journey.shutter_region
    assert whole == ShutterRegion(clip.info.grid.rect, Fraction(90)), "it keeps its angle"
    window.actions_by_id["undo"].trigger()
    assert dialog.degrees.value() == 90
    dialog.remove.click()
    assert planner.journey.shutter_region is None
    assert part_in(stage) is None
    assert window.status.shutter.isHidden()


def test_the_action_of_the_region_scrolls_to_its_buttons(stage: Stage, dialog: ShutterDialog) -> None:
    dialog.resize(dialog.minimumSizeHint())
    stage.viewer.window.actions_by_id["shutter-region"].trigger()
    assert dialog.focusWidget() is dialog.take
    assert not dialog.take.visibleRegion().isEmpty()


def test_a_moving_view_is_not_exposed(stage: Stage, dialog: ShutterDialog) -> None:
    dialog.take.click()
    assert part_in(stage) is not None
    stage.viewer.session.seek(Fraction(1, 3), moving=True)
    assert part_in(stage) is None
    stage.viewer.session.settle()
    assert part_in(stage) is not None


def test_the_region_is_outlined_while_its_window_is_open(stage: Stage, dialog: ShutterDialog) -> None:
    planner, outline = planner_of(stage), ShutterOutline(planner_of(stage))
    planner.set_shutter_region(ShutterRegion(Rect(4, 2, 10, 8), Fraction(90)))

    def painted() -> set[tuple[int, int]]:
        image = QImage(40, 30, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.black)
        painter = QPainter(image)
        outline.paint(painter, Pane(QRectF(0, 0, 40, 30), QTransform(2, 0, 0, 2, 0, 0)), 1.0)
        painter.end()
        return {(x, y) for x in range(40) for y in range(30) if image.pixelColor(x, y) != QColor(Qt.GlobalColor.black)}

    there = painted()
    assert min(there)[0] in (7, 8)
    assert max(there)[0] in (28, 29)
    assert all(x < 11 or x > 25 or y < 7 or y > 17 for x, y in there), "nothing lies over the region itself"
    dialog.close()
    assert not planner.shows_region
    assert painted() == set()


def test_playback_and_export_have_the_region(stage: Stage) -> None:
    stage.viewer.window.actions_by_id["export"].trigger()
    # Its modules are imported first, unless another test had them imported.
    stage.wait_for(lambda: stage.viewer.window.exports.dialog is not None)
    form = stage.viewer.window.exports.dialog
    assert form is not None
    region = ShutterRegion(Rect(4, 2, 10, 8), Fraction(90))
    planner_of(stage).set_shutter_region(region)
    stage.wait_for(lambda: "Shutter of 90° in a region." in form.form.summary.text())
    assert form.form.job.shutter_region == region
    cache = stage.viewer.play_cache
    stage.wait_for(lambda: cache.plan is not None and cache.plan.shutter.inside is not None)
    plan, clip = cache.plan, stage.viewer.session.clip
    assert plan is not None
    assert clip is not None
    part = plan.query(1).part
    assert part is not None
    assert part.rect == rect_on_grid(region.rect, clip.info.grid, plan.grid)
    planner_of(stage).set_shutter_region(ShutterRegion(Rect(0, 0, 5000, 8), Fraction(90)))
    assert part_in(stage) is None, "it leaves the clip"


def test_the_slider_is_filled_from_its_middle(stage: Stage, dialog: ShutterDialog) -> None:
    slider = dialog.slider

    def filled() -> tuple[float, float] | None:
        shot = slider.grab().toImage()
        ink = slider.palette().color(QPalette.ColorRole.Highlight)
        row = [x for x in range(shot.width()) if shot.pixelColor(x, slider.groove_y_px) == ink]
        # The handle is painted in the same colour.
        at = slider.x_from_tick(slider.value())
        row = [x for x in row if abs(x - at) > HANDLE_RADIUS_PX + 3]
        return (min(row), max(row)) if row else None

    assert filled() is None
    for msecs in (30, -30):
        dialog.secs.setValue(msecs)
        ends = filled()
        assert ends is not None
        middle = slider.width() / 2
        assert ends[msecs < 0] == pytest.approx(middle, abs=GROOVE_PX)
        assert all((x - middle) * msecs > -GROOVE_PX * abs(msecs) for x in ends)


def test_what_is_not_corrected_says_so(stage: Stage, dialog: ShutterDialog) -> None:
    window, planner = stage.viewer.window, planner_of(stage)
    note = "rolling shutter not corrected"
    for name in ("compare-side-by-side", "flow-colours"):
        window.actions_by_id[name].trigger()
    window.actions_by_id["slice"].trigger()
    stage.wait_for(lambda: window.slicing.dock is not None and window.slicing.dock.isVisible())
    dock, overlays = window.slicing.dock, window.frame_view.overlays
    assert dock is not None

    def told() -> str:
        return "\n".join([overlays.badge.text(), window.inspections.legend.accessibleName(), dock.windowTitle()])

    assert note not in told()
    planner.set_readout(Fraction(1, 80))
    assert told().count(note) == 3
    window.actions_by_id["against-blend"].trigger()
    assert overlays.badge.text() == f"Blend of both frames, {note}"
    assert overlays.second_badge.text() == "VideoINR"
    window.frame_view.set_source_only(True)
    assert overlays.badge.text() == f"Source, {note}"
    window.frame_view.set_source_only(False)
    for name in ("flow-off", "leave"):
        window.actions_by_id[name].trigger()
    assert not window.inspections.legend.parts
    planner.set_readout(Fraction(0))
    assert note not in told()


def test_the_dialog_opens_beside_the_middle_of_the_picture_and_stays_where_it_is_put(stage: Stage) -> None:
    window = stage.viewer.window
    window.actions_by_id["rolling-shutter"].trigger()
    dialog = window.side_windows.shutter
    assert dialog is not None
    seen = window.geometry() & window.screen().availableGeometry()
    assert dialog.geometry().center().x() > seen.center().x() + 100
    assert dialog.frameGeometry().right() < seen.right()
    dialog.move(7, 9)
    dialog.hide()
    dialog.show()
    assert (dialog.x(), dialog.y()) == (7, 9)
