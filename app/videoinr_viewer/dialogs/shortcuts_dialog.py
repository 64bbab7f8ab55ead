"""The page of the shortcuts: to see, change and reset them. A key that another action has is taken only if asked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from videoinr_viewer.dialogs.side_dialog import SideDialog
from videoinr_viewer.key_bindings import KeyBindings, is_usable, native, plain
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.theme import Tone, set_tone

_ID = Qt.ItemDataRole.UserRole


class ShortcutsDialog(SideDialog):
    """Lists the actions ``rows``, each an id and the title of its menu; changes count at once."""

    def __init__(self, bindings: KeyBindings, rows: Sequence[tuple[str, str]], parent: QWidget) -> None:
        super().__init__(parent)
        self._bindings = bindings
        self.setWindowTitle(tr("Change shortcuts"))
        self.filter = QLineEdit(placeholderText=tr("Words of a command, or a key"))
        self.filter.setAccessibleName(tr("Find a command"))
        self.list = QTreeWidget()
        self.list.setAccessibleName(tr("Commands and their shortcuts"))
        self.list.setHeaderLabels([tr("Command"), tr("Menu"), tr("Shortcuts")])
        self.list.setRootIsDecorated(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setStretchLastSection(False)
        # Before rows are measured: they keep their height.
        self.list.ensurePolished()
        for name, menu in rows:
            item = QTreeWidgetItem(self.list, [plain(bindings.actions[name]), menu.replace("&", "")])
            item.setData(0, _ID, name)
        self.key = QKeySequenceEdit()
        self.key.setMaximumSequenceLength(1)
        self.key.setAccessibleName(tr("New shortcut"))
        self.add, self.clear, self.reset, self.reset_all = (
            QPushButton(text, autoDefault=False) for text in (tr("Add"), tr("Remove"), tr("Reset"), tr("Reset all"))
        )
        self.note = QLabel(wordWrap=True)
        self._lay_out()
        self._connect()
        self._show_keys()
        self.list.setCurrentItem(self._items()[0])

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel(tr("New shortcut")))
        row.addWidget(self.key, 1)
        for button in (self.add, self.clear, self.reset):
            row.addWidget(button)
        buttons = self.close_box()
        buttons.addButton(self.reset_all, QDialogButtonBox.ButtonRole.ResetRole)
        layout = QVBoxLayout(self)
        layout.addWidget(self.filter)
        layout.addWidget(self.list)
        layout.addLayout(row)
        layout.addWidget(self.note)
        layout.addWidget(buttons)
        self.note.setMinimumHeight(self.note.fontMetrics().height() + 2)
        self.wanted_px = QSize(700, 520)

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._filter)
        self.list.currentItemChanged.connect(self._enable)
        self.key.keySequenceChanged.connect(self._enable)
        self.add.clicked.connect(self._add)
        self.clear.clicked.connect(self._clear)
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self._bindings.reset_all)
        self._bindings.changed.connect(self._show_keys)

    @property
    def current(self) -> str:
        """The id of the chosen action; empty if none is chosen."""
        item = self.list.currentItem()
        return "" if item is None or item.isHidden() else str(item.data(0, _ID))

    @Slot(str)
    def _filter(self, query: str) -> None:
        words = query.casefold().split()
        for item in self._items():
            text = " ".join(item.text(column) for column in range(3)).casefold()
            item.setHidden(not all(word in text for word in words))
        self._enable()

    def _items(self) -> list[QTreeWidgetItem]:
        found = (self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount()))
        return [item for item in found if item is not None]

    @Slot()
    def _show_keys(self) -> None:
        for item in self._items():
            name = str(item.data(0, _ID))
            item.setText(2, tr("  or  ").join(map(native, self._bindings.keys(name))))
            font = item.font(2)
            font.setBold(not self._bindings.is_default(name))
            item.setFont(2, font)
        self.list.resizeColumnToContents(2)
        self._enable()

    def _typed(self) -> str:
        return self.key.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    @Slot()
    def _enable(self) -> None:
        name, key = self.current, self._typed()
        other = self._bindings.owner(key, besides=name) if key else None
        words = ""
        if key and not is_usable(key):
            words = tr("{key} cannot be used.", key=native(key))
        elif other is not None:
            command = plain(self._bindings.actions[other])
            words = tr("{key} belongs to “{command}”.", key=native(key), command=command)
        self.note.setText(words)
        set_tone(self.note, Tone.WARM if words else Tone.PLAIN)
        self.add.setText(tr("Take it") if other is not None else tr("Add"))
        self.add.setEnabled(bool(name) and is_usable(key) and key not in self._bindings.keys(name))
        self.clear.setEnabled(bool(name) and bool(self._bindings.keys(name)))
        self.reset.setEnabled(bool(name) and not self._bindings.is_default(name))

    @Slot()
    def _add(self) -> None:
        self._bindings.add(self.current, self._typed())
        self.key.clear()

    @Slot()
    def _clear(self) -> None:
        self._bindings.clear(self.current)

    @Slot()
    def _reset(self) -> None:
        self._bindings.reset(self.current)
