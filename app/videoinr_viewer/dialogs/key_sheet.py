"""The sheet of all keyboard shortcuts, read from the menu bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QMenuBar,
    QVBoxLayout,
    QWidget,
)

from videoinr_viewer.dialogs.key_group import KeyGroup, Keys, width_of_keys
from videoinr_viewer.dialogs.side_dialog import FormArea, SideDialog
from videoinr_viewer.key_bindings import plain
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.screen_room import room_on_screen

_MARGIN_PX, _EDGE_PX, _GAP_PX = 50, 9, 36
"""What the dialog is wider than its form, the space around the columns and between them, logical pixels."""


class KeySheet(SideDialog):
    """Shows the shortcuts of ``menu_bar`` and the mouse gestures, one group for each menu.

    There are two columns where the screen is wide enough for them.
    """

    def __init__(self, menu_bar: QMenuBar, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        groups = [*_groups(menu_bar), (tr("Mouse and held keys"), _mouse())]
        area = FormArea(self)
        area.setAccessibleName(self.windowTitle())
        keys_px = width_of_keys(self.font(), (keys for _, keys in groups))
        made = [KeyGroup(title, keys, keys_px, area.form) for title, keys in groups]
        columns = _in_columns(made, 2)
        if _width_of(columns) > room_on_screen(self).width() - _MARGIN_PX:
            columns = [made]
        row = QHBoxLayout(area.form)
        row.setContentsMargins(_EDGE_PX, _EDGE_PX, _EDGE_PX, _EDGE_PX)
        row.setSpacing(_GAP_PX)
        for column in columns:
            box = QVBoxLayout()
            box.setSpacing(14)
            for group in column:
                box.addWidget(group)
            box.addStretch(1)
            row.addLayout(box)
        layout = QVBoxLayout(self)
        layout.addWidget(area)
        layout.addWidget(self.close_box())
        area.show_form()
        wanted = area.form.sizeHint()
        self.wanted_px = QSize(wanted.width() + _MARGIN_PX, min(760, wanted.height() + 80))


def _mouse() -> Keys:
    return (
        (tr("Wheel"), tr("Zoom at the pointer; over the timeline, magnify that")),
        (tr("Shift+wheel"), tr("Move in time by 1/16 frame; over the timeline, scroll it")),
        (tr("Left or middle drag"), tr("Pan")),
        (tr("Drag the line of a wipe"), tr("Move it")),
        (tr("Hold Tab"), tr("Show the source frame")),
        (tr("Hold Z"), tr("Magnify the pixels around the pointer eight times")),
    )


def _in_columns(groups: Sequence[KeyGroup], count: int) -> list[list[KeyGroup]]:
    """Return the groups in ``count`` columns, each group in the column that is shorter so far."""
    columns: list[list[KeyGroup]] = [[] for _ in range(count)]
    lengths = [0] * count
    for group in groups:
        shortest = lengths.index(min(lengths))
        columns[shortest].append(group)
        lengths[shortest] += group.line_count + 1
    return columns


def _width_of(columns: Sequence[Sequence[KeyGroup]]) -> int:
    """Return the width of columns side by side with their edges, logical pixels."""
    widths = (max(group.sizeHint().width() for group in column) for column in columns)
    return sum(widths) + _GAP_PX * (len(columns) - 1) + 2 * _EDGE_PX


def _groups(menu_bar: QMenuBar) -> Iterator[tuple[str, Keys]]:
    for action in menu_bar.actions():
        if isinstance(menu := action.menu(), QMenu):
            yield plain(action), [(_keys(one), plain(one)) for one in menu.actions() if one.shortcuts()]


def _keys(action: QAction) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return tr("  or  ").join(key.toString(native) for key in action.shortcuts())
