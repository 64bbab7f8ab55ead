"""The comparisons on the screen: wipe, side by side, difference, blink; each against the pixels that it must show."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from helpers.screen import Shot, compare, corner, shot_of
from helpers.slow_frames import SlowFrames
from helpers.slow_renderer import Pace
from helpers.stage import Stage
from videoinr.types import RenderedRegion
from videoinr_viewer.picture.comparing import GAINS, Compare, Frames, Reference, reference_pixels


def reference_of(stage: Stage, full: RenderedRegion, reference: Reference) -> Shot:
    """The reference for the full picture, made by itself."""
    renderer, instant = stage.made[-1], full.query.instant
    second = SlowFrames(renderer.path).rgbx(instant.pair + 1)
    return reference_pixels(Frames(renderer.source(instant).rgbx, second), full.query, reference)


@pytest.fixture
def zoomed(stage: Stage) -> Stage:
    stage.viewer.session.seek(Fraction(131, 100))
    stage.viewer.session.zoom_to(16)
    stage.wait_until_complete()
    return stage


@pytest.mark.parametrize("reference", [Reference.NEAREST, Reference.BICUBIC, Reference.BLEND])
def test_a_wipe_shows_the_reference_left_of_its_line_and_the_decoded_picture_right_of_it(
    zoomed: Stage, reference: Reference
) -> None:
    full = compare(zoomed, Compare.WIPE, reference)
    shot, (left, top) = shot_of(zoomed), corner(zoomed, full)
    line = round(zoomed.viewer.window.frame_view.item.wipe_px() or 0)
    height, width = full.rgbx.shape[:2]
    seen = shot[max(top, 0) : top + height, max(left, 0) : left + width]
    wanted = reference_of(zoomed, full, reference)[-min(top, 0) :, -min(left, 0) :][: seen.shape[0], : seen.shape[1]]
    decoded = full.rgbx[-min(top, 0) :, -min(left, 0) :][: seen.shape[0], : seen.shape[1]]
    at = line - max(left, 0)
    assert 20 < at < seen.shape[1] - 20
    assert np.array_equal(seen[:, : at - 1, :3], wanted[:, : at - 1, :3])
    assert np.array_equal(seen[:, at + 2 :, :3], decoded[:, at + 2 :, :3])


def test_the_picture_of_a_view_that_comes_back_lies_on_top_at_once(stage: Stage) -> None:
    """Otherwise the comparison would be about the zoomed picture, which covers only a part of the view."""
    session, view = stage.viewer.session, stage.viewer.window.frame_view
    whole = view.full_for(session.last_query)
    session.zoom_to(16)
    stage.wait_until_complete()
    assert view.item.newest() is not whole
    session.fit()
    assert view.item.newest() is whole
    assert view.item.stack.regions == [whole], "it hides the others"


@pytest.mark.parametrize("zoom", [16.0, 1.7])
def test_side_by_side_shows_the_same_place_twice(stage: Stage, zoom: float) -> None:
    stage.viewer.session.seek(Fraction(131, 100))
    stage.viewer.session.zoom_to(zoom)
    full = compare(stage, Compare.SIDE_BY_SIDE, Reference.BICUBIC)
    shot, (left, top) = shot_of(stage), corner(stage, full)
    pane = stage.viewer.session.screen_px[0]
    assert pane == shot.shape[1] // 2
    rows = slice(max(top, 0), min(top + full.rgbx.shape[0], shot.shape[0]))
    columns = range(max(left, 0), min(left + full.rgbx.shape[1], pane))
    inner = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    wanted = reference_of(stage, full, Reference.BICUBIC)
    assert np.array_equal(shot[rows, columns.start : columns.stop, :3], wanted[inner][..., :3])
    assert np.array_equal(shot[rows, pane + columns.start : pane + columns.stop, :3], full.rgbx[inner][..., :3])


def test_zooming_in_the_right_half_keeps_the_point_under_the_mouse(stage: Stage) -> None:
    compare(stage, Compare.SIDE_BY_SIDE)
    view = stage.viewer.window.frame_view
    at = QPointF(view.width() * 0.75 + 31, view.height() / 2 + 12)
    before = view.clip_point(at)
    view._zoom(3.0, at)
    after = view.clip_point(at)
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) * stage.viewer.session.view.zoom < 0.51


def test_a_difference_shows_the_difference_times_the_gain(zoomed: Stage) -> None:
    full = compare(zoomed, Compare.DIFFERENCE, Reference.BLEND)
    comparison = zoomed.viewer.window.frame_view.comparison
    for gain in (GAINS[2], GAINS[3]):
        assert comparison.gain == gain
        zoomed.wait_for(lambda: comparison.is_complete)
        shot, (left, top) = shot_of(zoomed), corner(zoomed, full)
        wanted = np.abs(full.rgbx.astype(int) - reference_of(zoomed, full, Reference.BLEND)) * gain
        y, x = 100, 200
        assert (shot[y, x, :3] == np.minimum(wanted[y - top, x - left, :3], 255)).all()
        assert shot[y, x, :3].any()
        zoomed.viewer.window.modes.change_gain(1)


def test_blinking_shows_one_and_then_the_other(zoomed: Stage) -> None:
    compare(zoomed, Compare.BLINK)
    view = zoomed.viewer.window.frame_view
    seen = set()
    for _ in range(2):
        seen.add((view.overlays.badge.text(), int(shot_of(zoomed)[100, 200, 0])))
        before = view.item.blinks
        zoomed.wait_for(lambda before=before: view.item.blinks != before)  # type: ignore[misc]
    assert {name for name, _ in seen} == {"Source", "VideoINR"}
    assert len({value for _, value in seen}) == 2
    zoomed.viewer.window.modes.leave()
    assert view.compare is Compare.OFF
    assert not view.overlays.badge.isVisible()


def test_the_wipe_is_dragged_and_stays_on_its_place_in_the_picture(zoomed: Stage) -> None:
    compare(zoomed, Compare.WIPE)
    view, session = zoomed.viewer.window.frame_view, zoomed.viewer.session
    centre = session.view.centre
    start = QPoint(round(view.item.wipe_px() or 0), 200)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 11):
        QTest.mouseMove(view.viewport(), start + QPoint(12 * step, step))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(120, 10))
    assert session.view.centre == centre, "the picture does not move with the wipe"
    assert view.item.wipe_px() == pytest.approx(start.x() + 120, abs=0.6)
    place = view.item.wipe_x
    session.pan((33, 0))
    assert view.item.wipe_x == place
    assert view.item.wipe_px() == pytest.approx(start.x() + 153, abs=0.6)


def test_keys_move_the_wipe_and_begin_one(zoomed: Stage) -> None:
    modes, item = zoomed.viewer.window.modes, zoomed.viewer.window.frame_view.item
    modes.move_wipe(1)
    assert item.compare is Compare.WIPE
    place = item.wipe_x
    modes.move_wipe(-2)
    assert item.wipe_x < place


def test_a_comparison_of_a_slow_blend_never_blocks_and_ends_with_the_window(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(Pace(), frame_source=partial(SlowFrames, secs=0.1))
    stage.open()
    stage.wait_until_complete()
    stage.viewer.window.modes.set_compare(Compare.SIDE_BY_SIDE)
    stage.viewer.window.modes.set_reference(Reference.BLEND)
    for step in range(20):
        stage.viewer.session.seek(Fraction(step, 30))
        stage.qtbot.wait(10)
    stage.wait_until_complete()
    stage.wait_for(lambda: stage.viewer.window.frame_view.comparison.is_complete)


def test_badges_name_both_sides(zoomed: Stage) -> None:
    compare(zoomed, Compare.SIDE_BY_SIDE, Reference.BLEND)
    overlays = zoomed.viewer.window.frame_view.overlays
    texts = [label.text() for label in (overlays.badge, overlays.second_badge) if label.isVisible()]
    assert texts == ["Blend of both frames", "VideoINR"]
    compare(zoomed, Compare.DIFFERENCE, Reference.BICUBIC)
    assert overlays.badge.text() == "Difference from: Source, bicubic, ×4"
    assert not overlays.second_badge.isVisible()
    assert all(isinstance(label, QLabel) for label in (overlays.badge, overlays.second_badge))
