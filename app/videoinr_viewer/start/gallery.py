"""``--screenshot FOLDER``: saves pictures of every panel and every mode of the window, and quits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from videoinr.render.messages import Failure
from videoinr_viewer.picture.image_files import write_image
from videoinr_viewer.start.scenes import WITH_CLIP, WITHOUT_CLIP, Act, Scene
from videoinr_viewer.start.screenshot import end_with
from videoinr_viewer.start.still_window import StillWindow
from videoinr_viewer.style.painting import painting
from videoinr_viewer.viewer import Viewer

CALM_MSECS = 60
"""Nobody resizes the window: what is complete is saved soon."""


class Gallery(QObject):
    """Saves ``FOLDER/NAME.png`` for each scene, and ends the application with exit code 0; with 1 and a message else.

    A dialog is saved as it lies over the window, so that one sees whether it fits.
    """

    def __init__(self, viewer: Viewer, folder: Path, *, has_clip: bool) -> None:
        super().__init__(viewer)
        self._viewer, self._folder = viewer, folder
        self._scenes: list[Scene] = list(WITH_CLIP if has_clip else WITHOUT_CLIP)
        self._window = StillWindow(viewer)
        self._time_secs = viewer.session.view.time_secs
        self._has_begun = False
        viewer.bridge.failure.connect(self._fail)
        viewer.session.start_refused.connect(self._fail)
        if has_clip:
            viewer.session.opened.connect(self._begin, Qt.ConnectionType.QueuedConnection)
        else:
            QTimer.singleShot(0, self, self._begin)

    @Slot()
    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._time_secs = self._viewer.session.view.time_secs
            self._next()

    def _next(self) -> None:
        if not self._scenes:
            QApplication.exit(0)
            return
        self._reset()
        scene = self._scenes.pop(0)
        self._act(scene, scene.acts)

    def _act(self, scene: Scene, acts: Sequence[Act]) -> None:
        """Do the first of ``acts``, and the others once its picture is complete."""
        if acts:
            acts[0](self._viewer)
            self._window.when_complete(lambda: self._act(scene, acts[1:]), calm_msecs=CALM_MSECS)
        else:
            self._window.when_complete(lambda: self._save(scene), calm_msecs=CALM_MSECS)

    def _save(self, scene: Scene) -> None:
        picture = self._picture(scene)
        scene.undo(self._viewer)
        if problem := write_image(picture, self._folder / f"{scene.name}.png"):
            end_with(problem)
        else:
            self._next()

    def _picture(self, scene: Scene) -> QImage:
        window = self._viewer.window
        if scene.widget is not None:
            return scene.widget(self._viewer).grab().toImage()
        shown = self._window.shown
        return window.grab().toImage() if shown is window else _together(window, shown)

    def _reset(self) -> None:
        """Show the clip as it was opened, with nothing over it."""
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QDialog):
                dialog.hide()
        window, session = self._viewer.window, self._viewer.session
        window.messages.hide()
        window.frame_view.set_source_only(False)
        window.frame_view.overlays.hold_loupe(False)
        if session.clip is not None:
            for name in ("compare-off", "flow-off"):
                window.actions_by_id[name].trigger()
            session.seek(self._time_secs)
            session.fit()

    @Slot(object)
    def _fail(self, failure: Failure) -> None:
        end_with(f"{failure.message} {failure.hint}".strip())

    @Slot(str)
    def fail_with(self, message: str) -> None:
        """End the application with an unexpected error."""
        end_with(message)


def _together(window: QWidget, dialog: QWidget) -> QImage:
    """Return the window with ``dialog`` in its middle; where it is larger than the window, that is seen."""
    ground, shot = window.grab().toImage(), dialog.grab().toImage()
    ratio = ground.devicePixelRatio()
    width, height = max(ground.width(), shot.width()), max(ground.height(), shot.height())
    picture = QImage(width, height, QImage.Format.Format_RGB32)
    picture.fill(QColor("#ff00ff"))
    with painting(QPainter(picture)) as painter:
        for one, at in (
            (ground, QPoint(0, 0)),
            (shot, QPoint((width - shot.width()) // 2, (height - shot.height()) // 2)),
        ):
            one.setDevicePixelRatio(1)
            painter.drawImage(at, one)
            if one is ground:
                painter.fillRect(picture.rect(), QColor(0, 0, 0, 120))
    picture.setDevicePixelRatio(ratio)
    return picture
