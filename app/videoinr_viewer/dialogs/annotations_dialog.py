"""The list of segments, bookmarks and camera keyframes: to rename, visit and remove them."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from videoinr.journey.camera import Easing
from videoinr_viewer.dialogs.list_keys import use_by_keyboard
from videoinr_viewer.dialogs.side_dialog import SideDialog
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import decimal, tr
from videoinr_viewer.style.text import format_time
from videoinr_viewer.timeline.annotations import Annotations

_TIME = Qt.ItemDataRole.UserRole


class AnnotationsDialog(SideDialog):
    """A window beside the main one.

    Return or a double click on a time goes there; F2 or a double click on a name renames; Del removes.
    """

    def __init__(self, session: Session, annotations: Annotations, planner: JourneyPlanner, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._annotations, self._planner = session, annotations, planner
        self.setWindowTitle(tr("Segments and bookmarks"))
        self.list = QTreeWidget()
        self.list.setAccessibleName(tr("Segments and bookmarks"))
        self.list.setHeaderLabels([tr("Name"), tr("Start"), tr("End")])
        self.list.setRootIsDecorated(False)
        self.list.setEditTriggers(QTreeWidget.EditTrigger.NoEditTriggers)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setStretchLastSection(False)
        self.go, self.rename, self.remove = (
            QPushButton(text, autoDefault=False) for text in (tr("&Go to"), tr("Re&name"), tr("&Remove"))
        )
        self.easing = QComboBox()
        for easing, word in _words_for_easings().items():
            self.easing.addItem(word, easing)
        self._easing_label = QLabel(tr("To the next keyframe"))
        self._easing_label.setBuddy(self.easing)
        self.note = QLabel(tr("None yet. The menu “Marks” adds segments and bookmarks."), wordWrap=True)
        row = QHBoxLayout()
        row.addWidget(self._easing_label)
        row.addWidget(self.easing, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.list)
        layout.addWidget(self.note)
        layout.addLayout(row)
        layout.addWidget(self.close_box(self.go, self.rename, self.remove))
        self.wanted_px = QSize(460, 320)
        annotations.changed.connect(self.fill)
        planner.changed.connect(self.fill)
        session.times_changed.connect(self.fill)
        session.taken.connect(self.fill)
        use_by_keyboard(self.list, {"Return": self.go, "Enter": self.go, "F2": self.rename, "Del": self.remove})
        self.list.itemDoubleClicked.connect(self._double_click)
        self.list.itemChanged.connect(self._take_name)
        self.list.itemSelectionChanged.connect(self._enable)
        self.easing.activated.connect(self._ease)
        self.go.clicked.connect(self._go)
        self.rename.clicked.connect(self._rename)
        self.remove.clicked.connect(self._remove)
        self.fill()

    @Slot()
    def fill(self) -> None:
        """List the present segments and bookmarks."""
        row = self._row()
        self.list.blockSignals(True)
        self.list.clear()
        for named in self._annotations.segments:
            self._add(named.name, named.segment.start_secs, named.segment.end_secs)
        for mark in self._annotations.bookmarks:
            self._add(mark.name, mark.time_secs, None)
        easings = _words_for_easings()
        for keyframe in self._planner.keyframes:
            zoom = decimal(f"{float(keyframe.zoom):.2f}")
            words = tr("Camera ×{zoom}, {easing} to the next", zoom=zoom, easing=easings[keyframe.easing])
            unnamed = self._add(words, keyframe.time_secs, None)
            unnamed.setFlags(unnamed.flags() & ~Qt.ItemFlag.ItemIsEditable)
        self.list.blockSignals(False)
        self.note.setHidden(self.list.topLevelItemCount() > 0)
        if row is not None and (item := self.list.topLevelItem(min(row, self.list.topLevelItemCount() - 1))):
            self.list.setCurrentItem(item)
        self._enable()

    def _add(self, name: str, start: Fraction, end: Fraction | None) -> QTreeWidgetItem:
        clock = self._session.clock
        started = format_time(start) if clock is None else clock.text(start)
        ended = "" if end is None else format_time(end) if clock is None else clock.end(end)
        texts = [name, started, ended]
        item = QTreeWidgetItem(self.list, texts)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        item.setData(0, _TIME, start)
        return item

    def _row(self) -> int | None:
        selected = self.list.selectedItems()
        return self.list.indexOfTopLevelItem(selected[0]) if selected else None

    @Slot()
    def _enable(self) -> None:
        row = self._row()
        for button in (self.go, self.remove):
            button.setEnabled(row is not None)
        self.rename.setEnabled(row is not None and row < self._named)
        for widget in (self._easing_label, self.easing):
            widget.setVisible(bool(self._planner.keyframes))
            widget.setEnabled(row is not None and row >= self._named)
        if row is not None and row >= self._named:
            easing = self._planner.keyframes[row - self._named].easing
            self.easing.setCurrentIndex(list(Easing).index(easing))

    @property
    def _named(self) -> int:
        """The number of rows before those of the camera's keyframes, which have no names."""
        return len(self._annotations.segments) + len(self._annotations.bookmarks)

    @Slot(QTreeWidgetItem, int)
    def _double_click(self, item: QTreeWidgetItem, column: int) -> None:
        if column == 0 and self.list.indexOfTopLevelItem(item) < self._named:
            self.list.editItem(item, 0)
        else:
            self._session.seek(item.data(0, _TIME))

    @Slot(QTreeWidgetItem, int)
    def _take_name(self, item: QTreeWidgetItem, column: int) -> None:
        row, name, segments = self.list.indexOfTopLevelItem(item), item.text(0), len(self._annotations.segments)
        if column != 0 or not 0 <= row < self._named:
            return
        if row < segments:
            self._annotations.rename_segment(row, name)
        else:
            self._annotations.rename_bookmark(row - segments, name)
        self.fill()

    @Slot()
    def _go(self) -> None:
        if selected := self.list.selectedItems():
            self._session.seek(selected[0].data(0, _TIME))

    @Slot(int)
    def _ease(self, _index: int) -> None:
        if (row := self._row()) is not None:
            self._planner.set_easing(self.easing.currentData(), row - self._named)

    @Slot()
    def _rename(self) -> None:
        if (selected := self.list.selectedItems()) and self.rename.isEnabled():
            self.list.editItem(selected[0], 0)

    @Slot()
    def _remove(self) -> None:
        row, segments = self._row(), len(self._annotations.segments)
        if row is None:
            return
        if row < segments:
            self._annotations.delete_segment(row)
        elif row >= self._named:
            self._planner.delete_keyframe(row - self._named)
        else:
            self._annotations.delete_bookmark(row - segments)


def _words_for_easings() -> dict[Easing, str]:
    """Return how the camera goes to the next keyframe, in a word or two."""
    return {Easing.SMOOTH: tr("gently"), Easing.LINEAR: tr("evenly"), Easing.HOLD: tr("with a jump")}
