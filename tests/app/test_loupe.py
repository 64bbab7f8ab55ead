"""The loupe: the pixels of the screen around the mouse, eight times as large, while Z is held."""

from __future__ import annotations

from fractions import Fraction

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from helpers.stage import Stage
from videoinr_viewer.picture.loupe import MAGNIFIED, SIDE


def hold(stage: Stage, *, down: bool) -> None:
    handle = stage.viewer.window.windowHandle()
    kind = QEvent.Type.KeyPress if down else QEvent.Type.KeyRelease
    QApplication.sendEvent(handle, QKeyEvent(kind, Qt.Key.Key_Z, Qt.KeyboardModifier.NoModifier, "z"))


def test_z_magnifies_the_pixels_around_the_mouse(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(131, 100))
    stage.viewer.session.zoom_to(3)
    stage.wait_until_complete()
    view = stage.viewer.window.frame_view
    loupe, at = view.overlays.loupe, QPoint(420, 160)
    QTest.mouseMove(view.viewport(), at)
    plain = view.viewport().grab().toImage()
    assert not loupe.isVisible()
    hold(stage, down=True)
    assert loupe.isVisible()
    for dx, dy in ((0, 0), (-12, 7), (12, -12)):
        wanted = plain.pixelColor(at + QPoint(dx, dy))
        assert loupe.image.pixelColor(SIDE // 2 + dx, SIDE // 2 + dy) == wanted
        shown = loupe.grab().toImage()
        cell = QPoint((SIDE // 2 + dx) * MAGNIFIED + 4, (SIDE // 2 + dy) * MAGNIFIED + 4)
        assert shown.pixelColor(cell) == wanted
    assert loupe.geometry().contains(at)
    colour = plain.pixelColor(at)
    assert loupe.lines[1].split()[1:] == [str(one) for one in (colour.red(), colour.green(), colour.blue())]
    hold(stage, down=False)
    assert not loupe.isVisible()


def test_it_follows_mouse_and_picture_and_stays_inside(stage: Stage) -> None:
    view = stage.viewer.window.frame_view
    loupe = view.overlays.loupe
    QTest.mouseMove(view.viewport(), QPoint(400, 200))
    hold(stage, down=True)
    before, image = loupe.lines, loupe.image.copy()
    stage.viewer.session.seek(Fraction(3, 2))
    stage.wait_until_complete()
    stage.wait_for(lambda: loupe.image != image)
    assert loupe.lines[0] == before[0]
    QTest.mouseMove(view.viewport(), QPoint(3, view.height() - 3))
    assert view.rect().contains(loupe.geometry())
    assert loupe.lines[0] == "beside the picture"
    hold(stage, down=False)


def test_without_the_mouse_it_magnifies_the_middle(stage: Stage) -> None:
    view = stage.viewer.window.frame_view
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    hold(stage, down=True)
    loupe = view.overlays.loupe
    assert abs(loupe.geometry().center().x() - view.rect().center().x()) <= 1
    assert float(loupe.lines[0].split()[1]) == pytest.approx(80, abs=0.5)
    hold(stage, down=False)


def test_a_low_view_has_room_for_all_of_it(stage: Stage) -> None:
    stage.viewer.window.resize(640, 400)
    view = stage.viewer.window.frame_view
    stage.wait_for(lambda: view.height() < SIDE * MAGNIFIED)
    view.overlays.hold_loupe(True)
    loupe = view.overlays.loupe
    stage.wait_for(loupe.isVisible)
    assert view.rect().contains(loupe.geometry())
    count = loupe.image.width()
    assert count % 2 == 1
    assert count < SIDE
    view.overlays.hold_loupe(False)


def test_on_a_denser_screen_it_is_as_large_and_shows_more_pixels(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    view = stage.viewer.window.frame_view
    loupe = view.overlays.loupe
    sizes = []
    for ratio in (1.0, 2.0):
        monkeypatch.setattr(type(view), "devicePixelRatioF", lambda _self, ratio=ratio: ratio)
        loupe.show_at(QPoint(300, 150), None)
        sizes.append((loupe.image.width(), loupe.width()))
    loupe.hide()
    assert sizes[0] == (SIDE, SIDE * MAGNIFIED)
    assert sizes[1][0] == 2 * SIDE - 1
    assert abs(sizes[1][1] - sizes[0][1]) < MAGNIFIED
