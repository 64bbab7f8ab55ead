"""The list of segments and bookmarks."""

from __future__ import annotations

from fractions import Fraction

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from helpers.stage import Stage
from videoinr_viewer.dialogs.annotations_dialog import AnnotationsDialog


@pytest.fixture
def dialog(stage: Stage) -> AnnotationsDialog:
    stage.viewer.session.seek(Fraction(1))
    for name in ("split-segment", "bookmark", "annotations"):
        stage.viewer.window.actions_by_id[name].trigger()
    made = stage.viewer.window.side_windows.annotations
    assert made is not None
    assert made.isVisible()
    return made


def rows(dialog: AnnotationsDialog) -> list[list[str]]:
    items = (dialog.list.topLevelItem(row) for row in range(dialog.list.topLevelItemCount()))
    return [[item.text(column) for column in range(3)] for item in items if item is not None]


def select(dialog: AnnotationsDialog, row: int) -> None:
    item = dialog.list.topLevelItem(row)
    assert item is not None
    dialog.list.setCurrentItem(item)


def test_an_empty_list_says_how_it_is_filled(stage: Stage) -> None:
    actions = stage.viewer.window.actions_by_id
    actions["annotations"].trigger()
    dialog = stage.viewer.window.side_windows.annotations
    assert dialog is not None
    assert dialog.note.isVisible()
    assert "Marks" in dialog.note.text()
    actions["bookmark"].trigger()
    assert dialog.note.isHidden()
    actions["undo"].trigger()
    assert dialog.note.isVisible()


def test_the_list_shows_segments_and_bookmarks(dialog: AnnotationsDialog) -> None:
    assert rows(dialog) == [
        ["Segment 1", "0:00.000", "0:01.000"], ["Segment 2", "0:01.000", "0:02.000"], ["Bookmark 1", "0:01.000", ""],
    ]  # fmt: skip


def test_the_list_is_used_by_keyboard_alone(stage: Stage, dialog: AnnotationsDialog) -> None:
    stage.wait_for(dialog.list.hasFocus)
    assert dialog.go.isEnabled(), "the row that looks selected is selected"
    stage.viewer.session.seek(Fraction(1, 2))
    QTest.keyClick(dialog.list, Qt.Key.Key_Down)
    QTest.keyClick(dialog.list, Qt.Key.Key_Return)
    assert stage.viewer.session.view.time_secs == 1
    QTest.keyClick(dialog.list, Qt.Key.Key_F2)
    editor = dialog.list.findChild(QLineEdit)
    assert editor is not None
    editor.setText("the leap")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    stage.wait_for(lambda: rows(dialog)[1][0] == "the leap")
    stage.wait_for(dialog.list.hasFocus)
    QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
    assert [row[0] for row in rows(dialog)] == ["Segment 1", "Bookmark 1"]
    assert dialog.go.toolTip()


def test_names_are_edited_in_the_list(stage: Stage, dialog: AnnotationsDialog) -> None:
    annotations = stage.viewer.window.annotations
    for row, name in ((1, "the leap"), (2, "landing")):
        select(dialog, row)
        dialog.rename.click()
        stage.wait_for(lambda: bool(dialog.list.findChildren(QLineEdit)))
        editor = dialog.list.findChildren(QLineEdit)[-1]
        editor.setText(name)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        stage.wait_for(lambda row=row, name=name: rows(dialog)[row][0] == name)  # type: ignore[misc]
        stage.wait_for(lambda: not dialog.list.findChildren(QLineEdit))
    assert annotations.segments[1].name == "the leap"
    assert annotations.bookmarks[0].name == "landing"
    dialog.list.topLevelItem(0).setText(0, "  ")  # type: ignore[union-attr]
    assert rows(dialog)[0][0] == "Segment 1", "an empty name is refused"


def test_buttons_go_to_an_entry_and_remove_it(stage: Stage, dialog: AnnotationsDialog) -> None:
    session = stage.viewer.session
    session.seek(Fraction(3, 2))
    select(dialog, 2)
    dialog.go.click()
    assert session.view.time_secs == 1
    dialog.remove.click()
    assert [row[0] for row in rows(dialog)] == ["Segment 1", "Segment 2"]
    dialog.remove.click()
    assert [row[0] for row in rows(dialog)] == ["Segment 1"]
    dialog.remove.click()
    assert rows(dialog) == []
    assert not dialog.remove.isEnabled()


def test_what_is_removed_in_the_list_is_undone_there(stage: Stage, dialog: AnnotationsDialog) -> None:
    before = rows(dialog)
    select(dialog, 0)
    dialog.remove.click()
    assert len(rows(dialog)) == 2
    dialog.activateWindow()
    stage.wait_for(dialog.isActiveWindow)
    handle = dialog.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert rows(dialog) == before
