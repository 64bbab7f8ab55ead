"""Dialogs on a screen of 640x400: each fits it, with its buttons in view; forms scroll, also without the wheel.

And what the keyboard and a screen reader need in them, and in the menus: one mnemonic for each thing, and names.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QScreen
from PySide6.QtTest import QTest

from helpers import small_screen
from helpers.stage import Stage
from videoinr_viewer.dialogs.side_dialog import FormArea
from videoinr_viewer.export.dialog import ExportDialog
from videoinr_viewer.style.language import LANGUAGES
from videoinr_viewer.style.screen_room import FRAME_PX

PATIENCE_SECS = 60
SAME_ROW_PX = 8
DIALOGS = 19
"""How many dialogs, or states of a dialog, the helper opens."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that returns what the helper prints in a language."""
    screens = tmp_path_factory.mktemp("screen") / "screens.json"
    screens.write_text(json.dumps({"screens": [
        {"name": "small", "x": 0, "y": 0, "width": 640, "height": 400, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    ]}))  # fmt: skip

    @cache
    def tell(language: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, small_screen.__file__, language],
            env={**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={screens}",
                 "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, timeout=PATIENCE_SECS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return tell


@pytest.fixture
def dialogs(told: Callable[[str], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the dialogs of the German window, whose texts are longer."""
    return told("de")[:-1]


def shared(texts: list[str]) -> list[list[str]]:
    """Return the texts that have their mnemonic in common."""
    found: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        for key in re.findall("&([^&])", text.replace("&&", "")):
            found.setdefault(key.lower(), []).append(text)
    return [each for each in found.values() if len(each) > 1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_things_have_one_mnemonic(told: Callable[[str], list[dict[str, Any]]], language: str) -> None:
    """Alt with the letter would choose between them, and a second press be needed."""
    *dialogs, menus = told(language)
    assert [shared(menu) for menu in menus["menus"] if shared(menu)] == []
    assert [(one["name"], shared(one["mnemonics"])) for one in dialogs if shared(one["mnemonics"])] == []


def test_tab_goes_through_a_dialog_as_one_reads_it(dialogs: list[dict[str, Any]]) -> None:
    for one in dialogs:
        for in_area in (False, True):
            places = [(row, left) for scrolls, row, left in one["order"] if scrolls == in_area]
            for (row, left), (next_row, next_left) in pairwise(places):
                is_same_row = abs(next_row - row) <= SAME_ROW_PX
                assert next_left > left if is_same_row else next_row > row, (one["name"], places)


def test_whatever_the_keyboard_reaches_has_a_name_for_screen_readers(
    told: Callable[[str], list[dict[str, Any]]],
) -> None:
    *dialogs, window = told("de")
    assert [(one["name"], one["unnamed"]) for one in dialogs if one["unnamed"]] == []
    assert window["unnamed"] == []


def test_every_dialog_fits_a_small_screen(dialogs: list[dict[str, Any]]) -> None:
    assert len(dialogs) == DIALOGS, [one["name"] for one in dialogs]
    for one in dialogs:
        x, y, width, height = one["box"]
        assert one["screen"] == [0, 0, 640, 400]
        frame = QSize(0, 0) if one["name"] == "palette" else FRAME_PX
        assert width <= 640 - frame.width(), one
        assert height <= 400 - frame.height(), one
        assert x >= 0, one
        assert y >= 0, one
        assert x + width <= 640, one
        assert y + height <= 400, one


def test_the_buttons_and_labels_are_in_view(dialogs: list[dict[str, Any]]) -> None:
    for one in dialogs:
        _, _, width, height = one["box"]
        assert one["QPushButton"] or one["name"] == "palette", one
        for left, top, across, down in one["QPushButton"] + one["QLabel"]:
            assert left >= 0, one
            assert top >= 0, one
            assert left + across <= width, one
            assert top + down <= height, one
            assert across > 0, one
            assert down > 0, one


def test_a_size_of_the_user_is_kept_but_for_a_smaller_screen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.viewer.window.actions_by_id["annotations"].trigger()
    dialog = stage.viewer.window.side_windows.annotations
    assert dialog is not None
    for size, screen, expected in (
        (QSize(500, 400), QSize(1000, 800), QSize(500, 400)),
        (QSize(500, 400), QSize(640, 400), QSize(500, 400 - FRAME_PX.height())),
    ):
        dialog.resize(size)
        dialog.hide()
        monkeypatch.setattr(QScreen, "availableSize", lambda _, screen=screen: screen)
        dialog.show()
        assert dialog.size() == expected


def export_dialog(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[ExportDialog, FormArea]:
    """Open the export dialog on a screen that is too low for it; return it with its scrolled area."""
    monkeypatch.setattr(QScreen, "availableSize", lambda _: QSize(640, 300))
    stage.viewer.window.actions_by_id["export"].trigger()
    stage.wait_for(lambda: stage.viewer.window.exports.dialog is not None)
    dialog = stage.viewer.window.exports.dialog
    assert dialog is not None
    (area,) = dialog.findChildren(FormArea)
    return dialog, area


def test_the_wheel_scrolls_a_form_and_changes_no_value(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog, area = export_dialog(stage, monkeypatch)
    bar = area.verticalScrollBar()
    assert bar.maximum() > 0
    for combo in (dialog.form.speed, dialog.form.rate, dialog.form.segment):
        before = combo.currentIndex()
        area.ensureWidgetVisible(combo)
        for degrees in (360, -30):
            place = combo.mapTo(dialog, combo.rect().center()).toPointF()
            QTest.wheelEvent(dialog.windowHandle(), place, QPoint(0, 8 * degrees))
            assert bar.value() == 0 if degrees > 0 else bar.value() > 0
        assert combo.currentIndex() == before
        assert not combo.hasFocus()


def test_the_keyboard_brings_a_field_into_view(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog, area = export_dialog(stage, monkeypatch)
    dialog.form.segment.setFocus()
    for _ in range(8):
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        field = dialog.focusWidget()
        if area.isAncestorOf(field):
            top = field.mapTo(area.viewport(), QPoint()).y()
            assert 0 <= top <= area.viewport().height() - field.height()
    assert area.verticalScrollBar().value() > 0


def test_the_rows_of_the_shortcuts_are_as_high_as_their_letters(stage: Stage) -> None:
    stage.viewer.window.actions_by_id["change-shortcuts"].trigger()
    dialog = stage.viewer.window.help.shortcuts
    assert dialog is not None
    item = dialog.list.topLevelItem(0)
    assert item is not None
    row = dialog.list.visualItemRect(item).height()
    assert row >= dialog.list.fontMetrics().height() + 2, "an umlaut is whole"
