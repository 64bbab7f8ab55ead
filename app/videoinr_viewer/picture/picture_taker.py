"""Saves the visible region at full quality, or copies it to the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage

from videoinr.types import RenderedRegion
from videoinr_viewer.picture.captions import Caption, caption_of, captioned
from videoinr_viewer.picture.frame_view import FrameView
from videoinr_viewer.picture.image_files import write_image
from videoinr_viewer.picture.qimages import qimage_from_rgbx
from videoinr_viewer.player import Player
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr


class PictureTaker(QObject):
    """Waits for the full picture of the current view and passes it on. A thread of its own writes the files.

    ``burns_in``: saved and copied pictures have a strip below that says what they are; their texts always do.
    """

    saved = Signal(object)
    """Path of the file."""
    failed = Signal(str, str)
    """What happened, and what the user can do."""

    def __init__(self, session: Session, player: Player, frame_view: FrameView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._player, self._frame_view = session, player, frame_view
        self.burns_in = False
        self._waiting: list[Callable[[RenderedRegion], None]] = []
        self._writer = ThreadPoolExecutor(1, "videoinr-picture-writer")
        frame_view.shown.connect(self._pass_on)

    def take(self, use: Callable[[RenderedRegion], None]) -> None:
        """Pause playback and call ``use`` with the full picture of the view, as soon as there is one."""
        self._player.pause()
        self._waiting.append(use)
        if not self._pass_on():
            self._session.settle()

    def save(self, path: Path) -> None:
        """Write the full picture to ``path``; emit ``saved`` or ``failed`` at the end."""

        def write_later(region: RenderedRegion) -> None:
            self._writer.submit(self._write, region, path, self._caption(region), self.burns_in)

        self.take(write_later)

    def copy(self) -> None:
        """Copy the full picture to the clipboard."""
        self.take(self._copy)

    def toggle_burn_in(self) -> None:
        """Write what they are below saved and copied pictures, or not."""
        self.burns_in = not self.burns_in

    def close(self) -> None:
        """Wait until the files are written, and end the thread."""
        self._writer.shutdown(wait=True)

    @Slot(object)
    def _pass_on(self, _region: RenderedRegion | None = None) -> bool:
        full = self._frame_view.full_for(self._session.last_query)
        if full is None:
            return False
        waiting, self._waiting = self._waiting, []
        for use in waiting:
            use(full)
        return True

    def _caption(self, region: RenderedRegion) -> Caption:
        clip = self._session.clip
        assert clip is not None, "there is a picture"
        return caption_of(clip, self._session.view, region)

    def _copy(self, region: RenderedRegion) -> None:
        image = captioned(qimage_from_rgbx(region.rgbx), self._caption(region), burns_in=self.burns_in)
        QGuiApplication.clipboard().setImage(image)

    def _write(self, region: RenderedRegion, path: Path, caption: Caption, burns_in: bool) -> None:
        # This runs on the writer's thread. Qt queues the signals to the GUI thread, where this object lives.
        plain = qimage_from_rgbx(region.rgbx).convertToFormat(QImage.Format.Format_RGB888)
        image = captioned(plain, caption, burns_in=burns_in)
        problem = write_image(image, path)
        if problem:
            self.failed.emit(problem, tr("Check its folder, and that its name ends in .png or .jpg."))
        else:
            self.saved.emit(path)
