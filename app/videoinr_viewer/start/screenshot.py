"""``--screenshot``: waits for the full picture, saves the window (or the dialog that an action opened) and quits."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from videoinr.render.messages import Failure
from videoinr.types import RenderedRegion
from videoinr_viewer.picture.image_files import write_image
from videoinr_viewer.viewer import Viewer

CALM_MSECS = 250
"""How long the picture must be complete: a window manager may resize a window right after it is shown."""


class Screenshot(QObject):
    """Ends the application with exit code 0 when the window is saved, or with 1 and a message on stderr."""

    def __init__(self, viewer: Viewer, path: Path, *, waits_for_clip: bool, actions: Sequence[str] = ()) -> None:
        super().__init__(viewer)
        self._actions = tuple(actions)
        self._viewer, self._path = viewer, path
        # No window on the screen: it would take the user's input, which would change the picture.
        viewer.window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]
        viewer.bridge.failure.connect(self._fail)
        viewer.window.projects.failed.connect(self._fail_project)
        if waits_for_clip:
            viewer.session.opened.connect(self._begin, Qt.ConnectionType.QueuedConnection)
        else:
            QTimer.singleShot(0, self, self._begin)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the dialogs that actions open from the screen too."""
        if event.type() == QEvent.Type.Polish and isinstance(watched, QDialog):
            watched.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        return super().eventFilter(watched, event)

    @Slot()
    def _begin(self) -> None:
        """Do the actions, and wait for the picture that they lead to."""
        by_id = self._viewer.window.actions_by_id
        if unknown := [name for name in self._actions if name not in by_id]:
            self._end(f"There is no action {unknown[0]}. There are: {', '.join(by_id)}.")
            return
        for name in self._actions:
            by_id[name].trigger()
        if self._viewer.session.clip is None:
            QTimer.singleShot(CALM_MSECS, self, self._save)
        else:
            self._wait()

    @Slot()
    def _wait(self) -> None:
        self._viewer.window.taker.take(self._calm_down)

    def _calm_down(self, _region: RenderedRegion) -> None:
        QTimer.singleShot(CALM_MSECS, self, self._save_if_complete)

    @Slot()
    def _save_if_complete(self) -> None:
        window = self._viewer.window
        view = window.frame_view
        if view.full_for(self._viewer.session.last_query) is None:
            self._wait()
        elif not all(part.is_complete for part in (view.comparison, window.inspections, window.slicing)):
            QTimer.singleShot(CALM_MSECS, self, self._save_if_complete)
        else:
            self._save()

    @Slot()
    def _save(self) -> None:
        windows: list[QWidget] = [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog)]
        shown = [one for one in windows if one.isVisible()] or [self._viewer.window]
        problem = write_image(shown[0].grab().toImage(), self._path)
        if problem:
            self._end(f"{problem} Check its folder, and that its name ends in .png.")
        else:
            QApplication.exit(0)

    @Slot(object)
    def _fail(self, failure: Failure) -> None:
        self._end(f"{failure.message} {failure.hint}".strip())

    @Slot(str, str)
    def _fail_project(self, message: str, hint: str) -> None:
        self._end(f"{message} {hint}".strip())

    @Slot(str)
    def fail_with(self, message: str) -> None:
        """End the application with an unexpected error."""
        self._end(message)

    def _end(self, message: str) -> None:
        print(f"videoinr-viewer: {message}", file=sys.stderr)
        QApplication.exit(1)
