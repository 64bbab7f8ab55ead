"""What lies over and around the picture: pixel values, minimap, grid of pixels, checkerboard."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from helpers.slow_renderer import SOURCE_STEP
from helpers.stage import Stage
from videoinr_viewer.picture.readout import MARGIN_PX
from videoinr_viewer.picture.start_view import StartView


def trigger(stage: Stage, name: str) -> None:
    stage.viewer.window.actions_by_id[name].trigger()


def test_the_values_under_the_mouse_are_those_of_the_screen_and_of_the_source(stage: Stage) -> None:
    session, view = stage.viewer.session, stage.viewer.window.frame_view
    session.seek(Fraction(131, 100))
    session.zoom_to(8)
    stage.wait_until_complete()
    readout, at = view.overlays.readout, QPoint(420, 160)
    QTest.mouseMove(view.viewport(), at)
    assert readout.isVisible()
    shot = view.grab().toImage().pixelColor(at)
    x, y = view.clip_point(QPointF(at) + QPointF(0.5, 0.5))  # the middle of the pixel
    words = readout.text().split()
    assert float(words[1]) == pytest.approx(x, abs=0.01)
    assert float(words[3]) == pytest.approx(y, abs=0.01)
    assert words[5] == "0:01.310"
    assert [int(word) for word in words[7:10]] == [shot.red(), shot.green(), shot.blue()]
    source = stage.made[-1].source(stage.shown[-1].query.instant).rgbx
    assert [int(word) for word in words[11:14]] == source[int(y), int(x), :3].tolist()
    assert shot.red() - int(words[11]) == pytest.approx(SOURCE_STEP, abs=2)


def test_the_values_follow_the_picture_under_a_resting_mouse(stage: Stage) -> None:
    session, view = stage.viewer.session, stage.viewer.window.frame_view
    QTest.mouseMove(view.viewport(), QPoint(431, 171))
    before = view.overlays.readout.text()
    session.seek(Fraction(3, 2))
    stage.wait_until_complete()
    stage.wait_for(lambda: view.overlays.readout.text() != before)
    assert "t 0:01.500" in view.overlays.readout.text()


def test_there_are_no_values_beside_the_picture_or_without_the_mouse(stage: Stage) -> None:
    view = stage.viewer.window.frame_view
    stage.viewer.session.zoom_to(1)
    stage.wait_until_complete()
    QTest.mouseMove(view.viewport(), QPoint(5, 5))
    assert not view.overlays.readout.isVisible()
    middle = view.viewport().rect().center()
    QTest.mouseMove(view.viewport(), middle)
    assert view.overlays.readout.isVisible()
    trigger(stage, "pixel-values")
    assert not view.overlays.readout.isVisible()
    trigger(stage, "pixel-values")
    assert view.overlays.readout.isVisible()
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert not view.overlays.readout.isVisible()


def test_the_values_keep_away_from_the_mouse(stage: Stage) -> None:
    view = stage.viewer.window.frame_view
    readout = view.overlays.readout
    corner = QPoint(MARGIN_PX + 100, view.height() - MARGIN_PX - 8)
    QTest.mouseMove(view.viewport(), corner)
    assert not readout.geometry().contains(corner)


def test_the_minimap_shows_the_visible_part_while_the_view_is_zoomed(stage: Stage) -> None:
    session, view = stage.viewer.session, stage.viewer.window.frame_view
    minimap = view.overlays.minimap
    assert not minimap.isVisible(), "the fitted picture is visible as a whole"
    session.zoom_to(16)
    stage.wait_until_complete()
    assert minimap.isVisible()
    assert minimap.geometry().bottomRight() == view.rect().adjusted(0, 0, -MARGIN_PX, -MARGIN_PX).bottomRight()
    share = session.screen_px[0] / (16 * stage.made[-1].width)
    assert minimap._box().width() / minimap.width() == pytest.approx(share, abs=0.01)
    shot = minimap.grab().toImage()
    assert shot.pixelColor(shot.width() - 4, 8).red() > shot.pixelColor(4, 8).red(), "it shows the frame"
    trigger(stage, "minimap")
    assert not minimap.isVisible()


def test_dragging_in_the_minimap_moves_the_view(stage: Stage) -> None:
    session, minimap = stage.viewer.session, stage.viewer.window.frame_view.overlays.minimap
    session.zoom_to(16)
    stage.wait_until_complete()
    QTest.mousePress(minimap, Qt.MouseButton.LeftButton, pos=QPoint(minimap.width() // 4, minimap.height() // 2))
    assert session.view.centre[0] == pytest.approx(stage.made[-1].width / 4, abs=1)
    QTest.mouseMove(minimap, QPoint(minimap.width() // 2, minimap.height() // 4))
    QTest.mouseRelease(minimap, Qt.MouseButton.LeftButton, pos=QPoint(minimap.width() // 2, minimap.height() // 4))
    assert not stage.requests[-1].moving
    assert session.view.zoom == 16


def test_the_grid_has_a_line_between_all_source_pixels_from_x8_on(stage: Stage) -> None:
    session, view = stage.viewer.session, stage.viewer.window.frame_view
    session.zoom_to(16)
    stage.wait_until_complete()
    plain = view.grab().toImage()
    trigger(stage, "pixel-grid")
    lined = view.grab().toImage()
    y = next(y for y in range(200, 240) if (y - view.item.panes()[0].physical.dy()) % 16 == 8)
    changed = [x for x in range(plain.width()) if plain.pixelColor(x, y) != lined.pixelColor(x, y)]
    left = round(view.item.panes()[0].physical.dx())
    assert len(changed) >= plain.width() // 16 - 1
    assert {(x - left) % 16 for x in changed} == {0}
    session.zoom_to(4)
    stage.wait_until_complete()
    low = view.grab().toImage()
    trigger(stage, "pixel-grid")
    assert view.grab().toImage() == low, "below x8 there is no grid"


def test_a_checkerboard_lies_around_the_picture(stage: Stage) -> None:
    view = stage.viewer.window.frame_view
    stage.viewer.session.zoom_to(1)
    stage.wait_until_complete()

    def colours() -> int:
        shot = view.grab().toImage()
        return len({shot.pixelColor(x, 3).rgb() for x in range(shot.width())})

    assert colours() == 1
    trigger(stage, "checkerboard")
    assert colours() == 2


def test_the_place_in_the_picture_is_kept_across_clips_of_one_size(stage: Stage) -> None:
    session = stage.viewer.session
    session.zoom_to(8)
    session.pan((40, 20))
    zoom, centre = session.view.zoom, session.view.centre
    stage.viewer.session.open(stage.made[-1].path.with_name("same size.mp4"))
    stage.wait_for(lambda: len(stage.made) == 2)
    stage.wait_until_complete()
    assert (session.view.zoom, session.view.centre) == (zoom, centre)
    session.fit()
    session.open(stage.made[-1].path.with_name("third.mp4"), StartView(zoom=4.0))
    stage.wait_for(lambda: len(stage.made) == 3)
    stage.wait_until_complete()
    assert session.view.zoom == 4


def test_the_box_of_the_minimap_can_be_seen_at_any_zoom(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of()
    stage.open()
    minimap = stage.viewer.window.frame_view.overlays.minimap
    minimap.look(QRectF(80, 45, 0.01, 0.01))
    assert minimap._box().width() >= 3
