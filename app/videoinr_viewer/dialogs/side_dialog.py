"""A window beside the main one that fits the screen, and an area whose fields scroll where the screen is too low."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSlider,
    QWidget,
)

from videoinr_viewer.style.language import tr
from videoinr_viewer.style.screen_room import FRAME_PX, room_on_screen
from videoinr_viewer.style.theme import dress_for

KERNING_PX = 2
"""How much wider a text is than Qt thinks where the underlined letter would stand closer to the next one: Te, Vi."""
ASIDE_PX, BELOW_PX = 12, 40
"""Room between a dialog that stands aside and the main window's right and upper edge: the menus stay in sight."""
_FIELDS = (QComboBox, QAbstractSpinBox, QSlider)
_LEAST_ROWS = 5
"""Rows of text that a form area shows at least."""


class SideDialog(QDialog):
    """Each time it is shown it is made no larger than its screen has room for. Tab follows what one sees.

    Its minimum must be small enough for that: what may be high lies in a list, a table or a :class:`FormArea`.
    """

    wanted_px = QSize()
    """The size at first, if the screen has room for it; an invalid or empty one: what the contents ask for."""

    stands_aside = False
    """Whether it opens at the right edge of the main window: one looks at the picture while one uses it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_in_order = False
        self._given_px = QSize()
        dress_for(parent, self)

    def setVisible(self, visible: bool) -> None:
        """Show the dialog, or hide it."""
        if visible and not self.isVisible():
            if not self._is_in_order:
                self._is_in_order = True
                follow_layout(self)
                _make_room_for_mnemonics(self)
            self._fit()
            if self.stands_aside and not self.testAttribute(Qt.WidgetAttribute.WA_Moved):
                self._stand_aside()
        super().setVisible(visible)

    def close_box(self, *actions: QPushButton) -> QDialogButtonBox:
        """Return a row of buttons: ``actions`` and Close, which Return presses only where it has the focus."""
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        close = box.button(QDialogButtonBox.StandardButton.Close)
        close.setAutoDefault(False)
        # Made without the style sheet, it has the icon of the system's theme.
        close.setIcon(QIcon())
        for button in actions:
            box.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        return box

    def _fit(self) -> None:
        was_sized = self.testAttribute(Qt.WidgetAttribute.WA_Resized)
        wanted = self.size() if was_sized else self.sizeHint() if self.wanted_px.isEmpty() else self.wanted_px
        self.resize(wanted.boundedTo(room_on_screen(self)))
        self._given_px = self.size()

    def grow(self) -> None:
        """Become as high as the contents ask for now, if the screen has room, and unless the user chose a size."""
        layout = self.layout()
        if not self.isVisible() or layout is None or self.size() != self._given_px:
            return
        wanted = layout.totalHeightForWidth(self.width())
        height = min(wanted, room_on_screen(self).height())
        if height > self.height():
            self.resize(self.width(), height)
            self._given_px = self.size()
            self._move_up_to_the_screen()

    def _move_up_to_the_screen(self) -> None:
        screen = self.screen().availableGeometry()
        below_px = self.frameGeometry().bottom() - screen.bottom()
        if below_px > 0:
            self.move(self.x(), max(screen.top(), self.y() - below_px))

    def _stand_aside(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            ground = parent.geometry() & self.screen().availableGeometry()
            size = self.size() + FRAME_PX
            left = ground.right() - size.width() - ASIDE_PX
            top = min(ground.top() + BELOW_PX, ground.bottom() - size.height())
            self.move(max(left, ground.left()), max(top, ground.top()))


def follow_layout(widget: QWidget) -> None:
    """Let Tab go through the fields of ``widget`` in the order of its layout, not in that in which they were made."""
    fields = [one for one in _laid_out(widget) if one.focusPolicy() & Qt.FocusPolicy.TabFocus and not one.focusProxy()]
    for field, following in pairwise(fields):
        QWidget.setTabOrder(field, following)


def _laid_out(widget: QWidget) -> Iterator[QWidget]:
    """Yield the widgets in the layout of ``widget``, and in theirs."""
    inner = widget.widget() if isinstance(widget, QScrollArea) else None
    if inner is not None:
        yield from _laid_out(inner)
    elif (layout := widget.layout()) is not None:
        yield from _placed(layout)


def _placed(layout: QLayout) -> Iterator[QWidget]:
    for index in range(layout.count()):
        item = layout.itemAt(index)
        assert item is not None
        if (part := item.layout()) is not None:
            yield from _placed(part)
        elif (widget := item.widget()) is not None:
            yield widget
            yield from _laid_out(widget)


def _make_room_for_mnemonics(dialog: QDialog) -> None:
    """Let no label cut its last letter off: Qt measures the text with kerning, and draws it in three parts, without."""
    for label in dialog.findChildren(QLabel):
        if "&" in label.text() and label.buddy() is not None:
            # No margin: it would not be painted on.
            label.setMinimumWidth(label.sizeHint().width() + KERNING_PX)


class FormArea(QScrollArea):
    """Shows ``form``, which the caller fills, as it is where there is room, and scrolls it where there is not.

    The area has its place in the dialog before the form is filled, and the fields are made inside the form: Qt styles
    a widget that is moved into another anew, with all that it holds. That took most of the time of making a dialog.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Fields"))
        self.form = QWidget(self.viewport())

    def show_form(self) -> None:
        """Scroll the form, which is filled now."""
        self.setWidget(self.form)
        # The colour of the dialog, not that of lists.
        self.viewport().setAutoFillBackground(False)
        self.form.setAutoFillBackground(False)
        for kind in _FIELDS:
            for field in self.form.findChildren(kind):
                field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                field.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Return the size of the whole form."""
        return self.form.sizeHint().expandedTo(self.minimumSizeHint())

    def minimumSizeHint(self) -> QSize:
        """Return the width of the form and its scroll bar, and the height of a few rows."""
        bar_px = self.verticalScrollBar().sizeHint().width()
        form = self.form.minimumSizeHint()
        return QSize(form.width() + bar_px, min(form.height(), _LEAST_ROWS * self.fontMetrics().lineSpacing()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the wheel scroll the form over a field without the focus: it would change the value unseen."""
        # The scroll bars are watched too, by Qt.
        if event.type() == QEvent.Type.Wheel and isinstance(watched, _FIELDS) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)
