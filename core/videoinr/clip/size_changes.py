"""Finds key packets at which the size of a stream's frames may change, without decoding the whole stream."""

from __future__ import annotations

import re
from typing import Any

import av

from videoinr.clip.video_file import MAX_PIXELS

_SEARCHED_BYTES = 256
_MAX_KEPT = 4
"""How many key packets with a new description are kept for decoding."""

_MARK = b"\0\0\x01"
_PATTERNS = {
    "h264": re.compile(_MARK + rb"[\x07\x27\x47\x67].{4,60}?(?=\0\0\x01|$)", re.DOTALL),
    "hevc": re.compile(_MARK + rb"\x42\x01.{4,100}?(?=\0\0\x01|$)", re.DOTALL),
    "mpeg1video": re.compile(_MARK + rb"\xb3...", re.DOTALL),
    "mpeg2video": re.compile(_MARK + rb"\xb3...", re.DOTALL),
    "vp8": re.compile(rb"^...\x9d\x01\x2a....", re.DOTALL),
    "av1": re.compile(rb"^(?:\x12\0)?\x0a.{8}", re.DOTALL),
}
"""How the part of a key packet that holds the size begins: parameter sets, sequence headers, frame headers."""


class SizeChanges:
    """Collects the key packets of a stream whose description of the frames differs from those before."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._packets: list[tuple[bytes, bytes | None]] = []

    def note(self, packet: Any, codec: str) -> None:
        """Keep a key packet if its description of the frames is new.

        Args:
            packet: the packet, as PyAV gives it.
            codec: FFmpeg's name of the stream's codec.
        """
        extradata = _new_extradata(packet)
        described = extradata or (_description(packet, codec) if codec in _PATTERNS or codec == "vp9" else None)
        if described is None or described in self._seen:
            return
        self._seen.add(described)
        if len(self._packets) < _MAX_KEPT:
            self._packets.append((bytes(packet), extradata))

    def sizes(self, context: av.VideoCodecContext) -> list[tuple[int, int]]:
        """Return the sizes (width, height) of the frames in the stream of ``context``, the first one's first.

        The list is empty if only one description of the frames was met.
        """
        if len(self._packets) < 2:
            return []
        found = (_decoded_size(context, data, extradata) for data, extradata in self._packets)
        return list(dict.fromkeys(size for size in found if size is not None))


def _new_extradata(packet: Any) -> bytes | None:
    return bytes(packet.get_sidedata("new_extradata")) if packet.has_sidedata("new_extradata") else None


def _description(packet: Any, codec: str) -> bytes | None:
    head = bytes(memoryview(packet)[:_SEARCHED_BYTES])
    if codec == "vp9":
        return _vp9_size(head)
    pattern = _PATTERNS.get(codec)
    found = pattern.search(head) if pattern else None
    return found[0] if found else None


def _vp9_size(head: bytes) -> bytes | None:
    """Return the size in the header of a VP9 key frame (VP9 bitstream specification, 6.2)."""
    bits = "".join(f"{byte:08b}" for byte in head[:16])
    profile = int(bits[3:4] + bits[2:3], 2) if len(bits) == 128 else 3
    start = 4 + 1 + 1 + 1 + 1
    # After the sync code: a depth bit from profile 2 on, three bits of colour space, a bit of range.
    if profile == 3 or bits[:2] != "10" or bits[5] != "0" or bits[start : start + 24] != f"{0x498342:024b}":
        return None
    place = start + 24 + (profile >= 2) + 4 + (3 if profile == 1 else 0)
    return bits[place : place + 32].encode()


def _decoded_size(context: av.VideoCodecContext, data: bytes, extradata: bytes | None) -> tuple[int, int] | None:
    try:
        decoder: Any = av.CodecContext.create(context.codec.name, "r")
        decoder.extradata = extradata or context.extradata
        decoder.options = {"max_pixels": str(MAX_PIXELS)}
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except (av.FFmpegError, OSError, ValueError, MemoryError):
        return None
    return (frames[0].width, frames[0].height) if frames else None
