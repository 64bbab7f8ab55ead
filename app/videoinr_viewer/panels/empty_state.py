"""The page that the window shows while no clip is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

SHOWN_RECENT = 5


class EmptyState(QWidget):
    """Invites the user to drop a clip, and lists the recent clips."""

    recent_wanted = Signal(object)
    """Path: the recent clip that the user chose."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setBackgroundRole(QPalette.ColorRole.Dark)
        self._title, self._hint = (QLabel(alignment=Qt.AlignmentFlag.AlignCenter) for _ in range(2))
        self._title.setObjectName("emptyTitle")
        self._hint.setObjectName("emptyHint")
        self.show_invitation()
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(3)
        for widget in (self._title, self._hint):
            column.addWidget(widget)
        column.addSpacing(18)
        column.addLayout(self._recent)
        column.addStretch(4)

    @Slot(object)
    def show_opening(self, path: Path) -> None:
        """Show that ``path`` is being opened."""
        self._title.setText(f"Opening {path.name}…")
        self._hint.clear()

    @Slot()
    def show_invitation(self) -> None:
        """Show the invitation: no clip is open."""
        self._title.setText("Drop a clip here")
        self._hint.setText("or press Ctrl+O")

    def set_recent(self, paths: list[Path]) -> None:
        """List ``paths``, newest first."""
        while (item := self._recent.takeAt(0)) is not None:
            if (button := item.widget()) is not None:
                button.deleteLater()
        for path in paths[:SHOWN_RECENT]:
            self._recent.addWidget(self._link(path), 0, Qt.AlignmentFlag.AlignHCenter)

    def _link(self, path: Path) -> QPushButton:
        button = QPushButton(path.name.replace("&", "&&"), flat=True)
        button.setObjectName("recent")
        button.setToolTip(str(path))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self.recent_wanted.emit(path))
        return button
