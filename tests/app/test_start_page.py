"""The page that is shown while no clip is open."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from helpers.stage import Stage


def test_tab_and_f6_go_through_the_buttons_and_nothing_else(stage_of: Callable[..., Stage]) -> None:
    window = stage_of().viewer.window
    buttons, handle = window.empty.buttons, window.windowHandle()
    buttons[0].setFocus()
    QTest.keyClick(handle, Qt.Key.Key_Tab)
    assert window.focusWidget() is buttons[1]
    QTest.keyClick(handle, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert window.focusWidget() is buttons[0]
    reached = set()
    for _ in range(len(buttons)):
        window.actions_by_id["next-control"].trigger()
        reached.add(window.focusWidget())
    assert reached == set(buttons)


def test_the_sentences_have_the_height_that_their_font_needs(stage: Stage) -> None:
    """The style sheet, and with it the font, comes after the page was made."""
    labels = stage.viewer.window.findChildren(QLabel, "emptyHint")
    heights = [(label.height(), label.heightForWidth(label.width())) for label in labels if label.wordWrap()]
    assert len(heights) == 1
    assert heights[0][0] >= heights[0][1] > 0
