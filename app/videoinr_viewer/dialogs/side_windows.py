"""The windows beside the main one, made when they are first shown."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog, QMainWindow

from videoinr_viewer.dialogs.annotations_dialog import AnnotationsDialog
from videoinr_viewer.session import Session
from videoinr_viewer.timeline.annotations import Annotations


class SideWindows(QObject):
    """The list of segments and bookmarks of ``window``."""

    def __init__(self, window: QMainWindow, session: Session, annotations: Annotations) -> None:
        super().__init__(window)
        self._window, self._session, self._annotations = window, session, annotations
        self.annotations: AnnotationsDialog | None = None

    def show_annotations(self) -> None:
        """Show the list of segments and bookmarks."""
        if self.annotations is None:
            self.annotations = AnnotationsDialog(self._session, self._annotations, self._window)
        _raise(self.annotations)

    def hide(self) -> None:
        """Hide them all."""
        if self.annotations is not None:
            self.annotations.hide()


def _raise(dialog: QDialog) -> None:
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
