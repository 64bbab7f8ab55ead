"""How the decoder gets to a frame: by its time where times can be trusted, by counting where not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import av
import numpy as np

from videoinr.clip.packet_index import FrameIndex
from videoinr.clip.video_file import VideoFile

Batch = list[tuple[int, av.VideoFrame]]
"""Frames with their indices, in the order in which they are shown."""

_SLACK_PACKETS = 96
"""How many packets past a frame's own are decoded before it counts as lost: reordering and decoder threads."""

_NEAR_PACKETS = 16
"""A key packet this close ahead is reached sooner by decoding on than by seeking."""

_STEPS_BACK = (0, 1, 3)
"""The key packets tried for a frame, counted back from the nearest: one may be damaged, or clean only later."""

_OVERSHOOT_STEPS = (1, 2, 8)
"""How many key packets earlier a seek aims that lands too late."""

_AFFORDABLE_PACKETS = 2000
"""A frame this near the file's start is, as a last resort, looked for from there."""


class Cursor(Protocol):
    """Reads frames on from where it stands, and knows how to get elsewhere."""

    def approaches(self, index: int) -> Iterator[None]:
        """Ways to come before frame ``index``, best first: each step of the iterator moves the cursor there."""
        ...

    def read(self, index: int) -> Batch | None:
        """Decode one packet more on the way to ``index``; None once ``index`` can no longer come."""
        ...


class TimedCursor:
    """Knows frames by their presentation times. ``file`` must stand at its start."""

    def __init__(self, file: VideoFile, index: FrameIndex, *, packets_read: int = 0, last_frame: int = -1) -> None:
        self._file, self._index = file, index
        self._packet, self._last = packets_read - 1, last_frame
        self._clean_from: int | None = self._clean_start()
        self._by_dts = False

    def approaches(self, index: int) -> Iterator[None]:
        """See :meth:`Cursor.approaches`: on from here if that is near, else from a key packet before."""
        key = self._index.key_before(index)
        if self._flows_to(index, key):
            yield
        for candidate in sorted({key - step for step in _STEPS_BACK if key - step >= 0}, reverse=True):
            self._go_to_key(candidate)
            yield
        if key < 0 or self._index.order[index] < _AFFORDABLE_PACKETS:
            self._go_to_start()
            yield

    def read(self, index: int) -> Batch | None:
        """See :meth:`Cursor.read`."""
        if self._packet > self._index.order[index] + _SLACK_PACKETS:
            return None
        frames = self._file.step()
        if frames is None:
            return None
        self._packet += 1
        numbered = ((self._index.frame_at(frame.pts), frame) for frame in frames if self._is_clean(frame))
        batch = [(number, frame) for number, frame in numbered if number is not None]
        self._last = max([self._last, *(number for number, _ in batch)])
        return batch

    def _flows_to(self, index: int, key: int) -> bool:
        if self._file.drained or index <= self._last:
            return False
        return key < 0 or int(self._index.key_order[key]) <= self._packet + _NEAR_PACKETS

    def _is_clean(self, frame: av.VideoFrame) -> bool:
        """Frames shown before the key packet where decoding began lean on others that were never decoded."""
        return self._clean_from is None or (frame.pts is not None and frame.pts >= self._clean_from)

    def _go_to_key(self, key: int) -> None:
        landed = self._seek(key)
        if landed is None:
            self._go_to_start()
        else:
            self._packet, self._last = int(self._index.key_order[landed]) - 1, -1
            self._clean_from = int(self._index.key_pts[landed])

    def _go_to_start(self) -> None:
        self._file.restart()
        self._packet, self._clean_from, self._last = -1, self._clean_start(), -1

    def _seek(self, key: int) -> int | None:
        """Seek to ``key`` or one before: which. None if the container leads nowhere that is known."""
        index = self._index
        for by_dts in (self._by_dts, not self._by_dts):
            # MPEG streams seek by decode times, and from just before one: from others they land too late.
            landed = self._land(int(index.key_dts[key]) - 1 if by_dts else int(index.key_pts[key]), key)
            if landed is not None:
                self._by_dts = by_dts
                return landed
        tries = (self._land(int(index.key_dts[max(key - step, 0)]), key) for step in _OVERSHOOT_STEPS)
        return next((landed for landed in tries if landed is not None), None)

    def _land(self, time: int, key: int) -> int | None:
        found = self._file.next_key() if self._file.seek(time) else None
        landed = self._index.key_of(*found) if found else None
        return landed if landed is not None and landed <= key else None

    def _clean_start(self) -> int | None:
        at_start = np.flatnonzero(self._index.key_order == 0)
        return int(self._index.key_pts[at_start[0]]) if len(at_start) else None


class CountedCursor:
    """Knows frames by counting them from the start: exact, but a step back decodes the clip anew.

    ``count``: how many frames ``file`` has given already.
    """

    def __init__(self, file: VideoFile, *, count: int = 0) -> None:
        self._file, self._count = file, count

    def approaches(self, index: int) -> Iterator[None]:
        """See :meth:`Cursor.approaches`: on from here, or from the start."""
        if index >= self._count and not self._file.drained:
            yield
        self._file.restart()
        self._count = 0
        yield

    def read(self, index: int) -> Batch | None:
        """See :meth:`Cursor.read`."""
        frames = self._file.step()
        if frames is None:
            return None
        batch = list(enumerate(frames, self._count))
        self._count += len(frames)
        return batch
