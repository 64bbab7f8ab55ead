"""The visible part at full quality, as a file or on the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage

from videoinr.types import RenderedRegion
from videoinr_viewer.picture.frame_view import FrameView
from videoinr_viewer.picture.qimages import qimage_from_rgbx
from videoinr_viewer.player import Player
from videoinr_viewer.session import Session


class PictureTaker(QObject):
    """Waits for the full picture of the present view, then hands it on. Files are written on a thread of its own."""

    saved = Signal(object)
    """Path."""
    failed = Signal(str, str)
    """What happened, and what to do."""

    def __init__(self, session: Session, player: Player, frame_view: FrameView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._player, self._frame_view = session, player, frame_view
        self._waiting: list[Callable[[RenderedRegion], None]] = []
        self._writer = ThreadPoolExecutor(1, "videoinr-picture-writer")
        frame_view.shown.connect(self._look)

    def take(self, use: Callable[[RenderedRegion], None]) -> None:
        """Call ``use`` with the full picture of what is in view: now, or when it has come."""
        self._player.pause()
        self._waiting.append(use)
        if not self._look():
            self._session.settle()

    def save(self, path: Path) -> None:
        """Write it to ``path``; ``saved`` or ``failed`` will tell."""

        def write_later(region: RenderedRegion) -> None:
            self._writer.submit(self._write, region, path)

        self.take(write_later)

    def copy(self) -> None:
        """Put it on the clipboard."""
        self.take(lambda region: QGuiApplication.clipboard().setImage(qimage_from_rgbx(region.rgbx).copy()))

    def close(self) -> None:
        """Finish what is being written."""
        self._writer.shutdown(wait=True)

    @Slot(object)
    def _look(self, _region: RenderedRegion | None = None) -> bool:
        full = self._frame_view.full_for(self._session.last_query)
        if full is None:
            return False
        waiting, self._waiting = self._waiting, []
        for use in waiting:
            use(full)
        return True

    def _write(self, region: RenderedRegion, path: Path) -> None:
        # On the writer's thread: the signals are queued to the GUI thread, where this object lives.
        image = qimage_from_rgbx(region.rgbx).convertToFormat(QImage.Format.Format_RGB888)
        if image.save(str(path)):
            self.saved.emit(path)
        else:
            self.failed.emit(f"{path} could not be written.", "Check its folder and its ending (.png or .jpg).")
