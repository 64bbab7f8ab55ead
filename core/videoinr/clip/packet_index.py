"""Finds a stream's frames, their times and its key packets by scanning the packets, without decoding."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import CancelToken

Ticks = NDArray[np.int64]

_NO_TIME = np.iinfo(np.int64).min
_WILD_TIME = 1 << 60
"""Times beyond this come from damaged files. Differences of smaller times fit in 64 bits."""

_DAY_SECS = 24 * 60 * 60

_REORDER_PACKETS = 32
"""No codec stores a frame this many packets after a frame that is shown later."""

_CHECK_EVERY = 256


class PacketLike(Protocol):
    """The attributes read of a packet (PyAV's ``Packet``)."""

    @property
    def pts(self) -> int | None: ...  # noqa: D102
    @property
    def dts(self) -> int | None: ...  # noqa: D102
    @property
    def duration(self) -> int | None: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def is_keyframe(self) -> bool: ...  # noqa: D102
    @property
    def is_discard(self) -> bool: ...  # noqa: D102


def _ticks() -> array[int]:
    return array("q")


@dataclass
class PacketTable:
    """The packets of a stream in file order. ``shown``: whether the packet holds a frame that is to be shown."""

    pts: array[int] = field(default_factory=_ticks)
    dts: array[int] = field(default_factory=_ticks)
    duration: array[int] = field(default_factory=_ticks)
    size: array[int] = field(default_factory=_ticks)
    key: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)

    def append(self, packet: PacketLike, *, shown: bool) -> None:
        """Append the next packet of the file."""
        pts, dts, duration = packet.pts, packet.dts, packet.duration
        self.pts.append(_NO_TIME if pts is None else pts)
        self.dts.append(_NO_TIME if dts is None else dts)
        self.duration.append(duration or 0)
        self.size.append(packet.size)
        self.key.append(packet.is_keyframe)
        self.shown.append(shown)

    @property
    def span(self) -> int:
        """Ticks from the earliest known time to the latest."""
        times = np.asarray(self.pts, np.int64)
        times = times[_is_plausible(times)]
        return int(times.max() - times.min()) if len(times) else 0

    @property
    def shown_count(self) -> int:
        """The number of packets whose frame is to be shown."""
        return self.shown.count(1)


def scan_packets(packets: Iterable[PacketLike], *, codec: str, token: CancelToken) -> PacketTable:
    """Read all packets of a stream. Packets outside an edit list and VP8's hidden frames are marked as not shown.

    Args:
        packets: the stream's packets in file order.
        codec: FFmpeg's name of the codec.
        token: cancels the scan.

    Raises:
        Cancelled: ``token`` was cancelled.
    """
    table = PacketTable()
    for number, packet in enumerate(packets):
        if number % _CHECK_EVERY == 0:
            token.check()
        hidden = packet.is_discard or (codec == "vp8" and _is_hidden_vp8(packet))
        table.append(packet, shown=not hidden)
    return table


def _is_hidden_vp8(packet: PacketLike) -> bool:
    # Bit 4 of a VP8 frame is show_frame (RFC 6386, 9.1).
    return not memoryview(packet)[0] & 0x10  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """The frames and key packets of a stream. All arrays are int64; times are in the stream's ticks.

    Attributes:
        pts: [frames], the time of each frame, strictly increasing.
        order: [frames], which packet of the file holds each frame, counted from 0.
        key_pts: [keys], the times of the key packets, increasing.
        key_dts: [keys], their decode times; the pts where a decode time is unknown.
        key_order: [keys], their place among the file's packets.
        key_size: [keys], their size in bytes.
        last_duration: how many ticks the last frame is shown, 0 if unknown.
        duplicates: how many frames were left out because another has the same time.
    """

    pts: Ticks
    order: Ticks
    key_pts: Ticks
    key_dts: Ticks
    key_order: Ticks
    key_size: Ticks
    last_duration: int
    duplicates: int = 0

    def frame_at(self, pts: int | None) -> int | None:
        """Return the frame with the time ``pts``, or None if there is none."""
        if pts is None:
            return None
        place = int(np.searchsorted(self.pts, pts))
        return place if place < len(self.pts) and self.pts[place] == pts else None

    def key_before(self, index: int) -> int:
        """Return the last key packet from which frame ``index`` can be decoded; -1 if only the file's start is."""
        key = int(np.searchsorted(self.key_pts, self.pts[index], side="right")) - 1
        while key >= 0 and self.key_order[key] > self.order[index]:
            key -= 1
        return key

    def key_of(self, pts: int | None, size: int) -> int | None:
        """Return the key packet with this time and size, or None if the scan did not see such a packet."""
        if pts is None:
            return None
        place = int(np.searchsorted(self.key_pts, pts))
        known = place < len(self.key_pts) and self.key_pts[place] == pts and self.key_size[place] == size
        return place if known else None

    def subset(self, keep: NDArray[np.bool_]) -> FrameIndex:
        """Return the index of those frames for which ``keep`` [frames] is true."""
        last = self.last_duration if keep[-1] else 0
        keys = (self.key_pts, self.key_dts, self.key_order, self.key_size)
        return FrameIndex(self.pts[keep], self.order[keep], *keys, last, self.duplicates)


def index_from_packets(table: PacketTable, tick_secs: Fraction) -> FrameIndex | None:
    """Return the frames of ``table`` sorted by time, or None if the times cannot be trusted.

    They cannot be trusted if some are missing, if a frame would be shown for more than a day, or if times go back
    further than any codec reorders frames (in concatenated recordings, whose clock starts again).

    Args:
        table: the stream's packets.
        tick_secs: seconds for each tick of their times.
    """
    pts, shown = np.asarray(table.pts, np.int64), np.asarray(table.shown, bool)
    times = pts[shown]
    if len(times) == 0 or not np.all(_is_plausible(times)) or _runs_backwards(times):
        return None
    unique, first = np.unique(times, return_index=True)
    if np.any(np.diff(unique) > _DAY_SECS / tick_secs):
        return None
    order = np.flatnonzero(shown)[first]
    keys = _keys(table, pts)
    last = int(np.asarray(table.duration, np.int64)[order[-1]])
    return FrameIndex(unique, order, *keys, last, len(times) - len(unique))


def _is_plausible(times: Ticks) -> NDArray[np.bool_]:
    return (times > -_WILD_TIME) & (times < _WILD_TIME)


def _runs_backwards(times: Ticks) -> bool:
    latest = np.maximum.accumulate(times)
    return bool(np.any(times[_REORDER_PACKETS:] < latest[:-_REORDER_PACKETS]))


def _keys(table: PacketTable, pts: Ticks) -> tuple[Ticks, Ticks, Ticks, Ticks]:
    keys = np.flatnonzero(np.asarray(table.key, bool) & _is_plausible(pts))
    _, first = np.unique(pts[keys], return_index=True)
    keys = keys[first]
    dts, size = np.asarray(table.dts, np.int64)[keys], np.asarray(table.size, np.int64)[keys]
    return pts[keys], np.where(dts == _NO_TIME, pts[keys], dts), keys, size
