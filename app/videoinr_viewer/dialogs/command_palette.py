"""The command palette: finds an action by a few letters of its text and triggers it, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from videoinr_viewer.dialogs.fuzzy import match
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.theme import dress_for

MAX_RECENT = 8
SHOWN_ROWS = 11
_WIDTH_PX, _TOP_PX, _SIDE_PX = 620, 48, 12
_FOUND = Qt.ItemDataRole.UserRole
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down)
_PAGES = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}


@dataclass(frozen=True)
class Command:
    """An action as the palette lists it: its text and the title of its menu, both without marks for keys."""

    action: QAction
    text: str
    menu: str

    @property
    def keys(self) -> str:
        """The first shortcut as the system writes it; empty if there is none."""
        return self.action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


@dataclass(frozen=True)
class Found:
    """A command that fits the query, and the places of the query's letters in its text."""

    command: Command
    places: tuple[int, ...]


def ranked(commands: Sequence[Command], query: str, recent: Sequence[str]) -> list[Found]:
    """Return the commands that fit ``query``, the best first; of equal ones, the most recent first.

    Without a query: all, the recent ones first. ``recent``: ids of actions, the newest first. A query may name the
    menu too; letters found in the text of the action count more.
    """
    found = []
    for place, command in enumerate(commands):
        in_text = match(query, command.text)
        anywhere = in_text or match(query, f"{command.text} {command.menu}")
        if anywhere is None:
            continue
        name = command.action.objectName()
        age = recent.index(name) if name in recent else len(recent)
        order = (in_text is None, -anywhere.score, age, place)
        found.append((order, Found(command, in_text.places if in_text else ())))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


class CommandPalette(QObject):
    """Shows the palette over ``window``, with the commands of ``commands_of`` at that time."""

    used = Signal(list)
    """Ids of the actions used last, the newest first."""

    def __init__(self, window: QWidget, commands_of: Callable[[], Sequence[Command]]) -> None:
        super().__init__(window)
        self._window, self._commands_of = window, commands_of
        self.recent: list[str] = []
        self.dialog: PaletteDialog | None = None

    def show(self) -> None:
        """Show the palette with an empty query."""
        if self.dialog is None:
            self.dialog = PaletteDialog(self._window)
            self.dialog.chosen.connect(self._trigger)
        self.dialog.offer(self._commands_of(), self.recent)

    def hide(self) -> None:
        """Hide the palette."""
        if self.dialog is not None:
            self.dialog.hide()

    @Slot(object)
    def _trigger(self, action: QAction) -> None:
        name = action.objectName()
        self.recent = [name, *(other for other in self.recent if other != name)][:MAX_RECENT]
        self.used.emit(self.recent)
        action.trigger()


def commands_in(rows: Iterator[tuple[str, str]], actions: Mapping[str, QAction]) -> list[Command]:
    """Return the commands of ``rows``, each an id and the title of its menu, as far as they have an action."""
    return [Command(actions[name], plain(actions[name].text()), plain(menu)) for name, menu in rows if name in actions]


def plain(text: str) -> str:
    """Return the text of an action or menu without the marks of its key and of a dialog."""
    return text.replace("&", "").rstrip("…")


class PaletteDialog(QDialog):
    """A line to type in and the list of what fits. The line keeps the focus; arrows move in the list."""

    chosen = Signal(object)
    """QAction: the one that the user chose; the dialog is hidden by then."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        dress_for(window, self)
        self.setWindowTitle(tr("Find a command"))
        self.setObjectName("commandPalette")
        # Not modal: Qt drops the close button of a window below a modal dialog.
        self.setModal(False)
        self._window = window
        self._heard: list[QObject] = []
        self._commands: Sequence[Command] = ()
        self._recent: Sequence[str] = ()
        self.query = QLineEdit()
        self.query.setPlaceholderText(tr("Type a few letters of a command"))
        self.query.setAccessibleName(tr("Find a command"))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_RowPainter(self.list))
        self.hint = QLabel(
            tr("Up and Down choose, Return does it, Escape closes. Dim commands cannot be used now."), wordWrap=True
        )
        self.hint.setProperty("class", "quiet")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 8)
        for widget in (self.query, self.list, self.hint):
            layout.addWidget(widget)
        self.query.textChanged.connect(self._search)
        self.query.returnPressed.connect(self._choose)
        self.list.itemClicked.connect(self._choose)

    def offer(self, commands: Sequence[Command], recent: Sequence[str]) -> None:
        """Show ``commands``, those named in ``recent`` first."""
        self._commands, self._recent = commands, recent
        self.query.clear()
        self._search("")
        self._place()
        self.show()
        self.query.setFocus()

    def found(self) -> list[Found]:
        """Return what is listed now."""
        return [self.list.item(row).data(_FOUND) for row in range(self.list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys of the window for the line, and those that move in a list for the list; a click hides it.

        Keys arrive at the window until the system has made the dialog active, where they would be shortcuts.
        """
        kind, is_own = event.type(), watched is self.query
        if kind == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if kind == QEvent.Type.KeyPress and is_own:
            return isinstance(event, QKeyEvent) and self._moves(event)
        if kind == QEvent.Type.KeyPress:
            QApplication.sendEvent(self.query, event)
            return True
        if kind == QEvent.Type.MouseButtonPress and not is_own:
            self.hide()
        return False

    def _moves(self, event: QKeyEvent) -> bool:
        """Do what a key does in the list. Return whether it does anything there."""
        if event.key() in _MOVES:
            QApplication.sendEvent(self.list, event)
        elif event.key() in _PAGES:
            self._turn_page(_PAGES[Qt.Key(event.key())])
        else:
            return False
        return True

    def event(self, event: QEvent) -> bool:
        """Hear the window's input while the dialog is visible."""
        if event.type() == QEvent.Type.Show:
            # Input arrives at the window as the system knows it; whether a key is a shortcut, its focus is asked.
            for one in (self.query, self._window.windowHandle(), self._window.focusWidget()):
                if one is not None:
                    one.installEventFilter(self)
                    self._heard.append(one)
        elif event.type() == QEvent.Type.Hide:
            while self._heard:
                with suppress(RuntimeError):  # Qt has deleted it meanwhile.
                    self._heard.pop().removeEventFilter(self)
        return super().event(event)

    def _turn_page(self, step: int) -> None:
        """Go a page down (1) or up (-1), to a command that can be used: the list itself stays where that is dim."""
        usable = [row for row, found in enumerate(self.found()) if found.command.action.isEnabled()]
        target = self.list.currentRow() + step * (SHOWN_ROWS - 1)
        beyond = [row for row in usable if (row - target) * step >= 0]
        if usable:
            self.list.setCurrentRow((beyond or usable[::-1])[0] if step > 0 else (beyond or usable[:1])[-1])

    @Slot(str)
    def _search(self, query: str) -> None:
        self.list.clear()
        for found in ranked(self._commands, query, self._recent):
            command = found.command
            item = QListWidgetItem(command.text, self.list)
            item.setData(_FOUND, found)
            words = (command.text, command.menu, command.keys)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(word for word in words if word))
            if not command.action.isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
        enabled = (row for row, found in enumerate(self.found()) if found.command.action.isEnabled())
        self.list.setCurrentRow(next(enabled, -1))
        self.list.scrollToTop()

    @Slot()
    def _choose(self) -> None:
        item = self.list.currentItem()
        if item is not None and (action := item.data(_FOUND).command.action).isEnabled():
            self.hide()
            self._window.activateWindow()
            self.chosen.emit(action)

    def _place(self) -> None:
        """Lie over the upper part of the window, and inside it."""
        area = self._window.rect()
        width = min(_WIDTH_PX, area.width() - 2 * _SIDE_PX)
        rows = SHOWN_ROWS * self.list.sizeHintForRow(0) + 2 * self.list.frameWidth()
        self.list.setFixedHeight(max(80, min(rows, area.height() - 2 * _TOP_PX - 70)))
        self.setFixedWidth(width)
        self.adjustSize()
        corner = self._window.mapToGlobal(area.topLeft())
        self.move(corner.x() + (area.width() - width) // 2, corner.y() + _TOP_PX)


class _RowPainter(QStyledItemDelegate):
    """Paints a command: a tick if it is on, its text with the found letters in bold, its menu, its shortcut."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size of a row; all are equal."""
        return QSize(100, option.fontMetrics.height() + 11)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint the row."""
        found: Found = index.data(_FOUND)
        colours: QPalette = option.palette
        box: QRect = option.rect
        action = found.command.action
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setFont(option.font)
        if is_current:
            painter.fillRect(box, colours.color(QPalette.ColorRole.Highlight))
        strong, quiet = _inks(colours, is_current=is_current, is_enabled=action.isEnabled())
        inner = box.adjusted(26, 0, -10, 0)
        painter.setPen(strong)
        if action.isCheckable() and action.isChecked():
            painter.drawText(box.adjusted(8, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, "✓")
        end = _draw_letters(painter, inner, found)
        painter.setPen(quiet)
        painter.drawText(inner.adjusted(end + 14, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, found.command.menu)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, found.command.keys)
        painter.restore()


def _inks(colours: QPalette, *, is_current: bool, is_enabled: bool) -> tuple[object, object]:
    """Return the colours of the text and of menu and shortcut."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    if not is_enabled:
        dim = colours.color(group.Disabled, role.Text)
        return dim, dim
    if is_current:
        light = colours.color(group.Active, role.HighlightedText)
        return light, light
    return colours.color(group.Active, role.Text), colours.color(group.Active, role.PlaceholderText)


def _draw_letters(painter: QPainter, box: QRect, found: Found) -> int:
    """Draw the command's text, the found letters in bold. Return its width."""
    font = painter.font()
    x = float(box.left())
    down = box.top() + (box.height() + painter.fontMetrics().ascent() - painter.fontMetrics().descent()) / 2
    for part, is_found in _runs(found.command.text, set(found.places)):
        font.setBold(is_found)
        painter.setFont(font)
        painter.drawText(QPointF(x, down), part)
        x += painter.fontMetrics().horizontalAdvance(part)
    font.setBold(False)
    painter.setFont(font)
    return round(x) - box.left()


def _runs(text: str, places: set[int]) -> Iterator[tuple[str, bool]]:
    """Yield ``text`` in parts: those of the found letters, and those between them."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or (end in places) != (start in places):
            yield text[start:end], start in places
            start = end
