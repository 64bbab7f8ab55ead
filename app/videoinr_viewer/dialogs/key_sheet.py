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
from videoinr_viewer.dialogs.side_dialog import FormArea, SideDialog, room_on_screen
from videoinr_viewer.key_bindings import plain
from videoinr_viewer.style.language import tr

_MARGIN_PX = 50
"""What the dialog is wider than its columns."""


class KeySheet(SideDialog):
    """Shows the shortcuts of ``menu_bar`` and the mouse gestures, one group for each menu.

    There are two columns where the screen is wide enough for them.
    """

    def __init__(self, menu_bar: QMenuBar, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        groups = [*_groups(menu_bar), (tr("Mouse and held keys"), _mouse())]
        room = room_on_screen(self)
        columns = _columns(groups, 2)
        if columns.sizeHint().width() + _MARGIN_PX > room.width():
            columns = _columns(groups, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(FormArea(columns))
        layout.addWidget(self.close_box())
        wanted = columns.sizeHint()
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


def _columns(groups: Sequence[tuple[str, Keys]], count: int) -> QWidget:
    """Return the groups in ``count`` columns, each group in the column that is shorter so far."""
    columns, row = QWidget(), QHBoxLayout()
    columns.setLayout(row)
    row.setSpacing(36)
    halves = [QVBoxLayout() for _ in range(count)]
    for half in halves:
        half.setSpacing(14)
        row.addLayout(half)
    lengths = [0] * count
    keys_px = width_of_keys(columns.font(), (keys for _, keys in groups))
    for title, keys in groups:
        shortest = lengths.index(min(lengths))
        halves[shortest].addWidget(KeyGroup(title, keys, keys_px))
        lengths[shortest] += len(keys) + 2
    for half in halves:
        half.addStretch(1)
    return columns


def _groups(menu_bar: QMenuBar) -> Iterator[tuple[str, Keys]]:
    for action in menu_bar.actions():
        if isinstance(menu := action.menu(), QMenu):
            yield plain(action), [(_keys(one), plain(one)) for one in menu.actions() if one.shortcuts()]


def _keys(action: QAction) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return tr("  or  ").join(key.toString(native) for key in action.shortcuts())
