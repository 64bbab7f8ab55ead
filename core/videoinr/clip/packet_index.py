"""Which frames a file promises, and when: read from its packets, without decoding."""

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
"""Times beyond this come from damaged files; differences of smaller ones fit 64 bits."""

_DAY_SECS = 24 * 60 * 60

_REORDER_PACKETS = 32
"""No codec shows a frame this many packets after one that comes later in time."""

_CHECK_EVERY = 256


class PacketLike(Protocol):
    """What is read of a packet (PyAV's ``Packet``)."""

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
    """The packets of a stream in file order. ``shown``: the packet holds a frame that is meant to be seen."""

    pts: array[int] = field(default_factory=_ticks)
    dts: array[int] = field(default_factory=_ticks)
    duration: array[int] = field(default_factory=_ticks)
    size: array[int] = field(default_factory=_ticks)
    key: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)

    def append(self, packet: PacketLike, *, shown: bool) -> None:
        """Add the next packet of the file."""
        pts, dts, duration = packet.pts, packet.dts, packet.duration
        self.pts.append(_NO_TIME if pts is None else pts)
        self.dts.append(_NO_TIME if dts is None else dts)
        self.duration.append(duration or 0)
        self.size.append(packet.size)
        self.key.append(packet.is_keyframe)
        self.shown.append(shown)

    @property
    def span(self) -> int:
        """Ticks from the first known time to the last."""
        times = np.asarray(self.pts, np.int64)
        times = times[_is_sane(times)]
        return int(times.max() - times.min()) if len(times) else 0

    @property
    def shown_count(self) -> int:
        """How many frames the packets promise."""
        return self.shown.count(1)


def scan_packets(packets: Iterable[PacketLike], *, codec: str, token: CancelToken) -> PacketTable:
    """Read all ``packets``. Those outside an edit list, and VP8's hidden reference frames, are not to be shown.

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
    """Where each frame of a stream is; all arrays int64, times in the stream's ticks.

    ``pts`` [frames]: when frame i is shown, strictly increasing. ``order`` [frames]: which packet of the file
    (counted from 0) holds it. ``key_*`` [keys]: the key packets by time: their pts, their dts (or pts, where it is
    unknown), their place in the file, their size in bytes. ``last_duration``: how long the last frame is shown, 0
    if unknown. ``doubles``: frames left out because another one is shown at the same time.
    """

    pts: Ticks
    order: Ticks
    key_pts: Ticks
    key_dts: Ticks
    key_order: Ticks
    key_size: Ticks
    last_duration: int
    doubles: int = 0

    def frame_at(self, pts: int | None) -> int | None:
        """The frame shown from ``pts`` on, or None if none starts then."""
        if pts is None:
            return None
        place = int(np.searchsorted(self.pts, pts))
        return place if place < len(self.pts) and self.pts[place] == pts else None

    def key_before(self, index: int) -> int:
        """The last key packet from which frame ``index`` decodes; -1 if only the file's start will do."""
        key = int(np.searchsorted(self.key_pts, self.pts[index], side="right")) - 1
        while key >= 0 and self.key_order[key] > self.order[index]:
            key -= 1
        return key

    def key_of(self, pts: int | None, size: int) -> int | None:
        """The key packet of that time and size, or None: a seek led to something that the scan did not see."""
        if pts is None:
            return None
        place = int(np.searchsorted(self.key_pts, pts))
        known = place < len(self.key_pts) and self.key_pts[place] == pts and self.key_size[place] == size
        return place if known else None

    def only(self, keep: NDArray[np.bool_]) -> FrameIndex:
        """The same index with the frames ``keep`` [frames] alone."""
        last = self.last_duration if keep[-1] else 0
        keys = (self.key_pts, self.key_dts, self.key_order, self.key_size)
        return FrameIndex(self.pts[keep], self.order[keep], *keys, last, self.doubles)


def index_from_packets(table: PacketTable, tick_secs: Fraction) -> FrameIndex | None:
    """The frames of ``table`` by their times (in units of ``tick_secs``), or None where these cannot be trusted.

    They cannot where they are missing, where a frame would stand for more than a day, or where they run backwards
    further than any codec reorders frames (joined recordings whose clock started anew).
    """
    pts, shown = np.asarray(table.pts, np.int64), np.asarray(table.shown, bool)
    times = pts[shown]
    if len(times) == 0 or not np.all(_is_sane(times)) or _runs_backwards(times):
        return None
    unique, first = np.unique(times, return_index=True)
    if np.any(np.diff(unique) > _DAY_SECS / tick_secs):
        return None
    order = np.flatnonzero(shown)[first]
    keys = _keys(table, pts)
    last = int(np.asarray(table.duration, np.int64)[order[-1]])
    return FrameIndex(unique, order, *keys, last, len(times) - len(unique))


def _is_sane(times: Ticks) -> NDArray[np.bool_]:
    return (times > -_WILD_TIME) & (times < _WILD_TIME)


def _runs_backwards(times: Ticks) -> bool:
    latest = np.maximum.accumulate(times)
    return bool(np.any(times[_REORDER_PACKETS:] < latest[:-_REORDER_PACKETS]))


def _keys(table: PacketTable, pts: Ticks) -> tuple[Ticks, Ticks, Ticks, Ticks]:
    keys = np.flatnonzero(np.asarray(table.key, bool) & _is_sane(pts))
    _, first = np.unique(pts[keys], return_index=True)
    keys = keys[first]
    dts, size = np.asarray(table.dts, np.int64)[keys], np.asarray(table.size, np.int64)[keys]
    return pts[keys], np.where(dts == _NO_TIME, pts[keys], dts), keys, size
