"""The windows beside the main one, made when they are first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QDialog, QMainWindow

from videoinr.render.messages import Opened
from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.session import Session
from videoinr_viewer.timeline.annotations import Annotations

if TYPE_CHECKING:
    # Imported when they are first shown: the start of the program does without them.
    from videoinr_viewer.dialogs.annotations_dialog import AnnotationsDialog
    from videoinr_viewer.dialogs.clip_window import ClipWindow
    from videoinr_viewer.journey.retime_dialog import RetimeDialog
    from videoinr_viewer.journey.shutter_dialog import ShutterDialog


class SideWindows(QObject):
    """The windows of ``window``: about the clip, the list of segments and bookmarks, and the retime curve."""

    reading_wanted = Signal(object)
    """Reading: how the user wants the clip to be read."""

    def __init__(
        self,
        window: QMainWindow,
        session: Session,
        annotations: Annotations,
        reading: ReadingChoice,
        planner: JourneyPlanner,
    ) -> None:
        super().__init__(window)
        self._planner = planner
        self._window, self._session, self._annotations, self._reading = window, session, annotations, reading
        self._warnings: list[str] = []
        self.clip: ClipWindow | None = None
        self.annotations: AnnotationsDialog | None = None
        self.retime: RetimeDialog | None = None
        self.shutter: ShutterDialog | None = None

    def show_annotations(self) -> None:
        """Show the list of segments and bookmarks."""
        if self.annotations is None:
            from videoinr_viewer.dialogs.annotations_dialog import AnnotationsDialog

            self.annotations = AnnotationsDialog(self._session, self._annotations, self._planner, self._window)
            self._undo_in(self.annotations)
        _raise(self.annotations)

    def show_retime(self) -> None:
        """Show the window of the retime curve."""
        if self._session.clip is None:
            return
        if self.retime is None:
            from videoinr_viewer.journey.retime_dialog import RetimeDialog

            # Made in one turn of the event loop and shown in the next: with its plot, each takes a while.
            self.retime = RetimeDialog(self._planner, self._session, self._window)
            self._undo_in(self.retime)
            QTimer.singleShot(0, self.retime, self._raise_retime)
        else:
            self._raise_retime()

    def _raise_retime(self) -> None:
        if self.retime is not None and self._session.clip is not None:
            _raise(self.retime)

    def show_shutter(self, *, for_region: bool = False) -> None:
        """Show the window of the rolling shutter and of the region with a shutter of its own."""
        if self._session.clip is None:
            return
        if self.shutter is None:
            from videoinr_viewer.journey.shutter_dialog import ShutterDialog

            self.shutter = ShutterDialog(self._planner, self._session, self._window)
            self._undo_in(self.shutter)
        _raise(self.shutter)
        self.shutter.turn_to(self.shutter.take if for_region else self.shutter.secs)

    def _undo_in(self, dialog: QDialog) -> None:
        """Let what is changed in ``dialog`` be undone there too."""
        dialog.addActions([one for one in self._window.actions() if one.objectName() in ("undo", "redo")])

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
        for window in (self.annotations, self.clip, self.retime, self.shutter):
            if window is not None:
                window.hide()


def _raise(dialog: QDialog) -> None:
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
