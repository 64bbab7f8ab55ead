"""Finds a stream's frames, their times and its key packets by scanning the packets, without decoding."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import CancelToken
from videoinr.clip.closed_groups import starts_closed_group
from videoinr.clip.joined_clocks import continued_times

Ticks = NDArray[np.int64]

_NO_TIME = np.iinfo(np.int64).min
_WILD_TIME = 1 << 60
"""Times beyond this come from damaged files. Differences of smaller times fit in 64 bits."""

_DAY_SECS = 24 * 60 * 60

_REORDER_PACKETS = 32
"""No codec stores a frame this many packets after a frame that is shown later."""

_CHECK_EVERY = 256

_ENCRYPTED = ("encryption_info", "encryption_init_info")
"""The side data of packets whose content is encrypted."""


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
    def has_sidedata(self, dtype: Any) -> bool: ...  # noqa: D102


def _ticks() -> array[int]:
    return array("q")


@dataclass
class PacketTable:
    """The packets of a stream in file order.

    ``shown``: whether the packet holds a frame that is to be shown. ``closed``: whether no frame from the packet on
    refers to an earlier one, or is shown before it (an IDR picture). ``is_encrypted``: whether key packets are.
    """

    pts: array[int] = field(default_factory=_ticks)
    dts: array[int] = field(default_factory=_ticks)
    duration: array[int] = field(default_factory=_ticks)
    size: array[int] = field(default_factory=_ticks)
    key: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)
    closed: bytearray = field(default_factory=bytearray)
    is_encrypted: bool = False

    def append(self, packet: PacketLike, *, shown: bool, closed: bool = False) -> None:
        """Append the next packet of the file.

        Args:
            packet: the packet, of which times, duration, size and the key flag are read.
            shown: whether it holds a frame that is to be shown.
            closed: whether no frame from it on refers to an earlier one, or is shown before it.
        """
        pts, dts, duration = packet.pts, packet.dts, packet.duration
        self.pts.append(_NO_TIME if pts is None else pts)
        self.dts.append(_NO_TIME if dts is None else dts)
        self.duration.append(duration or 0)
        self.size.append(packet.size)
        self.key.append(packet.is_keyframe)
        self.shown.append(shown)
        self.closed.append(closed)

    @property
    def extent(self) -> tuple[int, int]:
        """When the first frame starts and the last one ends, ticks; (0, 0) if no time is known."""
        times, durations = np.asarray(self.pts, np.int64), np.asarray(self.duration, np.int64)
        known = _is_plausible(times) & np.asarray(self.shown, bool)
        if not np.any(known):
            return 0, 0
        times, durations = times[known], durations[known]
        last = int(np.argmax(times))
        return int(times.min()), int(times[last]) + max(0, int(durations[last]))

    @property
    def shown_count(self) -> int:
        """The number of packets whose frame is to be shown."""
        return self.shown.count(1)


def scan_packets(
    packets: Iterable[PacketLike], *, codec: str, token: CancelToken, note_key: Callable[[Any], None] = lambda _: None
) -> PacketTable:
    """Read all packets of a stream. Packets outside an edit list and VP8's hidden frames are marked as not shown.

    Args:
        packets: the stream's packets in file order.
        codec: FFmpeg's name of the codec.
        token: cancels the scan.
        note_key: called with each key packet.

    Raises:
        Cancelled: ``token`` was cancelled.
    """
    table = PacketTable()
    for number, packet in enumerate(packets):
        if number % _CHECK_EVERY == 0:
            token.check()
        hidden = packet.is_discard or (codec == "vp8" and _is_hidden_vp8(packet))
        is_key = packet.is_keyframe
        table.append(packet, shown=not hidden, closed=is_key and starts_closed_group(packet, codec))
        if is_key:
            table.is_encrypted = table.is_encrypted or any(map(packet.has_sidedata, _ENCRYPTED))
            note_key(packet)
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
        key_closed: [keys], bool: whether all frames before it in the file are shown before it, and all others after.
        last_duration: how many ticks the last frame is shown, 0 if unknown.
        duplicates: how many frames were left out because another has the same time.
        restarts: how often the clock starts again: recordings were joined. The times of each continue the last one's.
    """

    pts: Ticks
    order: Ticks
    key_pts: Ticks
    key_dts: Ticks
    key_order: Ticks
    key_size: Ticks
    key_closed: NDArray[np.bool_]
    last_duration: int
    duplicates: int = 0
    restarts: int = 0

    @property
    def is_in_file_order(self) -> bool:
        """Whether frames are shown in the order of their packets: none is reordered."""
        return bool(np.all(np.diff(self.order) > 0))

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
        """Return which key packet this is, counted from 0, or None if the scan did not see such a packet.

        Args:
            pts: its time in ticks of the stream, if it has one.
            size: its size in bytes.
        """
        if pts is None:
            return None
        place = int(np.searchsorted(self.key_pts, pts))
        known = place < len(self.key_pts) and self.key_pts[place] == pts and self.key_size[place] == size
        return place if known else None

    def subset(self, keep: NDArray[np.bool_]) -> FrameIndex:
        """Return the index of those frames for which ``keep`` [frames] is true."""
        last = self.last_duration if keep[-1] else 0
        return replace(self, pts=self.pts[keep], order=self.order[keep], last_duration=last)


def index_from_packets(table: PacketTable, tick_secs: Fraction) -> FrameIndex | None:
    """Return the frames of ``table`` sorted by time, or None if the times cannot be trusted.

    They cannot be trusted if some are missing, if a frame would be shown for more than a day, or if times go back
    further than any codec reorders frames. Where the clock starts again, times continue from the frame before.

    Args:
        table: the stream's packets.
        tick_secs: seconds for each tick of their times.
    """
    pts, shown = np.asarray(table.pts, np.int64), np.asarray(table.shown, bool)
    if not np.any(shown) or not np.all(_is_plausible(pts[shown])):
        return None
    pts, dts, restarts = continued_times(pts, np.asarray(table.dts, np.int64), np.asarray(table.key, bool))
    times = pts[shown]
    if _runs_backwards(times):
        return None
    unique, first = np.unique(times, return_index=True)
    if np.any(np.diff(unique) > int(_DAY_SECS / tick_secs)):
        return None
    order = np.flatnonzero(shown)[first]
    last = int(np.asarray(table.duration, np.int64)[order[-1]])
    return FrameIndex(unique, order, *_keys(table, pts, dts), last, len(times) - len(unique), restarts)


def _is_plausible(times: Ticks) -> NDArray[np.bool_]:
    return (times > -_WILD_TIME) & (times < _WILD_TIME)


def _runs_backwards(times: Ticks) -> bool:
    latest = np.maximum.accumulate(times)
    return bool(np.any(times[_REORDER_PACKETS:] < latest[:-_REORDER_PACKETS]))


def _keys(table: PacketTable, pts: Ticks, dts: Ticks) -> tuple[Ticks, Ticks, Ticks, Ticks, NDArray[np.bool_]]:
    keys = np.flatnonzero(np.asarray(table.key, bool) & _is_plausible(pts))
    _, first = np.unique(pts[keys], return_index=True)
    keys = keys[first]
    dts, size, closed = dts[keys], np.asarray(table.size, np.int64)[keys], np.asarray(table.closed, bool)[keys]
    return pts[keys], np.where(dts == _NO_TIME, pts[keys], dts), keys, size, closed
