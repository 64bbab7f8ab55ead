"""The bar above the picture that offers to restore unsaved work."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QLocale, Qt, Signal, Slot
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from videoinr_viewer.project.autosave import Offer
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.painting import painting


class _Choice(QComboBox):
    """A list whose chosen entry is shortened where it is narrow; the tool tip has the whole text."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the list with what fits of its text."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        with painting(QStylePainter(self)) as painter:
            self.style().drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option, painter, self)
            field = QStyle.SubControl.SC_ComboBoxEditField
            room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
            text = option.currentText
            option.currentText = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
            self.setToolTip("" if option.currentText == text else text)
            self.style().drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option, painter, self)


class RestoreBar(QFrame):
    """Shows offers; hidden while there is none. It stays until the user answers, and comes again if he does not.

    Of several, the newest is chosen first. What is not restored stays on offer.
    """

    restore_wanted = Signal(object)
    """Offer: the user wants this work back."""
    discard_wanted = Signal(object)
    """Offer: the user does not need it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hide()
        self._offers: tuple[Offer, ...] = ()
        self.text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.choice = _Choice()
        self.choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.restore, self.discard, self.later = (
            QPushButton(text, autoDefault=False) for text in (tr("Restore"), tr("Discard"), tr("Later"))
        )
        self.later.setToolTip(tr("Ask again at the next start"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        row.addWidget(self.choice, 3)
        for button in (self.restore, self.discard, self.later):
            row.addWidget(button)
        self.restore.clicked.connect(self._restore)
        self.discard.clicked.connect(self._discard)
        self.later.clicked.connect(self.hide)

    @Slot(object)
    def show_offers(self, offers: tuple[Offer, ...]) -> None:
        """Show ``offers``, the newest first; hide if there is none."""
        self._offers = offers
        is_one = len(offers) == 1
        if offers:
            several = _heading(offers)
            self.text.setText(_words(offers[0]) if is_one else several)
            # A single text may need several lines; beside the list there is room for one.
            self.text.setSizePolicy(
                QSizePolicy.Policy.Ignored if is_one else QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred
            )
            self.text.setWordWrap(is_one)
            self.choice.setAccessibleName(several.rstrip(":"))
            self.choice.clear()
            self.choice.addItems([_line(offer) for offer in offers])
        self.choice.setVisible(not is_one)
        self.setVisible(bool(offers))

    @property
    def chosen(self) -> Offer:
        """The offer that the buttons act on."""
        return self._offers[self.choice.currentIndex()]

    @Slot()
    def _restore(self) -> None:
        self.hide()
        self.restore_wanted.emit(self.chosen)

    @Slot()
    def _discard(self) -> None:
        self.hide()
        self.discard_wanted.emit(self.chosen)


def _heading(offers: tuple[Offer, ...]) -> str:
    if all(one.is_work for one in offers):
        return tr("Unsaved work, {count} windows:", count=len(offers))
    return tr("Left behind, {count} windows:", count=len(offers))


def _words(offer: Offer) -> str:
    if not offer.is_work:
        return tr("{clip} was open when the program ended unexpectedly, {time}.", clip=offer.clip, time=_time(offer))
    words = tr("Unsaved work on {clip} was left on {time}.", clip=offer.clip, time=_time(offer))
    if not offer.segments and not offer.bookmarks:
        return words  # It may be marks, a shutter or a curve: that there are no segments says nothing.
    count = tr("Segments: {segments}, bookmarks: {bookmarks}.", segments=offer.segments, bookmarks=offer.bookmarks)
    # A number stays in the line of what it counts.
    return f"{words} " + count.replace(": ", ":\N{NO-BREAK SPACE}")


def _line(offer: Offer) -> str:
    if not offer.is_work:
        return tr("{clip}, {time}; nothing unsaved", clip=offer.clip, time=_time(offer))
    if not offer.segments and not offer.bookmarks:
        return f"{offer.clip}, {_time(offer)}"
    return tr(
        "{clip}, {time}; segments: {segments}, bookmarks: {bookmarks}", clip=offer.clip, time=_time(offer),
        segments=offer.segments, bookmarks=offer.bookmarks,
    )  # fmt: skip


def _time(offer: Offer) -> str:
    written = QDateTime.fromSecsSinceEpoch(round(offer.left.written.timestamp()))
    return QLocale().toString(written, QLocale.FormatType.ShortFormat)
