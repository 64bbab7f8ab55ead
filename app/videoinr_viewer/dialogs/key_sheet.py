"""All keys at a glance, read from the table of actions."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from videoinr_viewer.actions import TABLE, Menu, Row

_MOUSE = (
    ("Wheel", "Zoom at the cursor"),
    ("Shift + wheel", "Move in time, 1/16 frame"),
    ("Left or middle drag", "Pan"),
    ("Tab, held", "See the plain source"),
)


class KeySheet(QDialog):
    """Two columns of groups, one for each menu."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        columns = QWidget()
        row = QHBoxLayout(columns)
        row.setSpacing(36)
        halves = (QVBoxLayout(), QVBoxLayout())
        for half in halves:
            half.setSpacing(14)
            row.addLayout(half)
        groups = [(menu.value.replace("&", ""), _keys_of(menu)) for menu in Menu]
        groups.append(("Mouse and held keys", list(_MOUSE)))
        lengths = [0, 0]
        for title, rows in groups:
            shortest = lengths.index(min(lengths))
            halves[shortest].addWidget(QLabel(_table(title, rows), textFormat=Qt.TextFormat.RichText))
            lengths[shortest] += len(rows) + 2
        for half in halves:
            half.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(columns)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll)
        layout.addWidget(buttons)
        self.resize(columns.sizeHint().width() + 50, min(760, columns.sizeHint().height() + 80))


def _keys_of(menu: Menu) -> list[tuple[str, str]]:
    return [(_key_words(row), row.text.replace("&", "").rstrip("…")) for row in TABLE if row.menu is menu and row.keys]


def _key_words(row: Row) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return "  or  ".join(QKeySequence(key).toString(native) for key in row.keys)


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td width='150'><b>{escape(keys)}</b></td><td>{escape(text)}</td></tr>" for keys, text in rows
    )
    return f"<p style='margin-bottom:4px'><b>{escape(title)}</b></p><table cellspacing='3'>{lines}</table>"
