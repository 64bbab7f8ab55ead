"""The windows beside the main one, made when they are first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QDialog, QMainWindow

from videoinr.render.messages import Opened
from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.session import Session
from videoinr_viewer.timeline.annotations import Annotations

if TYPE_CHECKING:
    # Imported when they are first shown: the start of the program does without them.
    from videoinr_viewer.dialogs.annotations_dialog import AnnotationsDialog
    from videoinr_viewer.dialogs.clip_window import ClipWindow


class SideWindows(QObject):
    """The windows of ``window``: about the clip, and the list of segments and bookmarks."""

    reading_wanted = Signal(object)
    """Reading: how the user wants the clip to be read."""

    def __init__(self, window: QMainWindow, session: Session, annotations: Annotations, reading: ReadingChoice) -> None:
        super().__init__(window)
        self._window, self._session, self._annotations, self._reading = window, session, annotations, reading
        self._warnings: list[str] = []
        self.clip: ClipWindow | None = None
        self.annotations: AnnotationsDialog | None = None

    def show_annotations(self) -> None:
        """Show the list of segments and bookmarks."""
        if self.annotations is None:
            from videoinr_viewer.dialogs.annotations_dialog import AnnotationsDialog

            self.annotations = AnnotationsDialog(self._session, self._annotations, self._window)
            # What is removed or renamed there is undone there too.
            self.annotations.addActions([one for one in self._window.actions() if one.objectName() in ("undo", "redo")])
        _raise(self.annotations)

    def show_clip(self) -> None:
        """Show the window about the clip."""
        if self._session.clip is None:
            return
        if self.clip is None:
            from videoinr_viewer.dialogs.clip_window import ClipWindow

            self.clip = ClipWindow(self._reading, self._window)
            self.clip.reading_wanted.connect(self.reading_wanted)
            self._fill_clip(self._session.clip)
        _raise(self.clip)

    @Slot(object)
    def open(self, opened: Opened) -> None:
        """Show a newly opened clip in the window about the clip."""
        self._warnings.clear()
        if self.clip is not None:
            self._fill_clip(opened)

    @Slot(str)
    def add_warning(self, sentences: str) -> None:
        """Show what was met in reading the clip since it was opened."""
        self._warnings.append(sentences)
        if self.clip is not None:
            self.clip.add_warning(sentences)

    def _fill_clip(self, opened: Opened) -> None:
        assert self.clip is not None
        self.clip.show_clip(opened)
        for sentences in self._warnings:
            self.clip.add_warning(sentences)

    def hide(self) -> None:
        """Hide them all."""
        for window in (self.annotations, self.clip):
            if window is not None:
                window.hide()


def _raise(dialog: QDialog) -> None:
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
