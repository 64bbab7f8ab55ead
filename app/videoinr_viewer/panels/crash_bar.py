"""The bar above the picture that says that the program ended unexpectedly last time, and offers a report."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from videoinr_viewer.style.language import tr


class CrashBar(QFrame):
    """Hidden until somebody shows it. What can be restored is offered by a bar of its own."""

    report_wanted = Signal()
    """The user wants a report that explains what happened."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hide()
        self.text = QLabel(tr("The program ended unexpectedly last time."), wordWrap=True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.copy = QPushButton(tr("Copy a report"), autoDefault=False)
        self.copy.setToolTip(tr("Copy what the log says about it to the clipboard; it names none of your files"))
        self.dismiss = QPushButton(tr("Close"), autoDefault=False)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        row.addWidget(self.copy)
        row.addWidget(self.dismiss)
        self.copy.clicked.connect(self.report_wanted)
        self.copy.clicked.connect(self.hide)
        self.dismiss.clicked.connect(self.hide)
