"""The bar above the picture that offers to restore unsaved work."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QLocale, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from videoinr_viewer.project.autosave import Offer
from videoinr_viewer.style.language import tr


class RestoreBar(QFrame):
    """Shows one offer; hidden while there is none. It stays until the user answers, and comes again if he does not."""

    restore_wanted = Signal(object)
    """Offer: the user wants this work back."""
    discard_wanted = Signal(object)
    """Offer: the user does not need it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hide()
        self._offer: Offer | None = None
        self.text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.restore, self.discard, self.later = (
            QPushButton(text, autoDefault=False) for text in (tr("Restore"), tr("Discard"), tr("Later"))
        )
        self.later.setToolTip(tr("Ask again at the next start"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        for button in (self.restore, self.discard, self.later):
            row.addWidget(button)
        self.restore.clicked.connect(self._restore)
        self.discard.clicked.connect(self._discard)
        self.later.clicked.connect(self.hide)

    @Slot(object)
    def show_offer(self, offer: Offer | None) -> None:
        """Show ``offer``; with None, hide."""
        self._offer = offer
        if offer is not None:
            self.text.setText(_words(offer))
        self.setVisible(offer is not None)

    @Slot()
    def _restore(self) -> None:
        self.hide()
        self.restore_wanted.emit(self._offer)

    @Slot()
    def _discard(self) -> None:
        self.hide()
        self.discard_wanted.emit(self._offer)


def _words(offer: Offer) -> str:
    written = QDateTime.fromSecsSinceEpoch(round(offer.left.written.timestamp()))
    time = QLocale().toString(written, QLocale.FormatType.ShortFormat)
    return tr(
        "Unsaved work on {clip} was left on {time}. Segments: {segments}, bookmarks: {bookmarks}.",
        clip=offer.clip, time=time, segments=offer.segments, bookmarks=offer.bookmarks,
    )  # fmt: skip
