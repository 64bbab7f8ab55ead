"""Decode times of packets, where an encoder's own will not do: some give none now and then, or wild ones.

A decode time says when a packet is read. Muxers refuse one that is missing, that lies after the time of showing, or
that is not later than the one before; one that lies ages before it, as x265 gives for streams of one or two frames
(findings/x265_short_streams.sh), makes players wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
from av.container import OutputContainer

MOST_DELAY = 16
"""Frames that a decoder of H.264 or H.265 may hold back; the others hold back fewer."""


def decode_times(shown: Sequence[int]) -> list[int]:
    """Return decode times of packets that are shown at ``shown``, in the order of decoding, each at a time of its own.

    They are the times of showing in order, so much earlier that none lies after its own.
    """
    in_order = sorted(shown)
    delay = max((early - late for early, late in zip(in_order, shown, strict=True)), default=0)
    return [time - delay for time in in_order]


def mend_decode_times(packets: Sequence[av.Packet[Any]]) -> None:
    """Give all of ``packets``, those of a whole stream, new decode times, unless those that they have will do.

    Raises:
        ValueError: a packet has no time of showing, or two have the same.
    """
    shown = [packet.pts for packet in packets if packet.pts is not None]
    if len(set(shown)) < len(packets):
        raise ValueError("the encoder gave packets that do not say when they are shown")
    if not _will_do([(packet.dts, time) for packet, time in zip(packets, shown, strict=True)]):
        for packet, time in zip(packets, decode_times(shown), strict=True):
            packet.dts = time


def _will_do(times: Sequence[tuple[int | None, int]]) -> bool:
    least = min((pts for _, pts in times), default=0) - MOST_DELAY * _step([pts for _, pts in times])
    read = [dts for dts, pts in times if dts is not None and least <= dts <= pts]
    return len(read) == len(times) and all(before < after for before, after in pairwise(read))


def _step(shown: Sequence[int]) -> int:
    """Return the longest time from one picture to the next."""
    return max((after - before for before, after in pairwise(sorted(shown))), default=1)


def mux_frames(container: OutputContainer, stream: Any, frames: Iterable[av.VideoFrame], fps: Fraction) -> None:
    """Encode ``frames`` at ``fps``, and write them to ``stream`` of ``container``. Keeps all packets."""
    packets: list[av.Packet[Any]] = []
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, 1 / fps
        packets += stream.encode(frame)
    packets += stream.encode(None)
    mend_decode_times(packets)
    container.mux(packets)
