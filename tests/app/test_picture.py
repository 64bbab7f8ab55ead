"""The picture on the screen: drafts during movement, the full picture at rest, pixel positions, zoom and pan."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from helpers.slow_renderer import SOURCE_STEP, Pace
from helpers.stage import Stage
from videoinr.types import Instant, Quality
from videoinr_viewer.picture.comparing import Compare
from videoinr_viewer.picture.navigation import clip_point

SLOW = Pace(secs_per_pixel=2e-6, encode_secs=0.02)
"""A third of a second for the whole view, so that drafts come first."""

NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def wheel(stage: Stage, at: QPoint, notches: int, modifiers: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    viewport = stage.viewer.window.frame_view.viewport()
    event = QWheelEvent(
        QPointF(at), QPointF(viewport.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)


def drag(stage: Stage, start: QPoint, *moves: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    viewport = stage.viewer.window.frame_view.viewport()
    QTest.mousePress(viewport, button, pos=start)
    for point in moves:
        QTest.mouseMove(viewport, point)
    QTest.mouseRelease(viewport, button, pos=moves[-1])


def picture_of(stage: Stage) -> QImage:
    image: QImage = stage.viewer.window.frame_view.grab().toImage()
    return image


def expected_colour(stage: Stage, at: QPoint) -> QColor:
    """Return the gradient renderer's colour under the screen point ``at`` at the current time."""
    session, renderer = stage.viewer.session, stage.made[-1]
    ratio = stage.viewer.window.devicePixelRatioF()
    point = ((at.x() + 0.5) * ratio, (at.y() + 0.5) * ratio)
    x, y = clip_point(session.drawn_view, session.screen_px, point)
    instant = renderer.timeline.instant_from_time(session.view.time_secs)
    position = (instant.pair + instant.phase) / renderer.frames
    return QColor(int(x / renderer.width * 255), int(y / renderer.height * 255), int(position * 255))


def differ(a: QColor, b: QColor) -> int:
    return max(abs(a.red() - b.red()), abs(a.green() - b.green()), abs(a.blue() - b.blue()))


def test_the_screen_shows_the_right_pixels_at_the_right_place(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(13, 10))
    for zoom in (1.0, 3.3, 8.0, 0.7):
        stage.viewer.session.zoom_to(zoom)
        stage.wait_until_complete()
        shot = picture_of(stage)
        middle = QPoint(shot.width() // 2, shot.height() // 2)
        for offset in (QPoint(0, 0), QPoint(20, 15), QPoint(-25, -20)):
            point = middle + offset
            assert differ(shot.pixelColor(point), expected_colour(stage, point)) <= 3, (zoom, point)


def test_a_decoded_picture_is_drawn_without_resampling(stage: Stage) -> None:
    stage.viewer.session.zoom_to(3.37)
    stage.wait_until_complete()
    query = stage.viewer.session.last_query
    region = stage.viewer.window.frame_view.full_for(query)
    assert region is not None
    shot = picture_of(stage).convertToFormat(QImage.Format.Format_RGBX8888)
    left = round(stage.viewer.session.screen_px[0] / 2 - stage.viewer.session.drawn_view.centre[0] * 3.37)
    top = round(stage.viewer.session.screen_px[1] / 2 - stage.viewer.session.drawn_view.centre[1] * 3.37)
    x, y = region.query.rect.x + left, region.query.rect.y + top
    for column, row in [(0, 0), (100, 57), (250, 140)]:
        red, green, blue, _ = (int(value) for value in region.rgbx[row, column])
        assert shot.pixelColor(x + column, y + row) == QColor(red, green, blue)


def test_dragging_the_slider_shows_motion_drafts_and_then_the_full_picture_of_the_last_instant(
    stage_of: Callable[[Pace], Stage],
) -> None:
    stage = stage_of(SLOW)
    stage.open()
    stage.wait_until_complete()
    stage.shown.clear()
    overview = stage.viewer.window.timeline.overview
    QTest.mousePress(overview, Qt.MouseButton.LeftButton, pos=QPoint(100, overview.groove_y_px))
    blank = picture_of(stage).pixelColor(1, 1)
    for x in range(100, 160):
        QTest.mouseMove(overview, QPoint(x, overview.groove_y_px))
        stage.qtbot.wait(20)
        shot = picture_of(stage)
        assert shot.pixelColor(shot.width() // 2, shot.height() // 2) != blank, "the last picture must stay"
    while_moving = stage.qualities()
    QTest.mouseRelease(overview, Qt.MouseButton.LeftButton, pos=QPoint(160, overview.groove_y_px))
    stage.wait_until_complete()
    # A draft would be softer than the source frames at this speed.
    assert while_moving.count(Quality.MOTION) >= 4
    assert not while_moving.count(Quality.DRAFT)
    fulls = [region for region in stage.shown if region.quality is Quality.FULL]
    assert fulls[-1].query == stage.viewer.session.last_query
    assert len(fulls) <= 4, "full pictures of earlier instants must be cancelled"


def test_a_source_frame_does_not_cover_the_picture(stage: Stage) -> None:
    stage.shown.clear()
    stage.viewer.session.seek(Fraction(1))
    stage.wait_until_complete()
    # The opened clip's last request may be answered only now.
    shown = [region.quality for region in stage.shown if region.query.instant == Instant(25, Fraction(0))]
    assert shown[0] is Quality.SOURCE
    assert shown[-1] is Quality.FULL
    view = stage.viewer.window.frame_view
    source = next(region for region in stage.shown if region.quality is Quality.SOURCE)
    view.show_region(source)
    full = view.full_for(stage.viewer.session.last_query)
    assert full is not None
    picture_of(stage)
    assert view.item.drawn == (full,)


def test_the_wheel_zooms_at_the_mouse(stage: Stage) -> None:
    at = QPoint(300, 200)
    before = picture_of(stage).pixelColor(at)
    zoom = stage.viewer.session.view.zoom
    wheel(stage, at, 4)
    assert stage.viewer.session.view.zoom == pytest.approx(2 * zoom)
    stage.wait_until_complete()
    assert differ(picture_of(stage).pixelColor(at), before) <= 2
    wheel(stage, at, -4)
    assert stage.viewer.session.view.zoom == pytest.approx(zoom)


def test_a_wheel_that_was_not_turned_moves_nothing(stage: Stage) -> None:
    view = stage.viewer.session.view
    for modifiers in (NO_MODIFIER, Qt.KeyboardModifier.ShiftModifier):
        wheel(stage, QPoint(300, 200), 0, modifiers)
    assert stage.viewer.session.view == view


def test_a_drag_whose_release_went_elsewhere_ends_with_the_next_move(stage: Stage) -> None:
    frame_view, session = stage.viewer.window.frame_view, stage.viewer.session
    wheel(stage, QPoint(300, 200), 8)
    view, at = session.view, QPointF(300, 200)

    def send(kind: QEvent.Type, by: float, held: Qt.MouseButton) -> None:
        button = Qt.MouseButton.LeftButton if kind is QEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        place = at + QPointF(by, 0)
        event = QMouseEvent(kind, place, frame_view.mapToGlobal(place), button, held, NO_MODIFIER)
        QApplication.sendEvent(frame_view.viewport(), event)

    send(QEvent.Type.MouseButtonPress, 0, Qt.MouseButton.LeftButton)
    send(QEvent.Type.MouseMove, 40, Qt.MouseButton.LeftButton)
    panned = session.view
    assert panned != view
    for by in (80, 120):
        send(QEvent.Type.MouseMove, by, Qt.MouseButton.NoButton)
    assert session.view == panned


def test_shift_and_wheel_move_in_time(stage: Stage) -> None:
    wheel(stage, QPoint(300, 200), 1, Qt.KeyboardModifier.ShiftModifier)
    assert stage.viewer.session.view.time_secs == Fraction(1, 25) / 16


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton])
def test_dragging_pans_with_the_mouse(stage: Stage, button: Qt.MouseButton) -> None:
    stage.viewer.session.zoom_to(8)
    stage.wait_until_complete()
    x, y = stage.viewer.session.view.centre
    drag(stage, QPoint(300, 200), QPoint(320, 210), QPoint(340, 230), QPoint(360, 237), button=button)
    ratio = stage.viewer.window.devicePixelRatioF()
    assert stage.viewer.session.view.centre == pytest.approx((x - 60 * ratio / 8, y - 37 * ratio / 8))
    assert not stage.requests[-1].moving


def test_a_press_whose_release_went_elsewhere_hinders_no_later_drag(stage: Stage) -> None:
    stage.viewer.session.zoom_to(4)
    viewport = stage.viewer.window.frame_view.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    # A dialog took the release, so that the view did not see it.
    before = stage.viewer.session.view.centre
    drag(stage, QPoint(300, 200), QPoint(340, 200), button=Qt.MouseButton.LeftButton)
    assert stage.viewer.session.view.centre[0] == pytest.approx(before[0] - 10)
    drag(stage, QPoint(300, 200), QPoint(302, 201))
    assert stage.viewer.session.view.centre[0] == pytest.approx(before[0] - 10), "that was a click"


def test_panning_keeps_the_full_picture(stage_of: Callable[[Pace], Stage]) -> None:
    stage = stage_of(SLOW)
    stage.open()
    stage.viewer.session.zoom_to(8)
    stage.wait_until_complete()
    full = stage.viewer.window.frame_view.full_for(stage.viewer.session.last_query)
    stage.viewer.session.pan((30, 0))
    stage.qtbot.wait(50)
    assert full in stage.viewer.window.frame_view.item.stack.regions
    assert not stage.is_complete()
    stage.wait_until_complete()


def test_holding_tab_shows_the_source(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(13, 10))
    stage.wait_until_complete()
    handle = stage.viewer.window.windowHandle()
    assert handle is not None
    middle = QPoint(450, 200)
    decoded = picture_of(stage).pixelColor(middle)
    QTest.keyPress(handle, Qt.Key.Key_Tab)
    source = picture_of(stage).pixelColor(middle)
    QTest.keyRelease(handle, Qt.Key.Key_Tab)
    assert abs(decoded.red() - source.red() - SOURCE_STEP) <= 2
    assert picture_of(stage).pixelColor(middle) == decoded


def test_tab_does_not_show_the_source_from_a_text_field(stage: Stage) -> None:
    stage.viewer.window.timeline.transport.time_field.begin()
    handle = stage.viewer.window.windowHandle()
    assert handle is not None
    QTest.keyPress(handle, Qt.Key.Key_Tab)
    assert not stage.viewer.window.frame_view.item.source_only
    QTest.keyRelease(handle, Qt.Key.Key_Tab)


def test_a_wipe_shows_the_source_on_the_left(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(13, 10))
    stage.wait_until_complete()
    before = picture_of(stage)
    stage.viewer.window.frame_view.comparison.set_mode(Compare.WIPE)
    wiped = picture_of(stage)
    left, right = QPoint(350, 250), QPoint(550, 250)
    assert wiped.pixelColor(right) == before.pixelColor(right)
    assert before.pixelColor(left).red() - wiped.pixelColor(left).red() == pytest.approx(SOURCE_STEP, abs=2)


def test_a_wipe_paints_nothing_beside_the_picture(stage: Stage) -> None:
    """Qt redraws no more than the picture when the line moves, so a line in the margin would stay there."""
    view = stage.viewer.window.frame_view
    stage.viewer.session.zoom_to(1)
    stage.wait_until_complete()
    view.comparison.set_mode(Compare.WIPE)
    shot = picture_of(stage)
    top = (shot.height() - 90) // 2 - 3
    for y in (0, top // 2, top, shot.height() - 1):
        assert {shot.pixelColor(x, y).rgb() for x in range(shot.width())} == {shot.pixelColor(0, 0).rgb()}


def test_a_wipe_follows_the_mouse(stage: Stage) -> None:
    view = stage.viewer.window.frame_view
    view.comparison.set_mode(Compare.WIPE_FOLLOWS)
    at = QPoint(view.width() // 4, 100)
    QTest.mouseMove(view.viewport(), at)
    assert view.item.wipe_x == pytest.approx(view.clip_point(QPointF(at))[0], abs=0.01)


def test_resizing_the_window_fits_the_picture_again(stage: Stage) -> None:
    zoom = stage.viewer.session.view.zoom
    stage.viewer.window.resize(1200, 800)
    stage.wait_for(lambda: stage.viewer.session.view.zoom > zoom)
    stage.wait_until_complete()
    shot = picture_of(stage)
    point = QPoint(shot.width() // 2, shot.height() // 2)
    assert differ(shot.pixelColor(point), expected_colour(stage, point)) <= 3
