"""The sheet of all keyboard shortcuts, read from the menu bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QMenu,
    QMenuBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from videoinr_viewer.dialogs.key_group import KeyGroup, Keys, width_of_keys
from videoinr_viewer.style.language import tr


class KeySheet(QDialog):
    """Shows the shortcuts of ``menu_bar`` and the mouse gestures in two columns, one group for each menu."""

    def __init__(self, menu_bar: QMenuBar, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        columns = _columns([*_groups(menu_bar), (tr("Mouse and held keys"), _mouse())])
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(columns)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll)
        layout.addWidget(buttons)
        wanted, screen = columns.sizeHint(), self.screen().availableGeometry()
        self.resize(min(wanted.width() + 50, screen.width()), min(760, wanted.height() + 80, screen.height()))


def _mouse() -> Keys:
    return (
        (tr("Wheel"), tr("Zoom at the pointer; over the timeline, magnify that")),
        (tr("Shift+wheel"), tr("Move in time by 1/16 frame; over the timeline, scroll it")),
        (tr("Left or middle drag"), tr("Pan")),
        (tr("Drag the line of a wipe"), tr("Move it")),
        (tr("Hold Tab"), tr("Show the source frame")),
        (tr("Hold Z"), tr("Magnify the pixels around the pointer eight times")),
    )


def _columns(groups: Sequence[tuple[str, Keys]]) -> QWidget:
    """Return the groups in two columns, each group in the column that is shorter so far."""
    columns, row = QWidget(), QHBoxLayout()
    columns.setLayout(row)
    row.setSpacing(36)
    halves = (QVBoxLayout(), QVBoxLayout())
    for half in halves:
        half.setSpacing(14)
        row.addLayout(half)
    lengths = [0, 0]
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
            yield _plain(action), [(_keys(one), _plain(one)) for one in menu.actions() if one.shortcuts()]


def _keys(action: QAction) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return tr("  or  ").join(key.toString(native) for key in action.shortcuts())


def _plain(action: QAction) -> str:
    # The text of undo and redo names a step as well.
    return action.iconText().replace("&", "").rstrip("…")
