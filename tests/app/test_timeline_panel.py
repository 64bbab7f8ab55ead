"""The two sliders and the time field."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from helpers.stage import Stage
from videoinr.timeline import Timeline
from videoinr.types import Instant
from videoinr_viewer.player import SPEEDS
from videoinr_viewer.timeline.overview import MAX_TICKS, TICKS_PER_FRAME, ticks_of
from videoinr_viewer.timeline.ruler import format_label, label_step_secs, multiples
from videoinr_viewer.timeline.speed_box import format_speed
from videoinr_viewer.timeline.tick_slider import TickSlider

FRAME = Fraction(1, 25)


def drag(slider: TickSlider, *shares: float) -> None:
    """Press at the first share of the groove, move over the others and release at the last."""
    y = slider.groove_y_px
    points = [QPoint(round(slider.x_from_tick(slider.minimum() + s * (slider.maximum() - slider.minimum()))), y)
              for s in shares]  # fmt: skip
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(slider, point)
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=points[-1])


def test_dragging_the_overview_moves_through_the_clip(stage: Stage) -> None:
    stage.requests.clear()
    drag(stage.viewer.window.timeline.overview, 0.1, 0.3, 0.5)
    assert abs(stage.viewer.session.view.time_secs - 1) < Fraction(1, 100)
    assert stage.requests[0].moving
    assert not stage.requests[-1].moving, "at rest the full picture is asked for at once"


def test_the_pair_slider_stays_within_its_pair(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1))
    slider = stage.viewer.window.timeline.pair_slider
    drag(slider, 0.0, 0.5)
    instant = Timeline.constant(50, Fraction(25)).instant_from_time(stage.viewer.session.view.time_secs)
    assert instant.pair == 25
    assert abs(instant.phase - Fraction(1, 2)) < Fraction(1, 100)
    drag(slider, 0.5, 1.0)
    assert 1 < stage.viewer.session.view.time_secs < 1 + FRAME


def test_the_sliders_follow_the_time_without_signals(stage: Stage) -> None:
    timeline = stage.viewer.window.timeline
    stage.viewer.session.seek(Fraction(1) + FRAME / 4)
    assert timeline.overview.value() == round((25 + 0.25) * TICKS_PER_FRAME)
    assert timeline.pair_slider.instant == Instant(25, Fraction(1, 4))
    assert stage.viewer.session.view.time_secs == 1 + FRAME / 4


@pytest.mark.parametrize(
    ("key", "step"), [(Qt.Key.Key_Up, FRAME / 16), (Qt.Key.Key_Down, -FRAME / 16), (Qt.Key.Key_PageUp, Fraction(1, 1)),
                      (Qt.Key.Key_PageDown, Fraction(-1, 1))],
)  # fmt: skip
def test_the_overview_works_by_keyboard(stage: Stage, key: Qt.Key, step: Fraction) -> None:
    stage.viewer.session.seek(Fraction(1))
    QTest.keyClick(stage.viewer.window.timeline.overview, key)
    assert stage.viewer.session.view.time_secs == 1 + step


def test_the_pair_slider_works_by_keyboard(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1))
    slider = stage.viewer.window.timeline.pair_slider
    QTest.keyClick(slider, Qt.Key.Key_PageUp)
    assert stage.viewer.session.view.time_secs == 1 + FRAME / 16
    QTest.keyClick(slider, Qt.Key.Key_Up)
    assert stage.viewer.session.view.time_secs == 1 + FRAME / 16 + FRAME / TICKS_PER_FRAME


def test_a_screen_reader_gets_the_time_and_the_frame(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1) + FRAME / 4)
    for slider in (stage.viewer.window.timeline.overview, stage.viewer.window.timeline.pair_slider):
        assert slider.accessibleName()
        assert slider.accessibleDescription() == "0:01.010, frame 25 + 0.250"


def test_the_time_field_goes_to_the_typed_time(stage: Stage) -> None:
    field = stage.viewer.window.timeline.transport.time_field
    stage.viewer.window.actions_by_id["go-to-time"].trigger()
    assert field.hasFocus()
    QTest.keyClicks(field, "f 10.5")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert stage.viewer.session.view.time_secs == FRAME * Fraction(21, 2)
    assert field.text() == "0:00.420"
    assert not field.hasFocus()


def test_the_time_field_takes_timecode_and_says_why_it_takes_none(stage: Stage) -> None:
    field = stage.viewer.window.timeline.transport.time_field
    field.begin()
    QTest.keyClicks(field, "00:00:01;05")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.hasFocus()
    assert "Drop-frame" in QToolTip.text()
    QToolTip.hideText()
    field.selectAll()
    QTest.keyClicks(field, "00:00:01:05")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert stage.viewer.session.view.time_secs == 30 * FRAME


def test_typing_into_the_time_field_triggers_no_shortcut(stage: Stage) -> None:
    field = stage.viewer.window.timeline.transport.time_field
    field.begin()
    handle = stage.viewer.window.windowHandle()
    assert handle is not None
    for key in (Qt.Key.Key_F, Qt.Key.Key_1, Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_2):
        QTest.keyClick(handle, key)
    assert field.text() == "2f1"
    assert stage.viewer.session.is_fitted
    assert stage.viewer.session.view.time_secs == 0


def test_the_duration_gives_way_to_the_time_in_a_narrow_window(stage: Stage) -> None:
    transport = stage.viewer.window.timeline.transport
    stage.viewer.window.resize(640, 400)
    transport.time_field.setFixedWidth(170)  # as with a large font
    transport.layout().activate()  # type: ignore[union-attr]
    stage.qtbot.wait(1)
    assert transport.time_field.geometry().right() < transport.duration.geometry().left()
    assert transport.duration.geometry().right() < transport._buttons["start"].geometry().left()


def test_time_runs_from_left_to_right_where_the_language_does_not(stage: Stage, qapp: QApplication) -> None:
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        panel = stage.viewer.window.timeline
        panel.layout().activate()  # type: ignore[union-attr]
        assert stage.viewer.window.layoutDirection() == Qt.LayoutDirection.RightToLeft
        assert panel._first.x() < panel.pair_slider.x() < panel._second.x()
        buttons = panel.transport._buttons
        assert buttons["start"].x() < buttons["play"].x() < buttons["end"].x()
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_invalid_text_and_escape_change_nothing(stage: Stage) -> None:
    field = stage.viewer.window.timeline.transport.time_field
    field.begin()
    QTest.keyClicks(field, "soon")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.hasFocus()
    assert stage.viewer.session.view.time_secs == 0
    assert QToolTip.text() == field.toolTip(), "what can be typed is said without the mouse"
    QToolTip.hideText()
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "0:00.000"
    assert not field.hasFocus()


@given(st.integers(1, 20_000_000))
def test_the_ticks_of_a_slider_fit_into_a_qt_integer(frames: int) -> None:
    class Long(Timeline):
        @property
        def frame_count(self) -> int:
            return frames

    short = Timeline.constant(1, Fraction(25))
    ticks = ticks_of(Long(short.ticks, short.tick_secs, short.end_tick))
    assert ticks <= MAX_TICKS
    assert ticks % frames == 0
    if frames <= 500_000:
        assert ticks == frames * TICKS_PER_FRAME


@given(st.fractions(Fraction(1, 100), Fraction(40_000)), st.integers(100, 4000))
def test_ruler_labels_do_not_overlap(duration: Fraction, width_px: int) -> None:
    step = label_step_secs(duration, width_px, least_px=78)
    assert step / duration * width_px >= 78 or step == 36000
    assert len(list(multiples(step, duration))) <= width_px / 78 + 2 or step == 36000


def test_ruler_labels() -> None:
    assert format_label(Fraction(3, 2), Fraction(1, 2)) == "1.5"
    assert format_label(Fraction(1, 4), Fraction(5, 100)) == "0.25"
    assert format_label(Fraction(75), Fraction(15)) == "1:15"
    assert format_label(Fraction(3675), Fraction(15)) == "1:01:15"


def test_format_speed() -> None:
    assert [format_speed(speed) for speed in SPEEDS] == [
        "1/16 speed", "1/8 speed", "1/4 speed", "1/2 speed", "Normal", "2× speed", "4× speed",
    ]  # fmt: skip


def test_a_time_can_be_typed_while_the_clip_plays(stage: Stage) -> None:
    window = stage.viewer.window
    stage.viewer.player.toggle()
    window.actions_by_id["go-to-time"].trigger()
    field = window.time_field
    for letter in "0:01.5":
        stage.qtbot.wait(40)
        QTest.keyClicks(field, letter)
    stage.qtbot.wait(40)
    assert field.text() == "0:01.5"
    stage.viewer.player.pause()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert stage.viewer.session.view.time_secs == Fraction(3, 2)
