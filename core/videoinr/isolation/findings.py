"""What an opening found, as a message, and back: numbers and sentences alone, whose types and lengths are checked."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from videoinr.clip.found import Found, Scan
from videoinr.clip.packet_index import PacketTable
from videoinr.clip.stream_timecode import GopTimecode
from videoinr.isolation.heads import head_from_values, values_from_head
from videoinr.isolation.messages import Message
from videoinr.isolation.values import integer, sentences, timecode_or_empty, yes_or_no

_TICKS = ("pts", "dts", "duration", "size")
_MOST_PICTURES = 1 << 10
"""A temporal reference has 10 bits."""
_FLAGS = ("key", "shown", "closed")


def message_from_found(found: Found) -> Message:
    """Return ``found`` as a message."""
    scans, blobs = list[dict[str, Any]](), list[bytes]()
    for stream, scan in found.scans.items():
        table = scan.table
        head = found.heads.get(stream)
        scans.append(
            {
                "stream": stream,
                "warnings": scan.warnings,
                "timecodes": [(each.text, each.pts, each.number) for each in scan.timecodes],
                "is_encrypted": table.is_encrypted,
                "head": values_from_head(head) if head else None,
            }
        )
        blobs += [getattr(table, name).tobytes() for name in _TICKS]
        blobs += [bytes(getattr(table, name)) for name in _FLAGS]
    return Message({"kind": "found", "scans": scans, "sizes_agree": found.sizes_agree}, blobs)


def found_from_message(message: Message) -> Found:
    """Return what a message says was found.

    Raises:
        ValueError: it says nothing of the kind.
    """
    each = len(_TICKS) + len(_FLAGS)
    try:
        described = message.values["scans"]
        if len(message.blobs) != each * len(described):
            raise ValueError("not the columns of these tables")
        found = Found(sizes_agree=yes_or_no(message.values["sizes_agree"]))
        for number, values in enumerate(described):
            stream = None if values["stream"] is None else integer(values["stream"])
            table = _table(message.blobs[number * each : (number + 1) * each])
            table.is_encrypted = yes_or_no(values["is_encrypted"])
            found.scans[stream] = Scan(table, sentences(values["warnings"]), _timecodes(values["timecodes"]))
            if values["head"] is not None:
                found.heads[stream] = head_from_values(values["head"])
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        raise ValueError("not what an opening finds") from error
    return found


def _timecodes(values: Sequence[Any]) -> tuple[GopTimecode, ...]:
    return tuple(
        GopTimecode(timecode_or_empty(text), integer(pts), integer(number) % _MOST_PICTURES)
        for text, pts, number in values
    )


def _table(blobs: Sequence[bytes]) -> PacketTable:
    """Make a table of its columns.

    Raises:
        ValueError: they cannot be those of a table.
    """
    pts, dts, duration, size = (array("q", blob) for blob in blobs[: len(_TICKS)])
    key, shown, closed = (bytearray(blob) for blob in blobs[len(_TICKS) :])
    if len({len(column) for column in (pts, dts, duration, size, key, shown, closed)}) != 1:
        raise ValueError("columns of different lengths")
    if any(flags.translate(None, b"\x00\x01") for flags in (key, shown, closed)):
        raise ValueError("a flag that is neither yes nor no")
    return PacketTable(pts, dts, duration, size, key, shown, closed)
