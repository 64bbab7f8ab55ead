"""Moves the decoder to a frame by its time; :mod:`videoinr.clip.decoder_order` does so by counting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import av
import numpy as np

from videoinr.clip.packet_index import FrameIndex
from videoinr.clip.video_file import VideoFile

Batch = list[tuple[int, av.VideoFrame]]
"""(index, frame) of some frames, in display order."""

_SLACK_PACKETS = 96
"""A frame counts as lost after this many packets past its own: decoders reorder frames and delay them."""

_NEAR_PACKETS = 16
"""If the key packet is at most this many packets ahead, decoding on is faster than seeking."""

_STEPS_BACK = (0, 1, 3)
"""The key packets tried for a frame, counted back from the nearest: decoding from one of them may fail."""

_OVERSHOOT_STEPS = (1, 2, 8)
"""After a seek that lands too late, the next ones aim this many key packets earlier."""

_AFFORDABLE_PACKETS = 2000
"""As a last resort, a frame this near the start of the file is decoded from there."""


class Cursor(Protocol):
    """Reads frames from its position in the file on, and can move to another position."""

    def approaches(self, index: int) -> Iterator[None]:
        """Try positions from which frame ``index`` may be decoded, the fastest first.

        Each step of the iterator moves the cursor to the next of them.
        """
        ...

    def read(self, index: int) -> Batch | None:
        """Decode the next packet. Return its frames, or None once frame ``index`` can no longer come."""
        ...


class TimedCursor:
    """Identifies frames by their presentation times."""

    def __init__(self, file: VideoFile, index: FrameIndex, *, packets_read: int = 0, last_frame: int = -1) -> None:
        """Make a cursor.

        Args:
            file: the open file, read from its start.
            index: the file's frames.
            packets_read: how many packets of the file were decoded already.
            last_frame: the last frame that was decoded, -1 for none.
        """
        self._file, self._index = file, index
        self._packet, self._last = packets_read - 1, last_frame
        self._clean_from: int | None = self._clean_start()
        self._by_dts = False

    @property
    def clean_from(self) -> int | None:
        """From which time on frames have their references, ticks; None for from the start."""
        return self._clean_from

    def approaches(self, index: int) -> Iterator[None]:
        """See :meth:`Cursor.approaches`: from here if the frame is near, then from key packets before it."""
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
            self._file.miss_frame()
            return None
        self._packet += 1
        numbered = ((self._index.frame_at(frame.pts), frame) for frame in frames if self._is_clean(frame))
        batch = [(number, frame) for number, frame in numbered if number is not None]
        self._last = max([self._last, *(number for number, _ in batch)])
        return batch

    def _flows_to(self, index: int, key: int) -> bool:
        if self._file.is_drained or index <= self._last:
            return False
        return key < 0 or int(self._index.key_order[key]) <= self._packet + _NEAR_PACKETS

    def _is_clean(self, frame: av.VideoFrame) -> bool:
        """Return whether ``frame`` has its references: it is not earlier than the key packet where decoding began."""
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
        """Seek to key packet ``key`` or an earlier one. Return which one, or None if no seek led to a known one."""
        index = self._index
        for by_dts in (self._by_dts, not self._by_dts):
            # MPEG streams seek by decode time, and need a time just before it to land on the packet.
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
