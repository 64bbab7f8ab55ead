"""Reads the crop rectangle of a Matroska or MP4 file, which FFmpeg's decoders leave to the program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from videoinr.clip.boxes import Element, boxes, code_of, descend, ebml, first, handler_of, number_in
from videoinr.geometry import Rect

_SEGMENT, _TRACKS, _TRACK, _CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0x1F43B675
_TRACK_TYPE, _VIDEO, _VIDEO_TYPE = 0x83, 0xE0, 1
_CROP_LEFT, _CROP_TOP, _CROP_RIGHT, _CROP_BOTTOM = 0x54CC, 0x54BB, 0x54DD, 0x54AA

_SAMPLE_ENTRY_BYTES = 78
"""The fixed fields of a video sample entry, before its boxes."""


@dataclass(frozen=True, slots=True)
class Cropping:
    """How many pixels a container cuts off at each side of the stored frames."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def rect(self, width: int, height: int) -> Rect:
        """Return the pixels that are shown of a stored frame; all of them if the cropping leaves nothing.

        Args:
            width: of the stored frame, in pixels.
            height: of the stored frame, in pixels.
        """
        left, top, right, bottom = self.left, self.top, width - self.right, height - self.bottom
        if min(self.left, self.top, self.right, self.bottom) < 0 or right <= left or bottom <= top:
            return Rect(0, 0, width, height)
        return Rect.from_edges(left, top, right, bottom)


def cropping_of(path: Path, format_name: str, number: int, width: int, height: int) -> Cropping:
    """Return how the container crops a video stream.

    Args:
        path: the file.
        format_name: FFmpeg's name of its format.
        number: which of its video streams, counted from 0.
        width, height: the stored size of its frames.
    """
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            if "matroska" in format_name:
                return _matroska(file, end, number)
            if "mp4" in format_name:
                return _mp4(file, end, number, width, height)
    except (OSError, ValueError, LookupError, ArithmeticError, StopIteration):
        pass
    return Cropping()


def _matroska(file: BinaryIO, end: int, number: int) -> Cropping:
    segment = first(ebml(file, 0, end), _SEGMENT)
    tracks = first(ebml(file, segment.start, segment.end, stop_at=_CLUSTER), _TRACKS)
    videos = []
    for track in ebml(file, tracks.start, tracks.end):
        fields = list(ebml(file, track.start, track.end)) if track.kind == _TRACK else []
        if any(field.kind == _TRACK_TYPE and number_in(file, field) == _VIDEO_TYPE for field in fields):
            videos.append(first(iter(fields), _VIDEO))
    found = {each.kind: each for each in ebml(file, videos[number].start, videos[number].end)} if videos else {}
    sides = (_CROP_LEFT, _CROP_TOP, _CROP_RIGHT, _CROP_BOTTOM)
    return Cropping(*(number_in(file, found[side]) if side in found else 0 for side in sides))


def _mp4(file: BinaryIO, end: int, number: int, width: int, height: int) -> Cropping:
    movie = first(boxes(file, 0, end), b"moov")
    media = [first(boxes(file, *box[1:]), b"mdia") for box in boxes(file, *movie[1:]) if box.kind == code_of(b"trak")]
    videos = [each for each in media if handler_of(file, each) == b"vide"]
    table = descend(file, videos[number], b"minf", b"stbl", b"stsd")
    entry = next(boxes(file, table.start + 8, table.end))
    aperture = first(boxes(file, entry.start + _SAMPLE_ENTRY_BYTES, entry.end), b"clap")
    return _from_aperture(file, aperture, width, height)


def _from_aperture(file: BinaryIO, box: Element, width: int, height: int) -> Cropping:
    """Return the cropping of a clean aperture: its size, and how far its centre lies from the frame's."""
    file.seek(box.start)
    data = file.read(32)
    fields = [int.from_bytes(data[place : place + 4], "big", signed=True) for place in range(0, len(data) - 3, 4)]
    if len(fields) < 8:
        return Cropping()
    shown_width, shown_height, x, y = (fields[n] / fields[n + 1] for n in (0, 2, 4, 6))
    left, top = (width - shown_width) / 2 + x, (height - shown_height) / 2 + y
    return Cropping(round(left), round(top), round(width - left - shown_width), round(height - top - shown_height))
