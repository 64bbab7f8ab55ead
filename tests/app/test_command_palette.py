"""The command palette in the real window: search, keys, recent and disabled commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest

from helpers.stage import Stage
from videoinr_viewer.actions import TABLE
from videoinr_viewer.dialogs.command_palette import MAX_RECENT, Command, PaletteDialog, ranked
from videoinr_viewer.start.settings import Settings

Key = Qt.Key


def opened(stage: Stage) -> PaletteDialog:
    handle = stage.viewer.window.windowHandle()
    assert handle is not None
    stage.viewer.window.activateWindow()
    stage.wait_for(stage.viewer.window.isActiveWindow)
    QTest.keyClick(handle, Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    dialog = stage.viewer.window.commands.dialog
    assert dialog is not None
    assert dialog.isVisible()
    return dialog


def shown(dialog: PaletteDialog) -> list[str]:
    return [found.command.action.objectName() for found in dialog.found()]


def current(dialog: PaletteDialog) -> str:
    return shown(dialog)[dialog.list.currentRow()]


def test_it_lists_every_action_but_itself_with_its_menu_and_key(stage: Stage) -> None:
    dialog = opened(stage)
    assert shown(dialog) == [row.id for row in TABLE if row.id != "palette"]
    by_id = {found.command.action.objectName(): found.command for found in dialog.found()}
    assert (by_id["export"].text, by_id["export"].menu, by_id["export"].keys) == ("Export", "File", "Ctrl+E")
    item = dialog.list.item(shown(dialog).index("export"))
    assert item.data(Qt.ItemDataRole.AccessibleTextRole) == "Export, File, Ctrl+E"


def test_a_few_letters_and_return_do_it(stage: Stage) -> None:
    dialog = opened(stage)
    QTest.keyClicks(dialog.query, "zoin")
    assert current(dialog) == "zoom-in"
    before = stage.viewer.session.view.zoom
    QTest.keyClick(dialog.query, Key.Key_Return)
    assert not dialog.isVisible()
    assert stage.viewer.session.view.zoom == pytest.approx(before * 2**0.5)


def test_arrows_move_in_the_list_while_the_line_keeps_the_focus(stage: Stage) -> None:
    dialog = opened(stage)
    for key, row in ((Key.Key_Down, 1), (Key.Key_Down, 2), (Key.Key_Up, 1)):
        QTest.keyClick(dialog.query, key)
        assert dialog.list.currentRow() == row
    QTest.keyClick(dialog.query, Key.Key_PageDown)
    assert dialog.list.currentRow() > 5
    assert dialog.focusWidget() is dialog.query


def test_escape_changes_nothing(stage: Stage) -> None:
    dialog = opened(stage)
    QTest.keyClick(dialog.query, Key.Key_Escape)
    assert not dialog.isVisible()
    assert stage.viewer.window.commands.recent == []


def test_the_window_can_be_closed_meanwhile(stage: Stage) -> None:
    dialog, window = opened(stage), stage.viewer.window
    assert dialog.windowModality() is Qt.WindowModality.NonModal, "Qt drops the close button of a window below others"
    window.close()
    assert not dialog.isVisible()


def test_what_is_typed_before_it_is_active_is_no_shortcut(stage: Stage) -> None:
    window = stage.viewer.window
    handle = window.windowHandle()
    assert handle is not None
    window.activateWindow()
    stage.wait_for(window.isActiveWindow)
    told: list[str] = []
    window.actions_by_id["play"].triggered.connect(lambda: told.append("play"))
    window.commands.show()
    dialog = window.commands.dialog
    assert dialog is not None
    assert not dialog.isActiveWindow()
    QTest.keyClick(handle, Key.Key_Space)
    QTest.keyClick(handle, Key.Key_Z)
    assert dialog.query.text() == " z"
    assert told == []


def test_it_goes_away_when_the_window_is_used(stage: Stage) -> None:
    dialog, window = opened(stage), stage.viewer.window
    window.activateWindow()
    stage.wait_for(window.isActiveWindow)
    assert dialog.isVisible(), "the focus of a window may follow the mouse"
    handle = window.windowHandle()
    assert handle is not None
    QTest.mouseClick(handle, Qt.MouseButton.LeftButton, pos=window.status.geometry().center())
    assert not dialog.isVisible()
    assert opened(stage) is dialog


def test_recent_commands_come_first_and_are_remembered(stage_of: Callable[..., Stage]) -> None:
    settings = Settings(recent_actions=["minimap"])
    stage = stage_of(settings=settings)
    stage.open()
    assert shown(opened(stage))[:2] == ["minimap", "open"]
    dialog = stage.viewer.window.commands.dialog
    assert dialog is not None
    QTest.keyClicks(dialog.query, "bookm")
    assert current(dialog) == "bookmark"
    QTest.keyClick(dialog.query, Key.Key_Return)
    assert len(stage.viewer.window.annotations.bookmarks) == 1
    assert settings.recent_actions == ["bookmark", "minimap"]
    assert shown(opened(stage))[:3] == ["bookmark", "minimap", "open"]


def test_commands_that_need_a_clip_are_dim_and_do_nothing_without_one(
    stage_of: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEOINR_SOUND", "null")  # Without an output, nothing can be muted.
    stage = stage_of()
    dialog = opened(stage)
    needs_clip = {row.id for row in TABLE if row.needs_clip}
    rows = {name: dialog.list.item(row) for row, name in enumerate(shown(dialog))}
    assert {name for name, item in rows.items() if not item.flags() & Qt.ItemFlag.ItemIsEnabled} == needs_clip
    QTest.keyClicks(dialog.query, "mark in")
    assert shown(dialog)[0] == "mark-in"
    assert current(dialog) != "mark-in" or dialog.list.currentRow() == -1
    dialog.query.setText("1/16 frame ba")
    assert dialog.list.currentRow() == -1
    QTest.keyClick(dialog.query, Key.Key_Return)
    assert dialog.isVisible()


def test_it_lies_inside_the_smallest_window(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(size=(640, 400))
    dialog = opened(stage)
    window = stage.viewer.window
    assert window.frameGeometry().adjusted(0, 0, 1, 1).contains(dialog.geometry())
    assert dialog.list.height() >= 4 * dialog.list.sizeHintForRow(0)


def test_the_menu_may_be_named_but_texts_count_more(qapp: object) -> None:
    commands = []
    for name, menu in (("Next cut", "Marks"), ("Mark in", "Marks"), ("Wipe", "Compare")):
        action = QAction(name)
        action.setObjectName(name)
        commands.append(Command(action, name, menu))
    assert [one.command.text for one in ranked(commands, "mark", ())] == ["Mark in", "Next cut"]
    assert [one.command.text for one in ranked(commands, "wz", ())] == []
    assert [one.command.text for one in ranked(commands, "wipe comp", ())] == ["Wipe"]


def test_so_many_are_remembered(stage: Stage) -> None:
    palette = stage.viewer.window.commands
    for row in [row for row in TABLE if row.id.startswith(("zoom-", "compare-"))][:10]:
        palette._trigger(stage.viewer.window.actions_by_id[row.id])
    assert len(palette.recent) == len(set(palette.recent)) == MAX_RECENT
