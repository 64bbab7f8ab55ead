"""Which picture format a file holds, by its first bytes, whatever its name ends in."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from videoinr.errors import ClipError

HEAD_BYTES = 64
"""How many bytes of a file :func:`format_of` looks at."""


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """A picture format.

    Attributes:
        name: as people call it.
        decoder: FFmpeg's decoder of its files; empty for AVIF and HEIC, whose files are containers.
        demuxer: FFmpeg's demuxer, which reads sizes from headers; empty if there is none.
    """

    name: str
    decoder: str
    demuxer: str


PNG = PictureFormat("PNG", "png", "png_pipe")
JPEG = PictureFormat("JPEG", "mjpeg", "jpeg_pipe")
TIFF = PictureFormat("TIFF", "tiff", "tiff_pipe")
WEBP = PictureFormat("WebP", "webp", "webp_pipe")
EXR = PictureFormat("OpenEXR", "exr", "exr_pipe")
HDR = PictureFormat("Radiance HDR", "hdr", "hdr_pipe")
TGA = PictureFormat("Targa", "targa", "")
AVIF = PictureFormat("AVIF", "", "mov")
HEIC = PictureFormat("HEIC", "", "mov")
JXL = PictureFormat("JPEG XL", "libjxl", "")
PFM = PictureFormat("PFM", "pfm", "pfm_pipe")
JPEG_2000 = PictureFormat("JPEG 2000", "jpeg2000", "j2k_pipe")

LINEAR = (EXR, HDR)
"""The formats whose numbers are amounts of light, not levels of a screen."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"\x76\x2f\x31\x01", EXR),
    (b"#?RADIANCE", HDR),
    (b"#?RGBE", HDR),
    (b"BM", PictureFormat("BMP", "bmp", "bmp_pipe")),
    (b"SDPX", PictureFormat("DPX", "dpx", "dpx_pipe")),
    (b"XPDS", PictureFormat("DPX", "dpx", "dpx_pipe")),
    (b"\x00\x00\x00\x0cjP  ", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"qoif", PictureFormat("QOI", "qoi", "qoi_pipe")),
    (b"\x01\xda\x00", PictureFormat("SGI", "sgi", "sgi_pipe")),
    (b"\x01\xda\x01", PictureFormat("SGI", "sgi", "sgi_pipe")),
    (b"\xff\x0a", JXL),
    (b"\x00\x00\x00\x0cJXL ", JXL),
    *((magic, PictureFormat("PBM", "pbm", "pbm_pipe")) for magic in (b"P1", b"P4")),
    *((magic, PictureFormat("PGM", "pgm", "pgm_pipe")) for magic in (b"P2", b"P5")),
    *((magic, PictureFormat("PPM", "ppm", "ppm_pipe")) for magic in (b"P3", b"P6")),
    (b"P7", PictureFormat("PAM", "pam", "pam_pipe")),
    (b"PF", PFM),
    (b"Pf", PFM),
)

_VIDEO_SIGNATURES = ((0, b"GIF8"), (0, b"\x1a\x45\xdf\xa3"), (8, b"AVI "), (0, b"YUV4MPEG2 "), (0, b"OggS"))

_SEQUENCES = (b"avis", b"msf1", b"hevs")
"""The brands of AVIF and HEIC files that hold a sequence of pictures."""

_STILLS = {b"avif": AVIF, b"heic": HEIC, b"heix": HEIC, b"heim": HEIC, b"mif1": HEIC}


def read_head(file: Path) -> bytes:
    """Return the first bytes of ``file``; raises OSError."""
    with file.open("rb") as opened:
        return opened.read(HEAD_BYTES)


def format_of(head: bytes, file: Path) -> PictureFormat | None:
    """Return the format of a picture file; None if it is no picture that is known.

    Sequences in AVIF and HEIC files hold a still picture too. Only Targa has no signature: files of other content whose
    name ends in .tga are taken for one.

    Args:
        head: the file's first bytes, or all of them.
        file: its path, of which the suffix counts for Targa.
    """
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    still = next((_STILLS[brand] for brand in _brands(head) if brand in _STILLS), None)
    if still is not None:
        return still
    return TGA if file.suffix.lower() == ".tga" and not is_video(head) else None


def is_video(head: bytes) -> bool:
    """Return whether ``head`` is the start of a video, a GIF, or a sequence in an AVIF or HEIC file."""
    if any(head[at:].startswith(signature) for at, signature in _VIDEO_SIGNATURES):
        return True
    brands = _brands(head)
    return bool(brands) and (brands[0] not in _STILLS or any(brand in _SEQUENCES for brand in brands))


def _brands(head: bytes) -> list[bytes]:
    """Return the brands of an ISO media file, the major one first; an empty list for other files."""
    if head[4:8] != b"ftyp":
        return []
    end = min(struct.unpack(">I", head[:4])[0], len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]


def is_animated_png(data: bytes) -> bool:
    """Return whether a PNG holds an animation: an acTL chunk before its first picture."""
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind in (b"acTL", b"IDAT"):
            return bool(kind == b"acTL")
        at += 12 + length
    return False


def is_animated_webp(head: bytes) -> bool:
    """Return whether a WebP file says that it is an animation."""
    return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 0x02)


def check_supported(found: PictureFormat | None, head: bytes, file: Path) -> PictureFormat:
    """Return ``found`` if it is a format that FFmpeg decodes here.

    Args:
        found: the format, as :func:`format_of` returned it.
        head: the file's first bytes, or all of them.
        file: its path, for messages.

    Raises:
        ClipError: it is None, or a format that FFmpeg does not decode here.
    """
    if found is None:
        raise ClipError(
            f"The picture “{file.name}” cannot be read.", hint="Its content is none of the supported picture formats."
        )
    if found is JXL or (found is WEBP and is_animated_webp(head)):
        what = "an animated WebP" if found is WEBP else "a JPEG XL picture"
        raise ClipError(
            f"“{file.name}” is {what}, which FFmpeg cannot decode.",
            hint="The file is not damaged. Convert it first: "
            + ("to a video or a GIF." if found is WEBP else "to PNG, for example."),
        )
    return found


_MAX_PAGES = 100_000
_MAX_ENTRIES = 4096
_KIND, _WIDTH, _HEIGHT = 254, 256, 257
_BITS, _COMPRESSION, _MEANING_OF_ONE, _FURTHER_CHANNELS, _NUMBERS = 258, 259, 262, 338, 339
_DEFLATE, _JPEG_INSIDE = (8, 32946), (6, 7)
"""Compressions of which FFmpeg leaves pictures black: the first of 12-bit numbers, the second of all but raw photos."""

_RGB, _FLOATS, _PREMULTIPLIED = 2, 3, 1
_UNSIGNED = (0, 1, 4)
"""What the tag of the kind of numbers says of integers without a sign: nothing, that they are, or "undefined"."""

_NUMBER_NAMES = {2: "signed integers", _FLOATS: "floating-point numbers"}
_REDUCED, _MASK = 1, 4
_TILE_OFFSETS, _DNG_VERSION = 324, 50706


def tiff_pages(data: bytes) -> list[tuple[int, int, int]]:
    """Return the pages of a TIFF file: (where its directory starts, width, height) of each, in the file's order.

    Reduced copies of pages and transparency masks are left out. Damaged directories end the list.
    """
    order = "<" if data[:2] == b"II" else ">"
    pages, seen = list[tuple[int, int, int]](), set[int]()
    at = _number(data, order + "I", 4)
    while at and at not in seen and len(pages) < _MAX_PAGES:
        seen.add(at)
        count = _number(data, order + "H", at)
        end = at + 2 + 12 * count
        if not 0 < count <= _MAX_ENTRIES or end > len(data):
            break
        tags = {_number(data, order + "H", each): each for each in range(at + 2, end, 12)}
        kind, width, height = (_value(data, order, tags.get(tag)) for tag in (_KIND, _WIDTH, _HEIGHT))
        if not kind & (_REDUCED | _MASK):
            pages.append((at, width, height))
        at = _number(data, order + "I", end)
    return pages


def is_tiled(data: bytes, at: int | None = None) -> bool:
    """Return whether a page of a TIFF file is stored as tiles, which FFmpeg reads as if they were strips.

    Args:
        data: the file's bytes.
        at: where the page's directory starts; None: the first one.
    """
    tags = _tags_of_page(data, at)
    return _TILE_OFFSETS in tags and _DNG_VERSION not in tags


def unread_numbers(data: bytes) -> str:
    """Return what numbers the first page of a TIFF file holds, in words, if FFmpeg takes them for others; "" otherwise.

    FFmpeg looks at their bits alone: it reads half floats and signed integers as integers without a sign, and RGB
    integers of 32 bits as floating-point numbers. It refuses grey of 32 bits and all of 64. It leaves pictures black
    that were compressed by JPEG, or whose integers of 12 bits were compressed by Deflate.
    """
    order, tags = "<" if data[:2] == b"II" else ">", _tags_of_page(data)
    bits, kind = (_first_short(data, order, tags.get(tag)) for tag in (_BITS, _NUMBERS))
    is_rgb = _value(data, order, tags.get(_MEANING_OF_ONE)) == _RGB
    compression = _value(data, order, tags.get(_COMPRESSION))
    if compression in _JPEG_INSIDE and _DNG_VERSION not in tags:
        return "JPEG-compressed pixels"
    if kind in _UNSIGNED and bits == 12 and compression in _DEFLATE:
        return f"compressed integers of {bits} bits"
    if (kind in _UNSIGNED and bits <= 16) or (kind == _FLOATS and bits == 32 and is_rgb):
        return ""
    return f"{'integers' if kind in _UNSIGNED else _NUMBER_NAMES.get(kind, 'complex numbers')} of {bits} bits"


def is_premultiplied(data: bytes, kind: PictureFormat) -> bool:
    """Return whether the colours of a picture of the format ``kind`` were multiplied by its alpha channel.

    FFmpeg returns them as they are stored, and does not tell: those of OpenEXR always are, those of TIFF may be.
    """
    if kind is not TIFF:
        return kind in LINEAR
    order = "<" if data[:2] == b"II" else ">"
    return _first_short(data, order, _tags_of_page(data).get(_FURTHER_CHANNELS)) == _PREMULTIPLIED


def _tags_of_page(data: bytes, at: int | None = None) -> dict[int, int]:
    """Return where the entries of a directory of a TIFF file are by their tags; ``at`` is its start, or the first's."""
    order = "<" if data[:2] == b"II" else ">"
    start = _number(data, order + "I", 4) if at is None else at
    end = start + 2 + 12 * _number(data, order + "H", start)
    return {_number(data, order + "H", entry): entry for entry in range(start + 2, min(end, len(data)), 12)}


_JPEG_LS, _SCAN, _BY_PIXEL = 0xF7, 0xDA, 2


def is_jpeg_ls_by_pixel(data: bytes) -> bool:
    """Return whether a JPEG-LS picture has the colours of each pixel side by side, which FFmpeg returns as black."""
    at, is_ls = 2, False
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], _number(data, ">H", at + 2)
        is_ls = is_ls or kind == _JPEG_LS
        if kind == _SCAN:
            last = at + length  # The scan's header ends with the tolerated error, the interleaving and a shift.
            return is_ls and last < len(data) and data[last] == _BY_PIXEL
        at += 2 + length
    return False


_PFM_HEADER = re.compile(rb"(P[Ff]\s+\d{1,9}\s+\d{1,9}\s+)([-+.\deE]{1,40})(?=\s)")


def with_unit_scale(data: bytes) -> bytes:
    """Return a PFM file whose numbers FFmpeg returns as they are stored.

    The sign of the scale in the header is the order of bytes; its amount is a unit, which changes no number. FFmpeg
    divides by it, so that a depth map with the scale 1/255 comes 255 times as large.

    Args:
        data: the file's bytes; those of a damaged header come back as they are.
    """
    header = _PFM_HEADER.match(data)
    if header is None:
        return data
    unit = b"-1" if header[2].startswith(b"-") else b"1"
    return data if header[2] == unit else header[1] + unit + data[header.end() :]


def _first_short(data: bytes, order: str, entry: int | None) -> int:
    """Return the first of the 16-bit numbers of a directory's ``entry``, of which only two fit into it."""
    if entry is None:
        return 0
    fit = _number(data, order + "I", entry + 4) <= 2
    return _number(data, order + "H", entry + 8 if fit else _number(data, order + "I", entry + 8))


def _value(data: bytes, order: str, entry: int | None) -> int:
    """Return the number in a directory's ``entry``, which is 16 or 32 bits wide; 0 without an entry."""
    if entry is None:
        return 0
    is_short = _number(data, order + "H", entry + 2) == 3
    return _number(data, order + ("H" if is_short else "I"), entry + 8)


def with_first_page(data: bytes, at: int) -> bytes:
    """Return a TIFF file with another page as its first one.

    Args:
        data: the file's bytes.
        at: where the page's directory starts, in bytes.
    """
    return data[:4] + struct.pack("<I" if data[:2] == b"II" else ">I", at) + data[8:]


def _number(data: bytes, form: str, at: int) -> int:
    size = struct.calcsize(form)
    return int(struct.unpack(form, data[at : at + size])[0]) if at + size <= len(data) else 0
