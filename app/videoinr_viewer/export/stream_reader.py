"""Reads on a thread what a clip's file holds beside its pictures: the window never waits for the file."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from videoinr.types import ClipInfo
from videoinr_viewer.threads.newest import NewestWorker


class StreamReader(QObject):
    """Reads the streams of the clip that was asked for last."""

    read = Signal(object, object)
    """The ClipInfo that was asked for, and its SourceStreams; None if its file has none that can be read."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._worker = NewestWorker("videoinr-streams")

    def want(self, info: ClipInfo) -> None:
        """Read the streams of the clip ``info``; returns at once."""
        self._worker.submit(lambda: self.read_now(info))

    def read_now(self, info: ClipInfo) -> None:
        """Read them on this thread."""
        # Imported here: the start of the program does without the readers.
        from videoinr.exporting.companions import read_streams

        self.read.emit(info, read_streams(info))

    def close(self) -> None:
        """End the thread, once the file that it reads is read."""
        self._worker.close()
