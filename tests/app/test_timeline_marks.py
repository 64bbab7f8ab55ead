"""What the timeline shows and holds: thumbnails, zoom, segments, bookmarks, keyframes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFont, QPainter, QPalette, QPixmap, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from helpers.slow_frames import SlowFrames
from helpers.stage import Stage
from videoinr.types import Segment
from videoinr_viewer.style.fonts import USUAL_PX
from videoinr_viewer.style.painting import painting
from videoinr_viewer.timeline.overview import LEAST_FRAMES, Overview
from videoinr_viewer.timeline.overview_painter import FONT_PX, RULER_PX, STRIP_PX, Rows

FRAME = Fraction(1, 25)
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def trigger(stage: Stage, name: str) -> None:
    stage.viewer.window.actions_by_id[name].trigger()


def overview_of(stage: Stage) -> Overview:
    return stage.viewer.window.timeline.overview


def wheel(
    widget: Overview, x: float, notches: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    at = QPointF(x, 30)
    event = QWheelEvent(
        at, QPointF(widget.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton, modifiers,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_no_label_of_the_ruler_is_half_hidden_by_the_time_of_the_playhead(stage: Stage) -> None:
    overview = overview_of(stage)
    ground = overview.palette().color(QPalette.ColorRole.Window)
    half_hidden = 0
    for hundredths in range(0, 60, 3):
        stage.viewer.session.seek(Fraction(hundredths, 100))
        shot, paper = overview.grab().toImage(), QPixmap(8, 8)
        with painting(QPainter(paper)) as painter:
            paint = overview._painter(painter)
            labels = [box.toAlignedRect() for _, box, _ in paint._labels()]
            x = overview.x_from_tick(overview.sliderPosition())
            bubble = paint._text_box(x, overview._playhead_text(), 13, 10).toAlignedRect()
        for label in labels:
            columns = range(label.left() + 1, label.right())
            outside = [at for at in columns if not bubble.adjusted(-1, 0, 1, 0).contains(at, 6)]
            if label.intersects(bubble) and outside:
                half_hidden += 1
                assert all(shot.pixelColor(at, y) == ground for at in outside for y in range(2, 11))
    assert half_hidden > 2


def test_the_ruler_follows_a_large_system_font(qapp: QApplication, stage_of: Callable[..., Stage]) -> None:
    before = qapp.font()
    large = QFont(before)
    large.setPixelSize(2 * USUAL_PX)
    try:
        qapp.setFont(large)
        stage = stage_of()
        stage.open()
        overview, rows, paper = overview_of(stage), Rows(2 * FONT_PX), QPixmap(8, 8)
        with painting(QPainter(paper)) as painter:
            labels = [box for _, box, _ in overview._painter(painter)._labels()]
            assert painter.font().pixelSize() == 2 * FONT_PX
            assert all(box.height() >= painter.fontMetrics().ascent() for box in labels)
        assert len(labels) > 1
        assert all(one.right() < other.left() for one, other in pairwise(labels))
        assert max(box.bottom() for box in labels) < rows.ruler_px == RULER_PX + FONT_PX
        assert overview.minimumSizeHint().height() == rows.height_px == Rows(FONT_PX).height_px + FONT_PX
    finally:
        qapp.setFont(before)


def test_thumbnails_show_the_frames_under_them(stage: Stage) -> None:
    overview = overview_of(stage)
    thumbnails = stage.viewer.window.thumbnails

    def are_loaded() -> bool:
        overview.grab()
        return not thumbnails._pending and not overview._gathering.isActive()

    stage.wait_for(are_loaded)
    shot = overview.grab().toImage()
    ratio = overview.devicePixelRatioF()
    blues = [shot.pixelColor(round(x * ratio), round((RULER_PX + 10) * ratio)).blue() for x in (150, 400, 650)]
    assert blues == sorted(blues), "blue grows with time"
    assert blues[0] < blues[1] < blues[2]


def test_thumbnails_that_come_together_are_painted_together(stage: Stage) -> None:
    overview, thumbnails, forgotten = overview_of(stage), stage.viewer.window.thumbnails, list[object]()
    stage.wait_until_complete()

    def are_painted() -> bool:
        overview.grab()
        return not thumbnails._pending and not overview._gathering.isActive() and overview._backdrop is not None

    stage.wait_for(are_painted)
    overview._gathering.setInterval(1_000_000)
    kept = overview._backdrop
    for _ in range(20):
        thumbnails.loaded.emit()
        overview.grab()
        forgotten += [] if overview._backdrop is kept else [overview._backdrop]
    assert not forgotten
    overview._gathering.timeout.emit()
    assert getattr(overview, "_backdrop") is None  # noqa: B009 - mypy holds that it is kept


def test_a_frame_that_cannot_be_read_has_no_thumbnail(stage_of: Callable[..., Stage]) -> None:
    from videoinr.errors import ClipError

    class Unreadable(SlowFrames):
        def rgbx(self, index: int, *_args: object) -> NDArray[np.uint8]:
            raise ClipError("nothing can be read")

    stage = stage_of(frame_source=Unreadable)
    stage.open()
    overview_of(stage).grab()
    stage.wait_for(lambda: len(stage.viewer.window.thumbnails._unreadable) > 5)
    stage.wait_until_complete()


def test_the_wheel_magnifies_the_timeline_at_the_mouse(stage: Stage) -> None:
    overview = overview_of(stage)
    x = overview.width() * 0.7
    tick = overview.tick_from_x(x)
    wheel(overview, x, 6)
    first, last = overview.span
    assert last - first == pytest.approx(overview.maximum() / 4, rel=0.01)
    assert overview.tick_from_x(x) == pytest.approx(tick, abs=overview.maximum() / 500)
    assert stage.viewer.session.view.time_secs == 0, "the wheel does not seek"
    assert stage.viewer.window.timeline._start.text() == "a part"
    wheel(overview, x, 60)
    assert overview.span[1] - overview.span[0] == pytest.approx(overview.maximum() * LEAST_FRAMES / 50, rel=0.01)
    wheel(overview, x, -90)
    assert overview.is_whole
    assert stage.viewer.window.timeline._start.text() == "whole clip"


def test_the_timeline_scrolls_by_wheel_and_middle_button_and_to_the_playhead(stage: Stage) -> None:
    overview, session = overview_of(stage), stage.viewer.session
    for _ in range(3):
        trigger(stage, "timeline-in")
    assert overview.span == (0, overview.maximum() / 8)
    wheel(overview, 300, -2, Qt.KeyboardModifier.ShiftModifier)
    assert overview.span[0] > 0
    before = overview.span[0]
    QTest.mousePress(overview, Qt.MouseButton.MiddleButton, pos=QPoint(300, 30))
    QTest.mouseMove(overview, QPoint(200, 30))
    QTest.mouseRelease(overview, Qt.MouseButton.MiddleButton, pos=QPoint(200, 30))
    assert overview.span[0] > before
    assert session.view.time_secs == 0
    session.seek(Fraction(3, 2))
    tick = overview.maximum() * 3 / 4
    assert overview.span[0] <= tick <= overview.span[1]
    trigger(stage, "timeline-out")
    trigger(stage, "timeline-whole")
    assert overview.is_whole


def test_a_drag_on_a_magnified_timeline_is_finer(stage: Stage) -> None:
    overview = overview_of(stage)
    for _ in range(3):
        trigger(stage, "timeline-in")
    y = overview.groove_y_px
    QTest.mousePress(overview, Qt.MouseButton.LeftButton, pos=QPoint(300, y))
    one = stage.viewer.session.view.time_secs
    QTest.mouseMove(overview, QPoint(301, y))
    QTest.mouseRelease(overview, Qt.MouseButton.LeftButton, pos=QPoint(301, y))
    step = stage.viewer.session.view.time_secs - one
    assert float(step) == pytest.approx(float(2 / 8 / overview.groove_px), rel=0.05)


def test_segments_are_added_split_named_and_removed(stage: Stage) -> None:
    session, annotations = stage.viewer.session, stage.viewer.window.annotations
    for start, end in ((Fraction(1), Fraction(3, 2)), (Fraction(1, 5), Fraction(1, 2))):
        session.clear_marks()
        session.seek(start)
        session.mark_in()
        session.seek(end)
        session.mark_out()
        trigger(stage, "add-segment")
        trigger(stage, "add-segment")
    assert [(one.name, one.segment) for one in annotations.segments] == [
        ("Segment 2", Segment(Fraction(1, 5), Fraction(1, 2))), ("Segment 1", Segment(Fraction(1), Fraction(3, 2))),
    ]  # fmt: skip
    session.seek(Fraction(6, 5))
    trigger(stage, "split-segment")
    assert [one.name for one in annotations.segments] == ["Segment 2", "Segment 1", "Segment 3"]
    annotations.rename_segment(1, "  the leap ")
    annotations.rename_segment(1, "   ")
    assert annotations.segments[1].name == "the leap"
    assert "the leap" in overview_of(stage).describe(
        overview_of(stage).x_from_tick(overview_of(stage).maximum() * 0.55)
    )
    session.seek(Fraction(11, 10))
    trigger(stage, "remove-segment")
    assert [one.name for one in annotations.segments] == ["Segment 2", "Segment 3"]
    before = overview_of(stage).grab().toImage()
    stage.open("other.mp4")
    stage.wait_for(lambda: annotations.segments == ())
    assert overview_of(stage).grab().toImage() != before


def test_splitting_a_clip_without_segments_makes_two(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1))
    trigger(stage, "split-segment")
    made = stage.viewer.window.annotations.segments
    assert [one.segment for one in made] == [Segment(Fraction(0), Fraction(1)), Segment(Fraction(1), Fraction(2))]


def test_keyframes_of_the_camera_are_shown_and_told(stage: Stage) -> None:
    session, overview = stage.viewer.session, overview_of(stage)
    stage.wait_until_complete()
    session.seek(Fraction(1))
    trigger(stage, "camera-keyframe")
    session.seek(Fraction(0))
    x = overview._x_from_time(Fraction(1))
    with_keyframe = overview.grab().toImage()
    assert "camera keyframe" in overview.describe(x + 4)
    assert "camera keyframe" not in overview.describe(x + 9)
    trigger(stage, "camera-clear")
    assert "camera keyframe" not in overview.describe(x)
    assert overview.grab().toImage() != with_keyframe
    trigger(stage, "undo")
    assert overview.grab().toImage() == with_keyframe


def test_bookmarks_are_set_visited_and_removed(stage: Stage) -> None:
    session, annotations = stage.viewer.session, stage.viewer.window.annotations
    for time in (Fraction(3, 2), Fraction(1, 2)):
        session.seek(time)
        trigger(stage, "bookmark")
    assert [one.name for one in annotations.bookmarks] == ["Bookmark 2", "Bookmark 1"]
    visited = []
    for name in ("next-bookmark", "next-bookmark", "previous-bookmark"):
        trigger(stage, name)
        visited.append(session.view.time_secs)
    assert visited == [Fraction(3, 2), Fraction(3, 2), Fraction(1, 2)]
    trigger(stage, "bookmark")
    assert [one.time_secs for one in annotations.bookmarks] == [Fraction(3, 2)]
    assert "Bookmark 1" in overview_of(stage).describe(
        overview_of(stage).x_from_tick(overview_of(stage).maximum() * 0.75)
    )


def test_the_playhead_shows_the_time_between_the_frames(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1) + FRAME / 4)
    assert overview_of(stage)._playhead_text() == "0:01.010 · 25.250"


def test_return_in_the_time_field_adds_no_segment(stage: Stage) -> None:
    trigger(stage, "go-to-time")
    handle = stage.viewer.window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_1)
    QTest.keyClick(handle, Qt.Key.Key_Return)
    assert stage.viewer.session.view.time_secs == 1
    assert stage.viewer.window.annotations.segments == ()


def test_where_marks_are_dense_one_is_drawn_for_each_few_pixels(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(frames=20000)
    stage.open()
    overview = overview_of(stage)
    picture = QPixmap(overview.size())
    with painting(QPainter(picture)) as painter:
        places = list(overview._painter(painter)._places(np.arange(20000)))
    assert 100 < len(places) <= overview.groove_px / 3 + 2
    assert min(b - a for a, b in pairwise(places)) >= 3


def test_the_strip_is_painted_in_the_turn_after_the_clip_has_opened(stage: Stage) -> None:
    """That turn lays out and paints the whole window."""
    stage.wait_until_complete()
    overview, clip = overview_of(stage), stage.viewer.session.clip
    assert clip is not None

    def colours() -> int:
        shot = overview.grab().toImage()
        return len({shot.pixel(x, RULER_PX + STRIP_PX // 2) for x in range(40, shot.width() - 20)})

    assert colours() > 1
    overview.set_timeline(None)
    overview.set_timeline(clip.timeline)
    assert colours() == 1, "the groove alone"
    stage.wait_for(lambda: colours() > 1)
