"""Undo and redo of all that the user does to a clip, but for changes of the view."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QUndoCommand, QUndoStack

from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.project.document import Document, words_for_change
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr
from videoinr_viewer.timeline.annotations import Annotations

LIMIT = 500
"""So many steps can be undone."""


class History(QObject):
    """Watches the session, its notes and the reading of the clip, and makes one step of each change.

    A step holds the whole document before and after it: documents are small, and no step can miss a part. Another
    clip begins another history. A step that changes how the clip is read opens the clip anew; the notes follow when
    it is open.
    """

    reading_wanted = Signal(object)
    """Reading: undo or redo wants the clip to be read so."""
    changed = Signal()
    """The document is another one."""

    def __init__(
        self,
        session: Session,
        annotations: Annotations,
        reading: ReadingChoice,
        planner: JourneyPlanner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._annotations, self._reading, self._planner = session, annotations, reading, planner
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(LIMIT)
        self._present = self.document
        self._awaited: Document | None = None
        self._is_applying = False
        session.marks_changed.connect(self._note_marks)
        annotations.changed.connect(self._note)
        planner.changed.connect(self._note)
        session.open_failed.connect(self._give_up)
        session.closed.connect(self._forget)

    @property
    def document(self) -> Document:
        """The present document. A reading counts once a clip was opened with it."""
        notes = self._annotations
        marks, journey = self._session.marks, self._planner.journey
        return Document(marks, notes.segments, notes.bookmarks, self._reading.proven, journey)

    def show_on(self, undo: QAction, redo: QAction) -> None:
        """Let the two actions name the step that they take, and be enabled while there is one."""
        stack, plain = self.stack, {action: action.text() for action in (undo, redo)}
        for action in plain:
            action.setIconText(plain[action])
            action.setEnabled(False)
        stack.canUndoChanged.connect(undo.setEnabled)
        stack.canRedoChanged.connect(redo.setEnabled)
        stack.undoTextChanged.connect(
            lambda words: undo.setText(tr("&Undo: {change}", change=words) if words else plain[undo])
        )
        stack.redoTextChanged.connect(
            lambda words: redo.setText(tr("&Redo: {change}", change=words) if words else plain[redo])
        )

    def undo(self) -> None:
        """Take back the last step."""
        self.stack.undo()

    def redo(self) -> None:
        """Do the step again that was taken back last."""
        self.stack.redo()

    def restore(self, target: Document) -> None:
        """Make ``target`` the present document, without a step of its own."""
        if target == self.document and self._awaited is None:
            return
        self._present = target
        expected = self._reading.proven if self._awaited is None else self._awaited.reading
        reads_anew = target.reading != expected
        if reads_anew or self._awaited is not None:
            self._awaited = target
        if reads_anew:
            self.reading_wanted.emit(target.reading)
        else:
            self._apply(target)

    def load(self, document: Document, *, is_saved: bool) -> None:
        """Begin another history with ``document``, which lies in the open clip and has its reading."""
        self._apply(document)
        self._forget()
        if not is_saved:
            self.stack.resetClean()

    @Slot()
    def _note_marks(self) -> None:
        # While a session takes a clip, its marks are the last that it tells of.
        if self._session.is_taking_clip and not self._is_applying:
            self._take_clip()
        else:
            self._note()

    @Slot()
    def _note(self) -> None:
        if not (self._is_applying or self._session.is_taking_clip or self._session.clip is None):
            self._record()

    def _take_clip(self) -> None:
        if not self._session.keeps_notes:
            self._forget()
        elif self._awaited is not None:
            target, self._awaited = self._awaited, None
            self._apply(target)
            self._present = self.document
        else:
            # The user has the clip read in another way.
            self._record()

    def _record(self) -> None:
        old, new = self._present, self.document
        if self._awaited is not None:
            new = self._awaited = replace(new, reading=self._awaited.reading)
        if new == old:
            return
        self._present = new
        self.stack.push(_Step(self, old, new))
        self.changed.emit()

    def _apply(self, target: Document) -> None:
        self._is_applying = True
        try:
            self._session.set_marks(target.marks)
            self._annotations.restore(target.segments, target.bookmarks)
            self._planner.restore(target.journey)
        finally:
            self._is_applying = False
        self.changed.emit()

    @Slot()
    def _give_up(self) -> None:
        """The clip cannot be read as a step wants: what is there stays."""
        self._awaited, self._present = None, self.document

    @Slot()
    def _forget(self) -> None:
        self.stack.clear()
        self._give_up()
        self.changed.emit()


class _Step(QUndoCommand):
    """From one document to another. The first :meth:`redo`, when the step is pushed, finds it done."""

    def __init__(self, history: History, old: Document, new: Document) -> None:
        super().__init__(words_for_change(old, new))
        self._history, self._old, self._new = history, old, new

    def undo(self) -> None:
        """Restore the document before the step."""
        self._history.restore(self._old)

    def redo(self) -> None:
        """Restore the document after the step."""
        self._history.restore(self._new)
