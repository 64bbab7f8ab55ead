"""Writes timecode where FFmpeg writes none: into streams, edit lists, and headers of pictures."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av

from helpers.clips import write_clip

Name = tuple[int, int, int, int]
"""Hours, minutes, seconds, frames."""

_START = b"\0\0\x01"
_GOP, _PICTURE = b"\0\0\x01\xb8", b"\0\0\x01\0"
_DROPPED = 4
"""The counting type of drop-frame timecode (ISO/IEC 14496-10, table D-2)."""


def rewritten(source: Path, target: Path, change: Callable[[bytes, int], bytes]) -> Path:
    """Copy the video packets of ``source`` to ``target``, each changed; ``change`` gets its place in time, too."""
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        stream = container.streams.video[0]
        copy = out.add_stream_from_template(stream)
        packets = [packet for packet in container.demux(stream) if packet.size]
        order = sorted(packet.pts or 0 for packet in packets)
        for packet in packets:
            changed = av.Packet(change(bytes(packet), order.index(packet.pts or 0)))
            changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.is_keyframe, changed.stream = packet.is_keyframe, copy
            out.mux(changed)
    return target


def with_gop_timecodes(data: bytes, name: Callable[[int], tuple[Name, bool]]) -> bytes:
    """Return a packet of MPEG-2 whose GOP headers say ``name(temporal reference of the picture after it)``."""
    changed, at = bytearray(data), -1
    while (at := data.find(_GOP, at + 1)) >= 0:
        picture = data.index(_PICTURE, at)
        (hours, minutes, secs, frames), drops = name(int.from_bytes(data[picture + 4 : picture + 6], "big") >> 6)
        flags = int.from_bytes(data[at + 4 : at + 8], "big") & 0x7F
        bits = drops << 31 | hours << 26 | minutes << 20 | 1 << 19 | secs << 13 | frames << 7 | flags
        changed[at + 4 : at + 8] = bits.to_bytes(4, "big")
    return bytes(changed)


def with_h264_timecode(data: bytes, name: Name, *, drops: bool = False) -> bytes:
    """Return a packet of H.264, whose VUI has pic_struct, with a picture timing message (D.2.3)."""
    bits = _bits((0, 4), (1, 1), (0, 2), (0, 1), (_DROPPED * drops, 5), (1, 1), (0, 1), (drops, 1), (name[3], 8))
    bits += _bits((name[2], 6), (name[1], 6), (name[0], 5), (0, 24))
    return _with_message(data, b"\x06\x01", bits, lambda unit: unit & 31 in (1, 5))


def with_h265_timecode(data: bytes, name: Name, *, drops: bool = False) -> bytes:
    """Return a packet of H.265 with a time code message (D.2.27)."""
    bits = _bits((1, 2), (1, 1), (0, 1), (_DROPPED * drops, 5), (1, 1), (0, 1), (drops, 1), (name[3], 9))
    bits += _bits((name[2], 6), (name[1], 6), (name[0], 5), (0, 5))
    return _with_message(data, b"\x4e\x01\x88", bits, lambda unit: unit >> 1 & 63 < 32)


def trimmed_movie(path: Path, timecode: str, *, video: int = 0, track: int = 0) -> Path:
    """Write a MOV or MP4 of ten frames at 25 per second, whose edit lists leave out frames at the start.

    ``video`` and ``track``: how many of the video and of the timecode track.
    """
    data = bytearray(write_clip(path, 10, codec="mpeg4", tags={"timecode": timecode}).read_bytes())
    at = 0
    for frames in (video, track):
        at = data.index(b"elst", at + 1)
        # One edit: its duration in milliseconds, and its start in ticks of the track.
        struct.pack_into(">Ii", data, at + 12, 40 * (10 - frames), 512 * frames)
    path.write_bytes(data)
    return path


def smpte(name: Name, *, drops: bool = False) -> int:
    """Return a timecode as 32 bits of SMPTE 12M."""
    return int("".join(f"{part:02}" for part in name), 16) | 0x40 * drops


def _bits(*fields: tuple[int, int]) -> str:
    return "".join(f"{value:0{count}b}" for value, count in fields)


def _with_message(data: bytes, head: bytes, bits: str, is_slice: Callable[[int], bool]) -> bytes:
    at = data.find(_START)
    while not is_slice(data[at + 3]):
        at = data.index(_START, at + 3)
    padded = bits if len(bits) % 8 == 0 else bits + "1" + "0" * (-(len(bits) + 1) % 8)
    payload = int(padded, 2).to_bytes(len(padded) // 8, "big")
    return data[:at] + _START + _escaped(head + bytes([len(payload)]) + payload + b"\x80") + data[at:]


def _escaped(data: bytes) -> bytes:
    """Return the bytes of a unit with a 3 where they would look like a start code."""
    escaped, zeros = bytearray(), 0
    for byte in data:
        if zeros >= 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = 0 if byte else zeros + 1
    return bytes(escaped)
