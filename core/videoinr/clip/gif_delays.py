"""GIF delays of 1/100 s, which browsers and image viewers show for 1/10 s.

FFmpeg believes such delays; its option ``min_delay`` has no effect in version 8.1. So it gets the file's bytes with
other delays in them.
"""

from __future__ import annotations

from pathlib import Path

_SHORTEST_CS = 2
"""Delays below this many hundredths of a second are replaced. None (0) is left to FFmpeg, which takes 1/10 s too."""

_BROWSERS_CS = 10

MAX_GIF_BYTES = 1 << 30
"""Larger files are not looked through."""

_EXTENSION, _IMAGE, _CONTROL = 0x21, 0x2C, 0xF9


def with_browsers_delays(path: Path) -> tuple[bytes, int] | None:
    """Return the bytes of a GIF file with the delays that browsers show, and how many were changed.

    None if ``path`` is no GIF file, or none of its delays is too short. Damage ends the search.
    """
    with path.open("rb") as file:
        if file.read(4) != b"GIF8" or path.stat().st_size > MAX_GIF_BYTES:
            return None
        file.seek(0)
        data = bytearray(file.read())
    places = [at for at in delay_places(data) if 0 < int.from_bytes(data[at : at + 2], "little") < _SHORTEST_CS]
    for at in places:
        data[at : at + 2] = _BROWSERS_CS.to_bytes(2, "little")
    return (bytes(data), len(places)) if places else None


def delay_places(data: bytes | bytearray) -> list[int]:
    """Return where the two bytes of each delay are in a GIF file."""
    return _walk(data)[0]


def ends_within_a_picture(data: bytes | bytearray) -> bool:
    """Return whether a GIF file ends before one of its blocks does. One that lacks only its last byte is complete."""
    return _walk(data)[1] > len(data)


def _walk(data: bytes | bytearray) -> tuple[list[int], int]:
    """Return where the delays are, and where the last block that can be followed ends."""
    places, at = list[int](), 13 + _palette_bytes(data, 10)
    while at + 1 < len(data) and data[at] in (_EXTENSION, _IMAGE):
        if data[at] == _EXTENSION:
            if data[at + 1] == _CONTROL and at + 6 <= len(data) and data[at + 2] == 4:
                places.append(at + 4)
            at = _after_blocks(data, at + 2)
        else:
            at = _after_blocks(data, at + 11 + _palette_bytes(data, at + 9))
    return places, at


def _palette_bytes(data: bytes | bytearray, flags_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes | bytearray, at: int) -> int:
    """Return where the data blocks that start at ``at`` end."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1
