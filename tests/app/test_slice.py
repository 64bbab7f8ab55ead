"""The x-t slice in the window: its line, its panel, and the click that goes to a time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from PySide6.QtCore import QLocale, QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from helpers.slow_renderer import gradient
from helpers.stage import Stage
from videoinr.render.slicing import line_pixels
from videoinr.types import RegionQuery
from videoinr_viewer.inspection.slice_dock import SliceDock


def start(stage: Stage) -> SliceDock:
    stage.viewer.window.actions_by_id["slice"].trigger()
    stage.wait_for(lambda: stage.viewer.window.slicing.is_complete)
    dock = stage.viewer.window.slicing.dock
    assert dock is not None
    return dock


def test_x_slices_along_the_middle_of_the_view_and_shows_the_decoded_pixels(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1))
    stage.wait_until_complete()
    dock = start(stage)
    plan = dock._plan
    assert plan is not None
    assert dock.isVisible()
    assert plan.line == ((0.0, 45.0), (160.0, 45.0))
    assert (plan.first, plan.last) == (19, 31)
    assert stage.viewer.window.actions_by_id["slice"].isChecked()
    pixels = line_pixels(plan.line, stage.made[-1].opened.info.grid, plan.grid)
    assert dock.pixels.shape == (plan.columns, len(pixels), 3)
    for column in (0, 3, plan.columns - 1):
        instant = plan.instant(column)
        picture = gradient(RegionQuery(instant, plan.grid, plan.grid.rect), instant.position / 50)
        assert np.array_equal(dock.pixels[column], picture[pixels[:, 1], pixels[:, 0], :3])
    assert dock.now.value() == 25
    assert "8 instants a frame" in dock.windowTitle()


def test_a_drag_draws_another_line(stage: Stage) -> None:
    dock, view = start(stage), stage.viewer.window.frame_view
    centre = stage.viewer.session.view.centre
    box = view.item.frame_box(view.item.panes()[0]).toRect()
    ends = box.topLeft() + QPoint(8, 7), box.bottomRight() - QPoint(20, 10)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=ends[0])
    QTest.mouseMove(view.viewport(), ends[1])
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=ends[1])
    stage.wait_for(lambda: stage.viewer.window.slicing.is_complete)
    plan = dock._plan
    assert plan is not None
    assert plan.line == (view.clip_point(QPointF(ends[0])), view.clip_point(QPointF(ends[1])))
    assert stage.viewer.window.slicing.overlay.line == plan.line
    assert stage.viewer.session.view.centre == centre
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert dock._plan is plan, "a click draws no line"


def test_a_click_in_the_slice_goes_to_its_time(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1))
    stage.wait_until_complete()
    dock = start(stage)
    box = dock.plot.box
    at = dock.plot.mapFromScene(box.mapViewToScene(QPointF(22.25, 40)))
    QTest.mouseClick(dock.plot.viewport(), Qt.MouseButton.LeftButton, pos=at)
    stage.wait_for(lambda: stage.viewer.session.view.time_secs != 1)
    position = stage.viewer.session.clip.timeline.instant_from_time(  # type: ignore[union-attr]
        stage.viewer.session.view.time_secs
    ).position
    assert position == Fraction(89, 4)
    assert dock.now.value() == 22.25


def test_the_marked_stretch_is_what_is_sliced(stage: Stage) -> None:
    session = stage.viewer.session
    session.seek(Fraction(2, 5))
    session.mark_in()
    session.seek(Fraction(4, 5))
    session.mark_out()
    dock = start(stage)
    plan = dock._plan
    assert plan is not None
    assert (plan.first, plan.last) == (10, 19)


def test_the_numbers_of_the_axis_have_the_decimal_sign_of_the_language(stage: Stage) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale("de"))
    try:
        axis = start(stage).plot.axis
        assert axis.tickStrings([4.0, 4.5], 1.0, 0.5) == ["4", "4,5"]
        assert axis.tickStrings([0.0, 10.0, 100.0], 1.0, 10.0) == ["0", "10", "100"]
    finally:
        QLocale.setDefault(before)


def test_the_slice_ends_with_its_key_its_panel_the_clip_or_another_tool(stage: Stage) -> None:
    window = stage.viewer.window
    first = start(stage)
    window.actions_by_id["slice"].trigger()
    for end in (
        lambda: window.actions_by_id["slice"].trigger(),
        first.close,
        lambda: window.actions_by_id["trajectory"].trigger(),
        lambda: window.modes.leave(),
    ):
        dock = start(stage)
        assert dock.isVisible()
        end()
        assert not dock.isVisible()
        assert window.slicing.overlay.line is None
        assert not window.actions_by_id["slice"].isChecked()
    assert not window.inspections.follows_point, "one tool at a time"
