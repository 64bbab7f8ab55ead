"""``--screenshot``: waits for the full picture, saves the window (or the dialog that an action opened) and quits."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from videoinr.render.messages import Failure
from videoinr_viewer.picture.image_files import write_image
from videoinr_viewer.start.still_window import StillWindow
from videoinr_viewer.viewer import Viewer


class Screenshot(QObject):
    """Ends the application with exit code 0 when the window is saved, or with 1 and a message on stderr."""

    def __init__(self, viewer: Viewer, path: Path, *, waits_for_clip: bool, actions: Sequence[str] = ()) -> None:
        super().__init__(viewer)
        self._actions, self._path = tuple(actions), path
        self._window = StillWindow(viewer)
        viewer.bridge.failure.connect(self._fail)
        viewer.session.start_refused.connect(self._fail)
        viewer.window.projects.failed.connect(self._fail_project)
        if waits_for_clip:
            viewer.session.opened.connect(self._begin, Qt.ConnectionType.QueuedConnection)
        else:
            QTimer.singleShot(0, self, self._begin)

    @Slot()
    def _begin(self) -> None:
        """Do the actions, and wait for the picture that they lead to."""
        if problem := self._window.do(self._actions):
            end_with(problem)
        else:
            self._window.when_complete(self._save)

    def _save(self) -> None:
        problem = write_image(self._window.shown.grab().toImage(), self._path)
        if problem:
            end_with(f"{problem} Check its folder, and that its name ends in .png.")
        else:
            QApplication.exit(0)

    @Slot(object)
    def _fail(self, failure: Failure) -> None:
        end_with(f"{failure.message} {failure.hint}".strip())

    @Slot(str, str)
    def _fail_project(self, message: str, hint: str) -> None:
        end_with(f"{message} {hint}".strip())

    @Slot(str)
    def fail_with(self, message: str) -> None:
        """End the application with an unexpected error."""
        end_with(message)


def end_with(message: str) -> None:
    """End the application with exit code 1 and ``message`` on stderr."""
    print(f"videoinr-viewer: {message}", file=sys.stderr)
    QApplication.exit(1)
