"""Moves the decoder to a frame by counting, from the nearest packet whose place among the frames is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from videoinr.clip.cursor import Batch
from videoinr.clip.packet_index import FrameIndex, PacketTable
from videoinr.clip.video_file import VideoFile

_FAR_FRAMES = 600
"""Decoding more frames than this for one step back is slow."""

_NEAR_FRAMES = 16
"""If the next start is at most this many frames ahead of the cursor, decoding on is faster than seeking."""


class OrderedCursor:
    """Identifies frames by counting them in the order in which the decoder outputs them.

    Counting starts at the beginning of the file, or at an IDR picture: all packets before it hold frames before it.
    """

    def __init__(self, file: VideoFile, index: FrameIndex | None, table: PacketTable, *, count: int = 0) -> None:
        """Make a cursor.

        Args:
            file: the open file.
            index: its frames by time, for seeking; None if times cannot be used at all.
            table: its packets.
            count: how many frames the file has returned so far.
        """
        self._file, self._index, self._count = file, index, count
        before = np.cumsum(np.asarray(table.shown, np.int64)) - np.asarray(table.shown, np.int64)
        self._total = table.shown_count
        keys = np.flatnonzero(index.key_closed) if index is not None else np.empty(0, np.int64)
        self._keys = keys[np.argsort(index.key_order[keys])] if index is not None else keys
        self._numbers = before[index.key_order[self._keys]] if index is not None else keys

    @property
    def can_seek(self) -> bool:
        """Whether every frame is near one from which frames can be counted, as in ordinary groups of pictures."""
        starts = np.array([*self._numbers, self._total])
        return len(self._numbers) > 0 and int(starts[0]) == 0 and int(np.diff(starts).max()) <= _FAR_FRAMES

    def approaches(self, index: int) -> Iterator[None]:
        """See :meth:`Cursor.approaches`: from here if the frame is near, from IDR pictures, from the start."""
        place = int(np.searchsorted(self._numbers, index, side="right")) - 1
        start = int(self._numbers[place]) if place >= 0 else 0
        if index >= self._count and not self._file.is_drained and start <= self._count + _NEAR_FRAMES:
            yield
        for candidate in (place, place - 1):
            if candidate > 0 and self._go_to(candidate):
                yield
        self._file.restart()
        self._count = 0
        yield

    def read(self, index: int) -> Batch | None:
        """See :meth:`Cursor.read`."""
        if self._count > index + 1:
            return None
        frames = self._file.step()
        if frames is None:
            self._file.miss_frame()
            return None
        batch = list(enumerate(frames, self._count))
        self._count += len(frames)
        return batch

    def _go_to(self, place: int) -> bool:
        """Seek to the IDR picture ``place``. Return False if no seek leads there."""
        index, key = self._index, int(self._keys[place])
        if index is None:
            return False
        for time in (int(index.key_dts[key]), int(index.key_dts[key]) - 1, int(index.key_pts[key])):
            found = self._file.next_key() if self._file.seek(time) else None
            if found is not None and index.key_of(*found) == key:
                self._count = int(self._numbers[place])
                return True
        return False
