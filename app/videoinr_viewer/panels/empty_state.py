"""The page that the window shows while no clip is open: what the program does, how to begin, recent clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence, QPalette, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from videoinr_viewer.style.language import tr

SHOWN_RECENT = 5
_BUTTONS = ("open", "open-folder", "open-demo")
_KEYS = ("play", "next-frame", "sixteenth-on", "compare", "keys")
"""The actions whose keys a new user needs first."""
_WIDTH_PX = 560


class EmptyState(QWidget):
    """Invites the user to drop or open a clip, and lists the recent clips.

    Three sentences say what the program does, five lines name keys. ``actions``: the window's, by id.
    """

    recent_wanted = Signal(object)
    """Path: the recent clip that the user chose."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setBackgroundRole(QPalette.ColorRole.Dark)
        self._title, self._hint = (QLabel(alignment=Qt.AlignmentFlag.AlignCenter) for _ in range(2))
        self._title.setObjectName("emptyTitle")
        self._hint.setObjectName("emptyHint")
        self.buttons = [self._button(actions[name]) for name in _BUTTONS]
        self._start = QWidget()
        self._actions = actions
        self._key_labels = {name: QLabel() for name in _KEYS}
        self._sentences, self._keys = _sentences(), _keys(actions, self._key_labels)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        self._lay_out()
        for name in _KEYS:
            actions[name].changed.connect(self._show_keys)
        self._show_keys()
        self.show_invitation()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStretch(1)
        for button in self.buttons:
            row.addWidget(button)
        row.addStretch(1)
        inner = QVBoxLayout(self._start)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(14)
        inner.addLayout(row)
        for widget in (self._sentences, self._keys):
            inner.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addLayout(self._recent)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(3)
        for label in (self._title, self._hint):
            column.addWidget(label)
        column.addSpacing(10)
        column.addWidget(self._start)
        column.addStretch(4)

    @Slot(object)
    def show_opening(self, path: Path) -> None:
        """Show that ``path`` is being opened."""
        self._title.setText(tr("Opening {name}…", name=path.name))
        self._hint.clear()
        self._start.hide()

    @Slot()
    def show_invitation(self) -> None:
        """Show the invitation: no clip is open."""
        self._title.setText(tr("Drop a clip here"))
        self._hint.setText(tr("or open one"))
        self._start.show()

    @Slot()
    def _show_keys(self) -> None:
        for name, label in self._key_labels.items():
            label.setText(self._actions[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText))

    def set_recent(self, paths: list[Path]) -> None:
        """List ``paths``, newest first."""
        while (item := self._recent.takeAt(0)) is not None:
            if (button := item.widget()) is not None:
                button.deleteLater()
        if paths:
            heading = QLabel(tr("Recent clips and projects"))
            heading.setProperty("class", "quiet")
            self._recent.addWidget(heading, 0, Qt.AlignmentFlag.AlignHCenter)
        for path in paths[:SHOWN_RECENT]:
            self._recent.addWidget(self._link(path), 0, Qt.AlignmentFlag.AlignHCenter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out the keys, and then the sentences, where the window is too low for them."""
        super().resizeEvent(event)
        room = self.height() - self._title.sizeHint().height() - self._hint.sizeHint().height() - 120
        needs = self._sentences.sizeHint().height() + self._recent.sizeHint().height()
        self._sentences.setVisible(room >= needs)
        self._keys.setVisible(room >= needs + self._keys.sizeHint().height() + 14)

    def _button(self, action: QAction) -> QPushButton:
        # Without the mnemonic, which a menu may have.
        button = QPushButton(action.text().replace("&", ""), autoDefault=False)
        button.setToolTip(action.toolTip())
        button.clicked.connect(action.trigger)
        return button

    def _link(self, path: Path) -> QPushButton:
        button = QPushButton(path.name.replace("&", "&&"), flat=True)
        button.setObjectName("recent")
        button.setToolTip(str(path))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self.recent_wanted.emit(path))
        return button


def _sentences() -> QLabel:
    text = " ".join(
        (
            tr(
                "VideoINR shows a clip at any moment, also between its frames, and at any size, also within its pixels."
            ),
            tr("What you see is computed for the visible part alone; hold Tab to see the source frame instead."),
            tr("What you like is exported as you see it, at any rate and size."),
        )
    )
    return _Sentences(text)


class _Sentences(QLabel):
    """A text that wraps: a layout asks it for less height than it needs at a fixed width."""

    def __init__(self, text: str) -> None:
        super().__init__(text, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.setObjectName("emptyHint")
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Take the height of another font: the style sheet comes when the window is made."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        self.setFixedSize(_WIDTH_PX, self.heightForWidth(_WIDTH_PX))


def _keys(actions: Mapping[str, QAction], labels: Mapping[str, QLabel]) -> QWidget:
    """Return a table of the first keys, shown by ``labels``, and what they do."""
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(3)
    for row, (name, key) in enumerate(labels.items()):
        key.setObjectName("emptyKey")
        text = QLabel(actions[name].text().replace("&", "").rstrip("…"))
        text.setObjectName("emptyHint")
        grid.addWidget(key, row, 0, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(text, row, 1)
    return table
