"""What a screen reader says: every control that the keyboard reaches tells what it is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QComboBox, QWidget

from helpers.stage import Stage

WINDOWS = (
    "annotations", "change-shortcuts", "clip-window", "export", "export-queue", "keys", "palette", "retime",
    "rolling-shutter", "settings",
)  # fmt: skip
"""Actions that open a window of their own."""


def nameless(window: QWidget) -> list[str]:
    """Return the controls of ``window`` that Tab reaches and that tell no name."""
    reached = [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisibleTo(window)
        # What hands the focus on is no control of its own: the field of a spin box.
        and widget.focusProxy() is None
    ]
    assert reached
    return [f"{type(widget).__name__} {widget.objectName()}" for widget in reached if not _is_told(widget)]


def _is_told(widget: QWidget) -> bool:
    control = QAccessible.queryAccessibleInterface(widget)
    if not isinstance(widget, QComboBox):
        return bool(control.text(QAccessible.Text.Name).strip())
    # On Linux Qt gives the chosen text as the name of such a box: its label, or its description, says what it is.
    labels = [other for other, relation in control.relations() if relation & QAccessible.RelationFlag.Label]
    return bool(labels or control.text(QAccessible.Text.Description).strip())


def test_the_window(stage: Stage) -> None:
    assert nameless(stage.viewer.window) == []


@pytest.mark.parametrize("action", WINDOWS)
def test_windows_beside_it(stage: Stage, action: str) -> None:
    before = set(QApplication.topLevelWidgets())

    def opened() -> list[QWidget]:
        return [one for one in QApplication.topLevelWidgets() if one not in before and one.isVisible()]

    stage.viewer.window.actions_by_id[action].trigger()
    stage.wait_for(lambda: bool(opened()))
    assert [each for one in opened() for each in nameless(one)] == []
