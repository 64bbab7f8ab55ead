"""Shortcuts that the user chose: no two actions share one, all places show them, and they are remembered."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QScreen
from PySide6.QtTest import QTest

from helpers.stage import Stage
from videoinr_viewer.actions import TABLE
from videoinr_viewer.dialogs.key_group import KeyGroup
from videoinr_viewer.dialogs.key_sheet import KeySheet
from videoinr_viewer.dialogs.shortcuts_dialog import ShortcutsDialog
from videoinr_viewer.key_bindings import MOST_KEYS, KeyBindings
from videoinr_viewer.session import Marks
from videoinr_viewer.start.settings import Settings


@pytest.fixture
def bindings(stage: Stage) -> KeyBindings:
    return stage.viewer.window.bindings


@pytest.fixture
def page(stage: Stage) -> ShortcutsDialog:
    stage.viewer.window.actions_by_id["change-shortcuts"].trigger()
    page = stage.viewer.window.help.shortcuts
    assert page is not None
    return page


def choose(page: ShortcutsDialog, name: str) -> None:
    page.list.setCurrentItem(next(item for item in page._items() if item.data(0, Qt.ItemDataRole.UserRole) == name))


def test_a_new_key_acts_at_once_and_everywhere(stage: Stage, page: ShortcutsDialog) -> None:
    window = stage.viewer.window
    choose(page, "mark-in")
    QTest.keyClick(page.key, Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier)
    assert page.note.text() == ""
    page.add.click()
    assert window.bindings.keys("mark-in") == ("I", "Ctrl+X")
    assert stage.viewer.settings.shortcuts == {"mark-in": ["I", "Ctrl+X"]}
    page.hide()
    window.activateWindow()
    stage.wait_for(window.isActiveWindow)
    handle = window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier)
    assert stage.viewer.session.marks != Marks()
    window.actions_by_id["keys"].trigger()
    sheet = window.help.key_sheet
    assert sheet is not None
    assert "Ctrl+X" in " ".join(group.accessibleDescription() for group in sheet.findChildren(KeyGroup))


def test_a_key_of_another_action_is_named_and_taken_only_if_asked(page: ShortcutsDialog, bindings: KeyBindings) -> None:
    choose(page, "play")
    page.key.setKeySequence(QKeySequence("Ctrl+O"))
    assert page.note.text() == "Ctrl+O belongs to “Open”."
    assert page.add.text() == "Take it"
    assert bindings.keys("open") == ("Ctrl+O",)
    page.add.click()
    assert bindings.keys("play") == ("Space", "Ctrl+O")
    assert bindings.keys("open") == ()
    choose(page, "open")
    page.reset.click()
    assert bindings.keys("open") == (), "the table's key has another owner now"
    page.reset_all.click()
    assert bindings.choices == {}
    assert bindings.keys("open") == ("Ctrl+O",)


def test_keys_are_removed_and_reset(stage: Stage, page: ShortcutsDialog, bindings: KeyBindings) -> None:
    action = stage.viewer.window.actions_by_id["fit"]
    choose(page, "fit")
    assert not page.reset.isEnabled()
    page.clear.click()
    assert (bindings.keys("fit"), action.shortcuts(), action.toolTip()) == ((), [], "Fit to window")
    assert not page.clear.isEnabled()
    page.reset.click()
    assert bindings.keys("fit") == ("F", "0")
    assert action.toolTip() == "Fit to window (F)"


def test_tab_stays_with_the_source_frame(page: ShortcutsDialog) -> None:
    page.key.setKeySequence(QKeySequence("Tab"))
    assert page.note.text() == "Tab cannot be used."
    assert not page.add.isEnabled()


def test_the_list_is_searched(page: ShortcutsDialog) -> None:
    def shown(query: str) -> list[str]:
        page.filter.setText(query)
        return [item.text(0) for item in page._items() if not item.isHidden()]

    assert shown("BOOKMARK next") == ["Next bookmark"]
    assert shown("ctrl+o") == ["Open"]
    assert len(shown("")) == len(TABLE)


def test_chosen_keys_are_there_at_the_next_start(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(settings=Settings(shortcuts={"play": ["Ctrl+P"], "open": []}))
    window = stage.viewer.window
    assert window.actions_by_id["play"].shortcut().toString() == "Ctrl+P"
    assert window.actions_by_id["open"].shortcuts() == []
    assert window.empty._key_labels["play"].text() == "Ctrl+P"
    assert window.actions_by_id["mark-in"].shortcut().toString() == "I"


def test_damaged_choices_are_left_out(bindings: KeyBindings) -> None:
    bindings.load({"none": ["Ctrl+P"], "play": ["", "Tab", "nonsense", "Ctrl+O", "Ctrl+P"], "fit": ["Ctrl+P"]})
    assert bindings.keys("play") == ("Ctrl+P",)
    assert bindings.keys("fit") == ()
    assert bindings.keys("open") == ("Ctrl+O",)


def test_a_claimed_key_of_the_table_goes_to_the_one_who_claims_it(bindings: KeyBindings) -> None:
    bindings.load({"play": ["Ctrl+O"], "open": ["Ctrl+P"]})
    assert (bindings.keys("play"), bindings.keys("open")) == (("Ctrl+O",), ("Ctrl+P",))


def test_no_two_actions_ever_share_a_key(bindings: KeyBindings) -> None:
    random = Random(3)
    keys = [f"Ctrl+Alt+{letter}" for letter in "ABCDEF"] + ["F", "0", "Ctrl+O", "Space", "I"]
    names = [row.id for row in TABLE][:12]
    for _ in range(600):
        name = random.choice(names)
        random.choice((bindings.clear, bindings.reset, lambda n: bindings.add(n, random.choice(keys))))(name)
        given = [key for row in TABLE for key in bindings.keys(row.id)]
        assert len(given) == len(set(given))
        assert len(bindings.keys(name)) <= MOST_KEYS
    before = {row.id: bindings.keys(row.id) for row in TABLE}
    bindings.load(bindings.choices)
    assert {row.id: bindings.keys(row.id) for row in TABLE} == before


def test_a_narrow_screen_gets_the_key_sheet_in_one_column(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    window, rows = stage.viewer.window, []
    for width in (2000, 640):
        monkeypatch.setattr(QScreen, "availableSize", lambda _, width=width: QSize(width, 900))
        window.resize(640, 400)
        sheet = KeySheet(window.menuBar(), window)
        groups = sheet.findChildren(KeyGroup)
        sheet.show()
        rows.append(len({group.x() for group in groups}))
        assert sheet.width() <= width
        assert all(group.width() >= group.sizeHint().width() for group in groups), "no line is cut off"
        sheet.hide()
    assert rows == [2, 1]
