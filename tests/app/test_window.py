"""The whole window: opening, status, error messages, saved pictures, themes and closing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMessageBox

from helpers.slow_renderer import Pace
from helpers.stage import Stage
from videoinr.render.view import scale_from_zoom
from videoinr.types import ExportProgress, Quality
from videoinr_viewer.dialogs.errors import CrashReport
from videoinr_viewer.picture.scoring import Score
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.text import format_factor, format_zoom
from videoinr_viewer.style.theme import Tone, palette
from videoinr_viewer.style.theme_choice import Theme


def test_an_empty_window_shows_the_invitation_and_recent_clips(stage_of: Callable[..., Stage]) -> None:
    settings = Settings(recent=[Path("/clips/one.mp4"), Path("/clips/two.mp4")])
    stage = stage_of(settings=settings)
    empty = stage.viewer.window.empty
    assert empty.isVisible()
    assert "Drop a clip here" in empty._title.text()
    empty.recent_wanted.emit(settings.recent[1])
    stage.wait_for(lambda: stage.viewer.session.clip is not None)
    assert not empty.isVisible()
    assert settings.recent == [Path("/clips/two.mp4"), Path("/clips/one.mp4")]


def test_the_menu_lists_recent_clips(stage: Stage) -> None:
    recent = stage.viewer.window.menus.recent
    heading, clip = recent.actions()
    assert (heading.text(), heading.isEnabled()) == ("Recent clips and projects", False)
    assert clip.text() == "gradient.mp4"
    clip.trigger()
    stage.wait_for(lambda: len(stage.made) == 2)


def test_a_dropped_file_is_opened(stage_of: Callable[..., Stage], tmp_path: Path) -> None:
    stage = stage_of()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "dropped clip.mp4"))])
    for kind in (QDragEnterEvent, QDropEvent):
        event = kind(
            QPoint(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(stage.viewer.window, event)
        assert event.isAccepted()
    stage.wait_for(lambda: stage.viewer.session.clip is not None)
    assert stage.viewer.window.windowTitle().startswith("dropped clip.mp4")


def test_a_drop_whose_file_cannot_be_told_any_more_leaves_nothing_on_the_window(stage: Stage, tmp_path: Path) -> None:
    window, data = stage.viewer.window, QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "clip.mp4"))])
    for kind, dragged in ((QDragEnterEvent, data), (QDropEvent, QMimeData())):
        event = kind(
            QPoint(50, 50), Qt.DropAction.CopyAction, dragged, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(window, event)
        assert window.drop.highlight.isVisible() == (kind is QDragEnterEvent)


def test_the_open_dialog_opens_the_chosen_file(stage_of: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args, **_kw: ("/clips/chosen.mp4", ""))
    stage.viewer.window.actions_by_id["open"].trigger()
    stage.wait_for(lambda: stage.viewer.session.clip is not None)
    assert stage.made[-1].path == Path("/clips/chosen.mp4")


def test_the_status_line_tells_what_takes_long_at_the_opening_until_a_picture_is_decoded(stage: Stage) -> None:
    status, words = stage.viewer.window.status, "Preparing the kernels for GPU 7, once: this takes up to a minute."
    stage.wait_until_complete()
    status.show_opening(Path("clip.mp4"))
    stage.viewer.reading.tell(words)
    stage.wait_for(lambda: status.work.text() == words)
    assert stage.viewer.session.clip is not None
    status.open(stage.viewer.session.clip)
    status.set_busy(True)
    status._show_work()
    assert status.work.text() == words, "the first pair has kernels of its own"
    status.show_region(stage.shown[-1])
    assert status.work.text() == "encoding…"


def test_the_status_line_shows_how_far_an_encoding_is(stage: Stage) -> None:
    status = stage.viewer.window.status
    stage.wait_until_complete()
    status.set_busy(True)
    status.show_progress("encoding 34 %, 6 s")
    assert status.work.text() == "encoding 34 %, 6 s"
    status.show_progress("")
    assert status.work.text() == "encoding…"
    status.set_busy(False)
    assert status.work.text() == ""
    status.show_progress("encoding 50 %, 3 s")
    assert status.work.text() == "ahead: encoding 50 %, 3 s", "the picture is complete"
    status.show_progress("")
    assert status.work.text() == ""
    assert status.work.isHidden()


def test_the_status_line_shows_time_zoom_scale_quality_and_model(stage: Stage) -> None:
    status = stage.viewer.window.status
    stage.viewer.session.seek(Fraction(101, 100))
    stage.viewer.session.zoom_to(4)
    stage.wait_until_complete()
    assert status.where.text() == "0:01.010   frame 25 + 0.250"
    assert status.zoom.text() == "400%"
    assert status.scale.text() == "×4 (trained for ×1–×4)"
    assert status.engine.text() == "gradient · cpu"
    assert status.picture.text().startswith("full · ")
    status.show_region(replace(stage.shown[-1], elapsed_secs=math.nan))
    assert status.picture.text() == "full", "it was rendered beside something else"
    stage.viewer.session.zoom_to(8)
    assert status.scale.text() == "×8 (enlarged from ×4)"
    assert status.scale.property("tone") == Tone.WARM.value


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_the_status_line_never_gives_two_scales(stage: Stage, factor: float) -> None:
    session, status = stage.viewer.session, stage.viewer.window.status
    session.zoom_at(factor, (100.0, 100.0))
    scale, zoom = scale_from_zoom(session.view.zoom), session.view.zoom
    assert status.zoom.text() == format_zoom(zoom)
    for width in (900, 640):
        stage.viewer.window.resize(width, 600)
        QApplication.processEvents()
        if zoom == pytest.approx(scale):
            assert shown_text(status.scale).startswith("×")
        else:
            assert shown_text(status.scale).startswith(f"decoded at {format_factor(scale)}")
    assert session.drawn_view.zoom * stage.made[-1].width > session.screen_px[0] / 4 or zoom >= 0.5


def test_a_narrow_window_keeps_the_scale_and_elides_the_model(stage: Stage) -> None:
    status = stage.viewer.window.status
    stage.viewer.session.seek(Fraction(101, 100))
    stage.viewer.session.zoom_to(4.4444)
    status.show_export(ExportProgress(3, 12, 1.0))
    status.show_queue("queue 40%, 3 left")
    stage.viewer.window.resize(stage.viewer.window.minimumSize())
    stage.wait_for(lambda: "…" in shown_text(status.engine))
    assert shown_text(status.scale) == "×4.44 (beyond ×4)"
    assert status.scale.width() >= status.scale.fontMetrics().horizontalAdvance("×4.44 (beyond ×4)")
    assert status.scale.toolTip() == "×4.44 (enlarged from ×4)"
    assert status.where.width() >= status.where.sizeHint().width()
    assert status.engine.toolTip() == "gradient · cpu"
    stage.viewer.window.resize(1200, 700)
    stage.wait_for(lambda: shown_text(status.engine) == "gradient · cpu")
    assert shown_text(status.scale) == "×4.44 (enlarged from ×4)"


def test_no_text_of_the_status_line_is_cut_off_without_dots(stage: Stage) -> None:
    window, status = stage.viewer.window, stage.viewer.window.status
    stage.viewer.session.seek(Fraction(101, 100))
    stage.viewer.session.zoom_to(4.4444)
    window.resize(window.minimumSize())
    status.show_score(Score(31.1, 0.963, "base"))
    status.show_progress("encoding 12 %, 30 s")
    status.show_queue("queue 40%, 3 left")
    stage.wait_for(lambda: "…" in shown_text(status.engine))
    QApplication.processEvents()
    for label in status.findChildren(QLabel):
        if label.isVisible():
            room = label.fontMetrics().horizontalAdvance(shown_text(label))
            assert label.width() >= room, shown_text(label)


def test_at_no_width_is_the_scale_cut_off_before_it_says_that_it_is_beyond_the_training(stage: Stage) -> None:
    window, status = stage.viewer.window, stage.viewer.window.status
    stage.viewer.session.seek(Fraction(101, 100))
    stage.viewer.session.zoom_to(4.4444)
    status.show_export(ExportProgress(3, 12, 1.0))
    status.show_queue("queue 40%, 3 left")
    shown = set()
    for width in range(window.minimumWidth(), 1600, 60):
        window.resize(width, 600)
        QApplication.processEvents()
        text = shown_text(status.scale)
        assert status.scale.width() >= status.scale.fontMetrics().horizontalAdvance(text), (width, text)
        shown.add(text)
    assert shown == {"×4.44 (beyond ×4)", "×4.44 (enlarged from ×4)"}, "in whole words at every width"


def shown_text(label: QLabel) -> str:
    """The text that the label shows, which may be elided."""
    return QLabel.text(label)


def test_work_is_shown_only_if_it_takes_long(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(Pace(encode_secs=0.8))
    stage.open()
    work = stage.viewer.window.status.work
    assert work.text() == ""
    stage.wait_for(lambda: work.text() == "encoding…")
    stage.wait_until_complete()
    stage.wait_for(lambda: work.text() == "")


def test_a_long_opening_is_shown(stage_of: Callable[..., Stage]) -> None:
    opens = Event()
    stage = stage_of(Pace(opens=opens))
    stage.viewer.session.open(Path("long.mp4"))
    work = stage.viewer.window.status.work
    stage.wait_for(lambda: work.text() == "opening…")
    assert "long.mp4" in stage.viewer.window.empty._title.text()
    opens.set()
    stage.wait_until_complete()
    stage.wait_for(lambda: work.text() == "")


def test_a_clip_that_cannot_be_opened_gives_a_message_and_the_clip_stays(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1))
    stage.viewer.session.open(Path("broken.mp4"))
    messages = stage.viewer.window.messages
    stage.wait_for(messages.isVisible)
    assert messages.text.text() == "broken.mp4 is not a video. Try another file."
    assert stage.viewer.window.status.work.text() == ""
    assert stage.viewer.window.frame_view.isVisible()
    assert stage.viewer.window.windowTitle().startswith("gradient.mp4")
    assert not stage.made[-1].closed
    stage.wait_until_complete()
    stage.viewer.session.seek(Fraction(3, 2))
    stage.wait_until_complete()
    stage.viewer.session.open(Path("good.mp4"))
    stage.wait_for(lambda: not messages.isVisible())
    assert stage.made[0].closed


def test_a_first_clip_that_cannot_be_opened_leaves_the_invitation(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of()
    stage.viewer.session.open(Path("broken.mp4"))
    stage.wait_for(stage.viewer.window.messages.isVisible)
    assert stage.viewer.window.empty.isVisible()
    assert stage.viewer.window.status.work.text() == ""
    stage.open("good.mp4")


def test_the_speed_of_one_clip_is_not_that_of_the_next(stage: Stage) -> None:
    stage.viewer.player.set_speed(Fraction(1, 4))
    stage.open("other.mp4")
    stage.wait_for(lambda: len(stage.made) == 2)
    stage.wait_for(lambda: stage.viewer.player.speed == 1)
    assert stage.viewer.window.timeline.transport.speed_box.currentText() == "Normal"


def test_a_picture_that_fails_gives_a_message_and_the_clip_stays(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise ValueError("a number too far")

    monkeypatch.setattr(stage.made[-1], "render", fail)
    stage.viewer.session.seek(Fraction(1))
    messages = stage.viewer.window.messages
    stage.wait_for(messages.isVisible)
    assert "Traceback" not in messages.text.text()
    assert stage.viewer.session.clip is not None
    monkeypatch.undo()
    stage.viewer.session.seek(Fraction(3, 2))
    stage.wait_until_complete()


def test_an_unexpected_error_is_reported_in_a_dialog(stage: Stage, tmp_path: Path) -> None:
    report = CrashReport(stage.viewer.window, tmp_path / "viewer.log")
    report.show("KeyError: 'x'")
    assert report.box.isVisible()
    assert "viewer.log" in report.box.informativeText()
    report.box.close()


def test_a_picture_is_saved_at_full_quality(
    stage_of: Callable[..., Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of(Pace(secs_per_pixel=1e-6))
    stage.open()
    stage.wait_until_complete()
    stage.viewer.session.zoom_to(4)
    path = tmp_path / "view"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_kw: (str(path), ""))
    query = stage.viewer.session.last_query
    stage.viewer.window.actions_by_id["save-picture"].trigger()
    saved = tmp_path / "view.png"
    stage.wait_for(lambda: f"Saved the picture to {saved}" in stage.viewer.window.messages.text.text())
    # The message above the picture has made that smaller, so its view may be another one by now.
    region = next(one for one in stage.shown if one.query == query and one.quality is Quality.FULL)
    image = QImage(str(saved))
    assert (image.width(), image.height()) == (region.query.rect.width, region.query.rect.height)
    assert image.pixelColor(5, 7).red() == region.rgbx[7, 5, 0]


def test_a_picture_that_cannot_be_saved_gives_a_message(stage: Stage, tmp_path: Path) -> None:
    stage.viewer.window.taker.save(tmp_path / "nowhere" / "view.png")
    stage.wait_for(lambda: "nowhere" in stage.viewer.window.messages.text.text())


def test_a_picture_is_copied_to_the_clipboard(stage: Stage) -> None:
    stage.viewer.window.actions_by_id["copy-picture"].trigger()
    region = stage.viewer.window.frame_view.full_for(stage.viewer.session.last_query)
    assert region is not None
    image = QGuiApplication.clipboard().image()
    assert image.width() == region.query.rect.width
    assert image.pixelColor(3, 3).green() == region.rgbx[3, 3, 1]


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_a_theme_is_applied_and_remembered(stage: Stage, theme: Theme) -> None:
    stage.viewer.window.menus.theme_wanted.emit(theme)
    is_dark = theme is Theme.DARK
    assert stage.viewer.themes.is_dark == is_dark
    assert stage.viewer.settings.theme is theme
    stage.wait_for(lambda: not stage.viewer.themes.is_changing)
    corner = stage.viewer.window.frame_view.grab().toImage().pixelColor(2, 2)
    assert (corner.lightness() < 128) == is_dark
    assert palette(is_dark=is_dark).window().color().lightness() < 128 if is_dark else True


def test_playback_never_waits_for_pictures(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(Pace(secs_per_pixel=1e-5))
    stage.open()
    stage.viewer.session.seek(Fraction(0))
    stage.viewer.player.set_loops(False)
    stage.viewer.player.toggle()
    stage.wait_for(lambda: not stage.viewer.player.is_playing)
    assert stage.viewer.session.view.time_secs == 2 - Fraction(1, 25)
    assert Quality.SOURCE in stage.qualities()


def test_the_first_start_fits_a_small_screen(stage_of: Callable[..., Stage]) -> None:
    window = stage_of(size=None).viewer.window
    assert window.size() == QSize(790, 760), "the screen of this platform has 800 x 800 pixels, and a frame needs room"


def test_closing_during_work_leaves_no_thread(stage_of: Callable[..., Stage], tmp_path: Path) -> None:
    before = set(threading.enumerate())
    stage = stage_of(Pace(secs_per_pixel=1e-3, encode_secs=0.05))
    stage.open()
    stage.viewer.player.toggle()
    stage.viewer.window.taker.save(tmp_path / "never.png")
    stage.qtbot.wait(300)
    assert set(threading.enumerate()) - before, "a render thread must run"
    stage.viewer.window.close()
    assert set(threading.enumerate()) - before == set()
    assert stage.made[-1].closed
    assert stage.viewer.settings.geometry is not None


def test_closing_during_an_export_asks_and_return_keeps_it_running(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def press_return() -> None:
        """Answer as somebody does who presses Return without reading."""
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        asked.append(box.text())
        QTest.keyClick(box, Qt.Key.Key_Return)

    QTimer.singleShot(50, press_return)
    monkeypatch.setattr(type(stage.viewer.export), "is_running", property(lambda _self: True))
    assert not stage.viewer.window.close()
    assert len(asked) == 1
    assert not stage.viewer.is_shut_down
