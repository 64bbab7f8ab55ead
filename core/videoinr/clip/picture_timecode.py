"""The timecode in the headers of DPX and OpenEXR pictures, which FFmpeg does not read."""

from __future__ import annotations

import struct
from pathlib import Path

from videoinr.clip.exr_windows import exr_attribute

_DPX_BIG, _DPX_LITTLE, _EXR = b"SDPX", b"XPDS", b"\x76\x2f\x31\x01"
_DPX_TIMECODE, _DPX_UNKNOWN = 1920, (0, 0xFFFFFFFF)
"""Where the timecode of a DPX is, in its television header, and what stands there if there is none: many writers fill
that header with zeros."""

_HEADER_BYTES = 1 << 16
_DIGITS = 0x3F7F7F3F
"""The bits of the digits; the others are flags."""
_DAY_HOURS = 24


def picture_timecode(file: Path) -> str:
    """Return the timecode in the header of a DPX (SMPTE 268M) or OpenEXR (``timeCode``); empty if there is none."""
    try:
        with file.open("rb") as opened:
            return _timecode_in(opened.read(_HEADER_BYTES))
    except OSError:
        return ""


def _timecode_in(head: bytes) -> str:
    if head.startswith((_DPX_BIG, _DPX_LITTLE)):
        order = ">" if head.startswith(_DPX_BIG) else "<"
        # A file without a television header has pictures there.
        if len(head) < _DPX_TIMECODE + 4 or struct.unpack_from(f"{order}I", head, 4)[0] < _DPX_TIMECODE + 4:
            return ""
        (word,) = struct.unpack_from(f"{order}I", head, _DPX_TIMECODE)
        return "" if word in _DPX_UNKNOWN else _from_smpte(word)
    value = exr_attribute(head, "timeCode") if head.startswith(_EXR) else b""
    return _from_smpte(struct.unpack_from("<I", value)[0]) if len(value) == 8 else ""


def _from_smpte(word: int) -> str:
    """Return 32 bits of SMPTE 12M: decimal digits of hours, minutes, seconds and frames, with flags beside the tens.

    Empty if they are no time of a day.
    """
    digits = f"{word & _DIGITS:08x}"
    if not digits.isdecimal() or int(digits[:2]) >= _DAY_HOURS:
        return ""
    hours, minutes, secs, frames = (int(digits[at : at + 2]) for at in (0, 2, 4, 6))
    return f"{hours:02}:{minutes:02}:{secs:02}{';' if word & 0x40 else ':'}{frames:02}"
