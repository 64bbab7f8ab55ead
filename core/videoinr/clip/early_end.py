"""Whether a video file ends before its own structure does: a copy, download or recording that was cut off.

FFmpeg reads such files as far as they go, and mostly says nothing. Only the few bytes that say where an end should be
are read. What cannot be known:

- Transport and program streams (MPEG-TS, MPEG-PS), DV and raw Motion JPEG have no end of their own. They are known to
  be cut off where they end within a packet, a frame or a picture, not between two of them.
- Streams of packets without a container (H.264, H.265, MPEG video, AV1) do not say how long their last packet is.
- NUT has an index at its end, but a program that writes to a pipe leaves it out, so that its absence says nothing; the
  length of its last frame follows from tables in its header, which are not read here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from videoinr.clip.gif_delays import MAX_GIF_BYTES, ends_within_a_picture

_ENDLESS_RIFF = 2**32 - 1
"""The length of a RIFF chunk whose writer did not know it. Others leave 0."""

_MAX_STEPS = 1 << 18
"""How many boxes of an MP4, chunks of an animated PNG or frames of an IVF are walked over."""

_BOXES = frozenset(b"ftyp styp moov moof mdat mfra free skip wide uuid sidx ssix meta udta pdin pnot emsg prft".split())
"""The boxes that stand at the top of an MP4 or QuickTime file."""

_MAX_ASF_OBJECTS = 64
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_MXF_HEADER_PARTITION = bytes.fromhex("060e2b34020501010d01020101")
_OGG_PAGE_BYTES = 27 + 255 + 255 * 255
_FLV_TAGS = (8, 9, 18)
_Y4M_FRAME = b"FRAME\n"

_SYNC = 0x47
_TS_STEPS = ((188, 0), (192, 4), (204, 0))
"""The bytes of a packet of a transport stream, and where in it its sync byte is: plain, with a time, with parity."""
_TS_SEEN = 5
"""So many sync bytes in a row, before the last packet, show which of them it is."""

_PS_TAIL_BYTES = 1 << 18
_START_CODE, _PACK, _PS_END = b"\0\0\x01", 0xBA, 0xB9
_PICTURE_START, _PICTURE_END = b"\xff\xd8", b"\xff\xd9"


def ends_early(path: Path, format_name: str, sizes: list[int]) -> bool:
    """Return whether a file ends before its own structure does. False if the format does not tell.

    Args:
        path: the file.
        format_name: FFmpeg's name of its format.
        sizes: bytes of the packets that were found in it.
    """
    name = next((name for name in _RULES if name in format_name.split(",")), None)
    if name is None:
        return False
    try:
        with path.open("rb") as file:
            return _RULES[name](file, file.seek(0, 2), sizes)
    except (OSError, LookupError):
        return False


def lacks_index(path: Path) -> bool:
    """Return whether a file is an MP4 or QuickTime file that ends before its index, which most writers put last."""
    try:
        with path.open("rb") as file:
            end, kinds = file.seek(0, 2), list[bytes]()
            start = 0
            while start + 8 <= end and len(kinds) < _MAX_STEPS:
                kind, size = _box(file, start)
                kinds.append(kind)
                start += size or end
    except OSError:
        return False
    return kinds[:1] in ([b"ftyp"], [b"wide"], [b"mdat"]) and b"mdat" in kinds and b"moov" not in kinds


def _avi(file: BinaryIO, end: int, _: list[int]) -> bool:
    # Less than a hundredth of the bytes is a wrong length or a missing index.
    head = _bytes_at(file, 0, 8)
    length = int.from_bytes(head[4:], "little")
    return head.startswith(b"RIFF") and length != _ENDLESS_RIFF and length + 8 > end + end // 100


def _matroska(file: BinaryIO, end: int, _: list[int]) -> bool:
    start = 0
    for wanted in (_EBML, _SEGMENT):
        head = _bytes_at(file, start, 12)
        kind_bytes = 9 - head[0].bit_length()
        size_bytes = 9 - head[kind_bytes].bit_length()
        if int.from_bytes(head[:kind_bytes], "big") != wanted or size_bytes > 8:
            return False
        size = int.from_bytes(head[kind_bytes : kind_bytes + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
        # A size of ones is unknown: the recording was not finished, or is a stream.
        start = end if size == (1 << 7 * size_bytes) - 1 else start + kind_bytes + size_bytes + size
    return start > end


def _mp4(file: BinaryIO, end: int, _: list[int]) -> bool:
    start = 0
    for _box_number in range(_MAX_STEPS):
        kind, size = _box(file, start) if start + 8 <= end else (b"", 0)
        # Phones append data of their own, which are no boxes.
        if kind not in _BOXES or not size:
            break
        start += size
    return start > end


def _box(file: BinaryIO, start: int) -> tuple[bytes, int]:
    """Return the kind and size of the box at ``start``; 0 if it reaches to the end, or has no possible size."""
    head = _bytes_at(file, start, 16)
    size, kind = int.from_bytes(head[:4], "big"), head[4:8]
    size = int.from_bytes(head[8:16], "big") if size == 1 else size
    return kind, size if size >= 8 and kind.isascii() else 0


def _asf(file: BinaryIO, end: int, _: list[int]) -> bool:
    if _bytes_at(file, 0, 16) != _ASF_HEADER:
        return False
    start = 30
    for _object in range(_MAX_ASF_OBJECTS):
        head = _bytes_at(file, start, 92)
        if head[:16] == _ASF_FILE_PROPERTIES:
            is_broadcast = head[88] & 1
            return not is_broadcast and int.from_bytes(head[40:48], "little") > end + end // 100
        start += max(24, int.from_bytes(head[16:24], "little"))
    return False


def _mxf(file: BinaryIO, end: int, _: list[int]) -> bool:
    head = _bytes_at(file, 0, 128)
    if not head.startswith(_MXF_HEADER_PARTITION):
        return False
    value = 17 + (head[16] & 0x7F if head[16] & 0x80 else 0)
    # The place of the footer; 0 in a file that is still being written.
    return int.from_bytes(head[value + 24 : value + 32], "big") >= end


def _ogg(file: BinaryIO, end: int, _: list[int]) -> bool:
    tail = _bytes_at(file, max(0, end - _OGG_PAGE_BYTES), _OGG_PAGE_BYTES)
    page = tail.rfind(b"OggS")
    if page < 0:
        return False
    head = tail[page:]
    # The 27th byte says how many bytes of lengths follow. A page may have none: it only ends the stream.
    return len(head) < 27 or len(head) < 27 + head[26] + sum(head[27 : 27 + head[26]])


def _flv(file: BinaryIO, end: int, _: list[int]) -> bool:
    # Each tag is followed by its size; some writers leave 0.
    size = int.from_bytes(_bytes_at(file, end - 4, 4), "big")
    if size == 0:
        return False
    head = _bytes_at(file, max(0, end - 4 - size), 4)
    return head[0] & 0x1F not in _FLV_TAGS or int.from_bytes(head[1:], "big") + 11 != size


def _gif(file: BinaryIO, end: int, _: list[int]) -> bool:
    return end <= MAX_GIF_BYTES and ends_within_a_picture(_bytes_at(file, 0, end))


def _apng(file: BinaryIO, end: int, _: list[int]) -> bool:
    start = 8
    for _chunk in range(_MAX_STEPS):
        head = _bytes_at(file, start, 8)
        if len(head) < 8:
            return True
        start += 12 + int.from_bytes(head[:4], "big")
        if head[4:] == b"IEND":
            break
    return start > end


def _y4m(file: BinaryIO, end: int, sizes: list[int]) -> bool:
    line = len(_bytes_at(file, 0, 1024).partition(b"\n")[0]) + 1
    # The header of a frame may hold more; then it is not known how long the others' are.
    if _bytes_at(file, line, len(_Y4M_FRAME)) != _Y4M_FRAME:
        return False
    return end > line + sum(size + len(_Y4M_FRAME) for size in sizes)


def _ivf(file: BinaryIO, end: int, _: list[int]) -> bool:
    start = int.from_bytes(_bytes_at(file, 6, 2), "little")
    for _frame in range(_MAX_STEPS):
        if start + 12 > end:
            return start != end
        start += 12 + int.from_bytes(_bytes_at(file, start, 4), "little")
    return start > end


def _transport_stream(file: BinaryIO, end: int, _: list[int]) -> bool:
    for step, sync in _TS_STEPS:
        last = end % step
        seen = _bytes_at(file, end - last - step * _TS_SEEN, step * _TS_SEEN + last) if end >= step * _TS_SEEN else b""
        if seen and all(byte == _SYNC for byte in seen[sync::step]):
            # What is left must begin as a packet does: some writers append other data.
            return last > 0 and (last <= sync or seen[len(seen) - last + sync] == _SYNC)
    return False


def _program_stream(file: BinaryIO, end: int, _: list[int]) -> bool:
    tail = _bytes_at(file, max(0, end - _PS_TAIL_BYTES), _PS_TAIL_BYTES)
    start = -1
    # Bytes of sound may look like the header of a pack: then no packets follow it.
    while (start := tail.find(_START_CODE + bytes([_PACK]), start + 1)) >= 0:
        stop = _end_of_packs(tail, start)
        if stop is not None:
            return stop > len(tail)
    return False


def _end_of_packs(data: bytes, start: int) -> int | None:
    """Return where the packets of a program stream end that begin at ``start``; None if other bytes follow them."""
    while start < len(data):
        head = data[start : start + 14]
        if head[:3] != _START_CODE[: len(head)]:
            return None
        if len(head) < 4:
            return start + 4
        if head[3] == _PS_END:
            return start + 4
        if head[3] < _PS_END:
            return None
        if head[3] != _PACK:
            start += 6 + int.from_bytes(head[4:6], "big")
        elif len(head) == 14 and head[4] >> 6 == 1:
            start += 14 + (head[13] & 7)  # MPEG-2
        else:
            start += 12 if len(head) > 4 and head[4] >> 4 == 2 else 14
    return start


def _frames_of_one_size(_file: BinaryIO, end: int, sizes: list[int]) -> bool:
    return bool(sizes) and sizes[0] > 0 and end % sizes[0] > 0


def _motion_jpeg(file: BinaryIO, end: int, sizes: list[int]) -> bool:
    # Cameras may leave the mark at the end of a picture out, then of all.
    has_marks = len(sizes) > 1 and _bytes_at(file, max(0, sizes[0] - 2), 4) == _PICTURE_END + _PICTURE_START
    return has_marks and not _bytes_at(file, max(0, end - 64), 64).rstrip(b"\0").endswith(_PICTURE_END)


def _bytes_at(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


_RULES: dict[str, Callable[[BinaryIO, int, list[int]], bool]] = {
    "avi": _avi, "matroska": _matroska, "mp4": _mp4, "asf": _asf, "mxf": _mxf, "ogg": _ogg, "flv": _flv, "gif": _gif,
    "apng": _apng, "yuv4mpegpipe": _y4m, "ivf": _ivf, "mpegts": _transport_stream, "mpeg": _program_stream,
    "dv": _frames_of_one_size, "mjpeg": _motion_jpeg,
}  # fmt: skip
