"""Reads the orientation of a photograph from its Exif data.

The decoder's own side data are not read for pictures: in PyAV 18.1, some valid files ended the process there.
"""

from __future__ import annotations

from collections.abc import Iterator

_ORIENTATION = 0x0112
_MAX_FIELDS = 512
_MAX_CHUNKS = 4096

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_TIFF_HEADS = (b"II*\0", b"MM\0*")
_EXIF = b"Exif\0\0"

TURNS = {1: (0, False), 2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (1, False), 7: (1, True)} | {
    8: (3, False)
}
"""Exif's number: (quarter turns clockwise, mirrored left to right before them)."""


def turns_from_exif(data: bytes) -> tuple[int, bool] | None:
    """Return (quarter turns clockwise, mirrored before them) by the Exif data of a picture file.

    Args:
        data: the bytes of a JPEG, PNG, WebP or TIFF file.

    Returns:
        None if the file has no Exif data or they say nothing of the orientation.
    """
    for block in _exif_blocks(data):
        value = _orientation(block)
        if value in TURNS:
            return TURNS[value]
    return None


def _exif_blocks(data: bytes) -> Iterator[bytes]:
    """Yield what may be Exif data: blocks that start like a TIFF file."""
    if data.startswith(_TIFF_HEADS):
        yield data
    elif data.startswith(_JPEG):
        yield from _jpeg_blocks(data)
    elif data.startswith(_PNG):
        yield from (body for name, body in _chunks(data, 8, "big") if name == b"eXIf")
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        yield from (body.removeprefix(_EXIF) for name, body in _chunks(data, 12, "little") if name == b"EXIF")


def _jpeg_blocks(data: bytes) -> Iterator[bytes]:
    place = 2
    for _ in range(_MAX_CHUNKS):
        marker, size = data[place : place + 2], int.from_bytes(data[place + 2 : place + 4], "big")
        # Segments come before the picture, which starts at SOS (0xda).
        if len(marker) < 2 or marker[0] != 0xFF or marker[1] == 0xDA or size < 2:
            return
        body = data[place + 4 : place + 2 + size]
        if marker[1] == 0xE1 and body.startswith(_EXIF):
            yield body[len(_EXIF) :]
        place += 2 + size


def _chunks(data: bytes, place: int, order: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, body) of the chunks of a PNG (big-endian, size first) or of RIFF (little-endian, name first)."""
    for _ in range(_MAX_CHUNKS):
        head = data[place : place + 8]
        if len(head) < 8:
            return
        is_png = order == "big"
        name, size = (head[4:], head[:4]) if is_png else (head[:4], head[4:])
        length = int.from_bytes(size, "big" if is_png else "little")
        yield name, data[place + 8 : place + 8 + length]
        place += 8 + length + (4 if is_png else length % 2)


def _orientation(block: bytes) -> int | None:
    """Return the orientation in the first directory of a block in TIFF's form."""
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(block[:4])
    if order is None:
        return None

    def number(place: int, size: int) -> int:
        return int.from_bytes(block[place : place + size], "little" if order == "little" else "big")

    start = number(4, 4)
    for field in range(min(number(start, 2), _MAX_FIELDS)):
        place = start + 2 + 12 * field
        if number(place, 2) == _ORIENTATION:
            return number(place + 8, 2)
    return None
