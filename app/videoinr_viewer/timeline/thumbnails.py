"""The thumbnails of the timeline: loaded on a thread of their own, from the playhead outwards, and kept."""

from __future__ import annotations

from collections.abc import Sequence

from cachetools import LRUCache
from PySide6.QtCore import QObject, QSize, Signal, Slot
from PySide6.QtGui import QImage

from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, VideoInrError
from videoinr_viewer.clip_access.side_reader import SideReader
from videoinr_viewer.picture.small_copies import middle_part, small_copy
from videoinr_viewer.threads.newest import NewestWorker

KEPT = 400
"""Thumbnails in memory, a few kilobytes each."""


class Thumbnails(QObject):
    """Small copies of source frames. ``loaded`` is emitted after each one that was missing."""

    loaded = Signal()
    _made = Signal(int, int, object)

    def __init__(self, reader: SideReader, parent: QObject) -> None:
        super().__init__(parent)
        self._reader = reader
        self._worker = NewestWorker("videoinr-thumbnails")
        self._images: LRUCache[int, QImage] = LRUCache(KEPT)
        self._token = CancelToken()
        self._epoch = 0
        self._pending: set[int] = set()
        self._size = QSize(1, 1)
        self._unreadable: set[int] = set()
        self._made.connect(self._keep)

    def start(self, size: QSize) -> None:
        """Forget all thumbnails: another clip is open, or they have another ``size`` (physical pixels)."""
        self._token.cancel()
        self._epoch += 1
        self._images.clear()
        self._unreadable.clear()
        self._pending.clear()
        self._size = size

    def get(self, frame: int) -> QImage | None:
        """Return the thumbnail of ``frame``, or None where it is not loaded."""
        image: QImage | None = self._images.get(frame)
        return image

    def want(self, frames: Sequence[int]) -> None:
        """Load the thumbnails of ``frames`` in this order, instead of those that were wanted before."""
        missing = tuple(one for one in frames if one not in self._images and one not in self._unreadable)
        if set(missing) <= self._pending:
            return
        self._token.cancel()
        self._token = token = CancelToken()
        self._pending, size, epoch = set(missing), self._size, self._epoch
        self._worker.submit(lambda: self._load(missing, size, epoch, token))

    def close(self) -> None:
        """End the thread."""
        self._token.cancel()
        self._worker.close()

    def _load(self, frames: Sequence[int], size: QSize, epoch: int, token: CancelToken) -> None:
        # On the worker's thread; the signal is queued to the GUI thread.
        for frame in frames:
            token.check()
            try:
                image = small_copy(middle_part(self._reader.rgbx(frame, token), size), size)
            except Cancelled:
                raise
            except VideoInrError:
                image = None
            self._made.emit(epoch, frame, image)

    @Slot(int, int, object)
    def _keep(self, epoch: int, frame: int, image: QImage | None) -> None:
        if epoch != self._epoch:
            return
        self._pending.discard(frame)
        if image is None:
            self._unreadable.add(frame)
        else:
            self._images[frame] = image
            self.loaded.emit()
