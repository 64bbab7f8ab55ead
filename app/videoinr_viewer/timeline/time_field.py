"""The text field that shows the time and takes a new one."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QActionGroup, QContextMenuEvent, QFocusEvent, QFont, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QToolTip, QWidget

from videoinr.errors import UsageError
from videoinr.text.timecode import has_timecode, timecode_of
from videoinr_viewer.style.fonts import from_system
from videoinr_viewer.style.language import tr, tr_error
from videoinr_viewer.style.text import format_time
from videoinr_viewer.style.time_form import TimeForm
from videoinr_viewer.timeline.clock import Clock

FONT_PX = 15


class TimeField(QLineEdit):
    """Shows the current time. Return goes to the typed time; Escape and a loss of focus discard it."""

    entered = Signal(object)
    """Fraction: the entered time, seconds."""
    form_wanted = Signal(object)
    """TimeForm: how times are to be shown."""
    left = Signal()
    """The user has left the field."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock: Clock | None = None
        self._time_secs = Fraction(0)
        self.setObjectName("time")
        self.setAccessibleName(tr("Time"))
        self.setToolTip(
            tr("Type a time (1.5, 1:02.5 or 50%), a timecode (00:01:02:12) or a frame (frame 29.5) to go there")
        )
        font = self.font()
        font.setPixelSize(from_system(FONT_PX))
        font.setFeature(QFont.Tag("tnum"), 1)
        self.setFont(font)
        self._fit_to(f"0{format_time(Fraction(0))}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setEnabled(False)
        self.returnPressed.connect(self._enter)

    def set_clock(self, clock: Clock | None) -> None:
        """Show and take times of a clip as ``clock`` says; None: no clip."""
        self._clock = clock
        self.setEnabled(clock is not None)
        if clock is None:
            self.clear()
        else:
            self._fit_to(clock.widest)
            self.show_time(self._time_secs)

    def show_time(self, time_secs: Fraction) -> None:
        """Show ``time_secs``, unless the user is in the field: a new text would undo what is typed or selected."""
        self._time_secs = time_secs
        if not self.hasFocus():
            self.setText(self._shown())

    def begin(self) -> None:
        """Take the focus, ready for a new time."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def event(self, event: QEvent) -> bool:
        """Keep Escape and Return from the window's shortcuts while the field has the focus."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        own = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_override and isinstance(event, QKeyEvent) and event.key() in own:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the field on Escape, without a new time."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the current time again, and discard what was typed."""
        super().focusOutEvent(event)
        self.setText(self._shown())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the forms in which times can be shown, below what a text field offers."""
        if self._clock is None:
            return
        menu = self.createStandardContextMenu()
        menu.addSeparator()
        self.add_forms(menu)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def add_forms(self, menu: QMenu) -> None:
        """Add an entry for each form to ``menu``."""
        assert self._clock is not None
        group, info, shown = QActionGroup(menu), self._clock.info, self._clock.form
        titles = {TimeForm.SECONDS: tr("Show seconds"), TimeForm.TIMECODE: tr("Show timecode")}
        if has_timecode(info) and info.timecode is not None:
            titles[TimeForm.TIMECODE] = tr("Show the clip’s own timecode, from {first}", first=timecode_of(0, info))
            titles[TimeForm.COUNTED] = tr("Show timecode from zero")
        elif shown is TimeForm.COUNTED:
            shown = TimeForm.TIMECODE  # Both are the same.
        titles[TimeForm.FRAMES] = tr("Show frames")
        for form, title in titles.items():
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(form is shown)
            action.setEnabled(not form.is_timecode or has_timecode(info))
            action.triggered.connect(partial(self._choose, form))
            group.addAction(action)

    def _choose(self, form: TimeForm) -> None:
        # The click that opened the menu began an edit, in which the field would keep the old form, and take the keys.
        self._leave()
        self.form_wanted.emit(form)

    @Slot()
    def _enter(self) -> None:
        words = self.toolTip()
        try:
            time_secs = self._clock.parse(self.text()) if self._clock is not None else None
        except UsageError as error:
            time_secs, words = None, tr_error(error)
        if time_secs is None:
            self.selectAll()
            QToolTip.showText(self.mapToGlobal(self.rect().topLeft()), words, self)
            return
        self.setModified(False)
        self.entered.emit(time_secs)
        self._leave()

    def _fit_to(self, widest: str) -> None:
        self.setFixedWidth(self.fontMetrics().horizontalAdvance(widest) + 12)

    def _shown(self) -> str:
        return "" if self._clock is None else self._clock.text(self._time_secs)

    def _leave(self) -> None:
        self.setModified(False)
        self.setText(self._shown())
        self.clearFocus()
        self.left.emit()
